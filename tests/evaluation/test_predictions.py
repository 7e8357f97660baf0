import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.errors import UserMistake
from buddy.evaluation.predictions import Predictions, read_predictions, write_predictions

SAID = Predictions(
    ids=("1", "2"),
    texts=("We won!", "Gone."),
    labels=("joyful", "p_odd", "id"),
    truth=np.array([0, 2]),
    predicted=np.array([0, 1]),
    probabilities=np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]),
)


def test_what_is_written_is_read(tmp_path):
    write_predictions(tmp_path / "p.parquet", SAID)
    again = read_predictions(tmp_path / "p.parquet")
    assert (again.ids, again.texts, again.labels) == (SAID.ids, SAID.texts, SAID.labels)
    assert np.array_equal(again.truth, SAID.truth)
    assert np.array_equal(again.predicted, SAID.predicted)
    assert np.allclose(again.probabilities, SAID.probabilities, atol=1e-7)


def test_the_columns_are_those_that_other_programs_rely_on(tmp_path):
    write_predictions(tmp_path / "p.parquet", SAID)
    rows = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert list(rows[0]) == ["id", "text", "label", "predicted", "p_joyful", "p_p_odd", "p_id"]
    assert (rows[1]["label"], rows[1]["predicted"], rows[1]["p_id"]) == ("id", "p_odd", pytest.approx(0.3))


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "p.parquet").write_text("no table")
    with pytest.raises(UserMistake, match=r"p\.parquet is damaged"):
        read_predictions(tmp_path / "p.parquet")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("text", pa.array(["We won!", None])),
        ("text", pa.array([1, 2])),
        ("label", pa.array(["joyful", "bored"])),
        ("label", pa.array([["joyful"], ["id"]])),
        ("p_joyful", pa.array(["a", "b"])),
        ("p_joyful", pa.array([0.5, None], pa.float32())),
    ],
)
def test_a_column_of_another_kind_is_named(tmp_path, column, values):
    write_predictions(tmp_path / "p.parquet", SAID)
    table = pq.read_table(tmp_path / "p.parquet")
    pq.write_table(table.set_column(table.column_names.index(column), column, values), tmp_path / "p.parquet")
    with pytest.raises(UserMistake, match=r"p\.parquet is damaged.*; `buddy evaluate .*` writes it anew"):
        read_predictions(tmp_path / "p.parquet")


def test_another_table_is_named(tmp_path):
    pq.write_table(pa.table({"id": ["1"], "text": ["x"]}), tmp_path / "p.parquet")
    with pytest.raises(UserMistake, match="damaged"):
        read_predictions(tmp_path / "p.parquet")
