# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Part 2: finding the clouds again
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)][colab]
#
# [colab]: https://colab.research.google.com/github/buddy-companion/buddy/blob/main/lessons/2_kmeans.ipynb
#
# You will learn
#
# - how k-means divides points into clusters, in two steps that take turns,
# - four mistakes that nearly everybody makes on the way, and how to notice each,
# - where k-means draws the line between two clusters, and why it is wrong for long clouds,
# - why the start matters, and how to choose it,
# - how to check a program of your own against a trusted one.
#
# You need Part 1. Time: about 30 minutes.

# %% [markdown]
# This cell installs buddy where it is missing, as on Colab. On your own machine it does nothing.

# %%
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("buddy") is None:
    package = "buddy-companion[lessons] @ git+https://github.com/buddy-companion/buddy"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
import inspect
import warnings

import matplotlib.pyplot as plt
import numpy as np

from buddy.warmup import assign, choose_starts, kmeans, plot_boundary, plot_clusters, purity, sample_clusters
from buddy.warmup.k_means import alternate, move_centroids

plt.rcParams.update({"font.size": 11, "figure.dpi": 100})

# %% [markdown]
# ## The task
#
# These are the points of Part 1. This time nobody tells us which cloud they are from. We keep `truth` in a drawer, to
# see at the end how well we did.

# %%
points, truth = sample_clusters()
plot_clusters(points, np.zeros(len(points), int), title="100 points, and nobody knows where from", legend=False)
plt.show()

# %% [markdown]
# **k-means** describes each cluster by one point in its middle, the **centroid**. It begins with any centroids, and
# then takes two steps in turn:
#
# 1. **Assign.** Every point joins the cluster of the nearest centroid.
# 2. **Move.** Every centroid moves to the mean of the points that joined it.
#
# It stops when no point changes its cluster any more. How good is the result? k-means measures it by the **inertia**:
# the sum of the squared distances from all points to their centroids. Neither step can make it larger. A point that
# joins a nearer centroid gets a smaller distance, and of all places the mean has the smallest sum of squared
# distances to its points.
#
# ## A first try
#
# Here is how somebody might write this down. It looks right at first sight. It has four mistakes. Can you find them
# before you read on?


# %%
def first_try(points, centroids, rounds=10):
    centroids = centroids.copy()
    for _ in range(rounds):
        for k in range(len(centroids)):
            # a row for each point, a column for each centroid
            distances = ((points[:, None] - centroids) ** 2).sum(axis=2)
            labels = distances.argmax(axis=1)
            centroids[k] = points[labels == k].mean(axis=1)
    return labels, centroids


starts = points[[0, 99]]
try:
    first_try(points, starts)
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# Only one of the four stops the program. The other three let it go on, and nobody complains. What it does then is not
# k-means, even where it happens to end in the same clusters. We look at each of them alone, with everything else done
# right.
#
# ### Mistake 1: the farthest centroid
#
# `argmax` picks the column with the *largest* distance. The point joins the cluster that is farthest away. The
# nearest one is `argmin`. On the left is the mistake, on the right the cure. Both have the same two centroids.


# %%
def squared_distances(points, centroids):
    return ((points[:, None] - centroids) ** 2).sum(axis=2)


def means(points, labels, clusters):
    return np.array([points[labels == k].mean(axis=0) for k in range(clusters)])


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 5), sharex=True, sharey=True, layout="constrained")
farthest = squared_distances(points, starts).argmax(axis=1)
nearest = squared_distances(points, starts).argmin(axis=1)
plot_clusters(points, farthest, starts, title="argmax: the farthest centroid", axes=left)
plot_clusters(points, nearest, starts, title="argmin: the nearest centroid", axes=right, legend=False)
plt.show()

# %% [markdown]
# Every point has the colour of the wrong centroid. And it does not get better. Each centroid jumps into the other
# cloud, because its points are there. So the two trade places, round after round.

# %%
centroids, before = starts, farthest
for round_number in range(1, 8):
    labels = squared_distances(points, centroids).argmax(axis=1)
    inertia = squared_distances(points, centroids)[np.arange(len(points)), labels].sum()
    centroids = means(points, labels, 2)
    print(
        f"round {round_number}: inertia {inertia:6.1f}, {(labels != before).sum():3} points changed their cluster, "
        f"centroid 0 moves to {centroids[0].round(2)}"
    )
    before = labels
