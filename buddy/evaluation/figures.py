"""The four figures: losses, accuracies, confusions, calibration. Drawn twice, for light pages and for dark ones.

Colours are told apart by people of every colour vision (after Okabe and Ito), and no line is told by colour alone.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from buddy.evaluation.confusion import most_confused, neighbour_order, shares
from buddy.evaluation.metrics import Floats, Integers, ReliabilityBin
from buddy.evaluation.results import Reliability
from buddy.evaluation.run_folder import HistoryRow, patience_ran_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MOST_LABELS_DRAWN = 60  # above this many, only the ones that are confused most
LABELS_DRAWN_OF_MANY = 40
LONGEST_LABEL = 20
DOTS_PER_INCH = 200
CURVE_SIZE = (5.2, 4.2)  # inches: text stays legible when a phone shows it at its full width
MOST_POINTS_MARKED = 30
X_NAMES = {"epoch": "epoch (passes over the train split)", "step": "step (weight updates)"}
LUMINANCE = (0.2126, 0.7152, 0.0722)  # how bright red, green and blue look (ITU-R BT.709)


@dataclass(frozen=True)
class Theme:
    """The colours of a figure; ``before`` and ``after`` also stand for train and valid."""

    paper: str
    ink: str
    faint: str
    before: str
    after: str
    strongest: str


LIGHT = Theme(paper="#ffffff", ink="#2b2a33", faint="#d9d6d0", before="#d55e00", after="#0072b2", strongest="#08415c")
DARK = Theme(paper="#1e2028", ink="#e4e2dd", faint="#3f424d", before="#f0a13c", after="#62b8ee", strongest="#b9e3ff")


@dataclass(frozen=True)
class Curve:
    """One quantity over the course of training, on the train and on the valid split; NaN where not measured."""

    title: str
    unit: str
    x_unit: str
    places: Floats
    train: Floats
    valid: Floats
    best: int
    stopped_early: bool


def png(figure: "Figure") -> bytes:
    """Render a figure as PNG."""
    import warnings

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a label in a script that the font lacks
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def loss_curve(history: Sequence[HistoryRow], best: int, patience: int = 0) -> Curve:
    """Take the losses out of a history, in nats per supervised token.

    Args:
        history: at least one row.
        best: the row whose checkpoint was kept.
        patience: so many evaluations without a new best ended training; 0: none did.
    """
    pairs = [(row.train_loss, row.valid_loss) for row in history]
    return _curve("Loss", "nats per token", history, pairs, best, patience)


def accuracy_curve(history: Sequence[HistoryRow], best: int, patience: int = 0) -> Curve:
    """Take the accuracies out of a history, in percent; the arguments are those of ``loss_curve``."""
    pairs = [(_percent(row.train_accuracy), _percent(row.valid_accuracy)) for row in history]
    return _curve("Accuracy", "%", history, pairs, best, patience)


def draw_curve(curve: Curve, theme: Theme = LIGHT) -> "Figure":
    """Draw train and valid side by side, with the checkpoint that was kept.

    Args:
        curve: with at least one row.
        theme: the colours.
    """
    figure, axes = _canvas(CURVE_SIZE, theme)
    mark = "o" if len(curve.places) <= MOST_POINTS_MARKED else ""
    axes.plot(curve.places, curve.train, f"{mark}--", color=theme.before, markersize=4, lw=1.6, label="train", zorder=3)
    axes.plot(curve.places, curve.valid, f"{mark}-", color=theme.after, markersize=4, lw=2, label="valid")
    _mark_best(axes, curve, theme)
    _name(
        axes,
        f"{curve.title} during training",
        X_NAMES[curve.x_unit],
        f"{curve.title.lower()} ({curve.unit})",
        theme,
    )
    _legend(figure, theme)
    return figure


def draw_confusion(counts: Integers, labels: Sequence[str], theme: Theme = LIGHT) -> "Figure":
    """Draw how the examples of each true label were answered, confusable labels side by side.

    Args:
        counts: (E, E), rows are true labels.
        labels: (E) names; above ``MOST_LABELS_DRAWN`` only the most confused are drawn.
        theme: the colours.
    """
    from matplotlib.colors import PowerNorm

    drawn = np.arange(len(labels))
    if len(labels) > MOST_LABELS_DRAWN:
        drawn = most_confused(counts, LABELS_DRAWN_OF_MANY)
    drawn = drawn[neighbour_order(counts[np.ix_(drawn, drawn)])]
    percent = 100 * shares(counts)[np.ix_(drawn, drawn)]
    side = float(np.clip(0.27 * len(drawn), 2.6, 11.5))
    figure, axes = _canvas((side + 2.1, side + 1.7), theme)
    image = axes.imshow(percent, cmap=_ramp(theme), norm=PowerNorm(0.8, vmin=0, vmax=100), aspect="equal")
    _label_cells(axes, percent, image, theme)
    _label_sides(axes, [_shorten(labels[int(i)]) for i in drawn], theme)
    title = "Answers to each true label, %"
    if len(drawn) < len(labels):
        title += f" (the {len(drawn)} most confused of {len(labels)} labels)"
    _name(axes, title, "answer", "true label", theme)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=theme.ink, labelsize=8, length=0)
    return figure


def draw_calibration(bins: Reliability, ece_before: float, ece_after: float, theme: Theme = LIGHT) -> "Figure":
    """Draw the reliability diagram before and after temperature, over a histogram of the confidences.

    Args:
        bins: what to draw.
        ece_before: expected calibration error at temperature 1, between 0 and 1.
        ece_after: the same with the temperature.
        theme: the colours.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 6.0), layout="constrained", facecolor=theme.paper)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for axes in (upper, lower):
        _style(axes, theme)
    upper.plot([0, 100], [0, 100], ":", color=theme.ink, lw=1.2, label="perfect")
    _draw_reliability(upper, bins.before, "s--", theme.before, f"before temperature, ECE {100 * ece_before:.1f}%")
    _draw_reliability(upper, bins.after, "o-", theme.after, f"after temperature, ECE {100 * ece_after:.1f}%")
    upper.set(xlim=(0, 100), ylim=(0, 100))
    _name(upper, "Is the stated confidence true?", "", "how often right (%)", theme)
    _draw_histogram(lower, bins.before, theme.before, filled=False)
    _draw_histogram(lower, bins.after, theme.after, filled=True)
    _name(lower, "", "stated confidence (%)", "answers (%)", theme)
    _legend(figure, theme)
    return figure


