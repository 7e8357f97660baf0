"""What the model said about every example: the table that figures and the choice of examples are made from."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from buddy.data.parquet import read_parquet
from buddy.errors import UserMistake
from buddy.evaluation.metrics import Floats, Integers
from buddy.files import atomic_file

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTIONS_FILE = "predictions.parquet"
PREFIX = "p_"
COLUMNS = ("id", "text", "label", "predicted")


@dataclass(frozen=True)
class Predictions:
    """The answers of a model to N examples with E labels.

    Args:
        ids: (N) of the examples.
        texts: (N) what was judged.
        labels: (E) the columns of the probabilities.
        truth: (N,) the true label's column.
        predicted: (N,) the column of the answer.
        probabilities: (N, E), as the model states them after calibration.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    truth: Integers
    predicted: Integers
    probabilities: Floats


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write id, text, label, predicted and one column ``p_<label>`` per label (single precision) as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = np.array(predictions.labels, dtype=object)
    columns = {
        "id": pa.array(predictions.ids, pa.string()),
        "text": pa.array(predictions.texts, pa.string()),
        "label": pa.array(names[predictions.truth], pa.string()),
        "predicted": pa.array(names[predictions.predicted], pa.string()),
    }
    for i, label in enumerate(predictions.labels):
        columns[PREFIX + label] = pa.array(predictions.probabilities[:, i].astype(np.float32))
    with atomic_file(path, "wb") as file:
        pq.write_table(pa.table(columns), file, compression="zstd")


def read_predictions(path: Path) -> Predictions:
    """Read what ``write_predictions`` wrote.

    Raises:
        UserMistake: the file is damaged or is another table; figures of it would be nonsense.
    """
    advice = f"`buddy evaluate {path.parent}` writes it anew"
    table = read_parquet(path, advice)
    try:
        _check(table)
        labels = tuple(name.removeprefix(PREFIX) for name in table.column_names[len(COLUMNS) :])
        column = {label: i for i, label in enumerate(labels)}
        ids, texts, truth, predicted = (table[name].to_pylist() for name in COLUMNS)
        return Predictions(
            ids=tuple(ids),
            texts=tuple(texts),
            labels=labels,
            truth=np.array([column[label] for label in truth], dtype=np.int64),
            predicted=np.array([column[label] for label in predicted], dtype=np.int64),
            probabilities=np.column_stack([table[PREFIX + label].to_numpy() for label in labels]).astype(np.float64),
        )
    except (KeyError, ValueError) as error:
        raise UserMistake(f"{path} is damaged; {advice}.") from error


def _check(table: "pa.Table") -> None:
    """Refuse a table in which words are no words, probabilities are none, or one is missing."""
    import pyarrow as pa

    kinds = [pa.string()] * len(COLUMNS) + [pa.float32()] * (table.num_columns - len(COLUMNS))
    if table.schema.types != kinds or any(column.null_count for column in table.columns):
        raise ValueError("other columns than buddy writes")