print(f"one single centroid in the middle of all points: inertia {((points - points.mean(axis=0)) ** 2).sum():.1f}")

# %% [markdown]
# Round 1 repeats the picture on the left, so no point has changed yet. The inertia falls and then settles, as if all
# were well. But the points do not settle. From round 5 on, all 100 change their cluster in every round.
#
# **How to notice:** count the points that change their cluster. Done right, the count comes down to 0 and stays there.
# And compare the inertia with that of one single centroid, 916.1. Two centroids must do better. Here they end at
# 2572.0. Done right it is 374.7, as we will see.
#
# ### Mistake 2: the mean over the wrong axis
#
# `points[labels == k]` has a row for each point and a column for each coordinate. `axis=0` runs down the rows: the
# mean of all x0, and the mean of all x1. That is a place. `axis=1` runs along each row: the mean of x0 and x1 of
# *one* point. That is no place, and there are as many of them as points.

# %%
cluster = points[nearest == 0]
print("points of the cluster", cluster.shape)
print("mean over axis 0     ", cluster.mean(axis=0).shape, cluster.mean(axis=0).round(2))
print("mean over axis 1     ", cluster.mean(axis=1).shape)
print("with argmax instead  ", points[farthest == 0].mean(axis=1).shape)

# %% [markdown]
# NumPy can't put 63 numbers into a place of two, and complains. That was the error above. There it was (37,), because
# the first try has mistake 1 as well: `argmax` gives cluster 0 the other 37 points.
#
# We were lucky to get an error. If the cluster happens to have exactly two points, the shapes fit, and nobody
# complains. The same if the axis is left out: the mean of everything is one number, and NumPy puts it into both
# coordinates.

# %%
pair = np.array([[0.0, 4.0], [2.0, 6.0]])
print("right        ", pair.mean(axis=0))
print("axis=1       ", pair.mean(axis=1))
print("without axis ", np.array([pair.mean(), pair.mean()]))

# %% [markdown]
# The middle between (0, 4) and (2, 6) is (1, 5). The other two answers are not even near the line between the points.
#
# **How to notice:** write the shape next to the line, `# (n, 2) -> (2,)`. And test with numbers that you can check in
# your head.
#
# ### Mistake 3: moving while the others still choose
#
# In the first try both steps are inside the loop over the clusters. So centroid 0 moves, and then the points choose
# again, for centroid 1, among *one moved and one old* centroid. The two steps no longer take turns. This is the most
# dangerous mistake of the four: it settles, its inertia falls, and the result looks reasonable. But it depends on
# something that has no meaning, which cluster is called 0 and which 1.


# %%
def one_after_the_other(points, centroids, order, rounds=20):
    centroids, inertias = centroids.copy(), []
    for _ in range(rounds):
        for k in order:
            labels = squared_distances(points, centroids).argmin(axis=1)
            centroids[k] = points[labels == k].mean(axis=0)
        inertias.append(squared_distances(points, centroids).min(axis=1).sum())
    return squared_distances(points, centroids).argmin(axis=1), centroids, np.array(inertias)


same_starts = points[[3, 13]]
both = []
figure, panels = plt.subplots(1, 2, figsize=(9, 5), sharex=True, sharey=True, layout="constrained")
for axes, order in zip(panels, [(0, 1), (1, 0)], strict=True):
    labels, centroids, inertias = one_after_the_other(points, same_starts, order)
    title = f"centroid {order[0]} moves first\ninertia {inertias[-1]:.1f}"
    plot_clusters(points, labels, centroids, title=title, axes=axes, legend=axes is panels[0])
    print(f"centroid {order[0]} moves first: {np.bincount(labels)} points, inertia {inertias[:5].round(1)} ...")
    both.append(labels)
print(f"points in another cluster: {(both[0] != both[1]).sum()}")
for name, its_starts in [("k-means", same_starts), ("k-means, starts turned around", same_starts[::-1])]:
    right = kmeans(points, starts=its_starts)
    print(f"{name}: {np.bincount(right.labels)} points, inertia {right.inertia:.1f}")
plt.show()

