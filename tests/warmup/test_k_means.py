import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from buddy.warmup import assign, choose_starts, kmeans, move_centroids, purity, sample_clusters
from buddy.warmup import k_means as module


def cloud(seed: int, n: int = 200, dimensions: int = 2) -> np.ndarray:
    generator = np.random.default_rng(seed)
    middles = generator.normal(0, 4, size=(5, dimensions))
    return middles[generator.integers(5, size=n)] + generator.normal(size=(n, dimensions))


def scikit_learn(points: np.ndarray, starts: np.ndarray) -> KMeans:
    return KMeans(len(starts), init=starts, n_init=1, algorithm="lloyd", tol=0, max_iter=300).fit(points)


def loses_a_cluster(points: np.ndarray, history: np.ndarray) -> bool:
    """Tell whether a cluster was empty in any round."""
    return any(len(set(assign(points, centroids)[0].tolist())) < len(centroids) for centroids in history)


@settings(max_examples=150)
@given(st.integers(0, 10**6), st.integers(2, 400), st.integers(1, 5), st.integers(1, 12))
def test_every_point_is_where_scikit_learn_puts_it(seed, n, dimensions, clusters):
    assume(clusters <= n)
    points = cloud(seed, n, dimensions)
    starts = points[np.random.default_rng(seed).permutation(n)[:clusters]]
    ours, theirs = kmeans(points, starts=starts), scikit_learn(points, starts)
    assume(not loses_a_cluster(points, ours.history))  # which point repairs it is open when two are equally far
    assert np.array_equal(ours.labels, theirs.labels_)
    assert np.allclose(ours.centroids, theirs.cluster_centers_)
    assert ours.inertia == pytest.approx(theirs.inertia_, abs=1e-9)


def test_the_lesson_is_where_scikit_learn_puts_it():
    points, _ = sample_clusters()
    assert np.array_equal(kmeans(points, starts=points[:2]).labels, scikit_learn(points, points[:2]).labels_)


@pytest.mark.parametrize("seed", range(20))
def test_a_start_without_a_point_is_repaired_as_scikit_learn_does(seed):
    points = cloud(seed)
    starts = np.vstack([points[:3], [[1e3, 1e3]]])
    assert 3 not in assign(points, starts)[0]  # so the last cluster begins empty
    ours = kmeans(points, starts=starts)
    assert set(ours.labels.tolist()) == {0, 1, 2, 3}
    assert np.array_equal(ours.labels, scikit_learn(points, starts).labels_)


def test_an_empty_cluster_gets_the_farthest_point():
    points = np.array([[0.0], [1.0], [2.0], [30.0]])
    found = kmeans(points, starts=[[1.0], [-500.0]])
    assert found.history[1].tolist() == [[1.0], [30.0]]
    assert found.labels.tolist() == [0, 0, 0, 1]


def test_the_last_point_of_a_cluster_is_not_taken_away():
    points = np.array([[0.0], [1.0], [90.0]])
    labels, distances = np.array([0, 0, 1]), np.array([0.0, 1.0, 100.0])  # 90 is farthest, and alone
    assert move_centroids(points, labels, distances, clusters=3).tolist() == [[0.0], [90.0], [1.0]]
    assert labels.tolist() == [0, 0, 1]  # the caller's own are left alone


def test_many_equal_starts_still_end_in_as_many_clusters():
    points = np.repeat(np.arange(6.0), 3)[:, None]
    found = kmeans(points, starts=np.zeros((6, 1)))
    assert found.converged
    assert found.inertia == 0
    assert sorted(found.centroids.ravel().tolist()) == [0, 1, 2, 3, 4, 5]


def test_copies_of_one_point_are_not_called_two_clusters():
    points = np.array([[5.0], [5.0], [5.0], [9.0], [10.0]])
    found = kmeans(points, starts=[[4.0], [9.5], [900.0]])  # the third is given a 5, loses it, and no label changed
    assert found.history[1].tolist() == [[5.0], [9.5], [5.0]]
    assert sorted(found.centroids.ravel().tolist()) == [5, 9, 10]


