"""What the course of a mood comes to, in plain sentences.

A message, a day, or a part of one gets one word: its likeliest emotion, if that is likely enough and the time was not
pleasant and unpleasant by turns. The summary counts such words, of days and of their mornings, afternoons, evenings and
nights, and says nothing that was not counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple, TypeVar

from buddy.companion.affect import side
from buddy.companion.feeling import SURE
from buddy.companion.mood import MoodPoint, in_timezone, mean_affect, mean_emotions, monday_of

Key = TypeVar("Key")

NOTHING = "There is no message yet that a mood could be told from."

WEEKS_TOLD = 4
WORDS_TOLD = 3

BY_TURNS = 1 / 3
"""If at least this share of the messages, or of the days, is pleasant and this share unpleasant, it was mixed."""

HALVES = 4
"""From so many messages in one sitting on, the first half is compared with the second."""

CHANGE, CHANGE_MESSAGES = 0.15, 3
"""By how much the valence of two weeks must differ to be told, and how many messages each must have."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
PARTS = {"morning": "in the morning", "afternoon": "in the afternoon", "evening": "in the evening", "night": "at night"}


def summary(
    points: Sequence[MoodPoint],
    today: date | None = None,
    timezone: tzinfo | None = None,
    *,
    nothing: str = NOTHING,
) -> str:
    """Say in plain sentences how the mood has been, from how many messages, and how sure that is.

    Args:
        points: in the order of their times.
        today: the user's date, for "today" and "this week"; that of the clock if none is given.
        timezone: whose days and evenings; that of this machine if none is given.
        nothing: what to say where no message has an emotion.

    Returns:
        A line for the whole, one for each of the last weeks if there are several, and one for what it is told from.

    Example:
        >>> summary([])
        'There is no message yet that a mood could be told from.'
    """
    crises = _crisis_note(sum(point.crisis for point in points))
    told = [point for point in in_timezone(points, timezone) if point.emotions]
    if not told:
        return f"{nothing} {crises}".strip()
    today = today or datetime.now(timezone).date()
    first, last = told[0].said_at.date(), told[-1].said_at.date()
    weeks = _by(told, lambda point: monday_of(point.said_at.date()))
    if len(weeks) > 1 and (last - first).days >= 7:
        lines = [_sentence(told, _when(first, last, today), with_parts=False), *_weeks(weeks, today)]
    else:
        lines = [_sentence(told, _when(first, last, today))]
    return "\n".join((*lines, " ".join(filter(None, (_evidence(told), crises)))))


def nothing_lately(points: Sequence[MoodPoint], days: int, today: date, timezone: tzinfo | None = None) -> str:
    """Give what to say where no mood can be told from the last days: also of when the latest message with one is.

    Args:
        points: also the earlier ones, in the order of their times.
        days: how many, of which today is the last.
        today: the user's date.
        timezone: whose days; that of this machine if none is given.
    """
    told = [point for point in points if point.emotions]
    if not told:
        return NOTHING
    when = "today" if days == 1 else f"in the last {days} days"
    latest = _spoken(told[-1].said_at.astimezone(timezone).date(), today)
    return f"No message {when} that a mood could be told from; the latest is of {latest}."


def count(number: int, noun: str) -> str:
    """Say how many there are.

    Example:
        >>> count(1, "message"), count(2, "evening"), count(40, "day")
        ('one message', 'two evenings', '40 days')
    """
    return f"{NUMBERS[number] if number < len(NUMBERS) else number} {noun}{'' if number == 1 else 's'}"


def capital(sentence: str) -> str:
    """Begin with a capital letter, and leave the others as they are."""
    return sentence[:1].upper() + sentence[1:]


class _Word(NamedTuple):
    """What a time was like in a word, and whether that is an emotion."""

    text: str
    is_emotion: bool = False


MIXED, UNCLEAR = _Word("mixed"), _Word("unclear")


def _word(inside: Sequence[MoodPoint]) -> _Word:
    if _is_by_turns([_side_of([point]) for point in inside]):
        return MIXED
    label, share = next(iter(mean_emotions(inside).items()))
    return _Word(label, is_emotion=True) if share >= SURE else _side_word(inside)


