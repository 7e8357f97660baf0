import numpy as np
import pytest

from buddy.evaluation.examples import choose_examples
from buddy.evaluation.predictions import Predictions


def some_predictions(n: int = 60, wrong_every: int = 3) -> Predictions:
    labels = ("a", "b", "c", "d", "e")
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(len(labels)), n)
    predicted = probabilities.argmax(axis=1)
    truth = np.where(np.arange(n) % wrong_every == 0, probabilities.argmin(axis=1), predicted)
    names = tuple(f"id{i}" for i in range(n))
    return Predictions(names, tuple(f"text {i}" for i in range(n)), labels, truth, predicted, probabilities)


def test_right_ones_are_right_and_wrong_ones_wrong():
    right, wrong = choose_examples(some_predictions())
    assert len(right) == len(wrong) == 4
    assert all(shown.truth == shown.predicted for shown in right)
    assert all(shown.truth != shown.predicted for shown in wrong)
    assert len({shown.id for shown in (*right, *wrong)}) == 8


def test_the_seed_decides_and_nothing_else():
    predictions = some_predictions()
    assert choose_examples(predictions, seed=1) == choose_examples(predictions, seed=1)
    assert choose_examples(predictions, seed=1) != choose_examples(predictions, seed=2)


def test_every_answer_has_the_same_chance_however_sure_it_was():
    predictions = some_predictions(n=12, wrong_every=2)
    drawn = [shown.id for seed in range(600) for shown in choose_examples(predictions, seed, shown=1)[0]]
    counts = [drawn.count(f"id{i}") for i in range(1, 12, 2)]
    assert min(counts) == pytest.approx(100, abs=35)
    assert max(counts) == pytest.approx(100, abs=35)


def test_a_true_label_beyond_the_top_three_is_shown_last():
    _, wrong = choose_examples(some_predictions())
    for shown in wrong:
        chances = [guess.probability for guess in shown.likely[:3]]
        assert chances == sorted(chances, reverse=True)
        assert len(shown.likely) == 4
        assert shown.likely[-1].is_truth
        assert shown.likely[-1].label == shown.truth


def test_fewer_than_four_are_all_shown():
    all_right = some_predictions(n=3, wrong_every=100)
    right, wrong = choose_examples(all_right)
    assert (len(right), len(wrong)) == (2, 1)
