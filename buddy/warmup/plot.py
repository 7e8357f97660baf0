"""The pictures of the lesson: clusters told apart by colour and by marker, and the line between two of them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from buddy.warmup.clusters import Floats, Integers, check_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# After Okabe and Ito, without the yellow, which is hard to see on white. 7 colours and 8 markers have no common
# factor, so the first 56 clusters all look different.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#2b2a33")
MARKERS = ("o", "^", "s", "D", "v", "P", "<", ">")
INK = "#2b2a33"
SMALLEST_TEXT = 11  # points


def plot_clusters(
    points: ArrayLike,
    labels: Integers,
    centroids: ArrayLike | None = None,
    title: str = "",
    axes: "Axes | None" = None,
    legend: bool = True,
) -> "Axes":
    """Draw points in the colour and with the marker of their cluster.

    Both axes have the same scale: k-means compares distances, and they can be seen only so.

    Args:
        points: (N, 2).
        labels: (N,), the cluster of each point, 0 or above.
        centroids: (K, 2); drawn as large crosses on top, in the colours of their clusters.
        title: what the picture shows.
        axes: where to draw; by default a new figure of its own.
        legend: whether to say which colour is which cluster; one of several small pictures is enough.

    Returns:
        The axes, so that more can be drawn on them.

    Raises:
        ValueError: not two coordinates, or not one label for each point.

    Example:
        >>> axes = plot_clusters([[0, 0], [4, 4], [5, 4]], np.array([0, 1, 1]), centroids=[[0, 0], [4.5, 4]])
        >>> [text.get_text() for text in axes.get_legend().get_texts()]
        ['cluster 0', 'cluster 1', 'centroids']
    """
    table = _check_plane(points)
    if labels.shape != (len(table),):
        raise ValueError(f"labels: want one for each of {len(table)} points, got the shape {labels.shape}")
    axes = axes or _new_axes()
    for label in np.unique(labels).tolist():
        own = table[labels == label]
        colour, marker = COLOURS[label % len(COLOURS)], MARKERS[label % len(MARKERS)]
        axes.scatter(own[:, 0], own[:, 1], s=26, c=colour, marker=marker, alpha=0.75, lw=0, label=f"cluster {label}")
    if centroids is not None:
        _draw_centroids(_check_plane(centroids), axes)
    _name(axes, title)
    if legend:
        axes.legend(fontsize=SMALLEST_TEXT)
    return axes


def plot_boundary(first: ArrayLike, second: ArrayLike, axes: "Axes") -> None:
    """Draw the line on which points are equally far from two centroids.

    It crosses the middle between them at a right angle. Limits of the axes stay as they are.

    Args:
        first: (2,), one centroid.
        second: (2,), the other.
        axes: where to draw.

    Raises:
        ValueError: the centroids are equal, so that every point is equally far from both.

    Example:
        >>> axes = plot_clusters([[0, 0], [4, 0]], np.array([0, 1]))
        >>> plot_boundary([0, 0], [4, 0], axes)
        >>> [tuple(float(x) for x in point) for point in (axes.lines[0].get_xy1(), axes.lines[0].get_xy2())]
        [(2.0, 0.0), (2.0, 4.0)]
    """
    start, end = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if np.array_equal(start, end):
        raise ValueError("two equal centroids have no line between them")
    middle, (right, up) = (start + end) / 2, end - start
    limits = axes.axis()
    axes.axline((middle[0], middle[1]), (middle[0] - up, middle[1] + right), color=INK, ls="--", lw=1.6)
    axes.axis(limits)


def _check_plane(points: ArrayLike) -> Floats:
    table = check_points(points)
    if table.shape[1] != 2:
        raise ValueError(f"want two coordinates to draw, got the shape {table.shape}")
    return table


def _new_axes() -> "Axes":
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(7.5, 6), layout="constrained")[1]


def _draw_centroids(centroids: Floats, axes: "Axes") -> None:
    for label, (x0, x1) in enumerate(centroids.tolist()):
        axes.scatter(x0, x1, s=180, c=COLOURS[label % len(COLOURS)], marker="X", edgecolors="white", lw=1.2, zorder=5)
    axes.scatter([], [], s=110, c=INK, marker="X", label="centroids")


def _name(axes: "Axes", title: str) -> None:
    axes.set_aspect("equal")
    axes.set_xlabel("x0", fontsize=SMALLEST_TEXT)
    axes.set_ylabel("x1", fontsize=SMALLEST_TEXT)
    axes.tick_params(labelsize=SMALLEST_TEXT)
    if title:
        axes.set_title(title, fontsize=SMALLEST_TEXT + 1)
