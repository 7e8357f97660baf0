"""What a training run can be asked for, with defaults that suit a two-core machine and ED-sized data."""

import math
from dataclasses import dataclass
from pathlib import Path

from buddy.errors import UserMistake

TASKS = ("emotion", "companion", "text")
BEST_BY = ("accuracy", "loss")
HIGHEST_DROPOUT = 0.95
HIGHEST_VOCABULARY = 1_000_000


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides how a run goes; it is written into the run and read back by ``--resume``.

    The defaults suit a model from scratch; ``suited_to`` knows which of them another backbone wants otherwise.

    Attributes:
        data: a folder made by ``buddy prepare``; for ``text``, rows of tokens that ``buddy pretrain`` wrote.
        out: the run directory to make.
        backbone: ``base``, which comes with buddy; ``scratch:small``, ``scratch:tiny``; a folder; or a model's name
            on the hub (``gpt2``).
        task: ``emotion`` learns labels of texts; ``companion`` learns labels and replies from dialogues too;
            ``text`` is pre-training.
        epochs: how often every document is seen, at most; may be a fraction.
        batch_size: documents per optimizer step.
        tokens_per_pass: a step with more tokens than this is computed in several passes and its gradients are
            added up, which changes memory and speed, and the result only in what dropout draws. 0: chosen by the
            device.
        max_tokens: longer documents lose their oldest part.
        learning_rate: the peak.
        warmup_share: share of the planned steps in which the learning rate climbs.
        weight_decay: on matrices, not on biases and layer norms.
        max_gradient_norm: gradients are scaled down to this length.
        dropout: of a GPT-2; ``None``: a pretrained one keeps its own.
        text_weight: above 0 the text before the label is learned too, each token counting this much.
        reply_weight: what each token of a reply counts beside a label's.
        teacher: a Parquet table of a teacher's probabilities to learn from (``buddy.data.teacher``); "": none.
        label_weight: what the true label counts beside the teacher's answer, which counts 1.
        other_texts_per_epoch: of the texts that only the teacher has labelled, so many are seen in an epoch, in the
            next one others; 0: all.
        documents_in_memory: of more training documents than this some blocks at a time are in memory.
        vocabulary_size: of the tokenizer that ``scratch`` trains.
        lora_rank: above 0 only low-rank adapters of this rank are trained.
        evaluations_per_epoch: how often the curves get a point.
        best_by: the validation figure that chooses ``best/`` and stops the run: ``accuracy`` or ``loss``.
        patience: evaluations without a new best before the run stops; 0: never.
        save_minutes: ``last/`` is written at least this often, and at every evaluation.
        seed: of everything that is random.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        number_format: ``auto``, ``bf16`` or ``fp32``.
        gradient_checkpointing: keep less for the backward pass and compute each layer twice; the result is the same.
        compile: compile the layers first (``torch.compile``), which takes a minute and pays on an accelerator.
        shard: several processes share weights, gradients and averages (FSDP2) instead of each having all.
        tensorboard: also write TensorBoard events into the run.
    """

    data: Path
    out: Path
    backbone: str = "scratch:small"
    task: str = "emotion"
    epochs: float = 6.0
    batch_size: int = 32
    tokens_per_pass: int = 0
    max_tokens: int = 256
    learning_rate: float = 1e-3
    warmup_share: float = 0.1
    weight_decay: float = 0.1
    max_gradient_norm: float = 1.0
    dropout: float | None = 0.2
    text_weight: float = 0.2
    reply_weight: float = 0.2
    teacher: str = ""
    label_weight: float = 0.5
    other_texts_per_epoch: int = 0
    documents_in_memory: int = 100_000
    vocabulary_size: int = 8192
    lora_rank: int = 0
    evaluations_per_epoch: int = 2
    best_by: str = "accuracy"
    patience: int = 6
    save_minutes: float = 5.0
    seed: int = 13
    device: str = "auto"
    number_format: str = "auto"
    gradient_checkpointing: bool = False
    compile: bool = False
    shard: bool = False
    tensorboard: bool = False

    def __post_init__(self) -> None:
        """Refuse what could only fail later.

        Raises:
            UserMistake: a value is outside its range.
        """
        positive = (
            "epochs",
            "batch_size",
            "learning_rate",
            "documents_in_memory",
            "vocabulary_size",
            "evaluations_per_epoch",
            "max_gradient_norm",
        )
        for name in positive:
            if not 0 < getattr(self, name) < math.inf:
                raise UserMistake(f"{name} must be above 0 and finite, not {getattr(self, name)}.")
        zero_or_above = (
            "text_weight",
            "reply_weight",
            "weight_decay",
            "label_weight",
            "other_texts_per_epoch",
            "lora_rank",
        )
        for name in zero_or_above:
            if not 0 <= getattr(self, name) < math.inf:
                raise UserMistake(f"{name} must be 0 or above and finite, not {getattr(self, name)}.")
        _one_of("task", self.task, TASKS)
        _one_of("best_by", self.best_by, BEST_BY)
        if self.vocabulary_size > HIGHEST_VOCABULARY:
            raise UserMistake(f"vocabulary_size must be at most {HIGHEST_VOCABULARY:,}, not {self.vocabulary_size}.")
        if self.max_tokens < 16:
            raise UserMistake(f"max_tokens must be at least 16, not {self.max_tokens}.")
        if self.shard and self.lora_rank:
            raise UserMistake("A model that processes share cannot train adapters: leave out shard or lora_rank.")
        if not 0 <= self.warmup_share <= 1:
            raise UserMistake(f"warmup_share must be from 0 to 1, not {self.warmup_share}.")
        if self.dropout is not None and not 0 <= self.dropout <= HIGHEST_DROPOUT:
            raise UserMistake(f"dropout must be from 0 to {HIGHEST_DROPOUT}, not {self.dropout}.")


@dataclass(frozen=True)
class Suited:
    """Settings whose good values depend on what a model knows already."""

    epochs: float
    learning_rate: float
    text_weight: float
    dropout: float | None


def suited_to(backbone: str, lora_rank: int) -> Suited:
    """Give the values that suit a backbone.

    A model from scratch must first learn to read: it needs more epochs, larger steps, and the text itself as a
    teacher. A pretrained one would forget at that rate; adapters, few and new, bear more than whole weights. The
    small ``base`` stands between: it has read, but bears larger steps than a large model.

    Example:
        >>> [suited_to(name, lora_rank=0).learning_rate for name in ("scratch:small", "base", "gpt2")]
        [0.001, 0.0005, 0.0001]
    """
    if backbone.startswith("scratch:"):
        return Suited(
            TrainSettings.epochs, TrainSettings.learning_rate, TrainSettings.text_weight, TrainSettings.dropout
        )
    if backbone == "base":
        return Suited(epochs=5.0, learning_rate=5e-4, text_weight=0.0, dropout=0.2)
    return Suited(epochs=3.0, learning_rate=2e-4 if lora_rank else 1e-4, text_weight=0.0, dropout=None)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserMistake(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
