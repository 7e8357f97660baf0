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
# # Part 1: two clouds of points
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)][colab]
#
# [colab]: https://colab.research.google.com/github/buddy-companion/buddy/blob/main/lessons/1_clusters.ipynb
#
# You will learn
#
# - how a mean and a covariance matrix describe a cloud of points,
# - what each entry of that matrix does to the shape,
# - how to read the entries off a picture, and how to estimate them from points,
# - how far such an estimate can be trusted.
#
# You need Python and a little NumPy, and nothing about machine learning. Time: about 20 minutes.

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
import matplotlib.pyplot as plt
import numpy as np

from buddy.warmup import Gaussian, estimate_gaussian, outline, plot_clusters, sample_clusters

plt.rcParams.update({"font.size": 11, "figure.dpi": 100})

# %% [markdown]
# ## What we want to draw
#
# Somebody describes a picture to us. It has two clouds of 50 points each.
#
# - **One is wide and flat.** It lies around (3, 3). It reaches from about -1 to 7 along x0, but only from 2 to 4
#   along x1.
# - **One is narrow and tall.** It lies around (0, 0). It reaches from about -4 to 5 along x1, and stays within 1 of
#   zero along x0.
#
# We call the two coordinates x0 and x1, because NumPy counts from 0. This is the picture.

# %%
points, truth = sample_clusters()
plot_clusters(points, truth, title="two clouds of 50 points")
plt.show()

# %% [markdown]
# `points` has one row for each point. `truth` says which cloud the point was drawn from. Let us check how far the
# clouds reach.

# %%
wide, tall = points[truth == 0], points[truth == 1]
for name, cloud in [("wide and flat", wide), ("narrow and tall", tall)]:
    (low0, low1), (high0, high1) = cloud.min(axis=0), cloud.max(axis=0)
    print(f"{name:16} x0 from {low0:5.2f} to {high0:4.2f}   x1 from {low1:5.2f} to {high1:4.2f}")

# %% [markdown]
# How did we get there from the description? With five numbers for each cloud: two say where it is, three say what
# shape it has. The first two are easy. They are the **mean**, (3, 3) and (0, 0). The other three are the rest of this
# lesson.

# %% [markdown]
# ## One coordinate: variance
#
# Look at one coordinate only, x0 of the wide cloud. Each point differs from the mean, some by little, some by much.
# Square these differences and take their mean. That is the **variance**. Its square root is the **standard
# deviation**. It has the same unit as x0 itself, so it can be laid on the picture like a ruler.
#
# Our clouds are **Gaussian**: most points are near the mean, and fewer and fewer farther away. For a Gaussian
# coordinate there is a rule worth remembering.
#
# > 95% of the points lie within 2 standard deviations of the mean.
#
# With 100 000 points the rule can be seen.

# %%
many, _ = sample_clusters(means=[[3, 3]], covariances=[[[4, 0], [0, 0.15]]], counts=100_000)
x0 = many[:, 0]
print(f"standard deviation {x0.std():.2f}")
for deviations in (1, 2, 3):
    share = (np.abs(x0 - x0.mean()) < deviations * x0.std()).mean()
    print(f"within {deviations} standard deviations: {share:.1%}")

# %% [markdown]
# Now we can work backwards from the description. The wide cloud should reach from about -1 to 7 along x0. That is 4
# to either side of 3. So 2 standard deviations are 4, one is 2, and the variance is 2² = **4**.
#
# That was "about". Along x1 it is "only" from 2 to 4, so all 50 points should be within 1 of 3. If 1 were exactly 2
# standard deviations, the variance would be 0.5² = 0.25. Then 5% of the points would lie outside, 2 or 3 of 50. So it
# must be less. How much less? Let us try some.

# %%
for variance in (0.25, 0.15, 0.1):
    x1 = sample_clusters([[3, 3]], [[[4, 0], [0, variance]]], 100_000).points[:, 1]
    outside = 50 * (np.abs(x1 - 3) > 1).mean()
    print(f"variance {variance:4}: 1 is {1 / np.sqrt(variance):.1f} deviations, {outside:.1f} of 50 points outside")

