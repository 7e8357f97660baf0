"""k-means: points go to the nearest centroid, centroids go to the mean of their points, and again.

Shapes: ``N`` points, ``D`` coordinates, ``K`` clusters. Distances are squared, as k-means adds them up.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from buddy.warmup.clusters import Floats, Integers, check_points

SCORES_AT_ONCE, FEWEST_ROWS = 2**16, 1024  # half a megabyte of scores stays in the processor's cache
ROWS_PER_CLUSTER = 16  # so many rows usually show already that there are enough distinct points


@dataclass(frozen=True)
class Clustering:
    """What k-means found, and the way it went.

    ``labels`` (N,) is the cluster of each point and ``centroids`` (K, D) are the means of the clusters. ``inertia``
    is the sum of the squared distances from the points to their centroids. ``history`` (R + 1, K, D) has
    the centroids at the start and after each of R rounds, and ``inertias`` (R + 1,) the inertia with each of
    them. ``converged`` is false if the rounds ran out while points still changed their cluster.
    """

    labels: Integers
    centroids: Floats
    inertia: float
    history: Floats
    inertias: Floats
    converged: bool


def kmeans(
    points: ArrayLike,
    clusters: int | None = None,
    starts: ArrayLike | None = None,
    seed: int = 13,
    most_rounds: int = 300,
) -> Clustering:
    """Divide points into clusters so that each is near the mean of its cluster.

    It stops when no point changes its cluster: then nothing would change ever after. There is no tolerance
    to choose. What it stops at is a local optimum; other starts may end in a better one.

    A cluster that loses all its points gets the point that is farthest from its own centroid (from a cluster
    with more than one), so that there are always as many clusters as were asked for.

    A million points in a plane and 8 clusters take a few seconds. Points without any clusters in them, in many
    coordinates, can need hundreds of rounds.

    Args:
        points: (N, D). They are centred first, so a cloud far from the origin loses no digits.
        clusters: how many; ``choose_starts`` then says where they start.
        starts: (K, D), where the centroids start, instead of ``clusters``.
        seed: of the choice of starts; no chance is involved in anything else.
        most_rounds: when to give up; few data sets need a hundred.

    Returns:
        Labels, centroids and what they cost, and the centroids of every round.

    Raises:
        ValueError: both or neither of ``clusters`` and ``starts``; shapes that do not fit; a number that is not
            finite; or fewer distinct points than clusters, so that some cluster must stay empty.

    Source:
        Lloyd 1982, "Least Squares Quantization in PCM".

    Example:
        >>> found = kmeans([[0.0], [1.0], [9.0], [10.0]], starts=[[0.0], [1.0]])
        >>> found.labels.tolist(), found.centroids.tolist(), found.inertia
        ([0, 0, 1, 1], [[0.5], [9.5]], 1.0)
        >>> found.history[:, 1, 0].round(2).tolist()  # where the second centroid went
        [1.0, 6.67, 9.5]
    """
    table = check_points(points)
    if most_rounds < 1:
        raise ValueError(f"most_rounds: want at least 1, got {most_rounds}")
    middle: Floats = table.mean(axis=0)
    centred = table - middle
    if clusters is not None and starts is None:
        centroids = choose_starts(centred, clusters, seed)
    elif starts is not None and clusters is None:
        centroids = _check_starts(starts, table.shape[1]) - middle
        _check_distinct(centred, len(centroids))
    else:
        raise ValueError("want either the number of clusters or their starts")
    found = alternate(centred, centroids, most_rounds)
    return replace(found, centroids=found.centroids + middle, history=found.history + middle)


def alternate(points: Floats, centroids: Floats, most_rounds: int) -> Clustering:
    """Take the two steps of k-means in turn until no point changes its cluster.

    Args:
        points: (N, D), best centred on 0.
        centroids: (K, D), where they start.
        most_rounds: when to give up.

    Returns:
        As ``kmeans`` does.

    Example:
        >>> alternate(np.array([[0.0], [2.0], [9.0]]), np.array([[0.0], [9.0]]), most_rounds=9).centroids.tolist()
        [[1.0], [9.0]]
    """
    labels, distances = assign(points, centroids)
    history, inertias = [centroids], [distances.sum()]
    converged = False
    while not converged and len(history) <= most_rounds:
        before = labels
        centroids = move_centroids(points, labels, distances, len(centroids))
        labels, distances = assign(points, centroids)
        history.append(centroids)
        inertias.append(distances.sum())
        converged = np.array_equal(labels, before) and not _any_empty(labels, len(centroids))
    return Clustering(labels, centroids, float(inertias[-1]), np.stack(history), np.array(inertias), converged)


def assign(points: Floats, centroids: Floats) -> tuple[Integers, Floats]:
    """Find the nearest centroid of every point.

    Args:
        points: (N, D), best centred on 0.
        centroids: (K, D).

    Returns:
        (N,) the nearest centroid, the first of equally near ones, and (N,) the squared distance to it.

    Example:
        >>> labels, distances = assign(np.array([[0.0], [4.0]]), np.array([[1.0], [6.0]]))
        >>> labels.tolist(), distances.tolist()
        ([0, 1], [1.0, 4.0])
    """
    labels, distances = np.empty(len(points), np.int64), np.empty(len(points))
    rows = max(FEWEST_ROWS, SCORES_AT_ONCE // len(centroids))
    for start in range(0, len(points), rows):
        block = slice(start, start + rows)
        labels[block] = _nearest(points[block], centroids)
        distances[block] = _squared_distances(points[block], centroids, labels[block])
    return labels, distances


def move_centroids(points: Floats, labels: Integers, distances: Floats, clusters: int) -> Floats:
    """Move every centroid to the mean of its points.

    Args:
        points: (N, D), at least as many as clusters.
        labels: (N,), the cluster of each point.
        distances: (N,) squared, from each point to its centroid: they say who is given to an empty cluster.
        clusters: K; some may have no point in ``labels``.

    Returns:
        (K, D), all from the same labels.

    Example:
        >>> points, labels = np.array([[0.0], [2.0], [9.0]]), np.array([0, 0, 0])
        >>> move_centroids(points, labels, distances=np.array([0.0, 4.0, 81.0]), clusters=2).tolist()
        [[1.0], [9.0]]
    """
    if _any_empty(labels, clusters):
        labels = _fill_empty(labels, distances, clusters)
    counts = np.bincount(labels, minlength=clusters)
    sums = [np.bincount(labels, weights=column, minlength=clusters) for column in points.T]  # D times (K,)
    return np.stack(sums, axis=1) / counts[:, None]


def choose_starts(points: ArrayLike, clusters: int, seed: int = 13, candidates: int | None = None) -> Floats:
    """Choose points far from each other as starts (greedy k-means++).

    The first is any point. Each next one is drawn with a probability in proportion to its squared distance from
    the nearest start so far, so that a cloud without a start is likely to get one, and a single outlier is not
    sure to. The greedy form draws several candidates and keeps the one that leaves the least inertia.

    Args:
        points: (N, D).
        clusters: how many starts.
        seed: of the draws.
        candidates: how many to draw for each start; by default 2 + ln(clusters), as scikit-learn does. 1 is the
            method as first published.

    Returns:
        (clusters, D), points of the data.

    Raises:
        ValueError: fewer distinct points than clusters, or fewer than one cluster or candidate.

    Source:
        Arthur and Vassilvitskii 2007, "k-means++: The Advantages of Careful Seeding", sections 2.2 and 5.

    Example:
        >>> sorted(choose_starts([[0.0], [0.0], [5.0]], clusters=2).tolist())
        [[0.0], [5.0]]
    """
    table = check_points(points)
    draws = 2 + int(np.log(max(clusters, 1))) if candidates is None else candidates
    if draws < 1:
        raise ValueError(f"candidates: want at least 1, got {draws}")
    _check_distinct(table, clusters)
    generator = np.random.default_rng(seed)
    starts = [table[generator.integers(len(table))]]
    distances = _squared_lengths(table - starts[0])
    while len(starts) < clusters:
        chosen = generator.choice(len(table), size=draws, p=distances / distances.sum())
        left = [np.minimum(distances, _squared_lengths(table - table[row])) for row in chosen]
        best = int(np.argmin([after.sum() for after in left]))
        starts.append(table[chosen[best]])
        distances = left[best]
    return np.stack(starts)


def purity(labels: Integers, truth: Integers) -> float:
    """Tell which share of the points is in a cluster that holds mostly points of its own true cluster.

    The numbers that k-means gives to clusters mean nothing, so they cannot be compared with the truth directly.
    More clusters always look purer: compare only results with equally many.

    Args:
        labels: (N,), what was found.
        truth: (N,), what is right.

    Returns:
        Between 0 and 1.

    Raises:
        ValueError: not one label for each truth.

    Example:
        >>> purity(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 0]))
        0.75
    """
    if labels.shape != truth.shape or labels.ndim != 1 or not len(labels):
        raise ValueError(f"want a label and a truth for each point, got the shapes {labels.shape} and {truth.shape}")
    counts = np.zeros((labels.max() + 1, truth.max() + 1), np.int64)
    np.add.at(counts, (labels, truth), 1)
    return float(counts.max(axis=1).sum() / len(labels))


def _nearest(points: Floats, centroids: Floats) -> Integers:
    """Compare all centroids with one matrix product.

    The squared distance is x² - 2xc + c². x² is the same for every centroid, so the nearest has the lowest c²/2 - xc.
    The loop is ``argmin`` over the centroids, several times as fast for a few of them as NumPy's own.
    """
    scores = (centroids**2).sum(axis=1, keepdims=True) / 2 - centroids @ points.T  # (K, N)
    index = np.min_scalar_type(len(centroids))  # one byte for each label, as a rule: less to move
    lowest, nearest = scores[0], np.zeros(len(points), index)
    for label in range(1, len(centroids)):
        lower = scores[label] < lowest
        nearest = np.maximum(nearest, lower * index.type(label))  # labels rise, so the last that was lower wins
        lowest = np.minimum(lowest, scores[label])
    return nearest.astype(np.int64)


def _squared_distances(points: Floats, centroids: Floats, labels: Integers) -> Floats:
    """Measure each point's way to its centroid; differences are exact where x² - 2xc + c² would cancel."""
    total = np.zeros(len(points))
    for ours, theirs in zip(points.T, centroids.T, strict=True):
        total += (ours - theirs.take(labels)) ** 2
    return total


