"""``Buddy``: a model that can be asked what a person feels, and for a reply.

Who answers a message is decided before the model is asked: the crisis guard, the classifier when somebody asks after
their own feeling, and only then the model.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from buddy.companion.conversation import Kind
from buddy.companion.crisis_words import are_alarm_words, without_resource_words
from buddy.companion.feeling import NOTHING_TOLD, asks_about_feeling, feeling_answer, without_question
from buddy.companion.reply import HALF_A_LETTER, TO_CHOOSE_FROM, Replies, as_it_comes
from buddy.companion.safety import NO_CONCERN, Assessment, Guard, Level
from buddy.errors import UserMistake
from buddy.inference.classifier import load_classifier
from buddy.inference.engine import Sampling
from buddy.inference.folder import find_model_folder
from buddy.inference.labels import Scores
from buddy.models import find_model

UNREADABLE = "I'm sorry, I can't read these letters. Could you tell me in English?"
GUARD_OFF = (
    "The crisis guard is switched off: nothing but a small language model answers to a message about suicide, "
    "violence or an emergency."
)

REMEMBERED_TURNS = 65
"""More than the model can read at once; of these it sees the latest that fit."""

RESOURCES_STAY = 3
"""Helplines are not repeated while they stand below one of so many last replies."""


@dataclass(frozen=True)
class Emotion:
    """What a text expresses, and how sure the model is.

    Attributes:
        label: the likeliest emotion.
        probability: of this label.
        probabilities: of every label, the likeliest first; they sum to 1.
    """

    label: str
    probability: float
    probabilities: Mapping[str, float]


@dataclass(frozen=True)
class Answer:
    """What buddy says next, and why it says that.

    Attributes:
        kind: ``"talk"``: the model replies; ``"feeling"``: the classifier answers; ``"crisis"``: the guard's fixed
            words; ``"unreadable"``: the model does not know the letters.
        emotion: what the message expresses, read alone or at the end of the conversation, whichever is more certain;
            ``None`` in a crisis, and if nothing was told that it could be read from.
        assessment: what the crisis guard found.
        pieces: the reply, in pieces that follow each other without anything between them; to be read once.
    """

    kind: Kind
    emotion: Emotion | None
    assessment: Assessment
    pieces: Iterator[str]


class Buddy:
    """A model that names emotions and replies.

    Any number of threads may use one ``Buddy`` at the same time. It keeps nothing of what it is told.

    Example:
        >>> buddy = Buddy()
        >>> buddy.emotion("I lost my cat last week.").label
        'sad'
        >>> buddy.emotion_of(["I lost my cat last week."]).label
        'sad'
    """

    def __init__(
        self,
        model: Path | str | None = None,
        *,
        candidates: int = 8,
        seed: int | None = None,
        guard: Guard | None = Guard(),  # noqa: B008  (it is frozen)
    ) -> None:
        """Load a model.

        Args:
            model: a run, a checkpoint, or a folder that `buddy export` made; the one that comes with buddy if
                none is named.
            candidates: of so many replies the best is taken; with 1 a streamed reply appears word by word as
                the model finds it, and is not looked over before.
            seed: the same seed gives the same replies; without one they differ from time to time.
            guard: what answers in a crisis, before the model; with another one for the helplines of a country. ``None``
                switches it off, with a warning: the model then answers everything, and it can answer terribly.

        Raises:
            UserMistake: there is no such model.
        """
        if guard is None:
            warnings.warn(GUARD_OFF, stacklevel=2)
        self._guard = guard
        self._folder = shipped_model() if model is None else find_model_folder(Path(model))
        self._classifier = load_classifier(self._folder)
        self._replies = Replies(replace(TO_CHOOSE_FROM if candidates > 1 else Sampling(), seed=seed), candidates)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that the model tells apart."""
        return self._classifier.labels

    @property
    def can_reply(self) -> bool:
        """Whether the model has learned to reply, and not only to name emotions."""
        return self._classifier.task == "companion"

    def can_read(self, text: str) -> bool:
        """Tell whether the model knows the letters of a text; of others it knows nothing and answers all the same."""
        return self._classifier.codec.can_read(text)

    def count_tokens(self, text: str) -> int:
        """Count the tokens that a text has for the model."""
        return len(self._classifier.codec.encode_words(text))

    def first_tokens(self, text: str, most: int) -> str:
        """Give the beginning of a text, of so many tokens; half a letter at its end is left out.

        Example:
            >>> Buddy().first_tokens("I lost my cat.", 3)
            'I lost my'
        """
        codec = self._classifier.codec
        return codec.decode(codec.encode_words(text)[:most]).rstrip(HALF_A_LETTER)

    def emotion(self, text: str) -> Emotion:
        """Tell what a text expresses.

        Raises:
            TypeError: it is no text; for many there is ``emotions``.
        """
        if not isinstance(text, str):
            raise TypeError(f"emotion takes one text, not a {type(text).__name__}; emotions takes a list of them")
        return self.emotions([text])[0]

    def emotions(self, texts: Sequence[str]) -> list[Emotion]:
        """Tell what each of many texts expresses; quicker than one at a time, with the same result.

        Raises:
            TypeError: it is one text, of which every letter would be taken for a text.
        """
        if isinstance(texts, str):
            raise TypeError("emotions takes a list of texts, not a single one; emotion takes that")
        return [self._emotion(row) for row in self._classifier.probabilities(texts)]

    def emotion_of(self, conversation: Sequence[str]) -> Emotion:
        """Tell what the speaker feels after the last turn.

        Args:
            conversation: the turns so far, the speaker's first and last.

        Raises:
            ValueError: it is no such conversation.
        """
        return self._emotion(self._classifier.conversation_probabilities([_checked(conversation)])[0])

    def is_crisis(self, message: str) -> bool:
        """Tell whether the crisis guard would answer a message that stands alone; quicker than ``answer``."""
        return self._hear([message]).kind == "crisis"

    def answer(self, conversation: Sequence[str], replies: Replies | None = None) -> Answer:
        """Say what a good listener would say next, and tell who says it.

        Args:
            conversation: the turns so far, the speaker's first and last.
            replies: how the model makes its reply, if otherwise than usual.

        Raises:
            ValueError: it is no such conversation.
            UserMistake: the model has not learned to reply.
        """
        self.require_replies()
        turns = _checked(conversation)
        heard = self._hear(turns[-REMEMBERED_TURNS:])
        emotion = self._felt(heard) if heard.told and heard.kind in ("talk", "feeling") else None
        pieces = self._pieces(turns, heard, emotion, replies or self._replies)
        return Answer(heard.kind, emotion, heard.assessment, pieces)

    def reply(self, conversation: Sequence[str]) -> str:
        """Say what a good listener would say next; ``answer`` tells more.

        Args:
            conversation: the turns so far, the speaker's first and last.

        Returns:
            One line, never empty and without special tokens; in a crisis the guard's several lines, and where there is
            reason for concern the lines of a helpline below the reply.

        Raises:
            ValueError: it is no such conversation.
            UserMistake: the model has not learned to reply.
        """
        return "".join(self.stream(conversation))

    def stream(self, conversation: Sequence[str]) -> Iterator[str]:
        """Give the reply in pieces that follow each other without anything between them; otherwise as ``reply``."""
        return self.answer(conversation).pieces

    def require_replies(self) -> None:
        """Make sure that the model can reply.

        Raises:
            UserMistake: it cannot.
        """
        if not self.can_reply:
            raise UserMistake(
                f"The model in {self._folder} names emotions and has not learned to reply; "
                "`buddy train --task companion` makes one that has."
            )

    def get_ready(self) -> None:
        """Do what would make the first answer come later than the others."""
        if self._guard:
            self._guard.get_ready()
        self.emotion("Hello.")  # the first question has to make what answers with labels alone

    def _felt(self, heard: "_Heard") -> Emotion:
        """Read the emotion of the latest message: alone, or at the end of the conversation if that is more certain.

        "Yes, it was" says nothing alone, and a message that changes the subject is blurred by what was before
        (decision 0013).
        """
        conversation = heard.view if heard.view[-1] else heard.view[:-2]  # the latest message may tell nothing
        with ThreadPoolExecutor(1) as other:  # each keeps one core busy
            at_the_end = other.submit(self.emotion_of, conversation)
            readings = (self.emotion(heard.told[-1]), at_the_end.result())
        return max(readings, key=lambda one: one.probability)

    def _hear(self, turns: Sequence[str]) -> "_Heard":
        """Go through a conversation and tell what the model may know of it."""
        told: list[str] = []
        seen: list[str] = []
        waiting = ""  # what was told beside a question after one's feeling; the model reads it with the next message
        messages, replies = turns[::2], turns[1::2]
        assessments = self._guard.check_all(messages) if self._guard else [NO_CONCERN] * len(messages)
        for message, assessment, reply in zip_longest(messages, assessments, replies):
            kind = self._kind(message, assessment, reply)
            rest = {"talk": message, "feeling": without_question(message)}.get(kind, "")
            told += [rest] if rest.strip() else []
            waiting = f"{waiting} {rest}".strip()
            if kind == "talk" and reply is not None:
                seen += [waiting, without_resource_words(reply)]
                waiting = ""
        return _Heard(kind, assessment, told, [*seen, waiting])

    def _kind(self, message: str, assessment: Assessment, reply: str | None) -> Kind:
        """Tell who answers a message, or answered it."""
        if assessment.level == Level.ALARM or (reply and are_alarm_words(reply)):
            return "crisis"
        if asks_about_feeling(message):
            return "feeling"
        return "talk" if self.can_read(message) else "unreadable"

    def _pieces(
        self, turns: Sequence[str], heard: "_Heard", emotion: Emotion | None, replies: Replies
    ) -> Iterator[str]:
        if heard.kind == "crisis" and self._guard:
            yield self._guard.alarm_text(heard.assessment)
            return
        if heard.kind == "feeling":
            yield feeling_answer(turns[-1], emotion.probabilities) if emotion else NOTHING_TOLD
        elif heard.kind == "unreadable":
            yield UNREADABLE
        else:
            yield from as_it_comes(self._classifier, heard.view, replies)
        resources = self._resources(heard.assessment)
        if resources and not any(turn.endswith(resources) for turn in turns[1::2][-RESOURCES_STAY:]):
            yield resources

    def _resources(self, assessment: Assessment) -> str:
        """Give what is added to a reply where there is reason for concern."""
        if self._guard and assessment.level == Level.CONCERN:
            return f"\n\n{self._guard.resources_text(assessment)}"
        return ""

    def _emotion(self, probabilities: Scores) -> Emotion:
        labels, values = self.labels, probabilities.tolist()
        ranked = {labels[column]: values[column] for column in probabilities.argsort()[::-1].tolist()}
        label = next(iter(ranked))
        return Emotion(label, ranked[label], ranked)


@dataclass(frozen=True)
class _Heard:
    """A conversation as the model may know it.

    Attributes:
        kind: of the last message.
        assessment: of the last message, in the light of the former.
        told: the speaker's messages that tell something; questions after a feeling, crises and foreign letters do not.
        view: the turns that the model sees, the speaker's first and last: without what it had no part in.
    """

    kind: Kind
    assessment: Assessment
    told: list[str]
    view: list[str]


def shipped_model() -> Path:
    """Give the model that comes with buddy.

    Raises:
        UserMistake: it is missing.
    """
    folder = find_model("companion")
    if folder is None or not folder.exists():
        raise UserMistake(
            "The model that comes with buddy is missing from this installation; name one (--model on the command "
            "line). `buddy train` makes one."
        )
    return folder


def _checked(conversation: Sequence[str]) -> list[str]:
    if isinstance(conversation, str):
        raise ValueError("a conversation is a list of turns, not one string")
    if len(conversation) % 2 == 0:
        raise ValueError(f"a conversation begins and ends with the speaker's turn; this one has {len(conversation)}")
    return list(conversation)
