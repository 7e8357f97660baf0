import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.warmup import Gaussian, estimate_gaussian, outline, sample_clusters
from buddy.warmup.clusters import square_root

TILTED = np.array([[2.0, -1.2], [-1.2, 1.5]])


def covariance_of(deviations: tuple[float, float], correlation: float) -> np.ndarray:
    a, b = deviations
    return np.array([[a * a, correlation * a * b], [correlation * a * b, b * b]])


def test_the_default_clouds_reach_as_far_as_described():
    points, truth = sample_clusters()
    assert points.shape == (100, 2)
    assert truth.tolist() == [0] * 50 + [1] * 50
    wide, tall = points[truth == 0], points[truth == 1]
    assert wide[:, 0].min() == pytest.approx(-1, abs=0.5)
    assert wide[:, 0].max() == pytest.approx(7, abs=0.5)
    assert wide[:, 1].min() >= 2
    assert wide[:, 1].max() <= 4
    assert tall[:, 1].min() == pytest.approx(-4, abs=0.5)
    assert tall[:, 1].max() == pytest.approx(5, abs=0.5)
    assert np.abs(tall[:, 0]).max() <= 1


def test_the_default_sample_is_a_typical_one():
    points, _ = sample_clusters()
    assert np.diag(estimate_gaussian(points[:50]).covariance) == pytest.approx([4, 0.15], rel=0.2)
    assert np.diag(estimate_gaussian(points[50:]).covariance) == pytest.approx([0.1, 4], rel=0.2)


@pytest.mark.parametrize("seed", [0, 1])
def test_many_points_have_the_means_and_covariances_they_were_drawn_with(seed):
    covariances = np.array([np.diag([4, 0.15]), np.diag([0.1, 4]), TILTED])
    points, truth = sample_clusters([[3, 3], [0, 0], [-5, 1]], covariances, 200_000, seed)
    for cluster, (mean, covariance) in enumerate(zip([[3, 3], [0, 0], [-5, 1]], covariances, strict=True)):
        own = points[truth == cluster]
        assert own.mean(axis=0) == pytest.approx(mean, abs=0.03)
        assert np.cov(own.T) == pytest.approx(covariance, rel=0.02, abs=0.01)


def test_two_deviations_hold_95_percent_of_a_coordinate_and_the_outline_86_of_the_points():
    points, truth = sample_clusters(counts=[100_000, 1])
    wide = points[truth == 0]
    assert (np.abs(wide[:, 0] - 3) < 4).mean() == pytest.approx(0.954, abs=0.005)
    assert ((wide - [3, 3]) ** 2 @ [1 / 4, 1 / 0.15] < 4).mean() == pytest.approx(0.865, abs=0.005)


def test_points_are_normal_and_not_only_as_wide():
    points, _ = sample_clusters([[0]], [[[1]]], 100_000)
    assert (points**4).mean() == pytest.approx(3, abs=0.1)  # 1.8 if they were uniform


def test_a_seed_decides_every_point():
    assert np.array_equal(sample_clusters(seed=4).points, sample_clusters(seed=4).points)
    assert not np.array_equal(sample_clusters(seed=4).points, sample_clusters(seed=5).points)


def test_each_cluster_can_have_its_own_size_and_any_number_of_coordinates():
    points, truth = sample_clusters(np.eye(3), [np.eye(3)] * 3, [1, 2, 3])
    assert points.shape == (6, 3)
    assert truth.tolist() == [0, 1, 1, 2, 2, 2]


def test_a_flat_cloud_is_a_line():
    points, _ = sample_clusters([[0, 0]], [[[1, 2], [2, 4]]], 20)
    assert points[:, 1] == pytest.approx(2 * points[:, 0])
    assert np.ptp(points[:, 0]) > 1


@pytest.mark.parametrize(
    ("covariance", "complaint"),
    [
        ([[1, 0.5], [0.4, 1]], "symmetric"),
        ([[1, 2], [2, 1]], "the variance would be -1"),
        ([[-1, 0], [0, 1]], "the variance would be -1"),
        ([[1, np.nan], [np.nan, 1]], "not a finite number"),
    ],
)
def test_what_no_cloud_can_have_is_refused(covariance, complaint):
    with pytest.raises(ValueError, match=complaint):
        sample_clusters([[0, 0]], [covariance])


@pytest.mark.parametrize("matrix", [[1, 2], [[1, 2]], 4])
def test_a_covariance_is_square(matrix):
    with pytest.raises(ValueError, match="square"):
        square_root(matrix)


@pytest.mark.parametrize(
    ("means", "covariances", "counts", "complaint"),
    [
        ([0, 0], [np.eye(2)], 5, "means"),
        ([[0, np.inf]], [np.eye(2)], 5, "means"),
        ([[0, 0]], np.eye(2), 5, "covariances"),
        ([[0, 0]], [np.eye(2)] * 2, 5, "covariances"),
        ([[0, 0]], [np.eye(3)], 5, "covariances"),
        ([[0, 0]], [np.eye(2)], 0, "counts"),
        ([[0, 0]], [np.eye(2)], [5, 5], "counts"),
    ],
)
def test_what_does_not_fit_together_is_refused(means, covariances, counts, complaint):
    with pytest.raises(ValueError, match=complaint):
        sample_clusters(means, covariances, counts)


@given(st.tuples(st.floats(0, 1e3), st.floats(0, 1e3)), st.floats(-1, 1))
def test_the_root_times_itself_is_the_covariance(deviations, correlation):
    covariance = covariance_of(deviations, correlation)
    root = square_root(covariance)
    assert np.allclose(root @ root, covariance, atol=1e-6 * max(covariance.max(), 1e-12))
    assert np.array_equal(root, root.T) or np.allclose(root, root.T)


@settings(max_examples=30)
@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 1000))
def test_the_estimate_is_that_of_numpy(n, dimensions, seed):
    points = np.random.default_rng(seed).normal(1e6, 3, size=(n, dimensions))
    found = estimate_gaussian(points)
    assert np.allclose(found.mean, points.mean(axis=0))
    assert np.allclose(found.covariance, np.cov(points.T))


def test_small_samples_estimate_the_variance_right_on_average():
    estimates = [estimate_gaussian(sample_clusters(counts=[5, 1], seed=s).points[:5]).covariance for s in range(2000)]
    assert np.mean(estimates, axis=0)[0, 0] == pytest.approx(4, rel=0.08)  # 3.2 if it divided by N


@pytest.mark.parametrize("points", [[[1, 2]], [[1, 2], [np.nan, 0]], [1, 2, 3], []])
def test_no_spread_can_be_estimated_from_these(points):
    with pytest.raises(ValueError, match=r"point"):
        estimate_gaussian(points)


def test_the_outline_is_everywhere_two_deviations_away():
    gaussian = Gaussian(np.array([1.0, -2.0]), TILTED)
    ellipse = outline(gaussian, deviations=2)
    offsets = ellipse - gaussian.mean
    assert np.einsum("ij,jk,ik->i", offsets, np.linalg.inv(TILTED), offsets) == pytest.approx(4)
    assert ellipse[0] == pytest.approx(ellipse[-1])
    assert np.ptp(ellipse[:, 0]) == pytest.approx(4 * np.sqrt(2), rel=1e-2)  # all the way round


def test_an_outline_needs_a_plane():
    with pytest.raises(ValueError, match="two coordinates"):
        outline(Gaussian(np.zeros(3), np.eye(3)))
