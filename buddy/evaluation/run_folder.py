"""What training left behind: the settings that were asked for and the history of the losses."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from buddy.errors import UserMistake
from buddy.files import atomic_file, whole_folder
from buddy.inference.folder import FACTS_FILE
from buddy.models import find_model

CONFIG_FILE = "config.yaml"
HISTORY_FILE = "history.jsonl"
BEST_FOLDER = "best"

Setting = str | int | float | bool | None | list["Setting"] | dict[str, "Setting"]


@dataclass(frozen=True)
class Run:
    """A run directory and what its ``config.yaml`` says.

    Args:
        folder: where it stands.
        settings: all that was asked for, by name.
        versions: of the programs that were used, by name.
        git_commit: of buddy's own code, where it was known.
        data_fingerprint: of the prepared data.
        device: what it was trained on, in words.
        parameters: how many weights the model has, by kind (total, trained).
        model: the model that was judged, where the folder holds the results of one without its run.
    """

    folder: Path
    settings: dict[str, Setting]
    versions: dict[str, str]
    git_commit: str | None = None
    data_fingerprint: str | None = None
    device: str | None = None
    parameters: dict[str, int] = field(default_factory=dict)
    model: Path | None = None

    @property
    def best(self) -> Path:
        """The checkpoint that is judged."""
        return self.model or whole_folder(self.folder / BEST_FOLDER)

    def is_of_data(self, fingerprint: str) -> bool:
        """Tell whether the run is known to have been trained on data with this fingerprint."""
        return self.data_fingerprint == fingerprint


@dataclass(frozen=True)
class HistoryRow:
    """One evaluation during training; what was not measured is None. Losses are in nats per supervised token.

    Training writes it as ``CurvePoint`` of ``buddy.training.checkpoint``, which has every number and, where a run goes
    on, refuses what it does not know. A report takes a line of another version, too, and needs no PyTorch.
    """

    step: int
    epoch: float | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    train_accuracy: float | None = None
    valid_accuracy: float | None = None
    learning_rate: float | None = None
    seconds: float | None = None
    tokens_per_second: float | None = None


def read_run(folder: Path) -> Run:
    """Read the settings of a run.

    Raises:
        UserMistake: there is no such folder, or it is no run; the sentence says what makes one.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "config.yaml").write_text("settings: {seed: 13, data: data/ed}")
        >>> read_run(folder).settings["seed"]
        13
    """
    import yaml

    if not folder.is_dir():
        raise UserMistake(f"There is no run folder {folder}; `buddy train --data DIR --out {folder}` makes one.")
    file = folder / CONFIG_FILE
    if not file.is_file():
        raise UserMistake(f"{folder} is not a run folder (no {CONFIG_FILE}); name a folder that `buddy train` wrote.")
    try:
        config = yaml.safe_load(file.read_text("utf-8"))
        return Run(
            folder=folder,
            settings={str(name): value for name, value in config["settings"].items()},
            versions={str(name): str(version) for name, version in (config.get("versions") or {}).items()},
            git_commit=_words(config.get("git_commit")),
            data_fingerprint=_words(config.get("data_fingerprint")),
            device=_words(config.get("device")),
            parameters={str(kind): int(count) for kind, count in (config.get("parameters") or {}).items()},
            model=None if config.get("model") is None else Path(str(config["model"])),
        )
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserMistake(f"{file} is damaged: it must be YAML with a mapping named 'settings'.") from error


def find_run(folder: Path, out: Path | None) -> Run:
    """Find what shall be judged: a run, or a model without one, whose results then go to a folder of their own.

    Args:
        folder: a run directory, or a checkpoint or exported model, or the name of one that comes with buddy.
        out: where the results go; named for a model without a run, and only then.

    Raises:
        UserMistake: ``folder`` is neither, ``out`` is missing or not wanted, or it holds other results.
    """
    if not folder.exists():
        folder = find_model(str(folder)) or folder
    if not (folder / FACTS_FILE).exists():
        if out is not None:
            raise UserMistake(f"A run keeps its own results; --out is for a model without a run, and {folder} is none.")
        return read_run(folder)
    if out is None:
        raise UserMistake(f"{folder} is a model without a run; say where its results shall go with --out DIR.")
    model = folder.absolute()
    if (out / CONFIG_FILE).exists() and read_run(out).model != model:
        raise UserMistake(f"{out} holds a run, or the results of another model; name another --out.")
    return Run(out, settings={}, versions={}, model=model)


def write_judged_model(run: Run) -> None:
    """Write down which model without a run the results of a folder are about."""
    import yaml

    with atomic_file(run.folder / CONFIG_FILE) as file:
        yaml.safe_dump({"model": str(run.model), "settings": {}}, file, sort_keys=False, allow_unicode=True)


def read_history(folder: Path) -> tuple[HistoryRow, ...]:
    """Read the losses of a run, a row per evaluation; a run that has none yet gives no rows.

    A last line that a killed run left half-written is skipped.

    Raises:
        UserMistake: another line is not a JSON record with a step.
    """
    file = folder / HISTORY_FILE
    try:
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    except UnicodeDecodeError as error:
        raise UserMistake(f"{file} is not UTF-8 text; remove it to go on without the curves.") from error
    if lines and not _is_json(lines[-1]):
        lines.pop()
    return tuple(_history_row(line, f"Line {number} of {file}") for number, line in enumerate(lines, start=1))


def best_row(history: Sequence[HistoryRow], best_by: Setting) -> int:
    """Find the evaluation whose checkpoint was kept: the first of the best ones.

    Args:
        history: at least one row.
        best_by: what training chose by: ``"loss"``, or the valid accuracy (where it was measured at all).

    Example:
        >>> first = HistoryRow(10, valid_loss=1.5, valid_accuracy=0.5)
        >>> rows = [first, HistoryRow(20, valid_loss=1.6, valid_accuracy=0.6)]
        >>> best_row(rows, "loss"), best_row(rows, "accuracy")
        (0, 1)
    """
    accuracies = [-1.0 if row.valid_accuracy is None else row.valid_accuracy for row in history]
    if best_by != "loss" and max(accuracies) >= 0:
        return accuracies.index(max(accuracies))
    losses = [math.inf if row.valid_loss is None else row.valid_loss for row in history]
    return losses.index(min(losses))


def patience_ran_out(evaluations: int, best: int, patience: int) -> bool:
    """Tell whether training ended because nothing better came; a run that goes on, or was stopped by hand, may improve.

    Args:
        evaluations: how many rows the history has.
        best: which of them is the checkpoint that was kept.
        patience: of the run: so many evaluations without a new best end it; 0: never.

    Example:
        >>> patience_ran_out(4, best=1, patience=2), patience_ran_out(3, best=1, patience=2)
        (True, False)
    """
    return 0 < patience < evaluations - best


def _words(value: object) -> str | None:
    return None if value is None else str(value)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _history_row(line: str, where: str) -> HistoryRow:
    try:
        record = json.loads(line)
        known = {part.name for part in fields(HistoryRow)} & set(record)
        numbers = {name: _finite(record[name]) for name in known - {"step"}}
        return HistoryRow(step=int(record["step"]), **numbers)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise UserMistake(f"{where} is damaged; remove it to go on.") from error


def _finite(value: Any) -> float | None:
    """Take a loss that is no number for one that was not measured: it is neither the best nor can it be drawn."""
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None
