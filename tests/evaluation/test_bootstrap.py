from dataclasses import asdict

import numpy as np
import pytest

from buddy.evaluation import bootstrap
from buddy.evaluation.bootstrap import interval, resample_scores, score_intervals
from buddy.evaluation.metrics import Floats, Integers, score


def some_answers(n: int = 300, labels: int = 5, seed: int = 0) -> tuple[Floats, Integers]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, labels, n)
    scores = generator.random((n, labels)) ** 3
    scores[np.arange(n), truth] += 0.25
    return scores / scores.sum(axis=1, keepdims=True), truth


def test_every_resample_scores_as_scoring_the_drawn_examples_does():
    probabilities, truth = some_answers(n=40)
    resampled = resample_scores(probabilities, truth, resamples=25, seed=7)
    draws = np.random.default_rng(7).integers(0, 40, size=(25, 40))
    for i, drawn in enumerate(draws):
        for name, expected in asdict(score(probabilities[drawn], truth[drawn])).items():
            assert resampled[name][i] == pytest.approx(expected), name


def test_blocks_of_memory_do_not_change_the_draws(monkeypatch):
    probabilities, truth = some_answers(n=50)
    at_once = resample_scores(probabilities, truth, 30, seed=1)
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 120)
    in_blocks = resample_scores(probabilities, truth, 30, seed=1)
    assert all(np.allclose(at_once[name], in_blocks[name], atol=1e-12) for name in at_once)


def test_interval_of_accuracy_is_that_of_the_binomial():
    probabilities, truth = some_answers(n=1000)
    scores = score(probabilities, truth)
    low, high = score_intervals(scores, resample_scores(probabilities, truth, 2000), n=1000)["accuracy"]
    half = 1.96 * np.sqrt(scores.accuracy * (1 - scores.accuracy) / 1000)
    assert low == pytest.approx(scores.accuracy - half, abs=0.004)
    assert high == pytest.approx(scores.accuracy + half, abs=0.004)


def test_intervals_hold_their_score_even_where_resampling_shifts_it():
    generator = np.random.default_rng(3)
    probabilities = generator.dirichlet(np.full(4, 0.7), 400)
    truth = np.array([generator.choice(4, p=row) for row in probabilities])  # perfectly calibrated
    scores, resampled = score(probabilities, truth), resample_scores(probabilities, truth)
    assert resampled["ece"].mean() > scores.ece * 1.1  # the shift that is taken out
    for name, (low, high) in score_intervals(scores, resampled, n=400).items():
        assert 0 <= low <= getattr(scores, name) <= high


def test_the_shift_of_resampling_is_taken_out():
    low, high = interval(0.012, np.linspace(0.014, 0.030, 101))  # every resample lies above the score
    assert low == pytest.approx(0.012 - 0.0076)
    assert high == pytest.approx(0.012 + 0.0076)


def test_intervals_stay_where_scores_can_be():
    assert interval(0.99, np.array([0.9, 0.99, 1.0, 1.0]), bounds=(0.0, 1.0))[1] == 1.0
    assert interval(-0.02, np.array([-0.05, 0.01]))[0] < -0.02  # a difference may be negative


def test_the_seed_decides():
    probabilities, truth = some_answers()
    again = [resample_scores(probabilities, truth, 20, seed)["accuracy"] for seed in (1, 1, 2)]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


def test_equal_seeds_make_a_paired_comparison():
    probabilities, truth = some_answers(n=500)
    slightly_worse = probabilities.copy()
    slightly_worse[:5] = np.roll(slightly_worse[:5], 1, axis=1)
    ours, theirs = (resample_scores(system, truth, 400)["accuracy"] for system in (probabilities, slightly_worse))
    assert np.std(ours - theirs) < np.std(ours) / 3


def test_without_resamples_there_are_no_intervals():
    probabilities, truth = some_answers(n=10)
    scores, none = score(probabilities, truth), resample_scores(probabilities, truth, resamples=0)
    assert score_intervals(scores, none, n=10) == {}


@pytest.mark.parametrize(("shift", "accuracy"), [(0, (0.8575, 1.0)), (1, (0.0, 0.1425))])
def test_where_all_answers_are_right_or_wrong_the_interval_is_that_of_the_count(shift, accuracy):
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), 24)
    truth = (probabilities.argmax(axis=1) + shift) % 5
    scores, resampled = score(probabilities, truth), resample_scores(probabilities, truth, 200)
    intervals = score_intervals(scores, resampled, n=24)
    assert intervals["accuracy"] == pytest.approx(accuracy, abs=1e-4)  # 0.025 ** (1 / 24) = 0.8575
    assert not {"macro_f1", "weighted_f1"} & set(intervals)  # resamples have no spread, which is no certainty
    assert {"nll", "ece"} <= set(intervals)


def test_the_top_three_of_three_labels_have_no_interval():
    probabilities, truth = np.random.default_rng(0).dirichlet(np.ones(3), 24), np.zeros(24, np.int64)
    scores, resampled = score(probabilities, truth), resample_scores(probabilities, truth, 200)
    assert scores.top3_accuracy == 1
    assert "top3_accuracy" not in score_intervals(scores, resampled, n=24)
