"""`buddy train`: fine-tune a causal language model on a prepared folder."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app, refuse_options
from buddy.cli.training_options import (
    Compile,
    DeviceName,
    EvaluationsPerEpoch,
    GradientCheckpointing,
    MaxGradientNorm,
    NumberFormat,
    Patience,
    Resume,
    SaveMinutes,
    Seed,
    TensorBoard,
    TokensPerPass,
    VocabularySize,
    WarmupShare,
    WeightDecay,
    absolute_if_folder,
    end_run,
    processes,
    refuse_vocabulary_size,
    settings_to_go_on,
)
from buddy.errors import UserMistake

EXAMPLES = """Examples:

  buddy train --data data/empathetic-dialogues

  buddy train --data data/moods --backbone gpt2 --lora-rank 8 --out runs/moods

  buddy train --data data/moods --backbone gpt2 --dry-run

  buddy train --resume --out runs/moods

  accelerate launch --multi-gpu -m buddy train --data data/empathetic-dialogues
"""


class Task(str, Enum):
    """What a model can be trained for."""

    emotion = "emotion"
    companion = "companion"


class BestBy(str, Enum):
    """Validation figures that can choose the best model."""

    accuracy = "accuracy"
    loss = "loss"


@app.command(epilog=EXAMPLES)
def train(
    context: typer.Context,
    *,
    data: Annotated[Path | None, typer.Option(help="A folder made by `buddy prepare`.")] = None,
    backbone: Annotated[
        str, typer.Option(help="base (comes with buddy), scratch:small, scratch:tiny, a folder, or a hub name: gpt2.")
    ] = "base",
    task: Annotated[
        Task, typer.Option(help="emotion: labels of texts; companion: also replies, from dialogues.")
    ] = Task.emotion,
    out: Annotated[Path | None, typer.Option(help="The run directory; runs/TASK if not given.")] = None,
    resume: Resume = False,
    epochs: Annotated[
        float | None,
        typer.Option(help="Passes over the data, at most.", show_default="5 for base, 6 from scratch, else 3"),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts per optimizer step.")] = 32,
    tokens_per_pass: TokensPerPass = 0,
    max_tokens: Annotated[int, typer.Option(min=16, help="Longer texts lose their oldest part.")] = 256,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="The peak.", show_default="5e-4 for base, 1e-3 from scratch, 2e-4 LoRA, else 1e-4"),
    ] = None,
    warmup_share: WarmupShare = 0.1,
    weight_decay: WeightDecay = 0.1,
    max_gradient_norm: MaxGradientNorm = 1.0,
    dropout: Annotated[
        float | None,
        typer.Option(help="Of a GPT-2.", show_default="0.2 for base and from scratch, else the model's own"),
    ] = None,
    text_weight: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Above 0 the text is learned too; each token counts this much of a label's.",
            show_default="0.2 from scratch, else 0",
        ),
    ] = None,
    reply_weight: Annotated[
        float, typer.Option(min=0, help="For a companion: what each token of a reply counts beside a label's.")
    ] = 0.2,
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="A Parquet table of another model's probabilities (id, text, p_LABEL) to learn from as well."
        ),
    ] = None,
    label_weight: Annotated[
        float, typer.Option(min=0, help="What the true label counts beside the teacher's answer.")
    ] = 0.5,
    other_texts_per_epoch: Annotated[
        int, typer.Option(min=0, help="Texts per epoch that only the teacher has labelled. 0: all.")
    ] = 0,
    documents_in_memory: Annotated[
        int, typer.Option(min=1, help="Of more training texts than this some blocks at a time are in memory.")
    ] = 100_000,
    vocabulary_size: VocabularySize = 8192,
    lora_rank: Annotated[int, typer.Option(min=0, help="Above 0: train adapters of this rank only.")] = 0,
    evaluations_per_epoch: EvaluationsPerEpoch = 2,
    best_by: Annotated[BestBy, typer.Option(help="What chooses best/ and stops the run.")] = BestBy.accuracy,
    patience: Patience = 6,
    save_minutes: SaveMinutes = 5.0,
    seed: Seed = 13,
    device: DeviceName = "auto",
    number_format: NumberFormat = "auto",
    gradient_checkpointing: GradientCheckpointing = False,
    compile: Compile = False,  # noqa: A002  (the option's name)
    shard: Annotated[
        bool, typer.Option("--shard", help="Processes share the model (FSDP2) instead of each having all of it.")
    ] = False,
    tensorboard: TensorBoard = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what a run will need: memory, steps, time. Nothing is written.")
    ] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Fine-tune a causal language model into an emotion classifier, or a companion.

    Ctrl-C and SIGTERM save and end; --resume goes on and ends with the same weights, to the bit.
    The run directory gets config.yaml, history.jsonl, best/ and last/.
    """
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.dry_run import print_estimate
    from buddy.training.run import resume_run, start_run
    from buddy.training.settings import TrainSettings, suited_to

    run = out or Path("runs") / task.value
    if processes() == 1:
        refuse_options(context, {"shard"}, "is for several processes; start them with torchrun, or leave it out")
    if resume:
        stop = resume_run(settings_to_go_on(context, run), make_evaluate)
    elif data is None:
        raise UserMistake("Say what to train on: --data DIR, a folder made by `buddy prepare`.")
    else:
        refuse_vocabulary_size(context, backbone)
        if teacher is None:
            of_teachers = {"label_weight", "other_texts_per_epoch"}
            refuse_options(context, of_teachers, "is about a teacher; it goes with --teacher")
        if task != Task.companion:
            refuse_options(context, {"reply_weight"}, "is about replies; it goes with --task companion")
        suited = suited_to(backbone, lora_rank)
        settings = TrainSettings(
            data=data.absolute(),
            out=run,
            backbone=absolute_if_folder(backbone),
            task=task.value,
            epochs=suited.epochs if epochs is None else epochs,
            batch_size=batch_size,
            tokens_per_pass=tokens_per_pass,
            max_tokens=max_tokens,
            learning_rate=suited.learning_rate if learning_rate is None else learning_rate,
            warmup_share=warmup_share,
            weight_decay=weight_decay,
            max_gradient_norm=max_gradient_norm,
            dropout=suited.dropout if dropout is None else dropout,
            text_weight=suited.text_weight if text_weight is None else text_weight,
            reply_weight=reply_weight,
            teacher="" if teacher is None else str(teacher.absolute()),
            label_weight=label_weight,
            other_texts_per_epoch=other_texts_per_epoch,
            documents_in_memory=documents_in_memory,
            vocabulary_size=vocabulary_size,
            lora_rank=lora_rank,
            evaluations_per_epoch=evaluations_per_epoch,
            best_by=best_by.value,
            patience=patience,
            save_minutes=save_minutes,
            seed=seed,
            device=device,
            number_format=number_format,
            gradient_checkpointing=gradient_checkpointing,
            compile=compile,
            shard=shard,
            tensorboard=tensorboard,
        )
        if dry_run:
            print_estimate(settings, make_evaluate)
            return
        stop = start_run(settings, make_evaluate)
    end_run(run, stop, "train")
