"""The run directory: what is written when, and how a run is found again after any interruption.

    config.yaml      what was asked, with versions, seed, git commit, fingerprints of what it is learned from
    history.jsonl    a line per evaluation
    best/  last/     plain Hugging Face folders plus buddy.json; last/resume/ holds what going on needs

The order of writing makes every moment safe: first ``best/``, then the line of history, then ``last/`` with the
position of the run. A crash between them is put right by going on from the older ``last/``: the same steps are
taken again, with the same result, and lines of history from after that position are dropped.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_type_hints

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.optim import AdamW
from yaml import YAMLError

from buddy.data.prepared import PreparedData
from buddy.errors import EnvironmentFault, UserMistake, explain
from buddy.files import atomic_file, atomic_folder, recover_folder, write_json
from buddy.text.render import LAYOUT_VERSION
from buddy.text.rows import TextCorpus
from buddy.training.backbone import Backbone
from buddy.training.device import Device
from buddy.training.optimizer import restore_optimizer
from buddy.training.settings import TrainSettings
from buddy.training.stopping import EarlyStopping

RESUME = "resume"
FINGERPRINT = "_fingerprint"
NO_RUN = (FileNotFoundError, NotADirectoryError, IsADirectoryError, KeyError, TypeError, ValueError, YAMLError)
"""What reading a config.yaml raises that is not there or says something else."""


Weights = Mapping[str, torch.Tensor]


@dataclass
class Position:
    """How far a run is. With the settings and the weights it decides everything that follows."""

    step: int = 0
    evaluations: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Resumable:
    """What going on needs beside the model: where the run was, and the optimizer's averages by name."""

    position: Position
    stopping: EarlyStopping
    averages: Weights


@dataclass(frozen=True)
class CurvePoint:
    """A point of the learning curves; a line of ``history.jsonl``.

    ``HistoryRow`` of ``buddy.evaluation.run_folder`` is the same for reports, which also read runs of other versions.
    """

    step: int
    epoch: float
    train_loss: float
    valid_loss: float
    train_accuracy: float
    valid_accuracy: float
    learning_rate: float
    seconds: float
    tokens_per_second: float
    valid_bits_per_byte: float | None = None  # of pre-training


def write_config(settings: TrainSettings, data: PreparedData | TextCorpus, device: Device, backbone: Backbone) -> None:
    """Write down what was asked and with what it was done."""
    total, trained = backbone.parameters()
    config = {
        "settings": _plain(settings),
        "versions": _versions(),
        "git_commit": _git_commit(),
        **_fingerprints(settings, data, backbone),
        "device": f"{device.name} {device.number_format} ({device.reason})",
        "parameters": {"total": total, "trained": trained},
    }
    _write_yaml(settings.out, config)


def change_settings(settings: TrainSettings) -> None:
    """Write down other settings of a run; with what it was begun stays as it is."""
    config = yaml.safe_load((settings.out / "config.yaml").read_text("utf-8"))
    _write_yaml(settings.out, {**config, "settings": _plain(settings)})


def _plain(settings: TrainSettings) -> dict[str, object]:
    return {key: str(v) if isinstance(v, Path) else v for key, v in asdict(settings).items()}


def _write_yaml(run: Path, config: Mapping[str, object]) -> None:
    with atomic_file(run / "config.yaml") as file:
        yaml.safe_dump(dict(config), file, sort_keys=False, allow_unicode=True)


def read_settings(run: Path) -> TrainSettings:
    """Read back the settings of a run.

    Raises:
        UserMistake: the folder is no run.
    """
    try:
        settings = yaml.safe_load((run / "config.yaml").read_text("utf-8"))["settings"]
        found = TrainSettings(**{**settings, "data": Path(settings["data"]), "out": run})
    except NO_RUN as error:
        raise UserMistake(f"{run} is no run directory (no readable config.yaml); `buddy train` makes one.") from error
    name = _field_of_another_kind(found)
    if name is not None:
        raise UserMistake(f"{run / 'config.yaml'} gives {name} a value of the wrong kind; put that right.")
    return found


