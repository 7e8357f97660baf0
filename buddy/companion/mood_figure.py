"""The course of a mood as a figure: how pleasant above, how excited below, and the likeliest emotions by their names.

A day without a message is a gap, and never a line through it. A thin line at a day reaches from its least to its most
pleasant message. Drawn for light pages or for dark ones; no line is told by colour alone.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from buddy.companion.affect import EVEN
from buddy.companion.mood import MoodPoint, Per, Stretch, mean_emotions, stretches
from buddy.companion.mood_summary import NOTHING
from buddy.errors import UserMistake
from buddy.evaluation.figures import DOTS_PER_INCH, LIGHT, Theme, png
from buddy.evaluation.metrics import Floats
from buddy.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (8.0, 4.0)  # inches; twice 1000 by 500 pixels leave room to make it larger
LETTERS_BELOW = 84
"""So many letters have room below the axes."""

MOST_MARKED = 60
"""Of more messages or days the marks are small, and ranges are not drawn."""

LONGEST_LABEL = 20
NAMED_FROM = 0.2
"""A second emotion is named from this share on."""

PLACES = ((0, 9), (0, -9), (9, 6), (-9, 6), (9, -6), (-9, -6), (11, 0), (-11, 0))
"""Where a name may stand from its point, in points; the first one that is free is taken."""

FEW = 12
"""So few points are all named; of more, those where another emotion comes first."""

MOST_TRIED = 50
"""For so many places a name is looked for; the others are nearer to the middle."""

LINE_ROOM = 3
"""Points that a name keeps away from the lines."""

EMOTIONS_DRAWN = 5
LINES = ("o-", "s--", "^-.", "D:", "v-")
GREEN = "#009e73"


def draw(
    points: Sequence[MoodPoint],
    path: Path,
    *,
    per: Per | None = None,
    timezone: tzinfo | None = None,
    theme: Theme = LIGHT,
) -> None:
    """Draw the course of a mood into a file.

    Args:
        points: in the order of their times.
        path: ends in .png, .svg or .pdf.
        per: what a point of the line is; if not given, a message on a single day, else a day, or a week of a long time.
        timezone: whose days; that of this machine if none is given.
        theme: the colours; there are ``LIGHT`` and ``DARK`` ones.

    Raises:
        UserMistake: there is nothing to draw, or the file is of another kind.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise UserMistake(f"{path} must end in .png, .svg or .pdf.")
    if not any(point.emotions for point in points):
        raise UserMistake(NOTHING)
    figure = draw_mood(stretches(points, per, timezone), theme)
    with atomic_file(path, "wb") as file:
        file.write(png(figure) if kind == "png" else _render(figure, kind))


