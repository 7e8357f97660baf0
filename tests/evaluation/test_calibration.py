import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from buddy.evaluation.calibration import HIGHEST, LOWEST, cross_fitted, fit_temperature, is_at_the_end, temper
from buddy.evaluation.metrics import Floats, Integers, expected_calibration_error, negative_log_likelihood


def model_that_needs(temperature: float, n: int = 4000, labels: int = 5, seed: int = 0) -> tuple[Floats, Integers]:
    """Log-scores whose softmax at ``temperature`` is exactly how the true labels were drawn."""
    generator = np.random.default_rng(seed)
    log_scores = log_softmax(generator.normal(size=(n, labels)) * 2, axis=1)
    cumulated = softmax(log_scores / temperature, axis=1).cumsum(axis=1)
    truth = (generator.random((n, 1)) > cumulated).sum(axis=1).clip(max=labels - 1)
    return log_scores, truth


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_data_is_found(temperature):
    log_scores, truth = model_that_needs(temperature)
    assert fit_temperature(log_scores, truth) == pytest.approx(temperature, rel=0.08)


def test_no_temperature_of_a_fine_grid_is_better():
    log_scores, truth = model_that_needs(1.7, n=200)
    fitted = negative_log_likelihood(temper(log_scores, fit_temperature(log_scores, truth)), truth)
    grid = np.exp(np.linspace(np.log(LOWEST), np.log(HIGHEST), 400))
    assert fitted <= min(negative_log_likelihood(temper(log_scores, t), truth) for t in grid) + 1e-6


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 20), st.integers(0, 1000))
def test_temperature_changes_no_answer(temperature, seed):
    log_scores = log_softmax(np.random.default_rng(seed).normal(size=(20, 4)), axis=1)
    probabilities = temper(log_scores, temperature)
    assert np.array_equal(probabilities.argmax(axis=1), log_scores.argmax(axis=1))
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_an_impossible_label_stays_impossible():
    assert temper(np.array([[0.0, -np.inf]]), 5.0).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("row", [[np.nan, 0.0], [-np.inf, -np.inf]])
def test_scores_that_mean_nothing_are_refused(row):
    with pytest.raises(ValueError, match=r"impossible|not a number"):
        temper(np.array([row]), 1.0)


def test_cross_fitting_never_lets_an_example_judge_itself():
    log_scores, truth = model_that_needs(2.0, n=50)
    held_out = np.array_split(np.random.default_rng(13).permutation(50), 5)[0]
    turned = truth.copy()
    turned[held_out] = (turned[held_out] + 1) % 5
    before, after = cross_fitted(log_scores, truth), cross_fitted(log_scores, turned)
    others = np.setdiff1d(np.arange(50), held_out)
    assert np.array_equal(before[held_out], after[held_out])
    assert not np.allclose(before[others], after[others])


def test_cross_fitting_calibrates():
    log_scores, truth = model_that_needs(2.5)
    raw = expected_calibration_error(temper(log_scores, 1.0), truth)
    assert expected_calibration_error(cross_fitted(log_scores, truth), truth) < raw / 4


@pytest.mark.parametrize("n", [1, 2, 3])
def test_very_few_examples_still_get_probabilities(n):
    log_scores, truth = model_that_needs(1.0, n=n)
    assert np.allclose(cross_fitted(log_scores, truth).sum(axis=1), 1)


def test_without_a_mistake_there_is_nothing_to_fit():
    assert fit_temperature(np.log([[0.7, 0.3]] * 5), np.zeros(5, dtype=np.int64)) == 1.0


def test_a_model_that_is_never_right_runs_into_the_end():
    assert is_at_the_end(fit_temperature(np.log([[0.7, 0.3]] * 5), np.ones(5, dtype=np.int64)))
