"""The scores by which a classifier is judged: each a small function of probabilities and true labels.

Shapes: ``N`` examples, ``E`` labels. ``probabilities`` is (N, E) with rows that sum to 1, ``truth`` is (N,)
and holds the column of the true label. Where two labels are equally likely, the first one counts as the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CALIBRATION_BINS = 15
SMALLEST_PROBABILITY = float(
    np.finfo(np.float64).eps
)  # as scikit-learn's log_loss: one impossible label is not infinite


@dataclass(frozen=True)
class Scores:
    """How well one system did on one set of examples; all but ``nll`` (in nats) are between 0 and 1."""

    accuracy: float
    top3_accuracy: float
    macro_f1: float
    weighted_f1: float
    nll: float
    ece: float


@dataclass(frozen=True)
class LabelScore:
    """How well one label is found; ``support`` is the number of examples that truly have it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers that were given with a confidence in (low, high]; an empty bin has zeros."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def score(probabilities: Floats, truth: Integers) -> Scores:
    """Compute every headline score at once.

    Args:
        probabilities: (N, E), rows sum to 1.
        truth: (N,), the true label's column.

    Raises:
        ValueError: see ``check``.

    Example:
        >>> certain = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> score(certain, np.array([0, 1])).accuracy, score(certain, np.array([1, 1])).accuracy
        (1.0, 0.5)
    """
    check(probabilities, truth)
    return Scores(
        accuracy=accuracy(probabilities, truth),
        top3_accuracy=top_k_accuracy(probabilities, truth, k=3),
        macro_f1=macro_f1(probabilities, truth),
        weighted_f1=weighted_f1(probabilities, truth),
        nll=negative_log_likelihood(probabilities, truth),
        ece=expected_calibration_error(probabilities, truth),
    )


def check(probabilities: Floats, truth: Integers) -> None:
    """Refuse input for which a score would look plausible and mean nothing.

    Raises:
        ValueError: there are no examples, the shapes differ, a row does not sum to 1 (within 1e-3), holds a
            negative number or no number at all, or a true label is outside 0..E-1.

    Example:
        >>> check(np.array([[0.5, 0.6]]), np.array([0]))
        Traceback (most recent call last):
        ValueError: row 0 of the probabilities sums to 1.1, not to 1
    """
    if probabilities.ndim != 2 or probabilities.shape[0] == 0 or truth.shape != probabilities.shape[:1]:
        raise ValueError(f"probabilities {probabilities.shape} and true labels {truth.shape} must be (N, E) and (N,)")
    sums = probabilities.sum(axis=1)
    wrong = np.flatnonzero(~(np.abs(sums - 1) <= 1e-3) | (probabilities < 0).any(axis=1))
    if wrong.size:
        first = wrong[0]
        is_negative = (probabilities[first] < 0).any()
        problem = "has an entry below 0" if is_negative else f"sums to {sums[first]:.4g}, not to 1"
        raise ValueError(f"row {first} of the probabilities {problem}")
    if truth.min() < 0 or truth.max() >= probabilities.shape[1]:
        raise ValueError(f"true labels must be columns 0..{probabilities.shape[1] - 1}")


def accuracy(probabilities: Floats, truth: Integers) -> float:
    """Tell which share of the examples got the right label.

    Example:
        >>> accuracy(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
        0.5
    """
    return float(np.mean(probabilities.argmax(axis=1) == truth))


def top_k_accuracy(probabilities: Floats, truth: Integers, k: int = 3) -> float:
    """Tell how often the true label is among the ``k`` most likely ones.

    Example:
        >>> top_k_accuracy(np.array([[0.6, 0.3, 0.1]]), np.array([1]), k=2)
        1.0
    """
    return float(np.mean(in_top_k(probabilities, truth, k)))


