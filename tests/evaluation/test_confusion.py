import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from buddy.evaluation.confusion import confused_pairs, count_confusions, most_confused, neighbour_order, shares


def test_counts_agree_with_scikit_learn():
    generator = np.random.default_rng(0)
    truth, predicted = generator.integers(0, 6, (2, 300))
    expected = confusion_matrix(truth, predicted, labels=range(7))
    assert np.array_equal(count_confusions(truth, predicted, labels=7), expected)


def test_families_that_are_confused_become_neighbours():
    families = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    counts = np.where(families[:, None] == families[None, :], 10, 0) + np.diag(np.full(9, 30))
    order = families[neighbour_order(counts)]
    assert np.count_nonzero(np.diff(order)) == 2  # three unbroken blocks


@pytest.mark.parametrize("labels", [1, 2, 3, 40])
def test_the_order_is_a_permutation(labels):
    counts = np.random.default_rng(labels).integers(0, 9, (labels, labels))
    counts[0] = 0  # a label that never occurs
    assert sorted(neighbour_order(counts)) == list(range(labels))


def test_rows_are_divided_by_their_own_sum():
    assert shares(np.array([[1, 3], [2, 2]])).tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_most_confused_counts_mistakes_as_truth_and_as_answer():
    counts = np.diag([9, 9, 9, 9])
    counts[0, 2] = 4
    assert most_confused(counts, limit=2).tolist() == [0, 2]


def test_pairs_are_the_biggest_mistakes_in_order_and_nothing_right():
    counts = np.array([[90, 3, 0], [7, 50, 0], [0, 0, 9]])
    pairs = confused_pairs(counts, ["a", "b", "c"])
    assert [(pair.truth, pair.answer, pair.count, pair.support) for pair in pairs] == [
        ("b", "a", 7, 57),
        ("a", "b", 3, 93),
    ]
