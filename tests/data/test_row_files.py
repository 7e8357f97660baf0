"""Files are read row by row, whatever stands in them, and written again with more columns."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.data import csv_rows, row_files
from buddy.data.row_files import column_names, read_rows, write_rows
from buddy.errors import UserMistake

KINDS = {"label": str, "probability": float}


def added(file):
    """New columns for each row: the row's number as a probability."""
    return [{"label": f"row {i}", "probability": float(i)} for i, _ in enumerate(read_rows(file))]


def problems(file):
    return {row.place: row.problem for row in read_rows(file) if row.values is None}


class TestCsv:
    @pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t")])
    @settings(max_examples=40)
    @given(rows=st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))] * 2)))
    def test_gives_back_what_was_written(self, tmp_path_factory, name, delimiter, rows):
        file = tmp_path_factory.mktemp("rows") / name
        with open(file, "w", encoding="utf-8", newline="") as out:
            csv.writer(out, delimiter=delimiter).writerows([("id", "text"), *rows])
        assert [row.values for row in read_rows(file)] == [{"id": one, "text": other} for one, other in rows]
        assert column_names(file) == ["id", "text"]

    def test_a_line_break_of_any_kind_stays_in_its_field(self, tmp_path):
        file = tmp_path / "a.csv"
        file.write_bytes(b'id,text\n1,"old mac\rline"\n2,"new\nline"\n3,"windows\r\nline"\n')
        write_rows(tmp_path / "b.csv", file, added(file), KINDS)
        texts = [row.values["text"] for row in read_rows(tmp_path / "b.csv") if row.values]
        assert texts == ["old mac\rline", "new\nline", "windows\r\nline"]
        assert (tmp_path / "b.csv").read_bytes().startswith(b"id,text,label,probability\n1,")

    def test_blank_lines_before_the_header_are_skipped_and_counted(self, tmp_path):
        file = tmp_path / "a.csv"
        file.write_text("\n \nid;text;who, if any\n1;two;me\n3\n")
        assert column_names(file) == ["id", "text", "who, if any"]
        assert [row.values for row in read_rows(file) if row.values] == [
            {"id": "1", "text": "two", "who, if any": "me"}
        ]
        assert problems(file) == {5: "it has 1 field, and the header 3"}
        write_rows(tmp_path / "b.csv", file, added(file), KINDS)
        assert (tmp_path / "b.csv").read_text().startswith("id;text;who, if any;label;probability\n")

    def test_rows_that_cannot_be_read_are_told_by_their_line(self, tmp_path):
        file = tmp_path / "a.csv"
        file.write_bytes(b'id,text\n1,"two\nlines"\n2\n3,caf\xe9\n\n4,a,b\n5,fine\n')
        assert problems(file) == {
            4: "it has 1 field, and the header 2",
            5: "it is not UTF-8",
            7: "it has 3 fields, and the header 2",
        }
        assert [row.values["id"] for row in read_rows(file) if row.values] == ["1", "5"]

    def test_of_a_quotation_mark_that_is_not_closed_the_row_is_told_and_the_rest_is_read(self, tmp_path):
        file = tmp_path / "a.csv"
        file.write_text('day,entry\n1,"I lost my cat\n2,"We won"\n3,Fine\n4,"The end\n')
        rows = list(read_rows(file))
        assert [row.place for row in rows if row.is_torn] == [2, 5]
        assert {row.problem for row in rows if row.is_torn} == {csv_rows.TORN}
        assert [row.values["entry"] for row in rows if row.values] == ["We won", "Fine"]

    def test_a_quotation_mark_that_is_not_closed_in_a_long_file_costs_its_own_row_only(self, tmp_path, monkeypatch):
        monkeypatch.setattr(csv_rows, "LINES_OF_A_ROW", 50)
        file = tmp_path / "a.csv"
        lines = ["day,entry", *(f"{day},Fine" for day in range(1000))]
        lines[11] = '10,"I said hello'
        file.write_text("\n".join(lines))
        assert problems(file) == {12: csv_rows.TORN}
        assert len(list(read_rows(file))) == 1000

    def test_a_long_field_is_read_and_the_limit_of_the_process_stays(self, tmp_path):
        before = csv.field_size_limit()
        file = tmp_path / "a.csv"
        file.write_text("text\n" + "a" * 200_000 + "\n")
        assert [len(row.values["text"]) for row in read_rows(file) if row.values] == [200_000]
        assert csv.field_size_limit() == before

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            ("", "has no header"),
            ("\n\n", "has no header"),
            ("a,b,a\n1,2,3\n", "more than one column named 'a'"),
        ],
    )
    def test_without_a_header_it_is_refused(self, tmp_path, content, what):
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(UserMistake, match=what):
            list(read_rows(tmp_path / "a.csv"))

    def test_may_have_other_separators_and_keeps_them(self, tmp_path):
        file = tmp_path / "a.csv"
        file.write_text("\ufeffid; text\n1;so, so\n")
        assert [row.values for row in read_rows(file)] == [{"id": "1", "text": "so, so"}]
        write_rows(tmp_path / "out.csv", file, added(file), KINDS)
        assert (tmp_path / "out.csv").read_text() == "id;text;label;probability\n1;so, so;row 0;0.0\n"

    def test_is_written_with_its_columns_and_the_new_ones(self, tmp_path):
        file = tmp_path / "a.csv"
        file.write_text('\ufeffid,text\n1,"a, ""b"""\n2\n3,c\n')
        write_rows(tmp_path / "out.csv", file, added(file), KINDS)
        assert (
            tmp_path / "out.csv"
        ).read_text() == 'id,text,label,probability\n1,"a, ""b""",row 0,0.0\n3,c,row 2,2.0\n'

    def test_of_no_rows_has_the_columns(self, tmp_path):
        (tmp_path / "a.csv").write_text("id,text\n")
        write_rows(tmp_path / "out.csv", tmp_path / "a.csv", [], KINDS)
        assert (tmp_path / "out.csv").read_text() == "id,text,label,probability\n"


