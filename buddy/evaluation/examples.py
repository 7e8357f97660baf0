"""A few right and a few wrong answers to look at, chosen by a rule and not by hand.

The rule: draw uniformly without replacement among the right answers, and again among the wrong ones. Picking the
most confident ones, or the most amusing, would show a model that does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from buddy.evaluation.metrics import Floats, Integers
from buddy.evaluation.predictions import Predictions

SHOWN = 4
TOP = 3


@dataclass(frozen=True)
class LabelProbability:
    """How likely the model holds one label to be, and whether it is the true one."""

    label: str
    probability: float
    is_truth: bool


@dataclass(frozen=True)
class ShownExample:
    """One example with the labels the model thought most likely; a true label further down follows at the end."""

    id: str
    text: str
    truth: str
    predicted: str
    likely: tuple[LabelProbability, ...]


def choose_examples(
    predictions: Predictions, seed: int = 13, shown: int = SHOWN
) -> tuple[tuple[ShownExample, ...], tuple[ShownExample, ...]]:
    """Draw right and wrong answers at random.

    Args:
        predictions: all answers.
        seed: of the draw, shown beside the examples.
        shown: how many of each; fewer when there are not so many.

    Returns:
        The right ones and the wrong ones.

    Example:
        >>> labels = ("joyful", "sad")
        >>> said = np.array([[0.9, 0.1], [0.7, 0.3]])
        >>> both = Predictions(("1", "2"), ("We won!", "Gone."), labels, np.array([0, 1]), np.array([0, 0]), said)
        >>> right, wrong = choose_examples(both)
        >>> right[0].text, wrong[0].text, wrong[0].predicted
        ('We won!', 'Gone.', 'joyful')
    """
    generator = np.random.default_rng(seed)
    is_right = predictions.predicted == predictions.truth

    def draw(candidates: Integers) -> tuple[ShownExample, ...]:
        chosen = generator.permutation(candidates)[:shown]
        return tuple(_show(predictions, int(row)) for row in chosen)

    return draw(np.flatnonzero(is_right)), draw(np.flatnonzero(~is_right))


def _show(predictions: Predictions, row: int) -> ShownExample:
    labels, truth = predictions.labels, int(predictions.truth[row])
    return ShownExample(
        id=predictions.ids[row],
        text=predictions.texts[row],
        truth=labels[truth],
        predicted=labels[int(predictions.predicted[row])],
        likely=_most_likely(predictions.probabilities[row], labels, truth),
    )


def _most_likely(probabilities: Floats, labels: Sequence[str], truth: int) -> tuple[LabelProbability, ...]:
    top = [int(i) for i in np.argsort(-probabilities, kind="stable")[:TOP]]
    listed = top if truth in top else [*top, truth]
    return tuple(LabelProbability(labels[i], float(probabilities[i]), i == truth) for i in listed)
