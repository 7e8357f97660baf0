"""`buddy pretrain`: a tokenizer and a base model from plain text and conversations."""

from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app
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

  buddy pretrain --corpus diaries.jsonl.xz --corpus novels.txt --out runs/base

  buddy pretrain --corpus talk.jsonl@3 --corpus blogs.jsonl.xz@0.3 --epochs 2 --out runs/base

  buddy pretrain --resume --out runs/base

  buddy train --data data/moods --backbone runs/base/best --epochs 5 --learning-rate 5e-4 --dropout 0.2
"""

CORPUS = "corpus"
"""The tokens stand in this folder of the run."""


@app.command(epilog=EXAMPLES)
def pretrain(
    context: typer.Context,
    *,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            help="A .jsonl or .txt file (.xz and .gz, too) or a prepared folder; may be repeated. "
            "@3 behind it shows its text three times per epoch, @0.3 a fixed 30% of it.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The run directory.")] = Path("runs/base"),
    resume: Resume = False,
    backbone: Annotated[
        str, typer.Option(help="scratch:small, scratch:tiny, scratch:gpt2; or a folder to go on from.")
    ] = "scratch:small",
    labels: Annotated[
        Path | None,
        typer.Option(help="A prepared folder whose labels become one token each.", show_default="the 32 emotions"),
    ] = None,
    vocabulary_size: VocabularySize = 8192,
    max_tokens: Annotated[int, typer.Option(min=16, help="Tokens per row; longer passages are cut.")] = 256,
    epochs: Annotated[float, typer.Option(help="Passes over the text; may be a fraction.")] = 1.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows per optimizer step.")] = 16,
    tokens_per_pass: TokensPerPass = 0,
    learning_rate: Annotated[float, typer.Option(help="The peak.")] = 1e-3,
    warmup_share: WarmupShare = 0.05,
    weight_decay: WeightDecay = 0.1,
    max_gradient_norm: MaxGradientNorm = 1.0,
    dropout: Annotated[float, typer.Option(help="While training.")] = 0.0,
    evaluations_per_epoch: EvaluationsPerEpoch = 10,
    patience: Patience = 0,
    save_minutes: SaveMinutes = 5.0,
    seed: Seed = 13,
    device: DeviceName = "auto",
    number_format: NumberFormat = "auto",
    gradient_checkpointing: GradientCheckpointing = False,
    compile: Compile = False,  # noqa: A002  (the option's name)
    tensorboard: TensorBoard = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Pre-train a GPT-2-shaped base model on text, from random weights or from a folder.

    The files are read once, as a stream, into rows of tokens in the run directory; rows hold whole passages that
    do not see each other. One passage of a hundred is held out for the validation loss, also told in bits per byte.
    Ctrl-C and SIGTERM save and end; --resume goes on and ends with the same weights, to the bit.
    """
    from buddy.data.corpus import parse_corpus_file
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.pretrain import make_corpus
    from buddy.training.run import refuse_taken_folder, resume_run, start_run
    from buddy.training.settings import TrainSettings

    if resume:
        stop = resume_run(settings_to_go_on(context, out), make_evaluate)
    elif processes() > 1:
        raise UserMistake("The corpus is written by one process: start `buddy pretrain` alone, stop it, then --resume.")
    elif not corpus:
        raise UserMistake("Say what to read: --corpus FILE, as often as there are files.")
    else:
        refuse_vocabulary_size(context, backbone)
        settings = TrainSettings(
            data=(out / CORPUS).absolute(),
            out=out,
            backbone=absolute_if_folder(backbone),
            task="text",
            epochs=epochs,
            batch_size=batch_size,
            tokens_per_pass=tokens_per_pass,
            max_tokens=max_tokens,
            learning_rate=learning_rate,
            warmup_share=warmup_share,
            weight_decay=weight_decay,
            max_gradient_norm=max_gradient_norm,
            dropout=dropout,
            vocabulary_size=vocabulary_size,
            evaluations_per_epoch=evaluations_per_epoch,
            best_by="loss",
            patience=patience,
            save_minutes=save_minutes,
            seed=seed,
            device=device,
            number_format=number_format,
            gradient_checkpointing=gradient_checkpointing,
            compile=compile,
            tensorboard=tensorboard,
        )
        files = [parse_corpus_file(argument) for argument in corpus]
        refuse_taken_folder(out)
        make_corpus(settings, files, labels)
        stop = start_run(settings, make_evaluate)
    end_run(out, stop, "pretrain")
