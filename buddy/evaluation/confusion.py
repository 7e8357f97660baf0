"""Which labels are taken for which: counts, an order that puts confusable ones side by side, and the worst pairs.

Shapes: ``N`` examples, ``E`` labels. In a matrix of counts (E, E) the row is the true label, the column the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from buddy.evaluation.metrics import Floats, Integers


@dataclass(frozen=True)
class ConfusedPair:
    """How often examples of one label were given another; ``support`` is how many had the first."""

    truth: str
    answer: str
    count: int
    support: int


def count_confusions(truth: Integers, predicted: Integers, labels: int) -> Integers:
    """Count every combination of true label and answer.

    Args:
        truth: (N,) columns.
        predicted: (N,) columns.
        labels: E.

    Example:
        >>> count_confusions(np.array([0, 0, 1]), np.array([0, 1, 1]), labels=2)
        array([[1, 1],
               [0, 1]])
    """
    return np.bincount(truth * labels + predicted, minlength=labels * labels).reshape(labels, labels)


def shares(counts: Integers) -> Floats:
    """Divide each row by its sum; the row of a label that never occurs stays zero.

    Example:
        >>> shares(np.array([[3, 1], [0, 0]]))
        array([[0.75, 0.25],
               [0.  , 0.  ]])
    """
    divided: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return divided


def neighbour_order(counts: Integers) -> Integers:
    """Order the labels so that those which are mistaken for each other stand together.

    Average-linkage clustering of 1 - (how often either is taken for the other), with the leaves turned so that
    neighbours are as close as the tree allows.

    Args:
        counts: (E, E).

    Returns:
        (E,) a permutation of the columns.

    Source:
        Bar-Joseph et al. 2001, "Fast optimal leaf ordering for hierarchical clustering".

    Example:
        >>> afraid_sad_terrified = np.array([[6, 0, 4], [0, 10, 0], [5, 0, 5]])
        >>> [int(i) for i in neighbour_order(afraid_sad_terrified)] in ([1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1])
        True
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(counts) < 3:
        return np.arange(len(counts))
    likeness = (shares(counts) + shares(counts).T) / 2
    distance = 1 - likeness
    np.fill_diagonal(distance, 0)
    order: Integers = leaves_list(linkage(squareform(distance), "average", optimal_ordering=True)).astype(np.int64)
    return order


def most_confused(counts: Integers, limit: int) -> Integers:
    """Pick the labels that take part in most mistakes, as truth or as answer: at most ``limit`` columns, ascending.

    Example:
        >>> most_confused(np.array([[5, 2, 0], [1, 5, 0], [0, 0, 9]]), limit=2)
        array([0, 1])
    """
    mistakes = counts - np.diag(np.diag(counts))
    involved = mistakes.sum(axis=0) + mistakes.sum(axis=1)  # (E,)
    return np.sort(np.argsort(-involved, kind="stable")[:limit])


def confused_pairs(counts: Integers, labels: Sequence[str], limit: int = 8) -> tuple[ConfusedPair, ...]:
    """List the most frequent mistakes, the most frequent first.

    Example:
        >>> confused_pairs(np.array([[5, 2], [1, 5]]), ["afraid", "terrified"], limit=1)
        (ConfusedPair(truth='afraid', answer='terrified', count=2, support=7),)
    """
    mistakes = counts - np.diag(np.diag(counts))
    worst = np.argsort(-mistakes, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(place), len(labels)) for place in worst]
    return tuple(
        ConfusedPair(labels[i], labels[j], int(mistakes[i, j]), int(counts[i].sum()))
        for i, j in pairs
        if mistakes[i, j] > 0
    )