def _squared_lengths(vectors: Floats) -> Floats:
    lengths: Floats = np.einsum("ij,ij->i", vectors, vectors)
    return lengths


def _any_empty(labels: Integers, clusters: int) -> bool:
    return bool((np.bincount(labels, minlength=clusters) == 0).any())


def _fill_empty(labels: Integers, distances: Floats, clusters: int) -> Integers:
    """Give each empty cluster the farthest point that is not the last one of its own cluster."""
    labels, counts = labels.copy(), np.bincount(labels, minlength=clusters)
    empty = np.flatnonzero(counts == 0).tolist()
    for row in np.argsort(-distances, kind="stable"):
        if not empty:
            break
        if counts[labels[row]] > 1:
            counts[labels[row]] -= 1
            labels[row] = empty.pop(0)
            counts[labels[row]] = 1
    return labels


def _check_starts(starts: ArrayLike, dimensions: int) -> Floats:
    table = np.asarray(starts, dtype=np.float64)
    if table.ndim != 2 or len(table) < 1 or table.shape[1] != dimensions:
        raise ValueError(f"starts: want (K, {dimensions}), one row for each cluster; got the shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("starts: a coordinate is not a finite number")
    return table


def _check_distinct(points: Floats, clusters: int) -> None:
    if clusters < 1:
        raise ValueError(f"clusters: want at least 1, got {clusters}")
    if not np.isfinite(_squared_lengths(points).sum()):
        raise ValueError("points: they are so far apart that their squared distances overflow; scale them down")
    distinct = 0
    for rows in (points[: ROWS_PER_CLUSTER * clusters], points):  # all of them only where it matters
        distinct = len(np.unique(rows, axis=0))
        if distinct >= clusters:
            return
    raise ValueError(f"clusters: {clusters} clusters of {distinct} distinct points would leave some empty")
