"""``buddy report``: the figures and one page that opens offline, made from what stands in the run directory.

No model is needed. Before an evaluation there are only the curves and the settings, and the page says which
command adds the rest.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from buddy.evaluation import page, page_replies
from buddy.evaluation.confusion import ConfusedPair, confused_pairs, count_confusions
from buddy.evaluation.examples import choose_examples
from buddy.evaluation.figures import (
    DARK,
    LIGHT,
    Theme,
    accuracy_curve,
    draw_calibration,
    draw_confusion,
    draw_curve,
    loss_curve,
    png,
)
from buddy.evaluation.predictions import PREDICTIONS_FILE, Predictions, read_predictions
from buddy.evaluation.results import METRICS_FILE, Evaluation, read_evaluation, split_metrics_file
from buddy.evaluation.run_folder import HistoryRow, Run, best_row, read_history, read_run
from buddy.files import atomic_file
from buddy.records import SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template
    from matplotlib.figure import Figure

REPORT_FILE = "report.html"
FIGURES_FOLDER = "figures"
TEMPLATE_FILE = "report_template.html"


@dataclass(frozen=True)
class Material:
    """Everything that a run directory holds for a report."""

    run: Run
    history: tuple[HistoryRow, ...]
    evaluation: Evaluation | None
    other_splits: tuple[Evaluation, ...]
    predictions: Predictions | None

    @property
    def best(self) -> int:
        """The row of the history whose checkpoint was kept."""
        return best_row(self.history, self.run.settings.get("best_by")) if self.history else 0

    @property
    def patience(self) -> int:
        """How many evaluations without a new best ended the run; 0 where none did, or nobody knows."""
        patience = self.run.settings.get("patience")
        return patience if isinstance(patience, int) else 0


@dataclass(frozen=True)
class Picture:
    """A figure as PNG for light and for dark pages, and in words for those who cannot see it."""

    name: str
    description: str
    light: bytes
    dark: bytes

    @property
    def light_url(self) -> str:
        return _data_url(self.light)

    @property
    def dark_url(self) -> str:
        return _data_url(self.dark)


def write_report(folder: Path) -> Path:
    """Write ``report.html`` and ``figures/*.png`` into a run directory.

    Args:
        folder: the run; it need not have been evaluated yet.

    Returns:
        Where the report stands.

    Raises:
        UserMistake: there is no such run, or one of its files is damaged.
    """
    material = read_material(folder)
    pictures = {picture.name: picture for picture in draw_pictures(material)}
    for picture in pictures.values():
        with atomic_file(folder / FIGURES_FOLDER / f"{picture.name}.png", "wb") as file:
            file.write(picture.light)
    with atomic_file(folder / REPORT_FILE) as file:
        file.write(render(material, pictures))
    return folder / REPORT_FILE


def read_material(folder: Path) -> Material:
    """Read what there is of a run's settings, history, scores and predictions."""
    metrics, table = folder / METRICS_FILE, folder / PREDICTIONS_FILE
    evaluation = read_evaluation(metrics) if metrics.is_file() else None
    return Material(
        run=read_run(folder),
        history=read_history(folder),
        evaluation=evaluation,
        other_splits=tuple(_other_splits(folder, evaluation)),
        predictions=read_predictions(table) if evaluation and table.is_file() else None,
    )


def _other_splits(folder: Path, evaluation: Evaluation | None) -> Iterator[Evaluation]:
    """Read what was found on the other splits of the same data."""
    for split in SPLITS:
        file = folder / split_metrics_file(split)
        if evaluation and split != evaluation.split and file.is_file():
            other = read_evaluation(file)
            if other.data.fingerprint == evaluation.data.fingerprint:
                yield other


def draw_pictures(material: Material) -> Iterator[Picture]:
    """Draw every figure for which there is material."""
    yield from _draw_curves(material)
    if material.predictions is not None:
        yield _draw_confusion(material.predictions)
    if material.evaluation is not None:
        yield _draw_calibration(material.evaluation)


def _draw_curves(material: Material) -> Iterator[Picture]:
    rows, best = material.history, material.best
    if not rows:
        return
    loss = loss_curve(rows, best, material.patience)
    yield _both_themes("loss", page.curve_text("Loss", rows, best), lambda theme: draw_curve(loss, theme))
    if any(row.valid_accuracy is not None or row.train_accuracy is not None for row in rows):
        accuracy = accuracy_curve(rows, best, material.patience)
        text = page.curve_text("Accuracy", rows, best)
        yield _both_themes("accuracy", text, lambda theme: draw_curve(accuracy, theme))


def _draw_confusion(predictions: Predictions) -> Picture:
    counts = count_confusions(predictions.truth, predictions.predicted, len(predictions.labels))
    text = "Confusion matrix: true labels in rows, answers in columns. The most frequent mistakes are listed in words."
    return _both_themes("confusion", text, lambda theme: draw_confusion(counts, predictions.labels, theme))


def _draw_calibration(evaluation: Evaluation) -> Picture:
    before, after = evaluation.uncalibrated.ece, evaluation.scores.ece
    text = "Reliability diagram: " + " ".join(page.calibration_sentences(evaluation))
    return _both_themes(
        "calibration", text, lambda theme: draw_calibration(evaluation.reliability, before, after, theme)
    )


def _both_themes(name: str, description: str, draw: "Callable[[Theme], Figure]") -> Picture:
    return Picture(name, description, light=png(draw(LIGHT)), dark=png(draw(DARK)))


def render(material: Material, pictures: dict[str, Picture]) -> str:
    """Lay the page out; everything that comes from data is escaped.

    Args:
        material: what it tells.
        pictures: by name; a missing one is left out.
    """
    run, evaluation, predictions = material.run, material.evaluation, material.predictions
    seed = evaluation.bootstrap.seed if evaluation else 0
    right, wrong = choose_examples(predictions, seed) if predictions else ((), ())
    return _template().render(
        page=page,
        page_replies=page_replies,
        run=run,
        name=run.folder.resolve().name,
        history=material.history,
        best=material.best,
        patience=material.patience,
        evaluation=evaluation,
        predictions=predictions,
        other_splits=material.other_splits,
        pictures=pictures,
        pairs=_pairs(predictions) if predictions else (),
        right=right,
        wrong=wrong,
        examples_seed=seed,
    )


def _pairs(predictions: Predictions) -> tuple[ConfusedPair, ...]:
    counts = count_confusions(predictions.truth, predictions.predicted, len(predictions.labels))
    return confused_pairs(counts, predictions.labels)


def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE_FILE)


def _data_url(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")
