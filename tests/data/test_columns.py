from collections.abc import Sequence

import pytest

from buddy.data.columns import Columns, choose_columns, to_examples
from buddy.data.source import Tally
from buddy.data.tables import Table
from buddy.errors import UserMistake
from buddy.records import Example


def table(**columns: Sequence[object]) -> Table:
    return Table("mine.csv", columns, len(next(iter(columns.values()))))


MOODS = table(said=["a", "b", "c"], mood=["sad", "glad", "sad"], who=["x", "y", "z"])


def test_named_columns_are_taken():
    assert choose_columns(MOODS, "said", "mood", "who") == Columns("said", "mood", "who")


def test_columns_called_text_and_label_need_no_naming():
    assert choose_columns(table(id=[1], Text=["a"], LABEL=["sad"]), None, None) == Columns("Text", "LABEL")


def test_of_two_columns_the_one_with_fewer_values_has_the_labels():
    assert choose_columns(MOODS, None, None, "who") == Columns("said", "mood", "who")


@pytest.mark.parametrize(("text", "label"), [("said", None), (None, "mood")])
def test_one_of_two_named_leaves_the_other(text, label):
    assert choose_columns(table(mood=["sad"], said=["a"]), text, label) == Columns("said", "mood")


def test_row_numbers_of_pandas_do_not_count():
    columns = {"": ["0", "1"], "said": ["a", "b"], "mood": ["sad", "sad"]}
    assert choose_columns(Table("mine.csv", columns, 2), None, None) == Columns("said", "mood")


def test_unknown_column_lists_the_known():
    with pytest.raises(UserMistake, match=r"no column 'moods'; its columns are 'said', 'mood', 'who'\."):
        choose_columns(MOODS, "said", "moods")


def test_no_column_and_very_many_are_listed_in_a_sentence():
    with pytest.raises(UserMistake, match="there are none"):
        choose_columns(Table("a.parquet", {}, 0), None, None)
    many = {f"column {n} " + "x" * 1000: ["a"] for n in range(100)}
    with pytest.raises(UserMistake, match=r"and 80 more\.$") as mistake:
        choose_columns(Table("a.csv", many, 1), None, None)
    assert len(str(mistake.value)) < 2000


@pytest.mark.parametrize("columns", [{"a": [1, 2], "b": [3, 4]}, {"a": [1], "b": [2], "c": [3]}, {"a": [1]}])
def test_no_guess_where_several_make_sense(columns):
    with pytest.raises(UserMistake, match=r"--text-column and\s+--label-column; there are 'a'"):
        choose_columns(table(**columns), None, None)


def test_missing_header_line_is_noticed():
    with pytest.raises(UserMistake, match="without a line of column names"):
        choose_columns(table(**{"I fell": ["I won", "I lost"], "sad": ["sad", "sad"]}), None, None)


@pytest.mark.parametrize("names", [("said", "said", None), ("said", "mood", "mood")])
def test_one_column_cannot_play_two_parts(names):
    with pytest.raises(UserMistake, match="at once"):
        choose_columns(MOODS, *names)


def test_rows_that_lack_something_are_counted_by_what():
    tally = Tally()
    rows = table(
        text=["  a\n b ", "", None, float("nan"), "c", "d", "e", ["f"], 7, "مرحبا 😀"],
        label=["sad", "sad", "sad", "sad", None, " NaN ", float("nan"), "sad", 2.0, "none"],
    )
    examples, groups = to_examples(rows, Columns("text", "label"), "mine", tally)
    assert examples == [
        Example("mine-1", "a b", "sad"),
        Example("mine-9", "7", "2"),
        Example("mine-10", "مرحبا 😀", "none"),
    ]
    assert tally.dropped == {"no text": 3, "no label": 3, "text or label that is not a single value": 1}
    assert groups == {}


def test_groups_go_with_the_examples():
    rows = table(text=["a", "", "b", "c"], label=["sad"] * 4, who=["x", "x", 3, None])
    _, groups = to_examples(rows, Columns("text", "label", "who"), "m", Tally())
    assert groups == {"m-1": "x", "m-3": "3", "m-4": "m-4"}