# %% [markdown]
# The starts are equal. Only the order differs, and 16 of the 100 points end in the other cluster. Both times the
# inertia falls until it settles. With centroid 0 first, the end is even that of k-means. But it is not what we meant
# to write, and nobody who calls the clusters by other numbers can repeat it. With k-means the order of the starts
# does not matter: the clusters only trade their numbers.
#
# **How to notice:** turn the order of the starts around. If more changes than the numbers of the clusters, there is a
# mistake.
#
# ### Mistake 4: nothing to do for an empty cluster
#
# A centroid may be so far away that no point joins it. What is the mean of no points?

# %%
far_starts = np.array([[0.0, 0.0], [3.0, 3.0], [20.0, 20.0]])
centroids = far_starts
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # NumPy does warn: "Mean of empty slice"
    for round_number in range(1, 4):
        labels = squared_distances(points, centroids).argmin(axis=1)
        centroids = means(points, labels, 3)
        print(f"round {round_number}: points in each cluster {np.bincount(labels, minlength=3)}")
        print(centroids.round(2))

# %% [markdown]
# It is `nan`, "not a number". It spreads. Every distance to this centroid is `nan` now, and `argmin` counts `nan` as
# the smallest of all. So in round 2 *all* points join the cluster that is nowhere. The other two are empty, and
# become `nan`, too. From now on three clusters are one, and all points wander together from one `nan` to another.
#
# There is no one right answer, but there must be one. `buddy.warmup` gives the empty cluster the point that is
# farthest from its own centroid. That is the point that is served worst so far.

# %%
repaired = kmeans(points, starts=far_starts)
print("points in each cluster", np.bincount(repaired.labels))
print("the third centroid in each round:")
print(repaired.history[:, 2].round(2))

# %% [markdown]
# **How to notice:** test with a start that is far from everything. And never switch warnings off, as we did here.
#
# ## The right one
#
# This is the loop of `buddy.warmup`, as it is in the package, and the two steps that it calls. (We leave out what
# they say about themselves.)


# %%
def show(function):
    head, _, body = inspect.getsource(function).split('"""', 2)  # without the text between the quotes
    print(head.rstrip() + body.rstrip() + "\n")


show(alternate)
show(assign)
show(move_centroids)

# %% [markdown]
# Some words in it are new. `Floats` and `Integers` are NumPy arrays of such numbers. They only tell the reader what
# goes in and out. `Clustering` holds the results under their names. `_any_empty` asks if a cluster has no point, and
# `_fill_empty` gives it the farthest one. `np.bincount` with `weights` adds up one coordinate for each cluster.
# `assign` takes a block of rows at a time, to save memory. `_nearest` and `_squared_distances` are quicker forms of
# what we wrote above. Do they give the same?

# %%
labels, distances = assign(points, starts)
print("labels agree with argmin: ", np.array_equal(labels, squared_distances(points, starts).argmin(axis=1)))
print("distances agree with min: ", np.allclose(distances, squared_distances(points, starts).min(axis=1)))
moved = move_centroids(points, labels, distances, 2)
print("centroids agree with mean:", np.allclose(moved, means(points, labels, 2)))

# %% [markdown]
# Compare them with the first try, line by line.
#
# | first try | here | why |
# |---|---|---|
# | `for k in range(...)` | no loop over clusters | all choose, then all move (mistake 3) |
# | `distances.argmax(axis=1)` | `assign`: `_nearest`, the lowest distance | the nearest centroid (mistake 1) |
# | `.mean(axis=1)` | `move_centroids`: `sums` of x0 and of x1 / `counts` | a mean of places is a place (mistake 2) |
# | nothing | `move_centroids`: `_fill_empty` gives it a point | there is no mean of no points (mistake 4) |
# | ten rounds, whatever happens | until the labels stay the same | if nothing changed now, nothing ever will |
#
# `alternate` also keeps the centroids of every round. So we can watch it. We make it hard on purpose: both starts are
# at the top of the tall cloud.

