from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.data.teacher import SINGLE_TEXT, read_teacher
from buddy.errors import UserMistake

TABLE: dict[str, Any] = {
    "id": ["1", "1", "other-0"],
    "turn": [SINGLE_TEXT, 2, SINGLE_TEXT],
    "text": ["We won!", "Hello. [SEP] Hi.", "What a day."],
    "p_sad": [0.25, 0.5, 1.0],
    "p_glad": [0.75, 0.5, 0.0],
}


def write(path, **changes):
    columns = {name: column for name, column in {**TABLE, **changes}.items() if column is not None}
    pq.write_table(pa.table(columns), path)
    return path


def test_answers_are_found_by_id_and_turn_in_the_order_of_the_labels(tmp_path):
    teacher = read_teacher(write(tmp_path / "t.parquet"), ["glad", "sad"], {"1"})
    assert teacher.rows == {("1", SINGLE_TEXT): 0, ("1", 2): 1}
    assert teacher.others == [("What a day.", 2)]
    np.testing.assert_allclose(teacher.probabilities, np.array([[0.75, 0.25], [0.5, 0.5], [0, 1]]))


def test_without_turns_every_row_is_a_single_text(tmp_path):
    teacher = read_teacher(write(tmp_path / "t.parquet", turn=None, id=["1", "2", "3"]), ["glad", "sad"], {"1", "2"})
    assert set(teacher.rows) == {("1", SINGLE_TEXT), ("2", SINGLE_TEXT)}


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(UserMistake, match="no column 'p_angry'"):
        read_teacher(write(tmp_path / "t.parquet"), ["angry", "sad"], {"1"})
    with pytest.raises(UserMistake, match="no column 'text'"):
        read_teacher(write(tmp_path / "t.parquet", text=None), ["glad", "sad"], {"1"})


@pytest.mark.parametrize("bad", [[0.5, 0.5, 0.9], [0.25, 0.5, float("nan")], [-0.25, 0.5, 1.0]])
def test_rows_that_are_no_distribution_are_refused(tmp_path, bad):
    path = write(tmp_path / "t.parquet", p_sad=bad, p_glad=[1.25 if bad[0] < 0 else 0.75, 0.5, 0.0])
    with pytest.raises(UserMistake, match="do not sum to 1"):
        read_teacher(path, ["glad", "sad"], {"1"})


def test_what_is_held_out_is_not_learned_from_by_id_or_text(tmp_path):
    path = write(tmp_path / "t.parquet", turn=None, id=["1", "2", "3"])

    def others(**held_out):
        return [text for text, _ in read_teacher(path, ["glad", "sad"], {"1"}, **held_out).others]

    assert others() == ["Hello. [SEP] Hi.", "What a day."]
    assert others(held_out_ids={"2"}) == ["What a day."]
    assert others(held_out_texts={"hello [sep], hi!"}) == ["What a day."]


def test_a_conversation_that_is_not_known_is_no_other_text(tmp_path):
    path = write(tmp_path / "t.parquet", id=["1", "2", "3"])
    assert [text for text, _ in read_teacher(path, ["glad", "sad"], {"1"}).others] == ["What a day."]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("text", ["a", None, "c"]),
        ("turn", [-1, None, -1]),
        ("turn", [0.0, 1.0, 2.0]),
        ("id", [1, 2, 3]),
        ("p_sad", [1, 0, 1]),
    ],
)
def test_gaps_and_other_kinds_of_values_are_named(tmp_path, name, values):
    with pytest.raises(UserMistake, match=f"Column '{name}' of .* holds .* or gaps"):
        read_teacher(write(tmp_path / "t.parquet", **{name: values}), ["glad", "sad"], {"1"})
