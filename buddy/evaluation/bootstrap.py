"""How sure is a score? Evaluate it again on examples drawn anew from the examples, a thousand times.

Shapes: ``R`` resamples, ``N`` examples, ``E`` labels. Instead of copying examples, a resample is a row of ``N``
weights that says how often each example was drawn; every score is then a matrix product over those rows.
"""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from buddy.evaluation.metrics import (
    CALIBRATION_BINS,
    Floats,
    Integers,
    Scores,
    confidence_bins,
    in_top_k,
    surprises,
)

Interval = tuple[float, float]
Resampled = dict[str, Floats]

LEVEL = 0.95
ANYTHING: Interval = (-float("inf"), float("inf"))
BOUNDS: dict[str, Interval] = {"nll": (0.0, float("inf"))}  # every other score is a share
SHARE: Interval = (0.0, 1.0)
WITHOUT_SPREAD = ("accuracy", "top3_accuracy", "macro_f1", "weighted_f1")
"""Where they are 0 or 1, they are so in every resample."""

WEIGHTS_AT_ONCE = 4_000_000  # 32 MB of float64


def resample_scores(probabilities: Floats, truth: Integers, resamples: int = 1000, seed: int = 13) -> Resampled:
    """Score ``resamples`` sets of N examples that are drawn with replacement from the N examples.

    Two systems that are resampled with the same N and seed see the same draws, so the difference of their
    scores, resample by resample, is a paired comparison.

    Args:
        probabilities: (N, E), rows sum to 1.
        truth: (N,), the true label's column.
        resamples: how often to draw; 0 gives empty arrays, from which there are no intervals.
        seed: of the draws.

    Returns:
        (R,) values for every field of ``Scores``.

    Source:
        Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.

    Example:
        >>> always_right = np.array([[0.9, 0.1], [0.2, 0.8]])
        >>> resample_scores(always_right, np.array([0, 1]), resamples=3)["accuracy"]
        array([1., 1., 1.])
    """
    scorer = _WeightedScorer(probabilities, truth)
    parts = [scorer(weights) for weights in draws(len(truth), resamples, seed)]
    return {name: np.concatenate([part[name] for part in parts] or [np.empty(0)]) for name in scorer.names}


def score_intervals(scores: Scores, resampled: Resampled, n: int) -> dict[str, Interval]:
    """Give the interval of every score that has one.

    Where every answer is right, or none is, resampling draws the same score each time, which is no certainty: accuracy
    gets the exact interval of a count there, and F1 and top-3 accuracy (always 1 with three labels) get none.

    Args:
        scores: on all examples.
        resampled: the same scores on resamples; if there are none, there are no intervals.
        n: how many examples there are.

    Source:
        Clopper and Pearson 1934, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial".

    Example:
        >>> from buddy.evaluation.metrics import score
        >>> answers, truth = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])
        >>> low, high = score_intervals(score(answers, truth), resample_scores(answers, truth, 50), n=2)["accuracy"]
        >>> round(low, 3), high  # a model that is right 16 times in 100 is right in 2 of 2 with a chance of 2.5%
        (0.158, 1.0)
    """
    if resampled["accuracy"].size == 0:
        return {}
    intervals = {}
    for name, value in asdict(scores).items():
        if value not in (0, 1) or name not in WITHOUT_SPREAD:
            intervals[name] = interval(value, resampled[name], BOUNDS.get(name, SHARE))
        elif name == "accuracy":
            intervals[name] = exact_interval(round(value * n), n)
    return intervals


def differ(resampled: Floats) -> bool:
    """Tell whether resamples say anything: there are some, and they do not all score alike.

    Example:
        >>> differ(np.array([0.5, 0.75])), differ(np.array([1.0, 1.0])), differ(np.empty(0))
        (True, False, False)
    """
    return bool((resampled != resampled[:1]).any())


def exact_interval(hits: int, n: int) -> Interval:
    """Give the 95% interval of a share that was counted, from the binomial distribution itself.

    Example:
        >>> [round(end, 3) for end in exact_interval(24, 24)]
        [0.858, 1.0]
    """
    from scipy.stats import binomtest

    ends = binomtest(hits, n).proportion_ci(LEVEL)
    return float(ends.low), float(ends.high)


def interval(value: float, resampled: Floats, bounds: Interval = ANYTHING, level: float = LEVEL) -> Interval:
    """Turn resampled scores into the interval that probably holds the score on endless examples of this kind.

    The spread of the resamples around their own mean is laid around the score itself. For accuracy that is the
    plain percentile interval. It matters for scores that resampling shifts, such as the calibration error, which
    repeated examples make larger: its percentile interval can lie wholly above the score that was measured.

    Args:
        value: the score on all examples.
        resampled: (R,) the same score on resamples, at least one.
        bounds: what the score cannot leave.
        level: share of the resamples inside.

    Returns:
        Its two ends.

    Example:
        >>> interval(0.5, np.array([0.25, 0.5, 0.75]), level=1.0)
        (0.25, 0.75)
    """
    tail = (1 - level) / 2
    spread = np.quantile(resampled, [tail, 1 - tail]) - resampled.mean()
    low, high = np.clip(value + spread, *bounds)
    return float(low), float(high)


def draws(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield the weights of all resamples in blocks of (r, N) that fit into memory."""
    generator = np.random.default_rng(seed)
    block = max(1, WEIGHTS_AT_ONCE // n)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(0, n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


class _WeightedScorer:
    """Every score as a function of example weights: (r, N) weights in, (r,) values for each score out."""

    names = ("accuracy", "top3_accuracy", "macro_f1", "weighted_f1", "nll", "ece")

    def __init__(self, probabilities: Floats, truth: Integers) -> None:
        from scipy.sparse import csr_array

        n, labels = probabilities.shape
        predicted = probabilities.argmax(axis=1)
        right = (predicted == truth).astype(np.float64)
        confidence = probabilities.max(axis=1)
        self.means = np.stack([right, in_top_k(probabilities, truth, 3), surprises(probabilities, truth)], axis=1)

        def spread(values: Floats, columns: Integers, width: int) -> "csr_array":
            return csr_array((values, (np.arange(n), columns)), shape=(n, width))  # one value in each row

        self.hits = spread(right, truth, labels)
        self.predicted = spread(np.ones(n), predicted, labels)
        self.true = spread(np.ones(n), truth, labels)
        self.gaps = spread(right - confidence, confidence_bins(confidence), CALIBRATION_BINS)

    def __call__(self, weights: Floats) -> Resampled:
        accuracy, top3, nll = (weights @ self.means / weights.shape[1]).T
        true = weights @ self.true  # (r, E)
        taking_part = true + weights @ self.predicted
        f1 = 2 * (weights @ self.hits) / np.maximum(taking_part, 1)
        macro = f1.sum(axis=1) / np.count_nonzero(taking_part, axis=1)
        weighted = (f1 * true).sum(axis=1) / weights.shape[1]
        ece = np.abs(weights @ self.gaps).sum(axis=1) / weights.shape[1]
        return dict(zip(self.names, (accuracy, top3, macro, weighted, nll, ece), strict=True))