class TestJsonLines:
    CONTENT = (
        b'{"text": "a", "more": [1]}\n\nnonsense\n[1]\n{"text": "\xff"}\n{"text": "\\ud83d"}\n' + b"[" * 5000 + b"\n"
    )

    def test_rows_that_cannot_be_read_are_told_by_their_line(self, tmp_path):
        file = tmp_path / "a.jsonl"
        file.write_bytes(self.CONTENT)
        assert problems(file) == {
            3: "it is no JSON",
            4: "it is no JSON object",
            5: "it is not UTF-8",
            7: "it is no JSON",
        }
        assert column_names(file) == ["text", "more"]

    def test_are_written_with_the_new_columns(self, tmp_path):
        file = tmp_path / "a.jsonl"
        file.write_bytes(self.CONTENT)
        write_rows(tmp_path / "out.jsonl", file, added(file), KINDS)
        first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
        assert first == {"text": "a", "more": [1], "label": "row 0", "probability": 0.0}
        assert second == {"text": "\ud83d", "label": "row 4", "probability": 4.0}


class TestParquet:
    def test_keeps_its_types_and_gets_the_new_columns_even_if_they_are_empty(self, tmp_path, monkeypatch):
        monkeypatch.setattr(row_files, "ROWS_OF_A_BATCH", 2)
        table = pa.table({"text": ["a", None, "c", "d", "e"], "n": pa.array([1, 2, 3, 4, 5], pa.int8())})
        pq.write_table(table, tmp_path / "a.parquet")
        more = [{"label": None, "probability": None}] * 4 + [{"label": "sad", "probability": 0.5}]
        write_rows(tmp_path / "out.parquet", tmp_path / "a.parquet", more, KINDS)
        found = pq.read_table(tmp_path / "out.parquet")
        assert found.schema.names == ["text", "n", "label", "probability"]
        assert found.schema.field("n").type == pa.int8()
        assert found.select(["text", "n"]).equals(table)
        assert found["label"].to_pylist() == [None] * 4 + ["sad"]

    @pytest.mark.parametrize("content", [b"", b"PAR1 nonsense PAR1"])
    def test_a_damaged_file_is_refused(self, tmp_path, content):
        (tmp_path / "a.parquet").write_bytes(content)
        with pytest.raises(UserMistake, match="damaged or not a Parquet file"):
            list(read_rows(tmp_path / "a.parquet"))


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UserMistake, match=r"must end in \.csv, .* or \.parquet"):
        read_rows(tmp_path / "a.xlsx")
