"""The crisis guard: it reads every message before the model does, and answers itself when a life may be in danger.

It is a table of rules over normalised text (``crisis_phrases``), and for what no rule thought of a small classifier
(``second_reader``). Both are fixed: the same message always gets the same answer, within milliseconds, and what decided
is named. What the guard says is fixed text (``crisis_words``).

A message is judged in five steps:

1. It is normalised: case, spelling tricks, short forms (``normal_text``).
2. Each rule looks for its pattern, sentence by sentence.
3. What is found counts for less, or for nothing, where it is denied ("I am not going to kill myself"), told of a story
   ("in the film he kills himself"), of work ("my first aid course"), or of times long past ("when I was fifteen").
4. The most serious finding decides.
5. The second reader is asked. What it finds is an alarm, too; where it is sure that there is no danger, the alarm of a
   rule is of concern only.

After an alarm the next messages are heard with more care.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from typing import get_args

from buddy.companion.crisis_phrases import AT_WORK, DENIED, IDIOMS, LONG_AGO, NOW, PARTS, RULES, STORIES, Category, Rule
from buddy.companion.crisis_words import alarm_words, resource_words
from buddy.companion.helplines import find_country
from buddy.companion.normal_text import normalise
from buddy.companion.second_reader import second_reader

CATEGORIES: tuple[Category, ...] = get_args(Category)

MESSAGES_WITH_CARE = 3
"""So many messages after an alarm are of concern at least, whatever they say."""

READ_AS_DANGER = 0.1
"""From which probability of danger on the second reader raises the alarm (decision 0014)."""

READ_AS_HARMLESS = 0.97
"""From which probability of no danger on it makes a rule's alarm one of concern (decision 0014)."""

CATEGORY_READ: dict[str, Category] = {
    "suicide": "self-harm",
    "self-harm": "self-harm",
    "violence": "violence",
    "abuse": "violence",
    "medical": "medical",
}

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
        reads_twice: whether the second reader is asked.

    Example:
        >>> Guard("GB").check(["I want to die"])
        Assessment(level=<Level.ALARM: 2>, category='self-harm', rule='wants to die', about_other=False)
    """

    country: str = ""
    categories: frozenset[Category] = frozenset(CATEGORIES)
    alarm_at: Level = Level.ALARM
    reads_twice: bool = True

    def __post_init__(self) -> None:
        """Refuse a country that there are no helplines for.

        Raises:
            UserMistake: there is none of that name.
        """
        find_country(self.country)

    def check(self, messages: Sequence[str]) -> Assessment:
        """Judge the last of a speaker's messages, in the light of the former.

        After an alarm buddy asks whether the person is safe. "No" is an alarm then, and whatever is said in the next
        messages is of concern at least.

        Example:
            >>> guard = Guard()
            >>> str(guard.check(["I want to die", "no"])), str(guard.check(["How are you?", "no"]))
            ('self-harm: alarm', '')
        """
        return self.check_all(messages)[-1]

    def check_all(self, messages: Sequence[str]) -> list[Assessment]:
        """Judge each of a speaker's messages in the light of those before it.

        Only the latest are read twice, and those in which a rule raises the alarm: of the others it is past.
        """
        messages = [_read_of(message) for message in messages]
        recent = max(0, len(messages) - 1 - MESSAGES_WITH_CARE)
        while recent > 0 and _is_unsafe(messages[recent]):
            recent -= 1  # "no" and again "no": the alarm stands before them
        found: list[Assessment] = []
        for number, message in enumerate(messages):
            alone = self._judge(message, number >= recent)
            found.append(_in_the_light(found[-MESSAGES_WITH_CARE:], alone, message))
        return [self._raised(one) for one in found]

    def _judge(self, message: str, twice: bool) -> Assessment:
        found = assess(message, self.categories)
        if self.reads_twice and (twice or found.level == Level.ALARM):
            found = self._read_again(message, found)
        return self._raised(found)

    def _raised(self, found: Assessment) -> Assessment:
        """Make an alarm of what the guard shall answer itself."""
        return replace(found, level=Level.ALARM) if found.level >= self.alarm_at else found

    def _read_again(self, message: str, found: Assessment) -> Assessment:
        """Give what the rules found in a message, or what the second reader makes of it."""
        read = second_reader().read(message)
        if found.level == Level.ALARM:
            return replace(found, level=Level.CONCERN) if read["harmless"] >= READ_AS_HARMLESS else found
        kinds = [kind for kind in read if CATEGORY_READ.get(kind) in self.categories]
        if sum(read[kind] for kind in kinds) < READ_AS_DANGER:
            return found
        category = CATEGORY_READ[max(kinds, key=lambda kind: read[kind])]
        about_other = category == "self-harm" and re.search(_SPEAKER, normalise(message)) is None
        return Assessment(Level.ALARM, category, "second reader", about_other)

    def get_ready(self) -> None:
        """Compile all rules and load the second reader, so that nobody in a crisis waits for it."""
        for rule in RULES:
            _compiled(rule)
        if self.reads_twice:
            second_reader()

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
    sentences = _sentences(normalise(_read_of(text)))
    found = [_weigh(rule, sentence) for sentence in sentences for rule in _watched(categories, sentence)]
    return max(found, key=lambda one: one.level, default=NO_CONCERN)


def _read_of(text: str) -> str:
    """Give what is read of a message: of a very long one beginning and end."""
    return text if len(text) <= 2 * LONGEST else f"{text[:LONGEST]} … {text[-LONGEST:]}"


def _in_the_light(former: Sequence[Assessment], here: Assessment, message: str) -> Assessment:
    """Judge a message of which is known what it is alone, and what was found in the last ones before it."""
    if here.level == Level.ALARM:
        return here
    for back, before in enumerate(reversed(former), start=1):
        if before.level == Level.ALARM:
            level = Level.ALARM if back == 1 and _is_unsafe(message) else Level.CONCERN
            return Assessment(level, before.category, "after an alarm", before.about_other)
    return here


def _is_unsafe(message: str) -> bool:
    """Tell whether a message is no yes to "are you safe right now?"."""
    plain = normalise(message) or message.lower()  # "idk" is left out of what is normalised
    return re.search(_UNSAFE, plain) is not None


_SPEAKER = r"\b(?:i|me|myself)\b"

_UNSAFE = (
    r"^(?:i am not|i can not)(?: \.|$)|"
    r"^i am not (?:really |so |feeling )?(?:safe|sure|ok|okay|alright|all right|fine|good)\b|"
    r"^i can not (?:promise|say|tell|be sure|guarantee)\b|"
    r"^(?:no|nope|nah|not|i do not (?:know|think so)|idk|not sure|unsure|never|do not know|"
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