def _side_word(inside: Sequence[MoodPoint]) -> _Word:
    affect = mean_affect(inside)
    word = side(affect.valence, "unpleasant", "pleasant") if affect else ""
    return _Word(word) if word else UNCLEAR


def _side_of(inside: Sequence[MoodPoint]) -> str:
    """Tell on which side a message or a time is; of labels without a place each has a side of its own."""
    affect = mean_affect(inside)
    if affect:
        return side(affect.valence, "unpleasant", "pleasant")
    label, share = next(iter(mean_emotions(inside).items()))
    return label if share >= SURE else ""


def _is_by_turns(sides: Sequence[str]) -> bool:
    counts = Counter(filter(None, sides)).most_common(2)
    return len(counts) > 1 and counts[1][1] >= BY_TURNS * len(sides)


def _sentence(told: Sequence[MoodPoint], when: str, with_parts: bool = True) -> str:
    """Say what a time was like; with its parts, also in which of them it was otherwise."""
    if len(told) == 1:
        return _sentence_of_one(told[0], when)
    days = list(_by(told, _date_of).values())
    main = _main_word(days)
    one_day = len(days) == 1
    others = _other_times(told, main, one_day, with_parts)
    if main.is_emotion:
        said = f"mostly {main.text} {when}{others and f', {others}'}."
    else:
        said = f"{_feelings(main)} {when}: {others or _likeliest(told, main)}."
    return capital(said) + (_turn(told) if one_day else "")


def _sentence_of_one(point: MoodPoint, when: str) -> str:
    [(label, share), *_] = point.emotions.items()
    if share >= SURE:
        return capital(f"{label} {when}, {share:.0%} sure.")
    return f"{capital(_feelings(UNCLEAR))} {when}: {_likeliest([point], UNCLEAR)}."


def _main_word(days: Sequence[Sequence[MoodPoint]]) -> _Word:
    """Give what most of the days were like: an emotion, or else at least a side."""
    if _is_by_turns([_side_of(day) for day in days]):
        return MIXED
    for word_of in (_word, _side_word):
        [(word, number)] = Counter(map(word_of, days)).most_common(1)
        if number > len(days) / 2 and (word_of is _word or word is not UNCLEAR):
            return word
    return MIXED


def _feelings(word: _Word) -> str:
    return {MIXED: "mixed", UNCLEAR: "hard to tell"}.get(word, f"mostly {word.text} feelings")


def _other_times(told: Sequence[MoodPoint], main: _Word, one_day: bool, with_parts: bool) -> str:
    """Name other emotions with their days; and those that fill no day, or stand beside a main one, with its parts."""
    by_day = {} if one_day or main.is_emotion else _times(told, lambda point: (_date_of(point), "day"))
    by_part = _times(told, _sitting_of) if with_parts else {}
    named = [
        *_most_often(by_day, without=()),
        *_most_often(by_part, without=(*by_day, *(main.text,) * main.is_emotion)),
    ]
    return ", ".join(f"{label} {_parts_in_words(parts, one_day)}" for label, parts in named)


def _most_often(times: Mapping[str, Counter[str]], without: Sequence[str]) -> list[tuple[str, Counter[str]]]:
    """Give the emotions that were most often; of some that were as often as each other the earlier first."""
    others = [(label, parts) for label, parts in times.items() if label not in without]
    return sorted(others, key=lambda item: -item[1].total())[:WORDS_TOLD]


def _times(told: Sequence[MoodPoint], key: Callable[[MoodPoint], tuple[date, str]]) -> dict[str, Counter[str]]:
    """Count for each emotion the times that it gave its name to, by what they are called."""
    times: dict[str, Counter[str]] = {}
    for (_, part), inside in _by(told, key).items():
        word = _word(inside)
        if word.is_emotion:
            times.setdefault(word.text, Counter())[part] += 1
    return times


def _parts_in_words(parts: Mapping[str, int], one_day: bool) -> str:
    if one_day:
        return " and ".join(PARTS[part] for part in PARTS if part in parts)
    return "on " + " and ".join(count(parts[part], part) for part in ("day", *PARTS) if part in parts)


