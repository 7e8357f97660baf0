"""The crisis guard: it reads every message before the model does, and answers itself when a life may be in danger.

It is a table of rules over normalised text (``crisis_phrases``), not a model: the same message always gets the same
answer, in a millisecond, and every decision can be read. What it says is fixed text (``crisis_words``).

A message is judged in four steps:

1. It is normalised: case, spelling tricks, short forms (``normal_text``).
2. Each rule looks for its pattern, sentence by sentence.
3. What is found counts for less, or for nothing, where it is denied ("I am not going to kill myself"), told of a story
   ("in the film he kills himself"), of work ("my first aid course"), or of times long past ("when I was fifteen").
4. The most serious finding decides. After an alarm the next messages are heard with more care.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import get_args

from buddy.companion.crisis_phrases import AT_WORK, DENIED, IDIOMS, LONG_AGO, NOW, PARTS, RULES, STORIES, Category, Rule
from buddy.companion.crisis_words import alarm_words, resource_words
from buddy.companion.helplines import find_country
from buddy.companion.normal_text import normalise

CATEGORIES: tuple[Category, ...] = get_args(Category)

MESSAGES_WITH_CARE = 3
"""So many messages after an alarm are of concern at least, whatever they say."""

GAP = r"(?:\w+ ){0,3}?"
"""What ``~`` in a phrase stands for."""

LONGEST = 20_000
"""Letters that are read of the beginning and of the end of a message; what stands between them is not."""


class Level(IntEnum):
    """How serious a message is."""

    NONE = 0
    CONCERN = 1
    """The model replies, and where to find help is added."""
    ALARM = 2
    """The guard replies, and the model does not."""


@dataclass(frozen=True)
class Assessment:
    """What the guard found in a message.

    Attributes:
        level: how serious it is.
        category: which crisis; ``None`` if nothing was found.
        rule: the name of the rule that decided; never words of the message.
        about_other: whether it is about somebody else's life.
    """

    level: Level = Level.NONE
    category: Category | None = None
    rule: str = ""
    about_other: bool = False

    def __str__(self) -> str:
        return f"{self.category}: {self.level.name.lower()}" if self.category else ""


NO_CONCERN = Assessment()


@dataclass(frozen=True)
class Guard:
    """The guard with its settings.

    Attributes:
        country: whose helplines are given, as two letters (ISO 3166-1); "" for the international directory.
        categories: what is watched for.
        alarm_at: from this level on the guard replies and the model does not; ``Level.CONCERN`` is stricter.

    Example:
        >>> Guard("GB").check(["I want to die"])
        Assessment(level=<Level.ALARM: 2>, category='self-harm', rule='wants to die', about_other=False)
    """

    country: str = ""
    categories: frozenset[Category] = frozenset(CATEGORIES)
    alarm_at: Level = Level.ALARM

    def __post_init__(self) -> None:
        """Refuse a country that there are no helplines for.

        Raises:
            UserMistake: there is none of that name.
        """
        find_country(self.country)

    def check(self, messages: Sequence[str]) -> Assessment:
        """Judge the last of a speaker's messages, in the light of the former."""
        found = assess_turns(messages, self.categories)
        if found.level >= self.alarm_at:
            return Assessment(Level.ALARM, found.category, found.rule, found.about_other)
        return found

    def get_ready(self) -> None:
        """Compile all rules, which takes some 60 ms once, so that nobody in a crisis waits for it."""
        for rule in RULES:
            _compiled(rule)

    def alarm_text(self, assessment: Assessment) -> str:
        """Give the whole reply to an alarm."""
        return alarm_words(find_country(self.country), assessment.category or "self-harm", assessment.about_other)

    def resources_text(self, assessment: Assessment) -> str:
        """Give what is added to the model's reply where there is concern."""
        return resource_words(find_country(self.country), assessment.category or "self-harm")


def assess(text: str, categories: frozenset[Category] = frozenset(CATEGORIES)) -> Assessment:
    """Judge one message.

    Args:
        text: what somebody writes, in English.
        categories: what to look for.

    Example:
        >>> str(assess("I don't want to live anymore")), str(assess("This homework is killing me"))
        ('self-harm: alarm', '')
        >>> str(assess("I'm not going to kill myself"))
        'self-harm: concern'
    """
    if len(text) > 2 * LONGEST:
        text = f"{text[:LONGEST]} … {text[-LONGEST:]}"
    found = [
        _weigh(rule, sentence) for sentence in _sentences(normalise(text)) for rule in _watched(categories, sentence)
    ]
    return max(found, key=lambda one: one.level, default=NO_CONCERN)


