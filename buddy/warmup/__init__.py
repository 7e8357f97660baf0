"""The first two parts of the lesson: clouds of points, and k-means that finds them again.

Read ``clusters`` (what a covariance matrix does to a cloud), ``k_means`` (two steps in turn until nothing
changes) and ``plot`` (what the lesson draws). Nothing here knows about the rest of buddy.
"""

from buddy.warmup.clusters import Gaussian, Sample, estimate_gaussian, outline, sample_clusters
from buddy.warmup.k_means import Clustering, assign, choose_starts, kmeans, move_centroids, purity
from buddy.warmup.plot import plot_boundary, plot_clusters

__all__ = [
    "Clustering",
    "Gaussian",
    "Sample",
    "assign",
    "choose_starts",
    "estimate_gaussian",
    "kmeans",
    "move_centroids",
    "outline",
    "plot_boundary",
    "plot_clusters",
    "purity",
    "sample_clusters",
]
