from dataclasses import astuple

import numpy as np
import pytest
import sklearn.metrics as truth_of
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.evaluation import metrics
from buddy.evaluation.metrics import Floats, Integers


@st.composite
def answers(draw: st.DrawFn) -> tuple[Floats, Integers]:
    """Probabilities over 2..7 labels and true labels, both from a drawn seed; half of them with ties."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, labels = draw(st.integers(1, 60)), draw(st.integers(2, 7))
    scores = generator.random((n, labels)) + 1e-3
    if draw(st.booleans()):
        scores = np.ceil(scores * 3)
    return scores / scores.sum(axis=1, keepdims=True), generator.integers(0, labels, n)


@settings(max_examples=60, deadline=None)
@given(answers())
def test_scores_agree_with_scikit_learn(case):
    probabilities, truth = case
    labels = range(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    scores = metrics.score(probabilities, truth)
    assert scores.accuracy == pytest.approx(truth_of.accuracy_score(truth, predicted))
    assert scores.macro_f1 == pytest.approx(truth_of.f1_score(truth, predicted, average="macro", zero_division=0))
    assert scores.weighted_f1 == pytest.approx(truth_of.f1_score(truth, predicted, average="weighted", zero_division=0))
    assert scores.nll == pytest.approx(truth_of.log_loss(truth, probabilities, labels=labels))


@settings(max_examples=40, deadline=None)
@given(answers(), st.integers(1, 15))
def test_calibration_error_agrees_with_a_plain_loop(case, bins):
    probabilities, truth = case
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    expected = 0.0
    for i in range(bins):
        inside = (confidence > i / bins) & (confidence <= (i + 1) / bins)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert metrics.expected_calibration_error(probabilities, truth, bins) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(answers())
def test_top_k_grows_from_accuracy_to_one(case):
    probabilities, truth = case
    ks = [metrics.top_k_accuracy(probabilities, truth, k) for k in range(1, probabilities.shape[1] + 1)]
    assert ks[0] == metrics.accuracy(probabilities, truth)
    assert ks == sorted(ks)
    assert ks[-1] == 1.0


def test_top_k_agrees_with_scikit_learn_without_ties():
    generator = np.random.default_rng(0)
    probabilities, truth = generator.dirichlet(np.ones(6), 200), generator.integers(0, 6, 200)
    expected = truth_of.top_k_accuracy_score(truth, probabilities, k=3, labels=range(6))
    assert metrics.top_k_accuracy(probabilities, truth, 3) == pytest.approx(expected)


def test_equal_probabilities_are_no_free_points():
    blind, truth = np.full((4, 4), 0.25), np.arange(4)
    assert metrics.accuracy(blind, truth) == 0.25
    assert metrics.top_k_accuracy(blind, truth, 3) == 0.75


def test_an_impossible_label_costs_36_nats():
    assert metrics.negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(36.04, abs=0.01)


def test_calibration_error_by_hand():
    # bin 0.6: says .6, right 1 of 2; bin 0.9: says .9, right 2 of 2 -> (2*.1 + 2*.1) / 4
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    assert metrics.expected_calibration_error(probabilities, np.array([0, 1, 0, 0])) == pytest.approx(0.1)


def test_reliability_holds_every_answer_once():
    generator = np.random.default_rng(1)
    probabilities, truth = generator.dirichlet(np.ones(3), 500), generator.integers(0, 3, 500)
    bins = metrics.reliability(probabilities, truth, 10)
    assert sum(bin_.count for bin_ in bins) == 500
    assert all(bin_.low < bin_.confidence <= bin_.high for bin_ in bins if bin_.count)
    assert sum(bin_.count * bin_.accuracy for bin_ in bins) / 500 == pytest.approx(
        metrics.accuracy(probabilities, truth)
    )


def test_per_label_scores_by_hand():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0]])
    rows = metrics.per_label_scores(probabilities, np.array([0, 1, 1]), ["a", "b", "never"])
    assert astuple(rows["a"]) == pytest.approx((0.5, 1.0, 2 / 3, 1))  # precision, recall, F1, support
    assert astuple(rows["b"]) == pytest.approx((1.0, 0.5, 2 / 3, 2))
    assert rows["never"] == metrics.LabelScore(0.0, 0.0, 0.0, 0)


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        (np.array([[0.5, 0.6]]), [0], "row 0 .* sums to 1.1"),
        (np.array([[0.5, 0.5], [np.nan, 1.0]]), [0, 0], "row 1"),
        (np.array([[1.5, -0.5]]), [0], "row 0 .* has an entry below 0"),
        (np.array([[0.5, 0.5]]), [2], r"columns 0\.\.1"),
        (np.array([[0.5, 0.5]]), [-1], "columns"),
        (np.array([[0.5, 0.5]]), [0, 1], r"\(N, E\)"),
        (np.empty((0, 2)), [], r"\(N, E\)"),
    ],
)
def test_nonsense_is_refused(probabilities, truth, message):
    with pytest.raises(ValueError, match=message):
        metrics.score(probabilities, np.array(truth, dtype=np.int64))
