"""``Buddy``: a model that can be asked what a person feels, and for a reply."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from buddy.companion.reply import Replies, as_it_comes, best_reply
from buddy.errors import UserMistake
from buddy.inference.classifier import load_classifier
from buddy.inference.engine import Sampling
from buddy.inference.folder import find_model_folder
from buddy.inference.labels import Scores
from buddy.models import find_model


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

    def __init__(self, model: Path | str | None = None, *, candidates: int = 4, seed: int | None = None) -> None:
        """Load a model.

        Args:
            model: a run, a checkpoint, or a folder that `buddy export` made; the one that comes with buddy if
                none is named.
            candidates: of so many replies the best is taken; with 1 a streamed reply appears word by word as
                the model finds it, and is not looked over before.
            seed: the same seed gives the same replies; without one they differ from time to time.

        Raises:
            UserMistake: there is no such model.
        """
        self._folder = _shipped_model() if model is None else find_model_folder(Path(model))
        self._classifier = load_classifier(self._folder)
        self._replies = Replies(Sampling(seed=seed), candidates)

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

    def reply(self, conversation: Sequence[str]) -> str:
        """Say what a good listener would say next.

        Args:
            conversation: the turns so far, the speaker's first and last.

        Raises:
            ValueError: it is no such conversation.
            UserMistake: the model has not learned to reply.
        """
        self.require_replies()
        return best_reply(self._classifier, _checked(conversation), self._replies)

    def stream(self, conversation: Sequence[str]) -> Iterator[str]:
        """Give the reply in pieces that follow each other without anything between them; otherwise as ``reply``."""
        self.require_replies()
        return as_it_comes(self._classifier, _checked(conversation), self._replies)

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

    def _emotion(self, probabilities: Scores) -> Emotion:
        ranked = {self.labels[column]: float(probabilities[column]) for column in probabilities.argsort()[::-1]}
        label = next(iter(ranked))
        return Emotion(label, ranked[label], ranked)


def _shipped_model() -> Path:
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