def assess_turns(messages: Sequence[str], categories: frozenset[Category] = frozenset(CATEGORIES)) -> Assessment:
    """Judge the last message in the light of the former.

    After an alarm buddy asks whether the person is safe. "No" is an alarm then, and whatever is said in the next
    messages is of concern at least.

    Args:
        messages: the speaker's, the latest last; at least one.
        categories: what to look for.

    Example:
        >>> str(assess_turns(["I want to die", "no"])), str(assess_turns(["How are you?", "no"]))
        ('self-harm: alarm', '')
    """
    here = assess(messages[-1], categories)
    if here.level == Level.ALARM:
        return here
    for back, message in enumerate(reversed(messages[-1 - MESSAGES_WITH_CARE : -1]), start=1):
        before = assess(message, categories)
        if before.level == Level.ALARM:
            unsafe = back == 1 and re.search(_UNSAFE, normalise(messages[-1])) is not None
            level = Level.ALARM if unsafe else Level.CONCERN
            return Assessment(level, before.category, "after an alarm", before.about_other)
    return here


_UNSAFE = (
    r"^(?:no|nope|nah|not|i am not|i do not (?:know|think so)|idk|not sure|unsure|never|i can not|do not know|"
    r"no one is|"
    r"nobody is|he is (?:here|back|coming|outside|at the door)|she is (?:here|back|coming)|"
    r"they are (?:here|back|coming)|help|still)\b"
    r"(?! (?:more|anymore|longer|hurt|in danger|going to do|worse|need(?:ed)?)\b)|"
    r"\b(?:not safe|unsafe|in danger|with me now|in my hand|in front of me|getting worse)\b"
)
"""Answers to "are you safe right now?" that are no yes."""

_UNSURE = r"promise|guarantee|trust|swear"
"""Who cannot promise not to does not deny it."""

_NOT = (
    r"\b(?:not|never)\b(?! (?:stop|wait|promise|sure|safe|exist|be|wake|to (?:hurt|cut|harm|kill)|trust|guarantee|help|"
    r"die|want to (?:live|be|exist|wake|go))\b)"
)


@dataclass(frozen=True)
class _Found:
    rule: Rule
    denied: bool


@cache
def _compiled(rule: Rule) -> re.Pattern[str]:
    pattern = "|".join(rule.phrases)
    while any(f"{{{name}}}" in pattern for name in PARTS):  # a part may hold others
        for name, part in PARTS.items():
            pattern = pattern.replace(f"{{{name}}}", part)
    return re.compile(pattern.replace("(?:~)?", GAP).replace("~", GAP))


def _sentences(plain: str) -> list[str]:
    """Cut a normalised message into stretches that a rule is looked for in: each sentence, with its dot."""
    return [f"{re.sub(IDIOMS, '', one).strip()} ." for one in plain.split(" .") if one.strip()]


def _watched(categories: frozenset[Category], sentence: str) -> list[_Found]:
    """Give the rules that find something in a sentence, and whether it is denied there."""
    found = []
    for rule in RULES:
        match = _compiled(rule).search(sentence) if rule.category in categories else None
        if match:
            inside = rule.deniable and re.search(_NOT, match[0]) and not re.search(_UNSURE, match[0])
            found.append(_Found(rule, bool(inside or re.search(DENIED, sentence[: match.start()].rstrip()))))
    return found


def _weigh(found: _Found, sentence: str) -> Assessment:
    """Decide how much a finding counts where it stands."""
    rule = found.rule
    level = Level.ALARM if rule.weight == "alarm" else Level.CONCERN
    of_others = rule.about == "other" or rule.category != "self-harm"
    if of_others and (re.search(STORIES, sentence) or re.search(AT_WORK, sentence)):
        return NO_CONCERN
    if found.denied or (re.search(LONG_AGO, sentence) and not re.search(NOW, sentence)):
        level = min(level, Level.CONCERN)
    return Assessment(level, rule.category, rule.name, rule.about == "other" and rule.category == "self-harm")
