"""Does the model know the emotion from a conversation instead of a written situation?

It is asked after the speaker's first turn, and again with everything up to his last one. This is harder than
situations: people begin with half a story, and later turns are often about something else.

Shapes: ``D`` conversations, ``E`` labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from buddy.errors import UserMistake, quote
from buddy.evaluation.bootstrap import Interval, resample_scores, score_intervals
from buddy.evaluation.metrics import Floats, Integers, score
from buddy.records import Dialogue

Ask = Callable[[Sequence[Sequence[str]]], Floats]
"""Gives for D conversations, whose last turn is the speaker's, the (D, E) probabilities of the labels."""


@dataclass(frozen=True)
class ContextAccuracy:
    """How often the emotion is found; between 0 and 1, the interval missing where there were no resamples."""

    accuracy: float
    interval: Interval | None


@dataclass(frozen=True)
class ContextEmotion:
    """Accuracy in two places of the same conversations.

    Attributes:
        conversations: how many.
        first_turn: after the speaker's first turn.
        last_turn: after the speaker's last turn, with all turns before it.
    """

    conversations: int
    first_turn: ContextAccuracy
    last_turn: ContextAccuracy


def judge_contexts(
    ask: Ask, labels: Sequence[str], dialogues: Sequence[Dialogue], resamples: int = 1000, seed: int = 13
) -> ContextEmotion:
    """Tell how well a model finds the emotion of conversations.

    Args:
        ask: the model.
        labels: the columns of its answers.
        dialogues: at least one.
        resamples: how many bootstrap samples of conversations the intervals come from; 0 for none.
        seed: of these samples.

    Raises:
        UserMistake: a conversation has an emotion that is not among the labels.

    Example:
        >>> talk = Dialogue("1", "sad", "My cat died.", ["My cat...", "What is it?", "She died."])
        >>> sad, proud = [0.9, 0.1], [0.1, 0.9]
        >>> knows_of_death = lambda asked: np.array([sad if "died" in turns[-1] else proud for turns in asked])
        >>> found = judge_contexts(knows_of_death, ["sad", "proud"], [talk], resamples=0)
        >>> found.first_turn.accuracy, found.last_turn.accuracy
        (0.0, 1.0)
    """
    truth = _columns(dialogues, labels)
    after_first = [one.turns[:1] for one in dialogues]
    after_last = [_up_to_the_speaker(one.turns) for one in dialogues]
    first, last = (_accuracy(ask(asked), truth, resamples, seed) for asked in (after_first, after_last))
    return ContextEmotion(len(dialogues), first, last)


def _columns(dialogues: Sequence[Dialogue], labels: Sequence[str]) -> Integers:
    column = {label: i for i, label in enumerate(labels)}
    for one in dialogues:
        if one.emotion not in column:
            raise UserMistake(
                f"A conversation has the emotion {quote(one.emotion)}, which the model does not know; "
                "name other data with --data."
            )
    return np.array([column[one.emotion] for one in dialogues], dtype=np.int64)


def _up_to_the_speaker(turns: Sequence[str]) -> Sequence[str]:
    """Leave out a last turn of the listener."""
    return turns[: len(turns) - 1 + len(turns) % 2]


def _accuracy(probabilities: Floats, truth: Integers, resamples: int, seed: int) -> ContextAccuracy:
    scores = score(probabilities, truth)
    intervals = score_intervals(scores, resample_scores(probabilities, truth, resamples, seed), len(truth))
    return ContextAccuracy(scores.accuracy, intervals.get("accuracy"))
