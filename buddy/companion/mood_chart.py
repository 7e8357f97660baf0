"""The course of a mood in a terminal: a row for each message, day or week, with a bar to the left or to the right.

A bar shows by its length and side how pleasant it was, and by its filling how excited; the likeliest emotions stand
beside it. A day that was both has a bar to either side, and their difference is the mean. Without colours, and in plain
ASCII where a terminal has no blocks; for a screen reader as sentences.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import groupby
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
        At most ``MOST_ROWS`` rows, the latest ones.
    """
    rows = stretches(points, per, timezone)
    if not rows:
        return NOTHING
    shown = rows[-MOST_ROWS:]
    lines = _sentences(shown) if plain else _bars(shown, max(width, NARROWEST), BLOCKS if blocks else ASCII)
    earlier = [f"({len(rows) - MOST_ROWS} earlier {rows[0].per}s are not shown.)"] if len(rows) > MOST_ROWS else []
    return "\n".join((*earlier, *lines))


def _bars(rows: Sequence[Stretch], width: int, signs: Signs) -> Iterator[str]:
    column = max(len(row.name) for row in rows) + 2
    half = min(max((width - column - NAMES_WIDTH - 3) // 2, SHORTEST), LONGEST) * any(row.affect for row in rows)
    room = width - column - (2 * half + 3 if half else 0)
    if half:
        yield f"{'unpleasant ':>{column + half}}{signs.middle} pleasant"
    for empty, inside in _runs(rows):
        if empty:
            nothing = f"(nothing for {count(len(inside), inside[0].per)})"
            yield f"{inside[0].name:{column}}{set_cell_size(nothing, width - column)}".rstrip()
            continue
        for row in inside:
            bar = f"{_bar(row, half, signs)}  " if half else ""
            yield f"{row.name:{column}}{bar}{set_cell_size(_names(row), room)}".rstrip()
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


def _sentences(rows: Sequence[Stretch]) -> Iterator[str]:
    for empty, inside in _runs(rows):
        if empty:
            until = f" to {inside[-1].spoken}" if len(inside) > 1 else ""
            yield f"{capital(inside[0].spoken)}{until}: no message."
            continue
        for row in inside:
            shares = (f"{label} {100 * share:.0f} percent" for label, share in _shown(row))
            parts = (row.affect and affect_in_words(row.affect), ", ".join(shares), _counts(row))
            yield f"{capital(row.spoken)}: {'; '.join(filter(None, parts))}."


def _counts(row: Stretch) -> str:
    messages = "" if row.per == "message" or not row.messages else count(row.messages, "message")
    return " and ".join(
        filter(None, (messages, f"{count(row.crises, 'message')} about a crisis" if row.crises else ""))
    )


def _runs(rows: Sequence[Stretch]) -> Iterator[tuple[bool, list[Stretch]]]:
    """Give the rows with those together that follow each other without a message."""
    for empty, inside in groupby(rows, key=lambda row: not row.points):
        yield empty, list(inside)