def _likeliest(told: Sequence[MoodPoint], main: _Word) -> str:
    """Name the two emotions that come first: of a mixed time the first of either side."""
    first, *others = mean_emotions(told).items()
    second = others[0] if others else None
    if main is MIXED and second:
        sides = _by([point for point in told if _side_of([point])], lambda point: _side_of([point]))
        firsts = sorted({next(iter(mean_emotions(inside))) for inside in sides.values()})
        return "between " + " and ".join(firsts[:2] if len(firsts) > 1 else sorted((first[0], second[0])))
    return "most likely " + " or ".join(f"{label} ({share:.0%})" for label, share in filter(None, (first, second)))


def _turn(told: Sequence[MoodPoint]) -> str:
    """Tell how one sitting began and how it ended, if that differs."""
    if len(told) < HALVES or len(_by(told, _sitting_of)) > 1:
        return ""
    began, ended = _word(told[: len(told) // 2]), _word(told[-(len(told) // 2) :])
    both = began.is_emotion and ended.is_emotion and began != ended
    return f" It began {began.text} and ended {ended.text}." if both else ""


def _weeks(weeks: Mapping[date, Sequence[MoodPoint]], today: date) -> list[str]:
    """Say what each of the last weeks was like, and whether it was better than the one before."""
    return [
        _sentence(inside, _week(monday, today)) + _change(weeks.get(monday - timedelta(days=7), ()), inside)
        for monday, inside in list(weeks.items())[-WEEKS_TOLD:]
    ]


def _change(before: Sequence[MoodPoint], after: Sequence[MoodPoint]) -> str:
    then, now = mean_affect(before), mean_affect(after)
    if not then or not now or min(len(before), len(after)) < CHANGE_MESSAGES:
        return ""
    if abs(now.valence - then.valence) < CHANGE:
        return ""
    return f" {'More' if now.valence > then.valence else 'Less'} pleasant than the week before."


def _evidence(told: Sequence[MoodPoint]) -> str:
    days = len(_by(told, _date_of))
    on_days = f" on {count(days, 'day')}" if days > 1 else ""
    said = f"Told from {count(len(told), 'message')}{on_days}."
    unsure = sum(next(iter(point.emotions.values())) < SURE for point in told)
    if len(told) > 1 and unsure > len(told) / 2:
        said += " More than half of them could as well express something else."
    return said


def _crisis_note(crises: int) -> str:
    if not crises:
        return ""
    was, they = ("was", "it is") if crises == 1 else ("were", "they are")
    return f"{capital(count(crises, 'message'))} {was} about a crisis; {they} marked and not counted."


def _when(first: date, last: date, today: date) -> str:
    """Name the time from one date to another, as seen from today."""
    yesterday = today - timedelta(days=1)
    if first == last:
        return {today: "today", yesterday: "yesterday"}.get(first, f"on {_spoken(first, today)}")
    if (first, last) == (yesterday, today):
        return "since yesterday"
    if monday_of(first) == monday_of(last):
        return _week(monday_of(first), today)
    if today - timedelta(days=7) < first and last <= today:
        return "in the last seven days"
    return f"from {_spoken(first, today)} to {_spoken(last, today)}"


def _week(monday: date, today: date) -> str:
    this = monday_of(today)
    return {this: "this week", this - timedelta(days=7): "last week"}.get(
        monday, f"in the week of {_spoken(monday, today, weekday=False)}"
    )


def _spoken(day: date, today: date, weekday: bool = True) -> str:
    year = "" if day.year == today.year else f" {day.year}"
    return f"{f'{day:%A} ' if weekday else ''}{day.day} {day:%B}{year}"


def _date_of(point: MoodPoint) -> date:
    return point.said_at.date()


def _sitting_of(point: MoodPoint) -> tuple[date, str]:
    """Give the day and its part; the hours after midnight still belong to the night of the day before."""
    day, hour = _date_of(point), point.said_at.hour
    if hour < 5:
        return day - timedelta(days=1), "night"
    return day, "morning" if hour < 12 else "afternoon" if hour < 17 else "evening" if hour < 22 else "night"


def _by(points: Iterable[MoodPoint], key: Callable[[MoodPoint], Key]) -> dict[Key, list[MoodPoint]]:
    groups: dict[Key, list[MoodPoint]] = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    return groups
