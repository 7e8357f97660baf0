"""The parts of a file, read one after the other, are the file."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from buddy.data.row_files import Row, read_rows
from buddy.errors import UserMistake
from buddy.inference import parts
from buddy.inference.parts import cut, take

FIELDS = st.text(st.sampled_from('ab ,"\n\r\té—🙂'), max_size=8)
ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def rows_of_parts(source: Path, rows: int) -> Iterator[Row]:
    """Give the rows of a file by way of its parts, each in the place that it has in the whole."""
    for number, part in enumerate(cut(str(source), rows)):
        file = source.with_name(f"part-{number}{source.suffix}")
        take(part, file)
        found = list(read_rows(file))
        assert len(found) == part.rows <= rows
        yield from (replace(row, place=row.place + part.before) for row in found)


@ANY_FOLDER
@given(table=st.lists(st.tuples(FIELDS, FIELDS), max_size=20), rows=st.integers(1, 7))
def test_of_a_csv_file_with_line_breaks_in_its_fields(tmp_path, table, rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("day", "entry"), *table])
    file = tmp_path / "diary.csv"
    file.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    assert list(rows_of_parts(file, rows)) == list(read_rows(file))


@ANY_FOLDER
@given(content=st.lists(st.sampled_from([b'a,"b', b'"', b"\n", b"\r\n", b"x,y", b",", b"\xff", b"\r"]), max_size=40))
@example(content=[b'"', b"\n", b"x,y", b"\n", b"x,y", b"\n", b"x,y", b"\n", b'"', b"x,y"])
def test_of_a_csv_file_that_is_none(tmp_path, content):
    file = tmp_path / "noise.csv"
    file.write_bytes(b"day;entry\n" + b"".join(content))
    assert list(rows_of_parts(file, 2)) == list(read_rows(file))


@ANY_FOLDER
@given(lines=st.lists(st.sampled_from(['{"text": "so"}', "", "no json", '{"text": "é"}', "[]", "  "]), max_size=20))
def test_of_json_lines(tmp_path, lines):
    file = tmp_path / "diary.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    assert list(rows_of_parts(file, 3)) == list(read_rows(file))


@pytest.mark.parametrize("group_rows", [1, 4, 100])
@pytest.mark.parametrize("rows", [1, 3, 50])
def test_of_a_parquet_file_whatever_its_row_groups(tmp_path, group_rows, rows):
    file = tmp_path / "diary.parquet"
    kinds = pa.schema([("day", pa.int32()), ("mood", pa.dictionary(pa.int8(), pa.string()))], {b"made": b"by hand"})
    table = pa.table({"day": range(11), "mood": pa.array(["sad", None] * 5 + ["glad"]).dictionary_encode()})
    pq.write_table(table.cast(kinds), file, row_group_size=group_rows)
    assert list(rows_of_parts(file, rows)) == list(read_rows(file))
    part = pq.read_schema(tmp_path / "part-0.parquet")
    assert part.equals(pq.read_schema(file), check_metadata=True)


def test_of_a_parquet_file_is_read_without_what_stands_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "ROWS_OF_A_BATCH", 4)
    file = tmp_path / "diary.parquet"
    pq.write_table(
        pa.table({"entry": [f"Day {day}." for day in range(100)]}),
        file,
        use_dictionary=False,
        compression="none",
        data_page_size=1,
        write_batch_size=10,
    )
    first, *_, last = cut(str(file), 10)
    whole = file.read_bytes()
    start = whole.rindex(b"Day 89.") + 7  # there the page of the last ten begins
    file.write_bytes(whole[:start] + b"\xff" * 20 + whole[start + 20 :])
    take(first, tmp_path / "first.parquet")
    assert pq.read_table(tmp_path / "first.parquet")["entry"].to_pylist() == [f"Day {day}." for day in range(10)]
    with pytest.raises(UserMistake, match="damaged"):
        take(last, tmp_path / "last.parquet")


def test_of_a_file_of_nothing_are_one_of_nothing(tmp_path):
    (tmp_path / "none.csv").write_bytes(b"")
    (part,) = cut(str(tmp_path / "none.csv"), 5)
    assert (part.rows, part.start, part.stop, part.header) == (0, 0, 0, 0)


@pytest.mark.parametrize(("name", "content"), [("none.csv", b"day,entry\n"), ("none.jsonl", b"")])
def test_of_a_file_without_rows_are_one_without_rows(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert [part.rows for part in cut(str(tmp_path / name), 5)] == [0]
    assert list(rows_of_parts(tmp_path / name, 5)) == []


def test_of_a_damaged_file_do_not_exist(tmp_path):
    (tmp_path / "diary.parquet").write_bytes(b"PAR1 and so on")
    with pytest.raises(UserMistake, match="damaged or not a Parquet file"):
        cut(str(tmp_path / "diary.parquet"), 5)