def _canvas(size: tuple[float, float], theme: Theme) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    axes = figure.subplots()
    _style(axes, theme)
    return figure, axes


def _style(axes: "Axes", theme: Theme) -> None:
    axes.set_facecolor(theme.paper)
    axes.set_axisbelow(True)
    axes.grid(True, color=theme.faint, lw=0.7)
    axes.tick_params(colors=theme.ink, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _name(axes: "Axes", title: str, x: str, y: str, theme: Theme) -> None:
    if title:
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=theme.ink, pad=8)
    axes.set_xlabel(x, color=theme.ink, fontsize=9.5)
    axes.set_ylabel(y, color=theme.ink, fontsize=9.5)


def _legend(figure: "Figure", theme: Theme) -> None:
    """Put the legend under the axes, where it never hides a curve."""
    figure.legend(loc="outside lower left", ncols=2, fontsize=9, labelcolor=theme.ink, frameon=False)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _curve(
    title: str,
    unit: str,
    history: Sequence[HistoryRow],
    pairs: Sequence[tuple[float | None, float | None]],
    best: int,
    patience: int,
) -> Curve:
    train, valid = np.array(pairs, dtype=np.float64).reshape(-1, 2).T  # None becomes NaN
    has_epochs = all(row.epoch is not None for row in history)
    places = np.array([row.epoch if has_epochs else row.step for row in history], dtype=np.float64)
    stopped_early = patience_ran_out(len(history), best, patience)
    return Curve(title, unit, "epoch" if has_epochs else "step", places, train, valid, best, stopped_early)


def _mark_best(axes: "Axes", curve: Curve, theme: Theme) -> None:
    best, last = curve.places[curve.best], curve.places[-1]
    axes.axvline(best, color=theme.after, lw=1, ls=":", label=f"kept ({curve.x_unit} {best:.4g})")
    axes.plot([best], [curve.valid[curve.best]], "o", color=theme.after, markersize=10, mfc="none", mew=1.8)
    if curve.stopped_early:
        axes.axvspan(best, last, color=theme.faint, alpha=0.45, lw=0, label=f"no better, stopped at {last:.4g}")


def _ramp(theme: Theme) -> "Colormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("share", [theme.paper, theme.after, theme.strongest])


def _label_cells(axes: "Axes", percent: Floats, image: "AxesImage", theme: Theme) -> None:
    """Write the percentages into the cells: all of them when they are large, else those that matter."""
    smallest, size = (0.5, 10) if len(percent) <= 12 else (2.5, 6.5)
    for row, column in zip(*np.nonzero(percent >= smallest), strict=True):
        value = percent[row, column]
        ink = _readable_on(image.to_rgba(value), theme)
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=size, color=ink)


def _readable_on(color: Floats, theme: Theme) -> str:
    """Choose the ink or the paper colour, whichever stands out more from a cell's colour."""
    from matplotlib.colors import to_rgb

    brightness = np.dot(LUMINANCE, color[:3])
    return max((theme.ink, theme.paper), key=lambda ink: abs(np.dot(LUMINANCE, to_rgb(ink)) - brightness))


def _label_sides(axes: "Axes", names: Sequence[str], theme: Theme) -> None:
    size = 10 if len(names) <= 12 else 8
    axes.set_xticks(range(len(names)), names, fontsize=size, rotation=90 if len(names) > 3 else 0)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    between = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(between, minor=True)
    axes.set_yticks(between, minor=True)
    axes.grid(False)
    axes.grid(True, which="minor", color=theme.paper, lw=1)
    axes.set_axisbelow(False)
    axes.tick_params(which="minor", length=0)


def _shorten(label: str) -> str:
    """Make a label fit beside the matrix, and keep matplotlib from taking what stands between two $ for a formula."""
    short = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    return short.replace("$", r"\$")


def _draw_reliability(axes: "Axes", bins: Sequence[ReliabilityBin], line: str, color: str, label: str) -> None:
    filled = [bin_ for bin_ in bins if bin_.count]
    x, y = [100 * bin_.confidence for bin_ in filled], [100 * bin_.accuracy for bin_ in filled]
    axes.plot(x, y, line, color=color, lw=1.6, markersize=5, label=label)


def _draw_histogram(axes: "Axes", bins: Sequence[ReliabilityBin], color: str, filled: bool) -> None:
    counts = np.array([bin_.count for bin_ in bins])
    edges = [100 * bin_.low for bin_ in bins] + [100 * bins[-1].high]
    axes.stairs(
        100 * counts / counts.sum(),
        edges,
        color=color,
        lw=1.6,
        fill=filled,
        alpha=0.55 if filled else 1,
        ls="-" if filled else "--",
    )