def check_unchanged(settings: TrainSettings, data: PreparedData | TextCorpus, backbone: Backbone) -> None:
    """Refuse to go on with other data, another teacher or another frozen model than the run began with.

    A run of an older version, which wrote down the data alone, goes on.

    Raises:
        UserMistake: one of them differs; the curves would join two different experiments.
    """
    before = yaml.safe_load((settings.out / "config.yaml").read_text("utf-8"))
    names = {"data": data.folder, "teacher": settings.teacher, "backbone": settings.backbone}
    for name, found in _fingerprints(settings, data, backbone).items():
        if before.get(name, found) != found:
            what = names[name.removesuffix(FINGERPRINT)]
            raise UserMistake(f"{what} has changed since {settings.out} began; start a new run with another --out.")


def _fingerprints(settings: TrainSettings, data: PreparedData | TextCorpus, backbone: Backbone) -> dict[str, str]:
    """Tell what is learned from apart from anything else of its name; with adapters, the frozen model, too."""
    found = {"data": data.fingerprint()}
    if settings.teacher:
        found["teacher"] = _digest([Path(settings.teacher).read_bytes()])
    if settings.lora_rank:
        frozen = (p.detach() for p in backbone.model.parameters() if not p.requires_grad)
        found["backbone"] = _digest(tensor.cpu().flatten().numpy().data for tensor in frozen)
    return {f"{name}{FINGERPRINT}": digest for name, digest in found.items()}


