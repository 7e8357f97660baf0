import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from buddy.evaluation import figures
from buddy.evaluation.figures import (
    DARK,
    LIGHT,
    accuracy_curve,
    draw_calibration,
    draw_confusion,
    draw_curve,
    loss_curve,
)
from buddy.evaluation.metrics import Integers, reliability
from buddy.evaluation.results import Reliability
from buddy.evaluation.run_folder import HistoryRow

ROWS = [
    HistoryRow(10, 1.0, 3.0, 2.5, 0.2, 0.3),
    HistoryRow(20, 2.0, 2.0, 1.5, 0.4, 0.5),
    HistoryRow(30, 3.0, 1.0, 1.9, 0.8, 0.4),
]


def drawn_lines(figure: Figure) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in figure.axes[0].lines}


def points(line: Line2D) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in np.asarray(line.get_xydata())]


def legend_words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.legends[0].get_texts())


def test_both_curves_are_drawn_over_the_epochs():
    lines = drawn_lines(draw_curve(accuracy_curve(ROWS, best=1)))
    assert points(lines["train"]) == [[1.0, 20.0], [2.0, 40.0], [3.0, 80.0]]
    assert points(lines["valid"]) == [[1.0, 30.0], [2.0, 50.0], [3.0, 40.0]]
    assert lines["train"].get_linestyle() != lines["valid"].get_linestyle()  # not told apart by colour alone


def test_axes_name_their_units():
    axes = draw_curve(loss_curve(ROWS, best=1)).axes[0]
    assert "epoch" in axes.get_xlabel()
    assert "nats per token" in axes.get_ylabel()


def test_the_kept_checkpoint_is_marked():
    figure = draw_curve(loss_curve(ROWS, best=1))
    rings = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "none"]
    assert [points(ring) for ring in rings] == [[[2.0, 1.5]]]
    assert "kept (epoch 2)" in legend_words(figure)


def test_only_a_run_whose_patience_ran_out_is_called_stopped():
    assert "no better, stopped at 3" in legend_words(draw_curve(loss_curve(ROWS, 0, patience=2)))
    assert "stopped" not in legend_words(draw_curve(loss_curve(ROWS, 1, patience=2)))  # going on, or cut off
    assert "stopped" not in legend_words(draw_curve(loss_curve(ROWS, 0)))
    assert "stopped" not in legend_words(draw_curve(loss_curve(ROWS, 2, patience=1)))


def test_without_epochs_the_steps_are_shown():
    figure = draw_curve(loss_curve([HistoryRow(10, valid_loss=2.0), HistoryRow(20, valid_loss=1.0)], best=1))
    assert "step" in figure.axes[0].get_xlabel()
    assert points(drawn_lines(figure)["valid"]) == [[10.0, 2.0], [20.0, 1.0]]


def confusions(labels: int) -> tuple[Integers, list[str]]:
    counts = np.random.default_rng(0).integers(0, 3, (labels, labels)) + 20 * np.eye(labels, dtype=np.int64)
    return counts, [f"label {i}" for i in range(labels)]


@pytest.mark.parametrize(("labels", "drawn"), [(1, 1), (2, 2), (32, 32), (60, 60), (61, 40), (300, 40)])
def test_a_matrix_shows_as_many_labels_as_are_legible(labels, drawn):
    axes = draw_confusion(*confusions(labels)).axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert len(set(names)) == drawn
    assert names == [tick.get_text() for tick in axes.get_xticklabels()]
    assert (f"of {labels} labels" in axes.get_title(loc="left")) == (drawn < labels)


def test_cells_hold_the_percentages_of_their_true_label():
    counts = np.array([[3, 1, 0], [0, 8, 2], [0, 0, 5]])
    axes = draw_confusion(counts, ["a", "b", "c"]).axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    cells = {(names[round(t.get_position()[1])], names[round(t.get_position()[0])]): t.get_text() for t in axes.texts}
    assert cells == {("a", "a"): "75", ("a", "b"): "25", ("b", "b"): "80", ("b", "c"): "20", ("c", "c"): "100"}


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_numbers_stand_out_from_their_cells(theme):
    from matplotlib.colors import to_rgb

    counts, labels = confusions(4)
    axes = draw_confusion(counts, labels, theme).axes[0]
    image = axes.images[0]
    percent = np.asarray(image.get_array())
    for text in axes.texts:
        column, row = map(round, text.get_position())
        cell = image.to_rgba(percent[row, column])[:3]
        difference = np.dot(figures.LUMINANCE, cell) - np.dot(figures.LUMINANCE, to_rgb(text.get_color()))
        assert abs(difference) > 0.3


def test_long_names_are_cut():
    names = [
        tick.get_text() for tick in draw_confusion(np.eye(2, dtype=np.int64), ["a" * 50, "b"]).axes[0].get_yticklabels()
    ]
    assert sorted(names) == ["a" * 19 + "…", "b"]


@pytest.mark.parametrize("label", ["$x^2_{$", "$5 or $10", "\\$a$"])
def test_a_label_with_dollars_is_no_formula(label):
    assert figures.png(draw_confusion(np.eye(2, dtype=np.int64), [label, "sad"]))


def test_the_reliability_diagram_shows_every_filled_bin_before_and_after():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, 200)
    bins = Reliability(*(reliability(generator.dirichlet(np.full(3, a), 200), truth) for a in (0.2, 5.0)))
    figure = draw_calibration(bins, 0.25, 0.05)
    lines = drawn_lines(figure)
    for part, ece, one_bin in ((bins.before, "25.0", "before"), (bins.after, "5.0", "after")):
        line = lines[f"{one_bin} temperature, ECE {ece}%"]
        assert points(line) == [[100 * b.confidence, 100 * b.accuracy] for b in part if b.count]
    histogram = figure.axes[1]
    assert [np.sum(patch.get_data()[0]) for patch in histogram.patches if isinstance(patch, StepPatch)] == [
        pytest.approx(100)
    ] * 2


def test_a_figure_becomes_a_png_whatever_the_script_of_its_labels(recwarn):
    image = figures.png(draw_confusion(np.eye(2, dtype=np.int64), ["悲しい", "حزين"]))
    assert image.startswith(b"\x89PNG")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
