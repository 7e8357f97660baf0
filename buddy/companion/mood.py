"""The course of somebody's emotions over messages, days and weeks.

Each message has what the model took it for, as probabilities, and from them how pleasant and how excited it is on
average; a day has the mean of its messages. Days are those of the user's own time zone. What the crisis guard answered
has no mood: it is marked, and not counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

from buddy.companion.affect import AFFECTS, Affect, Affects, expected_affect
from buddy.companion.conversation import Turn

Per = Literal["message", "day", "week"]

MOST_DAYS = 31
"""Longer courses are shown by weeks."""


@dataclass(frozen=True)
class MoodPoint:
    """What one message expresses.

    Attributes:
        said_at: when, with its time zone.
        emotions: the probability of every label, the likeliest first; empty for a message about a crisis.
        affect: how pleasant and how excited that is, between -1 and 1; ``None`` where the labels have no place.
        crisis: whether the crisis guard answered it.
    """

    said_at: datetime
    emotions: Mapping[str, float]
    affect: Affect | None = None
    crisis: bool = False


@dataclass(frozen=True)
class Stretch:
    """What is looked at as one: a message, a day or a week.

    Attributes:
        name: short, for a row or an axis.
        spoken: the same in words, for a sentence.
        per: what it is.
        points: of this time; none on a day without a message.
    """

    name: str
    spoken: str
    per: Per
    points: tuple[MoodPoint, ...]

    @property
    def messages(self) -> int:
        """How many messages have an emotion."""
        return sum(bool(point.emotions) for point in self.points)

    @property
    def crises(self) -> int:
        """How many messages are about a crisis."""
        return sum(point.crisis for point in self.points)

    @property
    def emotions(self) -> dict[str, float]:
        """The mean probabilities, the likeliest first."""
        return mean_emotions(self.points)

    @property
    def affect(self) -> Affect | None:
        """The mean valence and arousal, where every message has them."""
        return mean_affect(self.points)


def course(turns: Iterable[Turn], affects: Affects = AFFECTS) -> list[MoodPoint]:
    """Give what the speaker's messages express, in the order of their times.

    Args:
        turns: of one conversation or of several.
        affects: the valence and arousal of each label; for labels of one's own, one's own.

    Returns:
        A point for each message that talks of something, and for each that the crisis guard answered.
    """
    points = [
        MoodPoint(turn.said_at, {}, crisis=True)
        if turn.kind == "crisis"
        else MoodPoint(turn.said_at, _ranked(turn.emotions), expected_affect(turn.emotions, affects))
        for turn in turns
        if turn.role == "speaker" and (turn.kind == "crisis" or (turn.kind == "talk" and turn.emotions))
    ]
    return sorted(points, key=lambda point: point.said_at)


def latest_days(points: Iterable[MoodPoint], days: int, today: date, timezone: tzinfo | None = None) -> list[MoodPoint]:
    """Keep the points of so many days, of which today is the last."""
    return [point for point in points if point.said_at.astimezone(timezone).date() > today - timedelta(days=days)]


def mean_emotions(points: Iterable[MoodPoint]) -> dict[str, float]:
    """Give the mean probabilities of the messages that have an emotion, the likeliest first."""
    total: Counter[str] = Counter()
    messages = 0
    for point in points:
        if point.emotions:
            total.update(point.emotions)
            messages += 1
    return _ranked({label: share / messages for label, share in total.items()})


def mean_affect(points: Iterable[MoodPoint]) -> Affect | None:
    """Give the mean valence and arousal of the messages that have an emotion, if each of them has a place."""
    affects = [point.affect for point in points if point.emotions]
    known = [affect for affect in affects if affect]
    if not known or len(known) < len(affects):
        return None
    valences, arousals = zip(*known, strict=True)
    return Affect(sum(valences) / len(known), sum(arousals) / len(known))


def stretches(points: Sequence[MoodPoint], per: Per | None = None, timezone: tzinfo | None = None) -> list[Stretch]:
    """Divide a course into its messages, or into all days or weeks from the first to the last, also empty ones.

    Args:
        points: in the order of their times.
        per: what one stretch is; if not given, messages for a single day, and weeks for more than ``MOST_DAYS``.
        timezone: whose days; that of this machine if none is given.
    """
    local = in_timezone(points, timezone)
    if not local:
        return []
    first, last = local[0].said_at.date(), local[-1].said_at.date()
    days = (last - first).days + 1
    per = per or ("message" if days == 1 else "day" if days <= MOST_DAYS else "week")
    year = "" if first.year == last.year else " %Y"
    if per == "message":
        name = "%H:%M" if days == 1 else f"{{0.day}} %b{year} %H:%M"
        spoken = f"%A {{0.day}} %B{year}, %H:%M"
        return [_stretch(point.said_at, [point], per, name, spoken) for point in local]
    step = 7 if per == "week" else 1
    begins = monday_of(first) if per == "week" else first
    held: list[list[MoodPoint]] = [[] for _ in range((last - begins).days // step + 1)]
    for point in local:
        held[(point.said_at.date() - begins).days // step].append(point)
    name, spoken = f"%a {{0.day}} %b{year}", f"{'the week of ' if per == 'week' else ''}%A {{0.day}} %B{year}"
    return [
        _stretch(begins + timedelta(days=step * number), inside, per, name, spoken)
        for number, inside in enumerate(held)
    ]


def in_timezone(points: Iterable[MoodPoint], timezone: tzinfo | None) -> list[MoodPoint]:
    """Give the times as clocks show them there; without a time zone, on this machine."""
    return [replace(point, said_at=point.said_at.astimezone(timezone)) for point in points]


def monday_of(day: date) -> date:
    """Give the day on which the week of a day begins."""
    return day - timedelta(days=day.weekday())


def _stretch(begins: date, inside: Sequence[MoodPoint], per: Per, name: str, spoken: str) -> Stretch:
    names = (begins.strftime(form).format(begins) for form in (name, spoken))
    return Stretch(next(names), next(names), per, tuple(inside))


def _ranked(emotions: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(emotions.items(), key=lambda item: (-item[1], item[0])))
