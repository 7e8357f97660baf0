import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import AxLine

from buddy.warmup import plot_boundary, plot_clusters, sample_clusters
from buddy.warmup.plot import COLOURS, MARKERS

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


def drawn(axes: Axes) -> dict[str, list[list[float]]]:
    return {str(c.get_label()): np.asarray(c.get_offsets()).tolist() for c in axes.collections}


def colours(axes: Axes) -> list[str]:
    return [to_hex(np.asarray(c.get_facecolor())[0]) for c in axes.collections]


def test_every_point_is_drawn_in_the_colour_of_its_cluster():
    points, truth = sample_clusters()
    axes = plot_clusters(points, truth)
    assert drawn(axes) == {"cluster 0": points[:50].tolist(), "cluster 1": points[50:].tolist()}
    assert colours(axes) == list(COLOURS[:2])


def test_a_cluster_without_points_takes_no_other_ones_colour():
    axes = plot_clusters([[0, 0], [1, 1]], np.array([0, 2]))
    assert colours(axes) == [COLOURS[0], COLOURS[2]]
    assert list(drawn(axes)) == ["cluster 0", "cluster 2"]


def test_clusters_differ_by_marker_too():
    axes = plot_clusters(np.eye(2), np.array([0, 1]))
    first, second = (np.asarray(c.get_paths()[0].vertices) for c in axes.collections)
    assert first.shape != second.shape


def test_no_two_of_many_clusters_look_alike():
    assert len({(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i in range(56)}) == 56


def test_centroids_lie_on_top_in_the_colours_of_their_clusters():
    axes = plot_clusters([[0, 0], [4, 4]], np.array([0, 1]), centroids=[[1, 2], [3, 4]])
    crosses = [c for c in axes.collections if c.get_zorder() == 5]
    assert [np.asarray(c.get_offsets()).tolist() for c in crosses] == [[[1, 2]], [[3, 4]]]
    assert [to_hex(np.asarray(c.get_facecolor())[0]) for c in crosses] == list(COLOURS[:2])


def test_axes_are_named_and_have_one_scale():
    axes = plot_clusters(np.eye(2), np.array([0, 1]), title="two points")
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("x0", "x1", "two points")
    assert axes.get_aspect() == 1
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["cluster 0", "cluster 1"]


def test_a_small_picture_can_do_without_a_legend():
    assert plot_clusters(np.eye(2), np.array([0, 1]), legend=False).get_legend() is None


def test_it_draws_where_it_is_told_to():
    figure, (left, right) = pyplot.subplots(1, 2, sharex=True, sharey=True)
    assert plot_clusters(np.eye(2), np.array([0, 1]), axes=right) is right
    assert not left.collections
    figure.canvas.draw()  # where matplotlib finds out that shared axes allow no freedom


def test_the_boundary_is_equally_far_from_both_and_moves_no_limit():
    axes = plot_clusters([[0, 0], [4, 2]], np.array([0, 1]))
    limits = axes.axis()
    plot_boundary([0, 0], [4, 2], axes)
    (line,) = axes.lines
    assert isinstance(line, AxLine)
    ends = np.array([line.get_xy1(), line.get_xy2()], dtype=float)
    assert np.linalg.norm(ends, axis=1) == pytest.approx(np.linalg.norm(ends - [4, 2], axis=1))
    assert not np.array_equal(*ends)
    assert axes.axis() == limits


def test_equal_centroids_have_no_boundary():
    with pytest.raises(ValueError, match="no line"):
        plot_boundary([1, 1], [1, 1], pyplot.subplots()[1])


@pytest.mark.parametrize(
    ("points", "labels", "complaint"),
    [([[1, 2, 3]], [0], "two coordinates"), ([[1, 2]], [0, 1], "one for each"), ([[1, np.nan]], [0], "finite")],
)
def test_what_cannot_be_drawn_is_refused(points, labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        plot_clusters(points, np.array(labels))


def test_importing_the_package_loads_no_plotting_library():
    import subprocess
    import sys

    code = "import sys, buddy.warmup; assert not {'matplotlib', 'sklearn', 'scipy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
