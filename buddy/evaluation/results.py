"""``metrics.json``: what an evaluation found, in one record that programs read and the report is made from."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from buddy.errors import UserMistake
from buddy.evaluation.bootstrap import Interval
from buddy.evaluation.companion import CompanionScores, Generated, ReplyExample
from buddy.evaluation.context import ContextAccuracy, ContextEmotion
from buddy.evaluation.generated import Likeness, ReplyTraits
from buddy.evaluation.metrics import LabelScore, ReliabilityBin, Scores
from buddy.evaluation.replies import Perplexity
from buddy.files import write_json
from buddy.inference.engine import Sampling

METRICS_FILE = "metrics.json"

Record = TypeVar("Record")


@dataclass(frozen=True)
class Bootstrap:
    """How the intervals were made."""

    resamples: int
    seed: int
    level: float


@dataclass(frozen=True)
class Gain:
    """By how much the model's accuracy beats a baseline's, on the same examples and the same resamples, if any."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Baseline:
    """A simple system on the same examples; ``seconds`` is what fitting and answering took."""

    scores: Scores
    intervals: dict[str, Interval]
    accuracy_gain: Gain
    seconds: float


@dataclass(frozen=True)
class Uncalibrated:
    """The scores that temperature changes, without it."""

    nll: float
    ece: float


@dataclass(frozen=True)
class Reliability:
    """The bins of the reliability diagram without and with temperature."""

    before: tuple[ReliabilityBin, ...]
    after: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class DataFacts:
    """Which data: its folder, what it holds, and how many examples each split has."""

    folder: str
    fingerprint: str
    examples: dict[str, int]


@dataclass(frozen=True)
class Evaluation:
    """Everything that one evaluation found.

    Args:
        split: which split was judged.
        n: how many examples it has.
        scores: of the calibrated model; on a split that the temperature was fitted on, nll and ece are cross-fitted.
        intervals: (low, high) for every score, but for F1 and top-3 accuracy not where they are 0 or 1; empty when
            there were no resamples.
        bootstrap: how the intervals were made.
        temperature: that the probabilities were divided by.
        temperature_fitted_here: whether it was fitted on this very split.
        uncalibrated: nll and ece at temperature 1.
        per_label: a row for each label, in the model's order.
        reliability: what the reliability diagram shows.
        data: which data.
        baselines: simple systems on the same examples, by name.
        notes: sentences that a reader of the numbers must know.
        companion: how good the replies are, for a model that has learned to reply.
    """

    split: str
    n: int
    scores: Scores
    intervals: dict[str, Interval]
    bootstrap: Bootstrap
    temperature: float
    temperature_fitted_here: bool
    uncalibrated: Uncalibrated
    per_label: dict[str, LabelScore]
    reliability: Reliability
    data: DataFacts
    baselines: dict[str, Baseline] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    companion: CompanionScores | None = None


def split_metrics_file(split: str) -> str:
    """Name the file that keeps a split's results when another split is evaluated.

    Example:
        >>> split_metrics_file("test")
        'metrics-test.json'
    """
    return f"metrics-{split}.json"


def to_json(evaluation: Evaluation) -> dict[str, object]:
    """Lay an evaluation out as ``metrics.json`` has it: the scores stand at the top level.

    ``replies`` and ``context_emotion`` are there only for a companion.
    """
    record = asdict(evaluation)
    head = {name: record.pop(name) for name in ("split", "n")}
    baselines = {name: {**system.pop("scores"), **system} for name, system in record.pop("baselines").items()}
    companion = record.pop("companion")
    spoken = {"context_emotion": companion.pop("context_emotion"), "replies": companion} if companion else {}
    return {**head, **record.pop("scores"), **record, **spoken, "baselines": baselines}


def write_evaluation(run: Path, evaluation: Evaluation) -> None:
    """Write ``metrics.json`` (of the split evaluated last) and ``metrics-<split>.json``."""
    for name in (split_metrics_file(evaluation.split), METRICS_FILE):
        write_json(run / name, to_json(evaluation))


