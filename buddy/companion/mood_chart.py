"""The course of a mood in a terminal: a row for each message, day or week, with a bar to the left or to the right.

A bar shows by its length and side how pleasant it was, and by its filling how excited; the likeliest emotions stand
beside it. A day that was both has a bar to either side, and their difference is the mean. Without colours, and in plain
ASCII where a terminal has no blocks; for a screen reader as sentences.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import NamedTuple

from rich.cells import set_cell_size

from buddy.companion.affect import Affect, affect_in_words, side
from buddy.companion.mood import MoodPoint, Per, Stretch, stretches
from buddy.companion.mood_summary import NOTHING, capital, count

MOST_ROWS = 40
NARROWEST = 40
NAMES_WIDTH = 28
SHORTEST, LONGEST = 5, 20
"""Cells of a bar that is as pleasant as can be."""

EMOTIONS_SHOWN = 2
SHOWN_FROM = 0.1
"""Emotions that are less likely are not named, but for the first."""

CRISIS = "*"


class Signs(NamedTuple):
    """What a bar is made of."""

    calm: str
    between: str
    excited: str
    middle: str


BLOCKS, ASCII = Signs("░", "▒", "█", "│"), Signs("-", "=", "#", "|")


def chart(
    points: Sequence[MoodPoint],
    width: int = 80,
    plain: bool = False,
    *,
    blocks: bool = True,
    per: Per | None = None,
    timezone: tzinfo | None = None,
) -> str:
    """Draw a mood in lines of text.

    Args:
        points: in the order of their times.
        width: columns; lines are never longer, but for a terminal of less than ``NARROWEST``.
        plain: give sentences, which a screen reader can read.
        blocks: whether block characters can be shown; otherwise it is ASCII, but for labels that are not.
        per: what a row stands for; if not given, messages on a single day, days, or weeks of a long time.
        timezone: whose days; that of this machine if none is given.

    Returns:
        At most ``MOST_ROWS`` rows, the latest ones; days or weeks without a message share one, and never the first.
    """
    rows = stretches(points, per, timezone)
    if not rows:
        return NOTHING
    shown = _folded(rows)[-MOST_ROWS:]
    if not shown[0][0].points:
        del shown[0]
    lines = _sentences(shown) if plain else _bars(shown, max(width, NARROWEST), BLOCKS if blocks else ASCII)
    hidden = len(rows) - sum(map(len, shown))
    earlier = [f"({hidden} earlier {rows[0].per}{' is' if hidden == 1 else 's are'} not shown.)"] if hidden else []
    return "\n".join((*earlier, *lines))


def _folded(rows: Sequence[Stretch]) -> list[list[Stretch]]:
    """Give what each line stands for: one row, or all that follow each other without a message."""
    folded: list[list[Stretch]] = []
    for row in rows:
        if folded and not row.points and not folded[-1][0].points:
            folded[-1].append(row)
        else:
            folded.append([row])
    return folded


def _bars(folded: Sequence[Sequence[Stretch]], width: int, signs: Signs) -> Iterator[str]:
    rows = [inside[0] for inside in folded]
    column = max(len(row.name) for row in rows) + 2
    half = min(max((width - column - NAMES_WIDTH - 3) // 2, SHORTEST), LONGEST) * any(row.affect for row in rows)
    room = width - column - (2 * half + 3 if half else 0)
    if half:
        yield f"{'unpleasant ':>{column + half}}{signs.middle} pleasant"
    for row, inside in zip(rows, folded, strict=True):
        if row.points:
            bar = f"{_bar(row, half, signs)}  " if half else ""
            yield f"{row.name:{column}}{bar}{set_cell_size(_names(row), room)}".rstrip()
        else:
            nothing = f"(nothing for {count(len(inside), row.per)})"
            yield f"{row.name:{column}}{set_cell_size(nothing, width - column)}".rstrip()
    if half:
        yield f"{signs.calm} calm  {signs.between} between  {signs.excited} excited"
    if any(row.crises for row in rows):
        yield f"{CRISIS} a message about a crisis"


def _bar(row: Stretch, half: int, signs: Signs) -> str:
    """Draw a row on both sides of the middle; ``half`` cells are the most."""
    affects = [point.affect for point in row.points if point.affect]
    left, right = (
        _filled([affect for affect in affects if sign * affect.valence > 0], half / max(len(affects), 1), signs)
        for sign in (-1, 1)
    )
    return f"{left:>{half}}{signs.middle}{right:<{half}}"


def _filled(affects: Sequence[Affect], cells_each: float, signs: Signs) -> str:
    cells = round(cells_each * sum(abs(affect.valence) for affect in affects))
    arousal = sum(affect.arousal for affect in affects) / max(len(affects), 1)
    return cells * (side(arousal, signs.calm, signs.excited) or signs.between)


def _names(row: Stretch) -> str:
    named = ", ".join(label for label, _ in _shown(row))
    return f"{CRISIS} {named}" if row.crises else named


def _shown(row: Stretch) -> list[tuple[str, float]]:
    likeliest = list(row.emotions.items())[:EMOTIONS_SHOWN]
    return [(label, share) for label, share in likeliest if share >= SHOWN_FROM] or likeliest[:1]


def _sentences(folded: Sequence[Sequence[Stretch]]) -> Iterator[str]:
    for row, *others in folded:
        if row.points:
            shares = (f"{label} {100 * share:.0f} percent" for label, share in _shown(row))
            parts = (row.affect and affect_in_words(row.affect), ", ".join(shares), _counts(row))
            yield f"{capital(row.spoken)}: {'; '.join(filter(None, parts))}."
        else:
            until = f" to {others[-1].spoken}" if others else ""
            yield f"{capital(row.spoken)}{until}: no message."


def _counts(row: Stretch) -> str:
    messages = "" if row.per == "message" or not row.messages else count(row.messages, "message")
    return " and ".join(
        filter(None, (messages, f"{count(row.crises, 'message')} about a crisis" if row.crises else ""))
    )