# %% [markdown]
# With 0.15 it is half a point, so often none. With 0.1 nearly always none, but the cloud is thinner than it need be.
# There is no one right number. We take **0.15** for the wide cloud, because it should come close to 2 and 4.
#
# The tall cloud should stay within 1 of zero along x0. It is again 1 to either side. Here we want to be surer, and
# take **0.1**. Along x1 it should reach from about -4 to 5. A Gaussian reaches equally far to both sides. So we take
# 4 to either side, which gives **4** as before, and leave the 5 to the few points that lie farther out.

# %%
print("mean  variance  deviation   95% lie between")
for name, mean, variance in [("wide x0", 3, 4), ("wide x1", 3, 0.15), ("tall x0", 0, 0.1), ("tall x1", 0, 4)]:
    reach = 2 * np.sqrt(variance)
    print(f"{mean:4}  {variance:8}  {np.sqrt(variance):9.2f}   {mean - reach:5.2f} and {mean + reach:4.2f}    {name}")

# %% [markdown]
# ## Two coordinates: the covariance matrix
#
# Two variances leave one question open. Do x0 and x1 go together? The **covariance** answers it. For each point,
# multiply its difference along x0 by its difference along x1. Then take the mean of the products.
#
# - Points to the upper right of the mean and to the lower left have positive products.
# - Points to the upper left and to the lower right have negative ones.
#
# So the covariance is positive if the cloud rises from left to right, negative if it falls, and near 0 if it does
# neither. All three numbers together make the **covariance matrix**:
#
# |        | x0                | x1                |
# |--------|-------------------|-------------------|
# | **x0** | variance of x0    | covariance        |
# | **x1** | covariance        | variance of x1    |
#
# The covariance is there twice, because x0 goes with x1 exactly as x1 goes with x0. Such a matrix is called
# symmetric.
#
# Here is one picture for each entry. The first cloud is round: both variances are 1. The others change one thing
# each, the last one two. The line around each cloud reaches 2 standard deviations to either side: along x0, along x1,
# and along any slanted direction, too. What that means comes right after the picture.

# %%
shapes = {
    "round": [[1, 0], [0, 1]],
    "more variance of x0": [[4, 0], [0, 1]],
    "more variance of x1": [[1, 0], [0, 4]],
    "positive covariance": [[1, 0.8], [0.8, 1]],
    "negative covariance": [[1, -0.8], [-0.8, 1]],
    "variance and covariance": [[4, 1.6], [1.6, 1]],
}
figure, panels = plt.subplots(2, 3, figsize=(9, 7.6), sharex=True, sharey=True, layout="constrained")
for axes, (name, matrix) in zip(panels.flat, shapes.items(), strict=True):
    cloud, labels = sample_clusters([[0, 0]], [matrix], 200)
    plot_clusters(cloud, labels, title=f"{name}\n{matrix}", axes=axes, legend=False)
    axes.plot(*outline(Gaussian(np.zeros(2), np.array(matrix))).T, color="black")
panels[0, 0].set(xlim=(-6, 6), ylim=(-6, 6))
plt.show()

# %% [markdown]
# What is a standard deviation along a slanted direction? Take the diagonal that rises from left to right. Where does
# a point lie along it? At (x0 + x1) / √2 from the mean, which is (0, 0) here. We divide by √2 because the way from
# (0, 0) to (1, 1) is √2 long. Along the falling diagonal it is (x0 - x1) / √2. This is one number for each point, as
# x0 is, so it has a variance. Here are the variances of all six clouds, each from 100 000 points.
#
# (How far does a line reach along x0? Look for its rightmost point, wherever that is. That of the last line is
# (4, 1.6): it reaches 4 along x0, although it does not cross the axis there.)

# %%
print("    x0     x1   rising  falling")
for name, matrix in shapes.items():
    x0, x1 = sample_clusters([[0, 0]], [matrix], 100_000).points.T
    rising, falling = (x0 + x1) / np.sqrt(2), (x0 - x1) / np.sqrt(2)
    print(f"{x0.var():6.1f} {x1.var():6.1f}   {rising.var():6.1f}   {falling.var():6.1f}    {name}")