@settings(max_examples=100)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.integers(1, 7), st.integers(0, 99))
def test_points_with_many_copies_leave_no_cluster_empty(values, clusters, seed):
    assume(clusters <= len(set(values)))
    points = np.array(values, dtype=float)[:, None]
    starts = np.random.default_rng(seed).integers(-4, 5, size=(clusters, 1)).astype(float)
    found = kmeans(points, starts=starts)
    assert found.converged
    assert set(found.labels.tolist()) == set(range(clusters))


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 10))
def test_it_stops_where_both_steps_change_nothing(seed, clusters):
    points = cloud(seed)
    found = kmeans(points, clusters, seed=seed)
    assert found.converged
    distances = ((points[:, None] - found.centroids) ** 2).sum(axis=2)
    assert np.array_equal(found.labels, distances.argmin(axis=1))
    means = [points[found.labels == k].mean(axis=0) for k in range(clusters)]
    assert np.allclose(found.centroids, means)
    assert found.inertia == pytest.approx(distances.min(axis=1).sum())


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 10))
def test_the_inertia_never_rises(seed, clusters):
    points = cloud(seed)
    found = kmeans(points, starts=points[:clusters])
    assert (np.diff(found.inertias) <= 1e-9 * found.inertias[0]).all()
    assert found.inertias[-1] == found.inertia


def test_the_history_has_every_round_from_the_start():
    points = cloud(3)
    found = kmeans(points, starts=points[:4])
    assert len(found.history) > 3
    centroids = points[:4]
    for recorded, inertia in zip(found.history, found.inertias, strict=True):
        assert np.allclose(recorded, centroids)
        distances = ((points[:, None] - centroids) ** 2).sum(axis=2)
        assert inertia == pytest.approx(distances.min(axis=1).sum())
        labels = distances.argmin(axis=1)
        centroids = np.stack([points[labels == k].mean(axis=0) for k in range(4)])
    assert np.allclose(found.history[-1], found.centroids)


@pytest.mark.parametrize("rounds", [1, 2])
def test_rounds_can_run_out(rounds):
    points = cloud(3)
    found = kmeans(points, starts=points[:4], most_rounds=rounds)
    assert not found.converged
    assert len(found.history) == rounds + 1
    assert np.array_equal(found.labels, assign(points, found.centroids)[0])  # never those of the round before


def test_a_cloud_far_from_the_origin_is_divided_as_well():
    points = cloud(1)
    points = points + 2**30 - 2**30  # the digits that a number of this size can hold
    near, far = kmeans(points, starts=points[:4]), kmeans(points + 2**30, starts=points[:4] + 2**30)
    assert np.array_equal(near.labels, far.labels)
    assert far.inertia == pytest.approx(near.inertia, rel=1e-6)


def test_inertia_keeps_its_digits_where_the_points_are_close_together():
    points = np.array([[1e8, 0.0], [1e8 + 1, 0.0], [-1e8, 0.0], [-1e8 - 1, 0.0]])
    assert kmeans(points, starts=points[[0, 2]]).inertia == 1.0


def test_blocks_are_joined_in_order(monkeypatch):
    points = cloud(5)
    whole = assign(points, points[:3])
    monkeypatch.setattr(module, "SCORES_AT_ONCE", 0)
    monkeypatch.setattr(module, "FEWEST_ROWS", 7)
    labels, distances = assign(points, points[:3])
    assert np.array_equal(labels, whole[0])
    assert np.array_equal(distances, whole[1])


def test_more_clusters_than_a_byte_can_count():
    points = np.arange(600.0)[:, None]
    assert assign(points, points)[0].tolist() == list(range(600))


