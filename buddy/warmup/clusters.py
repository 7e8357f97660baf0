"""Clouds of points: drawing them from Gaussians, and estimating the Gaussian back from its points.

Shapes: ``N`` points, ``D`` coordinates (2 in the lesson), ``K`` clusters. A covariance is (D, D).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Two standard deviations to either side hold 95% of a coordinate, so a cloud that reaches from -1 to 7 has the
# standard deviation 2, and the variance 4.
MEANS = ((3.0, 3.0), (0.0, 0.0))
WIDE_AND_FLAT = ((4.0, 0.0), (0.0, 0.15))
NARROW_AND_TALL = ((0.1, 0.0), (0.0, 4.0))
TYPICAL_SEED = 831  # one of few whose 50 points have ranges and variances close to what most samples have
ROUNDING = 1e-9  # how far from symmetric, or below zero, a covariance may be in proportion to its largest entry


class Sample(NamedTuple):
    """Points (N, D), cluster after cluster, and the cluster (N,) that each was drawn from."""

    points: Floats
    truth: Integers


@dataclass(frozen=True)
class Gaussian:
    """Where a cloud is, ``mean`` (D,), and which way it spreads, ``covariance`` (D, D)."""

    mean: Floats
    covariance: Floats


def sample_clusters(
    means: ArrayLike = MEANS,
    covariances: ArrayLike = (WIDE_AND_FLAT, NARROW_AND_TALL),
    counts: int | Sequence[int] = 50,
    seed: int = TYPICAL_SEED,
) -> Sample:
    """Draw points from several Gaussians; by default the two long clouds of the lesson.

    Args:
        means: (K, D), the middle of each cluster.
        covariances: (K, D, D). Variances stand on the diagonal, so they are squares of standard deviations.
        counts: how many points to draw from each cluster, or one number for all of them.
        seed: equal seeds give equal points. The default was looked for: its small clouds are typical ones.

    Returns:
        The points and their true clusters, in the order of ``means``.

    Raises:
        ValueError: shapes that do not fit each other, fewer than one point, or a covariance that no cloud can
            have. NumPy alone would warn and draw points of some other shape.

    Example:
        >>> points, truth = sample_clusters(means=[[0, 0], [9, 9]], covariances=np.zeros((2, 2, 2)), counts=[1, 2])
        >>> points.tolist(), truth.tolist()
        ([[0.0, 0.0], [9.0, 9.0], [9.0, 9.0]], [0, 1, 1])
    """
    middles, shapes = _check_means(means), np.asarray(covariances, dtype=np.float64)
    clusters, dimensions = middles.shape
    if shapes.shape != (clusters, dimensions, dimensions):
        raise ValueError(f"covariances: want {(clusters, dimensions, dimensions)} for these means, got {shapes.shape}")
    sizes = _check_counts(counts, clusters)
    generator = np.random.default_rng(seed)
    clouds = [
        middle + generator.standard_normal((size, dimensions)) @ square_root(shape)
        for middle, shape, size in zip(middles, shapes, sizes, strict=True)
    ]
    return Sample(np.concatenate(clouds), np.repeat(np.arange(clusters), sizes))


def square_root(covariance: ArrayLike) -> Floats:
    """Find the matrix that turns round noise into noise with this covariance.

    Of the many that do, this is the symmetric one: it is unique, so a seed gives the same points with every
    linear algebra library, and it exists for flat clouds (a variance of 0), where Cholesky's fails.

    Args:
        covariance: (D, D).

    Returns:
        (D, D), symmetric; multiplied by itself it gives the covariance.

    Raises:
        ValueError: not square, not finite, not symmetric, or a negative variance in some direction: no cloud
            has such a covariance.

    Example:
        >>> square_root([[4.0, 0.0], [0.0, 9.0]])
        array([[2., 0.],
               [0., 3.]])
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a covariance is a square matrix; this has the shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("a covariance has an entry that is not a finite number")
    slack = ROUNDING * float(np.abs(matrix).max(initial=0))
    if np.abs(matrix - matrix.T).max(initial=0) > slack:
        raise ValueError("a covariance is symmetric: x0 varies with x1 exactly as x1 does with x0")
    variances, directions = np.linalg.eigh(matrix)
    if variances.min(initial=0) < -slack:
        raise ValueError(f"not a covariance: along one direction the variance would be {variances.min():.3g}")
    root: Floats = (directions * np.sqrt(variances.clip(min=0))) @ directions.T
    return root