# %%
found = kmeans(points, starts=points[[57, 86]])
rounds = [0, 1, 2, 4, 6, len(found.history) - 1]
figure, panels = plt.subplots(2, 3, figsize=(9, 7.6), sharex=True, sharey=True, layout="constrained")
for axes, r in zip(panels.flat, rounds, strict=True):
    labels, _ = assign(points, found.history[r])
    title = f"round {r}\ninertia {found.inertias[r]:.1f}"
    plot_clusters(points, labels, found.history[r], title=title, axes=axes, legend=False)
    for k in range(2):
        axes.plot(*found.history[: r + 1, k].T, color="black", linewidth=1)
plt.show()
print(found.inertias.round(1))

# %% [markdown]
# The thin lines are the ways that the centroids went. Look at the inertias: each is smaller than the one before. We
# use this as a test. An inertia that rises is a mistake in the program. But one that falls proves nothing: with
# mistakes 1 and 3 it fell, too.
#
# ## Where it draws the line
#
# Now take `truth` out of the drawer. The numbers of the clusters mean nothing. Our cluster 0 may be the true cluster
# 1. So we ask: how many points are in a cluster that holds mostly points of their own cloud? This share is called
# **purity**.

# %%
print(f"purity {purity(found.labels, truth):.2f}")
majority = np.array([np.bincount(truth[found.labels == k]).argmax() for k in range(2)])
wrong = majority[found.labels] != truth

axes = plot_clusters(points, truth, title="true clouds, and the points on the wrong side")
axes.scatter(*found.centroids.T, s=180, marker="X", color="black", edgecolors="white", zorder=5, label="centroids")
axes.scatter(*points[wrong].T, s=130, facecolors="none", edgecolors="black", label="wrong side")
plot_boundary(*found.centroids, axes)
axes.legend(loc="lower right")
plt.show()
in_wide, in_tall = np.bincount(truth[wrong])
print(f"{wrong.sum()} points are on the wrong side, {in_wide} of cloud 0 (wide) and {in_tall} of cloud 1 (tall)")

# %% [markdown]
# Why here? A point joins the *nearer* centroid. So the border is where both are equally far: the line that crosses
# the middle between them at a right angle. Nothing else counts. That one cloud is narrow and the other wide, that
# both are long, that points lie densely here and thinly there: k-means knows nothing of it. It treats clusters as
# round, and all as equally large.
#
# Here the clouds cross. The tall one goes right through the left end of the wide one. The top of the tall cloud, 8
# points, is nearer to the other centroid than to its own. So are 2 points at the left end of the wide cloud. No
# straight line could do it right.
#
# If clouds *are* round and equally large, the same line is just what we need.

# %%
round_points, round_truth = sample_clusters([[3, 3], [0, 0]], [np.eye(2) * 0.8] * 2)
round_found = kmeans(round_points, 2)
axes = plot_clusters(round_points, round_found.labels, round_found.centroids, title="round clouds: the line fits")
plot_boundary(*round_found.centroids, axes)
plt.show()
print(f"purity {purity(round_found.labels, round_truth):.2f}")

# %% [markdown]
# ## The start matters
#
# k-means goes downhill until it can't go farther. It may end in a hollow that is not the deepest, a **local
# optimum**. Here is one. One start is in the wide cloud, the other one in the tall cloud, and yet it ends badly.

# %%
unlucky = kmeans(points, starts=points[[13, 57]])
figure, panels = plt.subplots(1, 2, figsize=(9, 5), sharex=True, sharey=True, layout="constrained")
names = ["a start in each cloud", "both in the tall cloud"]
for axes, result, name in zip(panels, [unlucky, found], names, strict=True):
    title = f"{name}\ninertia {result.inertia:.1f}, purity {purity(result.labels, truth):.2f}"
    plot_clusters(points, result.labels, result.centroids, title=title, axes=axes, legend=axes is panels[0])
plt.show()

# %% [markdown]
# On the right is the run that we watched above. Its starts looked worse, and it ended better. So you can't tell by
# looking at starts where they lead.
#
# The inertia tells which result is better, without any knowledge of the truth. So the simplest help is to run k-means
# from several starts and to keep the result with the lowest inertia.
#
# The other help is to choose starts with care. **k-means++** takes any point first. Each next start is drawn by lot,
# and points far from all starts so far have more tickets: as many as the square of their distance. So the starts
# spread out, and still no **outlier**, a single point far from all others, is sure to be taken. The *greedy* form
# draws a few candidates each time, and keeps the one that leaves the least inertia.
#
# Does it help? We try our two long clouds, and six round ones. A run counts as good if its inertia is at most 1%
# above the lowest one found.

# %%
grid = [[x, y] for x in (0, 5, 10) for y in (0, 5)]
six, _ = sample_clusters(grid, [np.eye(2) * 0.5] * 6, 40)


def random_starts(data, clusters, seed):
    return data[np.random.default_rng(seed).choice(len(data), clusters, replace=False)]


def plain_starts(data, clusters, seed):
    return choose_starts(data, clusters, seed, candidates=1)


ways = {"any points": random_starts, "k-means++": plain_starts, "greedy k-means++": choose_starts}


def inertias_of(data, clusters):
    return {
        name: np.array([kmeans(data, starts=way(data, clusters, seed)).inertia for seed in range(200)])
        for name, way in ways.items()
    }


of_two, of_six = inertias_of(points, 2), inertias_of(six, 6)
for title, inertias in [("two long clouds", of_two), ("six round clouds", of_six)]:
    best = min(values.min() for values in inertias.values())
    print(title)
    for name, values in inertias.items():
        print(f"  {name:16} good in {np.mean(values <= 1.01 * best):.1%} of 200 runs")

# %% [markdown]
# With two clouds it does not help. A start in each cloud is not enough there, as we saw. With six it helps a lot:
# any six points usually leave some cloud without a start. This is how a bad run looks beside a good one.

# %%
worst_seed = int(of_six["any points"].argmax())
best_seed = int(of_six["greedy k-means++"].argmin())
bad = kmeans(six, starts=random_starts(six, 6, worst_seed))
good = kmeans(six, starts=choose_starts(six, 6, best_seed))

figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True, sharey=True, layout="constrained")
for axes, result, name in zip(panels, [bad, good], ["any points", "greedy k-means++"], strict=True):
    title = f"{name}\ninertia {result.inertia:.0f}"
    plot_clusters(six, result.labels, result.centroids, title=title, axes=axes, legend=False)
plt.show()

# %% [markdown]
# On the left one cloud is cut in three, and twice two clouds share one centroid. A centroid can't jump over to where
# it is needed.
#
# ## How many clusters?
#
# k-means must be told. With more clusters the inertia always falls, down to 0 when each point is its own cluster. A
# common rule: draw the inertia for 1, 2, 3 and more clusters, and look for the **elbow**, where it stops falling
# fast. We take the best of ten runs each time.

# %%
numbers = range(1, 9)


def elbow(data):
    return [min(kmeans(data, k, seed=seed).inertia for seed in range(10)) for k in numbers]


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.plot(numbers, elbow(round_points), "o-", color="#0072b2")
right.plot(numbers, elbow(points), "o-", color="#0072b2")
left.set(title="two round clouds", xlabel="clusters", ylabel="inertia", xticks=numbers, ylim=0)
right.set(title="the two long clouds", xlabel="clusters", ylabel="inertia", xticks=numbers, ylim=0)
plt.show()
print("long clouds:", np.round(elbow(points), 1))

# %% [markdown]
# For the round clouds the elbow is at 2, and right. For the long ones it is rather at 3. The rule is not to blame.
# k-means wants round clusters, and two long clouds that cross are best covered by three.

# %%
three = kmeans(points, 3)
plot_clusters(points, three.labels, three.centroids, title=f"3 clusters, inertia {three.inertia:.1f}")
plt.show()

# %% [markdown]
# ## Check it against a trusted program
#
# scikit-learn has a k-means that thousands of people use. From equal starts it must give the same label to every
# point. We try 100 data sets, with 2 to 8 clusters.
#
# Would this check find our four mistakes? We write each into a k-means that is right otherwise, and check that, too.
# (For mistake 2 we leave the axis out. With `axis=1` the program stops, as we saw.)
#
# Three settings make scikit-learn do what we do. `lloyd` is its name for the two steps in turn. `tol=0` lets it go on
# until nothing changes. `n_init=1` means one run, from our starts.

# %%
from sklearn.cluster import KMeans