# %% [markdown]
# Compare the last cloud with the second one. Along x0 and x1 it reaches equally far, because the variances are still
# 4 and 1. But along the rising diagonal it is longer now, 4.1 instead of 2.5, and along the falling one thinner, 0.9
# instead of 2.5. So a covariance does two things: it tilts the cloud, and it makes it thinner.
#
# How thin can it get? The square of (x0 - x1) / √2 is (x0² + x1² - 2 x0 x1) / 2. Take the mean. The variance along
# the falling diagonal is (variance of x0 + variance of x1) / 2 - covariance. With both variances 1 and the covariance
# 0.8 that is 1 - 0.8 = 0.2, as in the table. With the covariance 1 it is 0: all points are on one line. With 2 it
# would be 1 - 2 = -1, and no mean of squares is negative. `sample_clusters` refuses such a matrix.
#
# It is so for any cloud: a covariance can't be larger than the product of the two standard deviations.

# %%
try:
    sample_clusters([[0, 0]], [[[1, 2], [2, 1]]])
except ValueError as error:
    print(error)

# %% [markdown]
# ## The two clouds again
#
# Our description says nothing about a tilt, so both covariances are 0. Everything is decided now. These are the two
# matrices, and the lines that belong to them.

# %%
wide_matrix = np.array([[4, 0], [0, 0.15]])
tall_matrix = np.array([[0.1, 0], [0, 4]])

axes = plot_clusters(points, truth, title="2 standard deviations around each mean")
axes.plot(*outline(Gaussian(np.array([3, 3]), wide_matrix)).T, color="black")
axes.plot(*outline(Gaussian(np.array([0, 0]), tall_matrix)).T, color="black")
plt.show()

deviations = (wide - [3, 3]) / np.sqrt([4, 0.15])  # of each point, along x0 and along x1
inside = ((deviations**2).sum(axis=1) < 2**2).sum()
print(f"inside the line around the wide cloud: {inside} of {len(wide)}")

deviations = (many - [3, 3]) / np.sqrt([4, 0.15])  # the same for the 100 000 points from above
near = np.abs(deviations) < 2
inside = (deviations**2).sum(axis=1) < 2**2
print("of 100 000 points")
print(f"  within 2 deviations along x0              {near[:, 0].mean():.1%}")
print(f"  within 2 deviations along x0 and x1       {near.all(axis=1).mean():.1%}")
print(f"  within 2 in every direction, so inside    {inside.mean():.1%}")

# %% [markdown]
# Did you expect 95% of the points inside? That rule holds for *one* direction. Of the 100 000 points, 95.4% are
# within 2 standard deviations along x0. Some of them are too far along x1: 91.3% are within 2 along both. These lie
# in a rectangle. The line fits into that rectangle, but it cuts off the corners, where points are too far in a
# slanted direction. So 86.6% are left.

# %% [markdown]
# ## Back from points to numbers
#
# Usually nobody tells us the covariance. We have points, and want the numbers. That is easy, because the definition
# above is also the recipe:
#
# 1. The mean of the points estimates the mean.
# 2. Subtract it. Multiply the differences. Add up the products and divide by N - 1.
#
# Why N - 1, and not N? We do not know the true mean, only that of our points. The points are a little closer to their
# own mean than to the true one, so the products come out a little too small. Dividing by one less makes up for it
# exactly, on average.

# %%
for name, cloud in [("wide and flat", wide), ("narrow and tall", tall)]:
    found = estimate_gaussian(cloud)
    print(f"{name}: mean {found.mean.round(2)}, covariance")
    print(found.covariance.round(2))

# %% [markdown]
# The estimates are near 4 and 0.15, and near 0.1 and 4, but not equal. The covariances are not quite 0, either. This
# is no mistake in the program: 50 points are a sample, and another 50 would give other numbers. How much would they
# differ? We can just try. Draw 2000 samples of 50 points each, and estimate the variance of x0 (in truth 4) from each
# of them.