def in_top_k(probabilities: Floats, truth: Integers, k: int) -> NDArray[np.bool_]:
    """Mark the examples whose true label is among the ``k`` most likely ones: (N,) bool."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]  # (N, k); stable: ties as in argmax
    hits: NDArray[np.bool_] = (best == truth[:, None]).any(axis=1)
    return hits


def macro_f1(probabilities: Floats, truth: Integers) -> float:
    """Average F1 over the labels, every label counting alike however rare it is.

    Labels that neither occur nor are predicted do not take part, as in scikit-learn.

    Example:
        >>> macro_f1(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
        1.0
    """
    return _f1(probabilities, truth, "macro")


def weighted_f1(probabilities: Floats, truth: Integers) -> float:
    """Average F1 over the labels, every label counting by how often it occurs.

    Example:
        >>> weighted_f1(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
        1.0
    """
    return _f1(probabilities, truth, "weighted")


def _f1(probabilities: Floats, truth: Integers, average: str) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(truth, probabilities.argmax(axis=1), average=average, zero_division=0))


def per_label_scores(probabilities: Floats, truth: Integers, labels: Sequence[str]) -> dict[str, LabelScore]:
    """Score every label on its own, in the order of ``labels``; a label that never occurs has zeros.

    Example:
        >>> per_label_scores(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), ["sad", "proud"])["sad"]
        LabelScore(precision=0.5, recall=1.0, f1=0.6666666666666666, support=1)
    """
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        truth, probabilities.argmax(axis=1), labels=range(len(labels)), zero_division=0
    )
    rows = zip(labels, *columns, strict=True)
    return {label: LabelScore(float(p), float(r), float(f1), int(support)) for label, p, r, f1, support in rows}


def negative_log_likelihood(probabilities: Floats, truth: Integers) -> float:
    """Average the surprise at the true labels, in nats: 0 is certain and right, ``log(E)`` is a blind guess.

    A true label that was called impossible costs 36 nats, not infinity (see ``SMALLEST_PROBABILITY``).

    Example:
        >>> round(negative_log_likelihood(np.array([[0.25, 0.75]]), np.array([0])), 4)
        1.3863
    """
    return float(np.mean(surprises(probabilities, truth)))


def surprises(probabilities: Floats, truth: Integers) -> Floats:
    """Give -log of each true label's probability: (N,) nats."""
    of_truth = probabilities[np.arange(len(truth)), truth]
    nats: Floats = -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0))
    return nats


def expected_calibration_error(probabilities: Floats, truth: Integers, bins: int = CALIBRATION_BINS) -> float:
    """Tell how far stated confidence is from observed accuracy.

    Only the winning label's probability counts, so a model can be perfectly calibrated here and still be
    wrong about the runners-up; ``negative_log_likelihood`` looks at the whole distribution.

    Args:
        probabilities: (N, E), rows sum to 1.
        truth: (N,), the true label's column.
        bins: number of equal-width confidence bins; 15 follows the source.

    Returns:
        Weighted mean of |accuracy - confidence| over the bins, between 0 (calibrated) and 1.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.

    Example:
        >>> round(expected_calibration_error(np.array([[0.8, 0.2]] * 5), np.array([0, 0, 0, 0, 1])), 6)
        0.0
    """
    gaps = sum(bin_.count * abs(bin_.accuracy - bin_.confidence) for bin_ in reliability(probabilities, truth, bins))
    return gaps / len(truth)


def reliability(probabilities: Floats, truth: Integers, bins: int = CALIBRATION_BINS) -> tuple[ReliabilityBin, ...]:
    """Sort the answers by their confidence into equal bins and compare it with how often they were right.

    Example:
        >>> [(b.count, b.accuracy) for b in reliability(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), bins=2)]
        [(0, 0.0), (2, 0.5)]
    """
    confidence = probabilities.max(axis=1)  # (N,)
    right = probabilities.argmax(axis=1) == truth  # (N,)
    bin_of = confidence_bins(confidence, bins)  # (N,)
    counts = np.bincount(bin_of, minlength=bins)
    divisor = np.maximum(counts, 1)
    mean_confidence = np.bincount(bin_of, weights=confidence, minlength=bins) / divisor
    mean_right = np.bincount(bin_of, weights=right, minlength=bins) / divisor
    return tuple(
        ReliabilityBin(i / bins, (i + 1) / bins, int(counts[i]), float(mean_confidence[i]), float(mean_right[i]))
        for i in range(bins)
    )


def confidence_bins(confidence: Floats, bins: int = CALIBRATION_BINS) -> Integers:
    """Number the bin of each confidence: (0, 1/bins] is 0, and so on up to ``bins - 1``."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