def with_mistake(mistake, points, centroids, rounds=50):
    centroids = centroids.copy()
    for _ in range(rounds):
        for k in range(len(centroids)):
            if k == 0 or mistake == 3:
                distances = squared_distances(points, centroids)
                labels = distances.argmax(axis=1) if mistake == 1 else distances.argmin(axis=1)
            if mistake == 4 or (labels == k).any():  # the others leave an empty cluster where it is
                centroids[k] = points[labels == k].mean(axis=None if mistake == 2 else 0)
    return labels


agreeing, passed, passed_with_two = np.zeros(5, int), np.zeros(5, int), np.zeros(5, int)
for seed in range(100):
    clusters = 2 + seed % 7
    data, _ = sample_clusters(seed=seed)
    first = data[np.random.default_rng(seed).choice(len(data), clusters, replace=False)]
    theirs = KMeans(clusters, init=first, n_init=1, algorithm="lloyd", tol=0).fit(data).labels_
    ours = [kmeans(data, starts=first).labels] + [with_mistake(mistake, data, first) for mistake in (1, 2, 3, 4)]
    same = (np.array(ours) == theirs).sum(axis=1)
    agreeing += same
    passed += same == len(data)
    passed_with_two += (same == len(data)) & (clusters == 2)
for row, name in enumerate(["buddy.warmup", "mistake 1", "mistake 2", "mistake 3", "mistake 4"]):
    print(f"{name:12} {agreeing[row]:5} of 10000 labels agree, all of them in {passed[row]:3} of 100 data sets")
print("data sets with two clusters:", sum(2 + seed % 7 == 2 for seed in range(100)))
print("of these mistake 1 passes:  ", passed_with_two[1])

# %% [markdown]
# All labels of `buddy.warmup` agree. A check like this is worth more than any picture. Mistakes 1, 2 and 3 fail it,
# but not on every data set: mistake 3 passes on 73 of 100. So one data set is not enough. Mistake 1 passes on 15, and
# these are just the ones with two clusters. There, the farthest centroid is simply the other one, and after an even
# number of rounds even the numbers are right again. Two clusters are not enough, either.
#
# Mistake 4 passes everywhere. To find it, the check needs one thing more: a start that is far from all points.
#
# ## Exercises
#
# **1.** Does it help to use other units? Multiply x1 by 0.2, 0.5, 2 and 5 before k-means, and look at the purity.
# What do you expect?
#
# <details><summary>Solution</summary>
#
# ```python
# for scale in (0.2, 0.5, 1, 2, 5):
#     print(scale, purity(kmeans(points * [1, scale], 2).labels, truth))
# ```
#
# The result changes: 0.82, 0.86, 0.90, 0.88, 0.88. Distances depend on units, so k-means does, too. Think about units
# before you use it. But none of them makes the clouds whole, because the border stays a straight line.
#
# </details>
#
# **2.** Part 1 can describe a long cloud. Suppose we know the Gaussian of each cloud. Measure how many *standard
# deviations* a point is from each mean, and give it to the one with fewer. How pure does it get? (For a difference d
# from the mean and the covariance C, the square of this distance is d @ C⁻¹ @ d. C⁻¹ is the inverse of the matrix,
# `np.linalg.inv(C)`. If x0 and x1 do not go together, this divides the square of each difference by its
# variance, and adds up.)
#
# <details><summary>Solution</summary>
#
# ```python
# from buddy.warmup import estimate_gaussian
#
# squares = []
# for cloud in (0, 1):
#     gaussian = estimate_gaussian(points[truth == cloud])
#     d = points - gaussian.mean
#     squares.append((d @ np.linalg.inv(gaussian.covariance) * d).sum(axis=1))
# print(purity(np.argmin(squares, axis=0), truth))
# ```
#
# 0.99: only one point is wrong, against 10 with k-means. Of course we cheated. We took the covariances from the
# truth. But we could take turns again: assign, then estimate the Gaussian of each cluster, and so on. A method that
# does so, with probabilities in place of labels, is called a Gaussian mixture.
#
# </details>
#
# ## What to keep
#
# - k-means takes two steps in turn: points go to the nearest centroid, centroids to the mean of their points.
# - The border between two clusters is halfway between their centroids. That fits round clusters of equal size.
# - It finds a local optimum. Choose the starts with care, or try several and keep the lowest inertia.
# - A program that gives an answer is not yet right. Know something that must be true, and test it: the inertia never
#   rises, the order does not matter, a trusted program agrees.