def draw_mood(course: Sequence[Stretch], theme: Theme = LIGHT) -> "Figure":
    """Draw a course; without valence and arousal, the likeliest emotions alone.

    Args:
        course: at least one stretch that has a message with an emotion.
        theme: the colours.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DOTS_PER_INCH, layout="constrained", facecolor=theme.paper)
    FigureCanvasAgg(figure)
    places = np.array([stretch.affect or (np.nan, np.nan) for stretch in course], dtype=np.float64)  # (N, 2)
    if np.isnan(places).all():
        axes = [figure.subplots()]
        _draw_emotions(axes[0], course, theme)
    else:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
        axes = [upper, lower]
        _draw_valence(upper, course, places[:, 0], theme)
        _draw_arousal(lower, places[:, 1], theme)
    for each in axes:
        _style(each, theme)
    _name_times(axes[-1], course)
    axes[0].set_title(_title(course), loc="left", fontsize=11, fontweight="bold", color=theme.ink, pad=8)
    _mark_crises(axes[0], course, theme)
    if len(axes) > 1:
        with _any_script():
            figure.draw_without_rendering()  # where things are is known once the layout is
            _name_emotions(axes[0], course, places[:, 0], theme)
    return figure


def _draw_valence(axes: "Axes", course: Sequence[Stretch], valence: Floats, theme: Theme) -> None:
    ranges = list(_ranges(course))
    farthest = float(np.nanmax(np.abs([*valence, *(end for _, *ends in ranges for end in ends)])))
    _halve(axes, "unpleasant", "pleasant", max(0.75, farthest + 0.2), theme)
    for x, low, high in ranges:
        axes.plot([x, x], [low, high], color=theme.after, lw=1.2, alpha=0.45, solid_capstyle="round")
    few = len(course) <= MOST_MARKED
    edge = theme.paper if few else theme.after
    axes.plot(valence, "o-", color=theme.after, lw=2, markersize=6 if few else 1, mec=edge, mew=1)


def _draw_arousal(axes: "Axes", arousal: Floats, theme: Theme) -> None:
    _halve(axes, "calm", "excited", max(0.5, 0.1 + float(np.nanmax(np.abs(arousal)))), theme)
    axes.plot(arousal, "s--", color=theme.before, lw=1.6, markersize=4 if len(arousal) <= MOST_MARKED else 1)


def _ranges(course: Sequence[Stretch]) -> Iterator[tuple[int, float, float]]:
    """Give the least and the most pleasant message of each day."""
    for x, stretch in enumerate(course if _has_ranges(course) else ()):
        inside = [point.affect.valence for point in stretch.points if point.affect]
        if inside:
            yield x, min(inside), max(inside)


def _has_ranges(course: Sequence[Stretch]) -> bool:
    """Tell whether ranges say anything: most weeks have everything in them, and a message has none."""
    return course[0].per == "day" and len(course) <= MOST_MARKED


def _halve(axes: "Axes", below: str, above: str, reach: float, theme: Theme) -> None:
    """Name the two sides of the middle."""
    axes.set(ylim=(-reach, reach), yticks=[-reach / 2, reach / 2], yticklabels=[below, above])
    axes.axhspan(0, reach, color=theme.faint, alpha=0.25, lw=0)
    axes.axhline(0, color=theme.ink, lw=0.8, alpha=0.6)


def _draw_emotions(axes: "Axes", course: Sequence[Stretch], theme: Theme) -> None:
    labels = list(mean_emotions(point for stretch in course for point in stretch.points))[:EMOTIONS_DRAWN]
    colours = (theme.after, theme.before, theme.ink, GREEN, theme.strongest)
    for label, line, colour in zip(labels, LINES, colours, strict=False):
        shares = [100 * stretch.emotions.get(label, np.nan) for stretch in course]
        axes.plot(shares, line, color=colour, lw=1.8, markersize=5, label=_shorten(label))
    axes.set(ylim=(0, 100))
    axes.grid(True, axis="y", color=theme.faint, lw=0.7)
    axes.set_ylabel("probability (%)", color=theme.ink, fontsize=9.5)
    axes.figure.legend(loc="outside lower left", ncols=len(labels), fontsize=9, labelcolor=theme.ink, frameon=False)


def _style(axes: "Axes", theme: Theme) -> None:
    axes.set_facecolor(theme.paper)
    axes.tick_params(colors=theme.ink, labelsize=9, length=0)
    for edge in axes.spines.values():
        edge.set_visible(False)


def _name_times(axes: "Axes", course: Sequence[Stretch]) -> None:
    """Name some of the times, so that their names do not meet."""
    most = LETTERS_BELOW // (max(len(stretch.name) for stretch in course) + 1)
    step = -(-len(course) // max(most, 2))
    ticks = range(0, len(course), step)
    axes.set_xticks(list(ticks), [course[tick].name for tick in ticks])
    axes.set_xlim(-0.6, len(course) - 0.4)


def _title(course: Sequence[Stretch]) -> str:
    first, last = (stretch.spoken.removeprefix("the week of ") for stretch in (course[0], course[-1]))
    if course[0].per == "message":
        first, last = (time.rpartition(",")[0] for time in (first, last))
    mood = "Mood by weeks" if course[0].per == "week" else "Mood"
    return f"{mood}, {first}" if first == last else f"{mood}, {first} to {last}"


def _mark_crises(axes: "Axes", course: Sequence[Stretch], theme: Theme) -> None:
    marked = [x for x, stretch in enumerate(course) if stretch.crises]
    if marked:
        bottom = axes.get_ylim()[0]
        axes.plot(marked, [bottom] * len(marked), "D", mfc=theme.paper, mec=theme.ink, markersize=5, clip_on=False)
        axes.set_title("◇ a message about a crisis", loc="right", fontsize=8.5, color=theme.ink, pad=8)


def _name_emotions(axes: "Axes", course: Sequence[Stretch], valence: Floats, theme: Theme) -> None:
    """Write emotions where they belong, if nothing is in the way and nothing else is nearer; others are left out."""
    middle = np.array([[-0.5, 0.0], [len(course) - 0.5, 0.0]])
    spots = np.column_stack([np.arange(len(course)), valence])  # (N, 2)
    lines = [spots, middle, *(np.array([[x, low], [x, high]]) for x, low, high in _ranges(course))]
    to_pixels = axes.transData.transform
    taken = np.vstack([_boxes_along(to_pixels(line), LINE_ROOM * DOTS_PER_INCH / 72) for line in lines])
    others = to_pixels(spots[~np.isnan(valence)])
    for named in sorted(_worth_naming(course), key=lambda one: -abs(one.y))[:MOST_TRIED]:
        own = to_pixels((named.x, named.y))
        for name, (right, up) in product(named.names, PLACES):
            text = axes.annotate(
                name,
                (named.x, named.y),
                (right, up),
                textcoords="offset points",
                fontsize=9,
                color=theme.ink,
                ha=("right", "center", "left")[int(np.sign(right)) + 1],
                va=("top", "center", "bottom")[int(np.sign(up)) + 1],
            )
            box = np.array(text.get_window_extent().extents)
            centre = (box[:2] + box[2:]) / 2
            is_inside = axes.get_window_extent().count_contains([box[:2], box[2:]]) == 2
            is_nearest = np.linalg.norm(own - centre) <= np.linalg.norm(others - centre, axis=1).min()
            if is_inside and is_nearest and not _overlaps(taken, box):
                taken = np.vstack([taken, box])
                break
            text.remove()


class _Named(NamedTuple):
    """A place of the figure, and what can be written there: the first that has room is."""

    x: int
    y: float
    names: Sequence[str]


def _worth_naming(course: Sequence[Stretch]) -> Iterator[_Named]:
    """Give what to name: both ends where it was pleasant and unpleasant; of many, only where the emotion changes."""
    before = ""
    for x, stretch in enumerate(course):
        if stretch.affect is None:
            continue
        inside = sorted((point.affect.valence, next(iter(point.emotions))) for point in stretch.points if point.affect)
        (low, least), (high, most) = inside[0], inside[-1]
        first = next(iter(stretch.emotions))
        if low < -EVEN and high > EVEN and _has_ranges(course):
            yield _Named(x, high, [_shorten(most)])
            yield _Named(x, low, [_shorten(least)])
        elif len(course) <= FEW or first != before:
            yield _Named(x, stretch.affect.valence, _names(stretch, with_second=len(course) <= FEW))
        before = first


def _names(stretch: Stretch, with_second: bool) -> list[str]:
    """Name the first two emotions, if the second one is likely, or where two have no room the first one."""
    (first, _), *others = stretch.emotions.items()
    second = [label for label, share in others[:1] if with_second and share >= NAMED_FROM]
    return [*(f"{_shorten(first)}\n{_shorten(label)}" for label in second), _shorten(first)]


def _boxes_along(spots: Floats, half: float) -> Floats:
    """Cover a line through spots (N, 2) with small boxes (M, 4), where it is drawn; ``half`` is half of their side."""
    farthest = np.nanmax(np.abs(np.diff(spots, axis=0)), initial=half)
    steps = np.linspace(0, 1, int(farthest / half) + 1)[:, None, None]
    along = spots[:-1] + steps * (spots[1:] - spots[:-1])  # (S, N - 1, 2)
    every = np.vstack([spots, along.reshape(-1, 2)])
    every = every[~np.isnan(every).any(axis=1)]
    return np.hstack([every - half, every + half])


def _overlaps(boxes: Floats, box: Floats) -> bool:
    return bool(((boxes[:, :2] < box[2:]) & (boxes[:, 2:] > box[:2])).all(axis=1).any())


def _shorten(label: str) -> str:
    """Make a label fit, and keep matplotlib from taking what stands between two $ for a formula."""
    short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
    return short.replace("$", r"\$")


def _render(figure: "Figure", kind: str) -> bytes:
    buffer = io.BytesIO()
    with _any_script():
        figure.savefig(buffer, format=kind, metadata={"Date" if kind == "svg" else "CreationDate": None})
    return buffer.getvalue()


@contextmanager
def _any_script() -> Iterator[None]:
    """Let labels be in a script that the font lacks; they are drawn as boxes, and that is no news to anybody."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield
