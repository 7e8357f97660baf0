"""What the report says: rows, sentences and commands, worked out here so that the template only lays out."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from buddy.evaluation.baselines import MAJORITY
from buddy.evaluation.bootstrap import Interval
from buddy.evaluation.metrics import LabelScore, ReliabilityBin, Scores
from buddy.evaluation.results import Baseline, Evaluation
from buddy.evaluation.run_folder import HistoryRow, Run, Setting, patience_ran_out
from buddy.training.settings import Suited, TrainSettings

THIS_MODEL = "this model"
OTHER_SPLIT = "It learned from the train split of the same data."
UNKNOWN_TEXTS = "It is not known whether it learned from some of these texts."
NO_INTERVAL = "; no interval was made, so it is not known how sure that is"
MINUS = "\N{MINUS SIGN}"
ABOUT_RIGHT = 0.02
"""A mean confidence so near the accuracy is called neither too sure nor too modest."""

DEPENDING_ON_THE_BACKBONE = {"backbone", *(field.name for field in fields(Suited))}
"""Settings without one default: `buddy train` chooses them by the backbone."""


@dataclass(frozen=True)
class Measure:
    """How one score is called, written and read."""

    field: str
    name: str
    meaning: str
    scale: float = 100.0
    digits: int = 1

    def write(self, value: float) -> str:
        """Write a value in this measure's unit."""
        return f"{value * self.scale:.{self.digits}f}"


MEASURES = (
    Measure("accuracy", "accuracy, %", "how often the first answer is right"),
    Measure("top3_accuracy", "top-3 accuracy, %", "how often the right label is among the three most likely"),
    Measure("macro_f1", "macro F1, %", "precision and recall in one, every label counting alike"),
    Measure("weighted_f1", "weighted F1, %", "the same, frequent labels counting more"),
    Measure("nll", "NLL, nats", "average surprise at the right label; lower is better", scale=1.0, digits=3),
    Measure("ece", "calibration error, %", "how far stated confidence is from the truth; lower is better"),
)


@dataclass(frozen=True)
class Cell:
    """A score as it is shown, and its interval, which is empty when none was made."""

    value: str
    interval: str


@dataclass(frozen=True)
class ScoreRow:
    """One measure and what each system scored."""

    measure: Measure
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Bar:
    """A system in the chart at the top: its accuracy, between 0 and 1, and the interval where one was made."""

    name: str
    accuracy: float
    interval: Interval | None
    is_model: bool


def shown_name(system: str) -> str:
    """Write a system's name so that it explains itself."""
    return "most frequent label" if system == MAJORITY else system


def system_names(evaluation: Evaluation) -> tuple[str, ...]:
    """Name the columns of the table of scores: the model first, then the baselines."""
    return (THIS_MODEL, *evaluation.baselines)


def score_rows(evaluation: Evaluation) -> tuple[ScoreRow, ...]:
    """Make the table of scores; with three labels or fewer, top-3 accuracy is always 100 and is left out."""
    systems: list[tuple[Scores, Mapping[str, Interval]]] = [(evaluation.scores, evaluation.intervals)]
    systems += [(baseline.scores, baseline.intervals) for baseline in evaluation.baselines.values()]
    shown = [measure for measure in MEASURES if measure.field != "top3_accuracy" or len(evaluation.per_label) > 3]
    return tuple(
        ScoreRow(measure, tuple(_cell(measure, scores, intervals) for scores, intervals in systems))
        for measure in shown
    )


def _cell(measure: Measure, scores: Scores, intervals: Mapping[str, Interval]) -> Cell:
    interval = intervals.get(measure.field)
    ends = f"{measure.write(interval[0])} – {measure.write(interval[1])}" if interval else ""
    return Cell(measure.write(getattr(scores, measure.field)), ends)


def headline(evaluation: Evaluation) -> str:
    """Say the accuracy so that anybody understands it.

    Example:
        >>> in_hundred(0.481)
        '48'
    """
    return f"Right {in_hundred(evaluation.scores.accuracy)} times in 100"


def in_hundred(share: float) -> str:
    """Write a share as a count out of 100; what is not quite none or all is not rounded to it.

    Example:
        >>> in_hundred(0.5), in_hundred(0.998), in_hundred(1.0)
        ('50', '99.8', '100')
    """
    rounded = round(100 * share)
    return f"{100 * share:.1f}" if rounded in (0, 100) and share not in (0, 1) else str(rounded)


def meaning(run: Run, evaluation: Evaluation) -> str:
    """Say what was asked, of how many texts, whether they were learned from, and what a blind guess would reach."""
    learned = OTHER_SPLIT if run.is_of_data(evaluation.data.fingerprint) else UNKNOWN_TEXTS
    return (
        f"The model read {evaluation.n:,} texts of the {evaluation.split} split and picked one of "
        f"{len(evaluation.per_label)} labels for each. {learned} Always giving the most frequent label would be right "
        f"{in_hundred(chance(evaluation))} times in 100."
    )