def test_equally_near_centroids_share_by_order():
    assert assign(np.zeros((1, 2)), np.array([[3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))[0].tolist() == [1]


def test_points_and_starts_given_are_left_as_they_were():
    points, starts = cloud(2), np.array([[0.0, 0.0], [900.0, 0.0]])
    copies = points.copy(), starts.copy()
    kmeans(points, starts=starts)
    assert np.array_equal(points, copies[0])
    assert np.array_equal(starts, copies[1])


def test_a_seed_decides_the_starts():
    points = cloud(2)
    assert np.array_equal(kmeans(points, 5, seed=1).history[0], kmeans(points, 5, seed=1).history[0])
    assert not np.array_equal(kmeans(points, 5, seed=1).history[0], kmeans(points, 5, seed=2).history[0])


def test_the_next_start_is_drawn_in_proportion_to_the_squared_distance():
    points = np.array([[0.0], [1.0], [3.0]])
    second: dict[float, list[float]] = {0.0: [], 1.0: [], 3.0: []}
    for seed in range(4000):
        first, then = choose_starts(points, 2, seed, candidates=1).ravel().tolist()
        second[first].append(then)
    assert [len(drawn) / 4000 for drawn in second.values()] == pytest.approx([1 / 3] * 3, abs=0.04)
    assert np.mean(np.array(second[0.0]) == 3) == pytest.approx(9 / 10, abs=0.04)  # 1² against 3²
    assert np.mean(np.array(second[1.0]) == 3) == pytest.approx(4 / 5, abs=0.04)  # 1² against 2²
    assert np.mean(np.array(second[3.0]) == 0) == pytest.approx(9 / 13, abs=0.04)  # 2² against 3²


def test_of_several_candidates_the_one_that_leaves_least_is_kept():
    points = np.array([[0.0]] * 20 + [[10.0]] * 20 + [[14.0]])  # a crowd at 10, and an outlier behind it
    starts = [choose_starts(points, 2, seed, candidates=20).ravel().tolist() for seed in range(50)]
    assert {then for first, then in starts if first == 0.0} == {10.0}


def test_chosen_starts_end_better_than_the_first_points():
    means = [[x, y] for x in (0, 10, 20) for y in (0, 10, 20)]
    points, truth = sample_clusters(means, [np.eye(2)] * 9, 40)
    chosen = [purity(kmeans(points, 9, seed=seed).labels, truth) for seed in range(20)]
    assert np.mean(chosen) > 0.97
    assert purity(kmeans(points, starts=points[:9]).labels, truth) < 0.8  # all nine from one cloud


def test_starts_are_distinct_points_of_the_data():
    points = np.array([[0.0, 1.0]] * 50 + [[2.0, 3.0]] * 2 + [[4.0, 5.0]])
    for seed in range(20):
        assert sorted(choose_starts(points, 3, seed).tolist()) == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named(bad):
    points = cloud(0)
    points[7, 1] = bad
    with pytest.raises(ValueError, match="row 7"):
        kmeans(points, 2)
    with pytest.raises(ValueError, match="row 7"):
        choose_starts(points, 2)
    with pytest.raises(ValueError, match="starts"):
        kmeans(cloud(0), starts=[[0, 0], [0, bad]])


@pytest.mark.parametrize("clusters", [3, 4, 100])
def test_more_clusters_than_distinct_points_are_refused(clusters):
    points = np.array([[1.0, 1.0], [2.0, 2.0]] * 500)
    with pytest.raises(ValueError, match=f"{clusters} clusters of 2 distinct points"):
        kmeans(points, clusters)
    with pytest.raises(ValueError, match="distinct"):
        kmeans(points, starts=np.arange(2.0 * clusters).reshape(clusters, 2))


def test_distinct_points_are_found_behind_many_copies():
    points = np.array([[0.0]] * 1000 + [[1.0], [2.0]])
    assert sorted(kmeans(points, 3).centroids.ravel().tolist()) == pytest.approx([0, 1, 2])


@pytest.mark.parametrize(
    ("points", "wanted", "complaint"),
    [
        ([1.0, 2.0], {"clusters": 1}, "shape"),
        (np.zeros((0, 2)), {"clusters": 1}, "shape"),
        ([[1.0], [2.0]], {}, "either"),
        ([[1.0], [2.0]], {"clusters": 1, "starts": [[1.0]]}, "either"),
        ([[1.0], [2.0]], {"starts": [[1.0, 2.0]]}, "starts"),
        ([[1.0], [2.0]], {"starts": [1.0, 2.0]}, "starts"),
        ([[1.0], [2.0]], {"clusters": 0}, "at least 1"),
        ([[1.0], [2.0]], {"clusters": 1, "most_rounds": 0}, "most_rounds"),
        ([[1e200], [-1e200]], {"clusters": 2}, "overflow"),
    ],
)
def test_what_cannot_be_clustered_is_refused(points, wanted, complaint):
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=complaint):
        kmeans(points, **wanted)


def test_no_candidate_is_no_choice():
    with pytest.raises(ValueError, match="candidates"):
        choose_starts(cloud(0), 2, candidates=0)


@pytest.mark.parametrize(
    ("labels", "truth", "share"),
    [([5, 5, 0], [0, 0, 1], 1.0), ([0, 0, 0, 0], [0, 0, 0, 1], 0.75), ([0, 1, 0, 1], [0, 0, 1, 1], 0.5)],
)
def test_purity_needs_no_matching_numbers(labels, truth, share):
    assert purity(np.array(labels), np.array(truth)) == share


def test_purity_needs_a_truth_for_each_label():
    with pytest.raises(ValueError, match="shapes"):
        purity(np.array([0, 1]), np.array([0]))


def test_ten_rounds_of_a_million_points_take_seconds():
    generator = np.random.default_rng(0)
    middles = generator.normal(0, 6, size=(8, 2))
    points = middles[generator.integers(8, size=1_000_000)] + generator.normal(size=(1_000_000, 2))
    began = time.perf_counter()
    kmeans(points, starts=points[:8], most_rounds=10)
    assert time.perf_counter() - began < 10  # a third of a second on an idle core
