"""What a training run can be asked for, with defaults that suit a two-core machine and ED-sized data."""

from dataclasses import dataclass
from pathlib import Path

from buddy.errors import UserMistake

TASKS = ("emotion", "companion")
BEST_BY = ("accuracy", "loss")


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides how a run goes; it is written into the run and read back by ``--resume``.

    Attributes:
        data: a folder made by ``buddy prepare``.
        out: the run directory to make.
        backbone: ``scratch:small``, ``scratch:tiny``, a folder, or a model's name on the hub (``gpt2``).
        task: ``emotion`` learns labels of texts; ``companion`` learns labels and replies from dialogues too.
        epochs: how often every document is seen, at most; may be a fraction.
        batch_size: documents per optimizer step.
        tokens_per_pass: a step with more tokens than this is computed in several passes and its gradients are
            added up, which changes memory and speed, and the result only in what dropout draws. 0: chosen by the
            device.
        max_tokens: longer documents lose their oldest part.
        learning_rate: the peak. ``None``: 1e-3 from scratch, 2e-4 with LoRA, 1e-4 otherwise.
        warmup_share: share of the planned steps in which the learning rate climbs.
        weight_decay: on matrices, not on biases and layer norms.
        max_gradient_norm: gradients are scaled down to this length.
        dropout: of a model from scratch; a pretrained one keeps its own.
        text_weight: above 0 the text before the label is learned too, each token counting this much.
        vocabulary_size: of the tokenizer that ``scratch`` trains.
        lora_rank: above 0 only low-rank adapters of this rank are trained.
        evaluations_per_epoch: how often the curves get a point.
        best_by: the validation figure that chooses ``best/`` and stops the run: ``accuracy`` or ``loss``.
        patience: evaluations without a new best before the run stops; 0: never.
        save_minutes: ``last/`` is written at least this often, and at every evaluation.
        seed: of everything that is random.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        number_format: ``auto``, ``bf16`` or ``fp32``.
        tensorboard: also write TensorBoard events into the run.
    """

    data: Path
    out: Path
    backbone: str = "scratch:small"
    task: str = "emotion"
    epochs: float = 10.0
    batch_size: int = 32
    tokens_per_pass: int = 0
    max_tokens: int = 256
    learning_rate: float | None = None
    warmup_share: float = 0.1
    weight_decay: float = 0.1
    max_gradient_norm: float = 1.0
    dropout: float = 0.1
    text_weight: float = 0.0
    vocabulary_size: int = 8192
    lora_rank: int = 0
    evaluations_per_epoch: int = 2
    best_by: str = "accuracy"
    patience: int = 6
    save_minutes: float = 5.0
    seed: int = 13
    device: str = "auto"
    number_format: str = "auto"
    tensorboard: bool = False

    def __post_init__(self) -> None:
        """Refuse what could only fail later.

        Raises:
            UserMistake: a value is outside its range.
        """
        positive = ("epochs", "batch_size", "vocabulary_size", "evaluations_per_epoch", "max_gradient_norm")
        for name in positive:
            if not getattr(self, name) > 0:
                raise UserMistake(f"{name} must be above 0, not {getattr(self, name)}.")
        _one_of("task", self.task, TASKS)
        _one_of("best_by", self.best_by, BEST_BY)
        if self.max_tokens < 16:
            raise UserMistake(f"max_tokens must be at least 16, not {self.max_tokens}.")
        if not 0 <= self.dropout < 1:
            raise UserMistake(f"dropout must be from 0 to below 1, not {self.dropout}.")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserMistake(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