def baselines_data(run: Run, evaluation: Evaluation) -> str:
    """Say what the baselines learned from: the train split of the run's data, if it has any, or of these data."""
    if run.is_of_data(evaluation.data.fingerprint):
        return "The baselines learned from the same train split as the model"
    folder = evaluation.data.folder if run.data_fingerprint is None else run.settings.get("data")
    return f"The baselines learned from the train split of {folder}"


def chance(evaluation: Evaluation) -> float:
    """Tell the accuracy of always giving the label that is most frequent in this split."""
    return max(row.support for row in evaluation.per_label.values()) / evaluation.n


def bars(evaluation: Evaluation) -> tuple[Bar, ...]:
    """Make the chart at the top: the model, the baselines, and the chance level where no baseline shows it."""
    chart = [_bar(THIS_MODEL, evaluation.scores, evaluation.intervals)]
    chart += [_bar(name, baseline.scores, baseline.intervals) for name, baseline in evaluation.baselines.items()]
    if not evaluation.baselines:
        chart.append(Bar("chance level", chance(evaluation), None, is_model=False))
    return tuple(chart)


def _bar(name: str, scores: Scores, intervals: Mapping[str, Interval]) -> Bar:
    return Bar(name, scores.accuracy, intervals.get("accuracy"), is_model=name == THIS_MODEL)


def comparisons(evaluation: Evaluation) -> tuple[str, ...]:
    """Say of each baseline whether the model beats it, and how sure that is."""
    return tuple(_comparison(name, baseline) for name, baseline in evaluation.baselines.items())


def _comparison(name: str, baseline: Baseline) -> str:
    rival = "always giving the most frequent label" if name == MAJORITY else name
    gain, interval = baseline.accuracy_gain.value, baseline.accuracy_gain.interval
    ends = f" (95% interval {signed(interval[0])} to {signed(interval[1])})" if interval else ""
    if signed(gain) == "0.0":
        return f"The model is as accurate as {rival} on these texts{ends or NO_INTERVAL}."
    if interval and interval[0] <= 0 <= interval[1]:
        return f"Against {rival}, its accuracy differs by {signed(gain)} points, which may be chance{ends}."
    word = "more" if gain > 0 else "less"
    ends = ends or f" on these texts{NO_INTERVAL}"
    return f"The model is {abs(100 * gain):.1f} points {word} accurate than {rival}{ends}."


def signed(share: float) -> str:
    """Write a difference of shares in percentage points, with its sign.

    Example:
        >>> signed(0.031), signed(-0.0002)
        ('+3.1', '0.0')
    """
    points = f"{abs(100 * share):.1f}"
    return points if points == "0.0" else ("+" if share > 0 else MINUS) + points


def label_rows(evaluation: Evaluation) -> tuple[tuple[str, LabelScore], ...]:
    """Order the labels from the one that is found best to the one that is found worst; absent ones last."""
    rows = evaluation.per_label.items()
    return tuple(sorted(rows, key=lambda row: (row[1].support == 0, -row[1].f1)))


def calibration_sentences(evaluation: Evaluation) -> tuple[str, ...]:
    """Say how true the stated confidence was, and what a temperature did, in words."""
    before, after = evaluation.uncalibrated.ece, evaluation.scores.ece
    confidence, accuracy = _mean_confidence(evaluation.reliability.before), evaluation.scores.accuracy
    if abs(confidence - accuracy) <= ABOUT_RIGHT:
        mood = "neither too sure nor too modest on the whole"
    else:
        mood = "too sure of itself" if confidence > accuracy else "too modest"
    first = (
        f"Without a temperature the model was {mood}: on average {100 * confidence:.1f}% sure, and right in "
        f"{100 * accuracy:.1f}%. Its stated confidence was off by {100 * before:.1f} percentage points on average."
    )
    if evaluation.temperature == 1.0:
        return (first, "No temperature was fitted, so this is the confidence that it states.")
    return (
        first,
        f"With temperature {evaluation.temperature:.2f} it is off by {100 * after:.1f}. The answers stay the same; "
        f"only the confidence changes.",
    )


def _mean_confidence(bins: Sequence[ReliabilityBin]) -> float:
    return sum(one.count * one.confidence for one in bins) / sum(one.count for one in bins)


def curve_text(name: str, rows: Sequence[HistoryRow], best: int) -> str:
    """Describe a curve for those who cannot see it.

    Args:
        name: ``"Loss"`` or ``"Accuracy"``.
        rows: the history.
        best: which of them is the checkpoint that was kept.

    Example:
        >>> rows = [HistoryRow(10, epoch=1.0, train_loss=2.0, valid_loss=1.8), HistoryRow(20, 2.0, 1.0, 1.5)]
        >>> curve_text("Loss", rows, best=1)
        'Loss during training: train from 2.00 to 1.00, valid from 1.80 to 1.50; kept: epoch 2 (step 20).'
    """
    parts = []
    for split in ("train", "valid"):
        values = [getattr(row, f"{split}_{name.lower()}") for row in rows]
        seen = [value for value in values if value is not None]
        if seen:
            parts.append(f"{split} from {seen[0]:.2f} to {seen[-1]:.2f}")
    return f"{name} during training: {', '.join(parts)}; kept: {_where(rows[best])}."


def best_summary(rows: Sequence[HistoryRow], best: int, patience: int = 0) -> str:
    """Say in a sentence which checkpoint was kept and how it compares with the last one.

    Args:
        rows: the history.
        best: which of them is the checkpoint that was kept.
        patience: so many evaluations without a new best ended training; 0: none did.
    """
    kept, last = rows[best], rows[-1]
    if kept.step == last.step:
        return f"The checkpoint of {_where(kept)}, the last one, was kept; the curves may not have levelled out yet."
    if patience_ran_out(len(rows), best, patience):
        return (
            f"The checkpoint of {_where(kept)} was kept; training went on to step {last.step:,} and found none better."
        )
    return f"The checkpoint of {_where(kept)} was kept, the best so far; the last evaluation was at step {last.step:,}."


def _where(row: HistoryRow) -> str:
    return f"step {row.step:,}" if row.epoch is None else f"epoch {row.epoch:.3g} (step {row.step:,})"


def setting_rows(settings: Mapping[str, Setting]) -> tuple[tuple[str, str], ...]:
    """List settings as text, in the order in which they were written."""
    return tuple((name.replace("_", " "), _setting(value)) for name, value in settings.items() if value is not None)


def _setting(value: Setting) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def data_facts(evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    """List which data was evaluated on and how many texts and labels it has."""
    counts = ((f"{split} texts", f"{n:,}") for split, n in evaluation.data.examples.items())
    return (
        ("folder", evaluation.data.folder),
        *counts,
        ("labels", str(len(evaluation.per_label))),
        ("fingerprint", evaluation.data.fingerprint[:16]),
    )


def run_facts(run: Run) -> tuple[tuple[str, str], ...]:
    """List what training found out about itself: size, device, commit, data."""
    facts: dict[str, str | None] = {
        "model": None if run.model is None else str(run.model),
        **{f"weights, {kind}": f"{count:,}" for kind, count in run.parameters.items()},
        "device": run.device,
        "git commit": run.git_commit,
        "trained on data": run.data_fingerprint and run.data_fingerprint[:16],
    }
    return tuple((name, str(value)) for name, value in facts.items() if value is not None)


def commands(run: Run, evaluation: Evaluation | None) -> tuple[str, ...]:
    """Give the commands that make this run and this report again.

    That of a pre-training is left out: the run does not know where its corpus was.
    """
    listed = [] if run.model or run.settings.get("task") == "text" else [_train_command(run)]
    if evaluation is not None:
        listed.append(_evaluate_command(run, evaluation))
    return (*listed, shlex.join(["buddy", "report", str(run.folder)]))


def _train_command(run: Run) -> str:
    """Leave out what is so by default: `buddy train` refuses an option that would do nothing, whatever its value."""
    settings = {
        name: value
        for name, value in run.settings.items()
        if name in DEPENDING_ON_THE_BACKBONE or value != getattr(TrainSettings, name, None)
    }
    program = ["torchrun", "--nproc-per-node", "auto", "-m", "buddy"] if settings.get("shard") else ["buddy"]
    options = (part for name, value in {**settings, "out": str(run.folder)}.items() for part in _option(name, value))
    return shlex.join([*program, "train", *options])


def _option(name: str, value: Setting) -> Iterable[str]:
    flag = name.replace("_", "-")
    if value is None or value == "" or isinstance(value, dict):  # "" means none, as of a teacher
        return ()
    if isinstance(value, bool):
        return (f"--{flag}",) if value else ()
    if isinstance(value, list):
        return tuple(part for item in value for part in (f"--{flag}", str(item)))
    return (f"--{flag}", str(value))


def _evaluate_command(run: Run, evaluation: Evaluation) -> str:
    judged = [str(run.folder)] if run.model is None else [str(run.model), "--out", str(run.folder)]
    words = ["buddy", "evaluate", *judged, "--split", evaluation.split, "--data", evaluation.data.folder]
    words += ["--baselines"] if evaluation.baselines else []
    words += ["--bootstrap", str(evaluation.bootstrap.resamples), "--seed", str(evaluation.bootstrap.seed)]
    if evaluation.companion:
        written = evaluation.companion.generated
        words += ["--replies", str(written.conversations if written else 0)]
    return shlex.join(words)
