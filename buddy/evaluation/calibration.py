"""Making stated confidence true: one number, the temperature, divides every log-score before the softmax.

A temperature above 1 makes a model that is too sure of itself more modest; it never changes which label wins.

Shapes: ``N`` examples, ``E`` labels. ``log_scores`` is (N, E), row-wise log-softmaxed.
"""

import numpy as np

from buddy.evaluation.metrics import Floats, Integers, negative_log_likelihood

LOWEST, HIGHEST = 0.05, 20.0
FOLDS = 5


def temper(log_scores: Floats, temperature: float) -> Floats:
    """Turn log-scores into probabilities at a temperature.

    Args:
        log_scores: (N, E) natural logarithms; an unreachable label may have -inf.
        temperature: above 0; 1 leaves the probabilities as they are.

    Returns:
        (N, E), rows sum to 1.

    Raises:
        ValueError: a score is no number, or a whole row is unreachable: the softmax would hide it.

    Example:
        >>> temper(np.log([[0.8, 0.2]]), temperature=2.0).round(3)
        array([[0.667, 0.333]])
    """
    from scipy.special import softmax

    if np.isnan(log_scores).any() or not np.isfinite(log_scores.max(axis=1)).all():
        raise ValueError("a log-score is not a number, or every label of an example is impossible")
    probabilities: Floats = softmax(log_scores / temperature, axis=1)
    return probabilities


def fit_temperature(log_scores: Floats, truth: Integers) -> float:
    """Find the temperature at which the true labels surprise least.

    The search is over the logarithm of the temperature, between 0.05 and 20; a result at either end says that
    there were too few examples for a temperature to mean anything.

    Args:
        log_scores: (N, E), of examples that the model was not trained on.
        truth: (N,), the true label's column.

    Returns:
        The temperature. It is 1 when every answer is right: without a mistake nothing says how sure is too sure,
        and the plain minimum would make the model certain of everything.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.

    Example:
        >>> too_sure = np.log([[0.9, 0.1]] * 4)  # says 0.9 and is right 3 times in 4
        >>> round(fit_temperature(too_sure, np.array([0, 0, 0, 1])), 2)  # 0.9 becomes 0.75
        2.0
    """
    from scipy.optimize import minimize_scalar

    if np.array_equal(log_scores.argmax(axis=1), truth):
        return 1.0

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(temper(log_scores, float(np.exp(log_temperature))), truth)

    best = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(best.x))


def is_at_the_end(temperature: float) -> bool:
    """Tell whether a fitted temperature is at an end of what is searched, and so means nothing.

    Example:
        >>> is_at_the_end(1.3), is_at_the_end(0.05)
        (False, True)
    """
    return not LOWEST * 1.01 < temperature < HIGHEST / 1.01


def cross_fitted(log_scores: Floats, truth: Integers, folds: int = FOLDS, seed: int = 13) -> Floats:
    """Calibrate every example with a temperature that was fitted on others.

    Calibration measured on the examples that the temperature was fitted on flatters the model; this does not.

    Args:
        log_scores: (N, E).
        truth: (N,), the true label's column.
        folds: in how many parts to split; each is calibrated with the temperature of all the others.
        seed: of the split.

    Returns:
        (N, E) probabilities, in the order of the examples. A single example stays as it is.

    Example:
        >>> too_sure = np.log([[0.9, 0.1]] * 8)
        >>> bool((cross_fitted(too_sure, np.array([0, 0, 0, 1] * 2))[:, 0] < 0.9).all())
        True
    """
    n = len(truth)
    if n == 1:
        return temper(log_scores, 1.0)
    probabilities = np.empty_like(log_scores)
    shuffled = np.random.default_rng(seed).permutation(n)
    for held_out in np.array_split(shuffled, min(folds, n)):
        others = np.setdiff1d(shuffled, held_out)
        temperature = fit_temperature(log_scores[others], truth[others])
        probabilities[held_out] = temper(log_scores[held_out], temperature)
    return probabilities