# %%
samples = [sample_clusters([[3, 3]], [wide_matrix], counts=50, seed=seed).points for seed in range(2000)]
estimates = np.array([estimate_gaussian(sample).covariance[0, 0] for sample in samples])

figure, axes = plt.subplots(figsize=(7.5, 4), layout="constrained")
axes.hist(estimates, bins=40, color="#56b4e9")
axes.axvline(4, color="black", linestyle="--", label="true variance")
axes.set(xlabel="variance of x0, estimated from 50 points", ylabel="samples", title="2000 samples, 2000 estimates")
axes.legend()
plt.show()
low, high = np.percentile(estimates, [2.5, 97.5])
print(f"mean {estimates.mean():.2f}, standard deviation {estimates.std():.2f}, 95% between {low:.1f} and {high:.1f}")

# %% [markdown]
# On average the estimate is right. A single one is often off by 0.8, which is 20% of 4. Why 20%? A variance is a mean
# of squared differences. So let us see how much these differ from each other.

# %%
squares = (many[:, 0] - 3) ** 2
print(f"squared differences: mean {squares.mean():.2f}, standard deviation {squares.std():.2f}")
print(f"the deviation is {squares.std() / squares.mean():.2f} times the mean")

# %% [markdown]
# For every Gaussian it is √2 = 1.41 times. So *one* squared difference is off by √2 times the variance. In a mean of
# N, high ones and low ones partly make up for each other. Such a mean is off √N times less. (Variances of independent
# numbers add up: N times the variance for the sum, so √N times the deviation, and the mean is the sum divided by N.)
# That makes √2 / √N, or √(2 / N).
#
# Exactly it is √(2 / (N - 1)). We subtract the mean of our own points, so the N differences add up to 0. If you know
# all but one, you know the last. It tells nothing new, and N - 1 of them count. For 50 points that is 20%.
#
# More points help, but slowly. For half the error you need four times as many points.

# %%
print("points  error of the variance")
for n in (50, 200, 800, 3200):
    print(f"{n:6}  {np.sqrt(2 / (n - 1)):.1%}")

# %% [markdown]
# ## Exercises
#
# **1.** Draw a cloud of 500 points that lies along the diagonal. It should reach from about (-4, -4) to (4, 4), and
# about 1 to either side of the diagonal. Which covariance matrix does it need?
#
# <details><summary>Solution</summary>
#
# From the middle to (4, 4) it is √32 = 5.66 far. That is 2 standard deviations, so the variance *along* the diagonal
# is (5.66 / 2)² = 8. *Across* it, 1 is 2 standard deviations, so the variance is 0.25.
#
# x0 gets half of both: (8 + 0.25) / 2 = 4.125. So does x1. Along the diagonal x0 and x1 go together, across it they
# go against each other, so the covariance is (8 - 0.25) / 2 = 3.875.
#
# ```python
# cloud, labels = sample_clusters([[0, 0]], [[[4.125, 3.875], [3.875, 4.125]]], 500)
# plot_clusters(cloud, labels)
# ```
#
# </details>
#
# **2.** How many points do you need to know a variance to about 5%? Calculate it first. Then check it as we did
# above, with 500 samples.
#
# <details><summary>Solution</summary>
#
# √(2 / (N - 1)) = 0.05 gives N - 1 = 2 / 0.0025 = 800, so 801 points.
#
# ```python
# samples = [sample_clusters([[3, 3]], [wide_matrix], counts=801, seed=seed).points for seed in range(500)]
# estimates = [estimate_gaussian(sample).covariance[0, 0] for sample in samples]
# print(np.std(estimates) / 4)  # about 0.05
# ```
#
# </details>
#
# ## What to keep
#
# - A Gaussian cloud is a mean and a covariance matrix.
# - The diagonal says how far it reaches: 2 standard deviations, 2√variance, hold 95% of a coordinate.
# - The other entry says which way it leans, and makes it thinner.
# - Both can be estimated from points. The error shrinks with the square root of their number.
#
# In Part 2 we throw away `truth`, and let a program find the two clouds again.