def estimate_gaussian(points: ArrayLike) -> Gaussian:
    """Estimate the Gaussian that points were drawn from.

    The covariance is divided by N - 1. Points lie closer to their own mean than to the true one, and dividing
    by N would make every cloud look a little smaller than it is.

    Args:
        points: (N, D), at least two.

    Returns:
        Mean and covariance. From N points a variance is known to about a share of sqrt(2 / (N - 1)): 20% from 50.

    Raises:
        ValueError: fewer than two points, which have no spread, or a coordinate that is not finite.

    Example:
        >>> estimate_gaussian([[0, 0], [2, 0], [0, 4], [2, 4]]).covariance.round(3)
        array([[1.333, 0.   ],
               [0.   , 5.333]])
    """
    cloud = check_points(points)
    if len(cloud) < 2:
        raise ValueError("one point has no spread; want at least two")
    mean: Floats = cloud.mean(axis=0)
    offsets = cloud - mean
    return Gaussian(mean, offsets.T @ offsets / (len(cloud) - 1))


def outline(gaussian: Gaussian, deviations: float = 2.0, corners: int = 100) -> Floats:
    """Trace the ellipse that lies so many standard deviations from the mean, in every direction.

    At 2 it holds 86% of the points. That is less than the 95% of one coordinate alone, because a point is
    outside as soon as it is too far in any direction.

    Args:
        gaussian: of two coordinates.
        deviations: how far out.
        corners: how many straight pieces stand for the curve.

    Returns:
        (corners + 1, 2); the last point is the first one again, so that a line through them is closed.

    Raises:
        ValueError: not two coordinates; a covariance that ``square_root`` refuses.

    Example:
        >>> ellipse = outline(Gaussian(np.array([3.0, 3.0]), np.diag([4.0, 0.25])))
        >>> ellipse.min(axis=0).round(2).tolist(), ellipse.max(axis=0).round(2).tolist()
        ([-1.0, 2.0], [7.0, 4.0])
    """
    if gaussian.mean.shape != (2,):
        raise ValueError(f"an outline has two coordinates; the mean has the shape {gaussian.mean.shape}")
    angles = np.linspace(0, 2 * np.pi, corners + 1)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ellipse: Floats = gaussian.mean + deviations * circle @ square_root(gaussian.covariance)
    return ellipse


def check_points(points: ArrayLike) -> Floats:
    """Take anything that looks like points as (N, D) floats.

    Raises:
        ValueError: not a table of numbers, empty, or a coordinate that is not finite: one NaN would silently
            turn every mean into NaN.

    Example:
        >>> check_points([[1, 2]])
        array([[1., 2.]])
    """
    table = np.asarray(points, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"points: want a row of coordinates for each point, (N, D); got the shape {table.shape}")
    if not np.isfinite(table).all():
        row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
        raise ValueError(f"points: row {row} has a coordinate that is not a finite number: {table[row].tolist()}")
    return table


def _check_means(means: ArrayLike) -> Floats:
    table = np.asarray(means, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or not np.isfinite(table).all():
        raise ValueError(f"means: want finite numbers, a row for each cluster, (K, D); got the shape {table.shape}")
    return table


def _check_counts(counts: int | Sequence[int], clusters: int) -> list[int]:
    sizes = [counts] * clusters if isinstance(counts, int) else list(counts)
    if len(sizes) != clusters or min(sizes) < 1:
        raise ValueError(f"counts: want one number above 0 for each of {clusters} clusters, got {counts}")
    return sizes