def read_evaluation(path: Path) -> Evaluation:
    """Read what ``write_evaluation`` wrote.

    Raises:
        UserMistake: the file is damaged or was written by something else.
    """
    try:
        return _from_json(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UserMistake(f"{path} is damaged; `buddy evaluate {path.parent}` writes it anew.") from error


def _from_json(record: Mapping[str, Any]) -> Evaluation:
    """Check every value on the way: what is no number would be met in the middle of a figure."""
    reliability, data = record["reliability"], record["data"]
    evaluation = Evaluation(
        split=str(record["split"]),
        n=_count(record["n"]),
        scores=_fields(Scores, record),
        intervals=_intervals(record["intervals"]),
        bootstrap=_fields(Bootstrap, record["bootstrap"]),
        temperature=_number(record["temperature"]),
        temperature_fitted_here=bool(record["temperature_fitted_here"]),
        uncalibrated=_fields(Uncalibrated, record["uncalibrated"]),
        per_label={label: _fields(LabelScore, row) for label, row in record["per_label"].items()},
        reliability=Reliability(_bins(reliability["before"]), _bins(reliability["after"])),
        data=DataFacts(
            folder=str(data["folder"]),
            fingerprint=str(data["fingerprint"]),
            examples={split: _count(count) for split, count in data["examples"].items()},
        ),
        baselines={name: _baseline(system) for name, system in record["baselines"].items()},
        notes=tuple(map(str, record["notes"])),
        companion=_companion(record) if "replies" in record else None,
    )
    if not (evaluation.n and evaluation.per_label and evaluation.reliability.before and evaluation.reliability.after):
        raise ValueError("an evaluation of nothing")
    return evaluation


def _baseline(record: Mapping[str, Any]) -> Baseline:
    gain = record["accuracy_gain"]
    return Baseline(
        scores=_fields(Scores, record),
        intervals=_intervals(record["intervals"]),
        accuracy_gain=Gain(_number(gain["value"]), gain["interval"] and _interval(gain["interval"])),
        seconds=_number(record["seconds"]),
    )


def _companion(record: Mapping[str, Any]) -> CompanionScores:
    replies, emotion = record["replies"], record["context_emotion"]
    first, last = (_fields(ContextAccuracy, emotion[place]) for place in ("first_turn", "last_turn"))
    return CompanionScores(
        perplexity=_fields(Perplexity, replies["perplexity"]),
        generated=replies["generated"] and _generated(replies["generated"]),
        context_emotion=ContextEmotion(_count(emotion["conversations"]), first, last),
    )


def _generated(record: Mapping[str, Any]) -> Generated:
    return Generated(
        conversations=_count(record["conversations"]),
        replies=_count(record["replies"]),
        sampling=_fields(Sampling, record["sampling"]),
        of_model=_fields(ReplyTraits, record["of_model"]),
        of_people=_fields(ReplyTraits, record["of_people"]),
        likeness=_fields(Likeness, record["likeness"]),
        examples=tuple(
            ReplyExample(tuple(map(str, row["context"])), str(row["reference"]), str(row["reply"]))
            for row in record["examples"]
        ),
    )


def _intervals(record: Mapping[str, Any]) -> dict[str, Interval]:
    return {name: _interval(ends) for name, ends in record.items()}


def _interval(ends: Any) -> Interval:
    low, high = ends
    return _number(low), _number(high)


def _bins(rows: list[dict[str, Any]]) -> tuple[ReliabilityBin, ...]:
    return tuple(_fields(ReliabilityBin, row) for row in rows)


def _fields(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """Make a record of simple values, each checked for what its field is to hold."""
    return kind(**{name: READERS[hint](row[name]) for name, hint in get_type_hints(kind).items()})


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no finite number")
    return number


def _count(value: Any) -> int:
    if int(value) != value or value < 0:
        raise ValueError(f"{value} counts nothing")
    return int(value)


READERS: dict[object, Callable[[Any], object]] = {
    float: _number,
    int: _count,
    str: str,
    float | None: lambda value: None if value is None else _number(value),
    int | None: lambda value: None if value is None else _count(value),
    Interval | None: lambda value: None if value is None else _interval(value),
}
"""How the value of a field is read, by the type that the field is declared with."""