def _digest(parts: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def append_history(run: Path, evaluation: CurvePoint) -> None:
    """Add a point to the learning curves."""
    path = run / "history.jsonl"
    with _told_plainly(path), open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps({k: v for k, v in asdict(evaluation).items() if v is not None}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_history(run: Path) -> list[CurvePoint]:
    """Read the learning curves of a run, oldest point first.

    Raises:
        UserMistake: a line of the file is damaged.
    """
    path = run / "history.jsonl"
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [CurvePoint(**json.loads(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise UserMistake(f"{path} is damaged; start a new run with another --out.") from error


def cut_history(run: Path, evaluations: int) -> None:
    """Drop the points after a position (and half a line that a crash left).

    Raises:
        UserMistake: a line that stays is damaged.
    """
    lines = _lines_of_history(run)
    with atomic_file(run / "history.jsonl", "wb") as file:
        file.writelines(line + b"\n" for line in lines[:evaluations])
    read_history(run)


def _lines_of_history(run: Path) -> list[bytes]:
    path = run / "history.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


def save_model(
    folder: Path, backbone: Backbone, labels: Sequence[str], settings: TrainSettings, weights: Weights | None = None
) -> None:
    """Write a model so that Hugging Face and buddy can both load the folder, all or nothing.

    Args:
        folder: to write.
        backbone: the model.
        labels: that it tells apart.
        settings: of the run.
        weights: put together, of a model that processes share; else the model's own are written.
    """
    with _told_plainly(folder), atomic_folder(folder) as temporary:
        _write_model(temporary, backbone, labels, settings, weights)


def save_last(
    run: Path,
    backbone: Backbone,
    labels: Sequence[str],
    settings: TrainSettings,
    state: Resumable,
    weights: Weights | None = None,
) -> None:
    """Write the model as it is and all that going on needs, in one atomic folder; see ``save_model``."""
    with _told_plainly(run / "last"), atomic_folder(run / "last") as temporary:
        _write_model(temporary, backbone, labels, settings, weights)
        resume = temporary / RESUME
        resume.mkdir()
        save_file(dict(state.averages), resume / "optimizer.safetensors")
        if settings.lora_rank:
            save_file(_trained_tensors(backbone), resume / "adapter.safetensors")
        write_json(resume / "position.json", {"position": asdict(state.position), "stopping": asdict(state.stopping)})


def restore_last(
    run: Path, backbone: Backbone, optimizer: AdamW, settings: TrainSettings
) -> tuple[Position, EarlyStopping]:
    """Bring model, optimizer, position and early stopping back to where ``last/`` was written.

    Args:
        run: the run directory.
        backbone: loaded from ``last/``, or with fresh adapters when the run trains adapters.
        optimizer: over the parameters of ``backbone``; its state is replaced.
        settings: of the run.

    Raises:
        UserMistake: a file of the run is damaged or missing; to go on without it would end in other weights.
    """
    resume = run / "last" / RESUME
    try:
        if settings.lora_rank:
            adapters = load_file(resume / "adapter.safetensors")
            if adapters.keys() != _trained_tensors(backbone).keys():
                raise ValueError("the adapters are not those that are trained")
            backbone.model.load_state_dict(adapters, strict=False)  # the rest is frozen
        restore_optimizer(backbone.model, optimizer, load_file(resume / "optimizer.safetensors"))
        state = json.loads((resume / "position.json").read_text("utf-8"))
        position, stopping = Position(**state["position"]), EarlyStopping(**state["stopping"])
        if _field_of_another_kind(position) or _field_of_another_kind(stopping):
            raise ValueError("a word where a number is expected")
    except (FileNotFoundError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise UserMistake(f"{run / 'last'} is damaged; start a new run with another --out.") from error
    if stopping.best_score is not None and not (run / "best").is_dir():
        raise UserMistake(f"{run} has lost its folder best; start a new run with another --out.")
    return position, stopping


def repair(run: Path) -> None:
    """Put back what an interrupted write has set aside; for the one process that writes there."""
    for name in ("best", "last"):
        recover_folder(run / name)


def has_checkpoint(run: Path) -> bool:
    """Say whether there is something to go on from; a run that crashed before its first save has nothing yet.

    Raises:
        UserMistake: the run has saved before, since its curves have two points, and that is gone; to begin anew would
            destroy what is left.
    """
    if (run / "last" / RESUME / "position.json").exists():
        return True
    if len(_lines_of_history(run)) > 1:
        raise UserMistake(f"{run} has lost its folder last; start a new run with another --out.")
    return False


def _field_of_another_kind(record: TrainSettings | Position | EarlyStopping) -> str | None:
    """Name the first field that holds another kind of value than it is declared for."""
    for name, kind in get_type_hints(type(record)).items():
        if not isinstance(getattr(record, name), (int, float) if kind is float else kind):
            return str(name)
    return None


@contextmanager
def _told_plainly(folder: Path) -> Iterator[None]:
    """Turn a full disk into one sentence; the libraries written in Rust tell of it in exceptions of their own."""
    try:
        yield
    except Exception as error:
        in_words = re.search(r"\(os error (\d+)\)", str(error))
        number = error.errno if isinstance(error, OSError) else in_words and int(in_words[1])
        if not number:
            raise
        raise EnvironmentFault(
            f"{folder} could not be written: {explain(OSError(number, ''))}; what was saved before is kept, and "
            "--resume goes on from it."
        ) from error


def _write_model(
    folder: Path, backbone: Backbone, labels: Sequence[str], settings: TrainSettings, weights: Weights | None
) -> None:
    adapted: Any = backbone.model
    model = deepcopy(adapted).merge_and_unload() if settings.lora_rank else adapted
    model.save_pretrained(folder, state_dict=weights)
    backbone.tokenizer.save_pretrained(folder)
    facts = {
        "labels": list(labels),
        "layout_version": LAYOUT_VERSION,
        "special_tokens": dict(backbone.codec.special_ids),
        "max_tokens": settings.max_tokens,
        "task": settings.task,
        "temperature": 1.0,
    }
    write_json(folder / "buddy.json", facts)


def _trained_tensors(backbone: Backbone) -> dict[str, torch.Tensor]:
    return {name: p.detach().contiguous() for name, p in backbone.model.named_parameters() if p.requires_grad}


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    names = ("buddy-companion", "torch", "transformers", "tokenizers", "accelerate", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _git_commit() -> str | None:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "rev-parse", "--short", "HEAD"]  # the code's commit, not the user's folder's
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
