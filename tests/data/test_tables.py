import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.data.source import Tally
from buddy.data.tables import read_table
from buddy.errors import UserMistake


@pytest.fixture
def read(tmp_path):
    def read_content(content: str | bytes, name: str = "mine.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        tally = Tally()
        return read_table(path, tally), tally

    return read_content


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("text,label\nI lost,sad\n", "a.csv"),
        ("text;label\nI lost;sad\n", "a.csv"),
        ("\ufefftext\tlabel\r\nI lost\tsad\r\n", "a.TSV"),
        ("\n\ntext;label\nI lost;sad\n", "a.csv"),
        ('"text" , "label"\n"I lost",sad', "a.csv"),
        ('{"text": "I lost", "label": "sad"}\n\n', "a.jsonl"),
    ],
)
def test_every_kind_of_text_file(read, content, name):
    table, tally = read(content.replace(" , ", ","), name)
    assert {column: list(values) for column, values in table.columns.items()} == {"text": ["I lost"], "label": ["sad"]}
    assert table.rows_read == 1
    assert not tally.dropped


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@given(rows=st.lists(st.tuples(cells, st.sampled_from(["sad", "glad"])), min_size=1))
def test_what_the_csv_module_writes_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    table = read_table(path, Tally())
    assert list(zip(*table.columns.values(), strict=True)) == rows


def test_very_long_text_is_kept_and_the_limit_restored(read):
    limit = csv.field_size_limit()
    table, _ = read("text,label\n" + "x" * 300_000 + ",sad\n")
    assert len(str(table.columns["text"][0])) == 300_000
    assert csv.field_size_limit() == limit


def test_quoted_line_breaks_commas_and_quotes(read):
    table, _ = read('text,label\n"one,\n""two""",sad\n')
    assert table.columns["text"] == ('one,\n"two"',)


@pytest.mark.parametrize(
    "content", ['text,label\n"never closed,sad\nnext,glad\n', 'text,label\nfine,sad\n"Hi" he said,sad\n']
)
def test_quote_that_would_swallow_rows_is_refused(read, content):
    with pytest.raises(UserMistake, match=r"mine\.csv, line \d: .*quotation mark"):
        read(content)


def test_rows_of_another_width_are_dropped_and_counted(read):
    table, tally = read("text,label\na,sad\nb\nc,glad,extra\nd,glad\n")
    assert table.columns["text"] == ("a", "d")
    assert table.rows_read == 4
    assert tally.dropped == {"row that does not have the header's 2 fields": 2}


def test_header_alone_has_no_rows(read):
    assert read("text,label\n")[0].columns == {"text": (), "label": ()}


def test_column_twice_is_refused(read):
    with pytest.raises(UserMistake, match="more than one column named 'text'"):
        read("text,text\na,b\n")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"text,label\n\xff\xfe,sad\n", r"not UTF-8 text \(line 2\)"),
        (b"PK\x03\x04\x00\x00", "binary"),
        ("text,label\na,sad\n".encode("utf-16"), "save it as UTF-8"),
    ],
)
def test_files_that_are_no_text(read, name, content, message):
    with pytest.raises(UserMistake, match=message):
        read(content, name)


def test_json_lines_may_differ_in_keys(read):
    table, tally = read('{"text": "a"}\n{"label": "sad", "text": "b"}\n[1]\n{"cut\n{"text": NaN}\n', "a.jsonl")
    assert table.columns["label"] == [None, "sad", None]
    assert table.rows_read == 5
    assert tally.dropped == {"line that is not a JSON object": 2}


def test_json_that_is_no_lines(read):
    with pytest.raises(UserMistake, match="one JSON list"):
        read('[{"text": "a"}]', "a.json")
    with pytest.raises(UserMistake, match="no line that is a JSON object"):
        read("hello\n", "a.jsonl")


def test_deeply_nested_json_is_dropped(read):
    _, tally = read('{"text": "a"}\n' + "[" * 100_000 + "\n", "a.jsonl")
    assert tally.dropped.total() == 1


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", None], "label": pa.array(["sad", "glad"]).dictionary_encode()}), path)
    table = read_table(path, Tally())
    assert table.columns == {"text": ["a", None], "label": ["sad", "glad"]}


def test_parquet_with_numbered_classes_gives_names(tmp_path):
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["sad", "glad"])})
    Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features).to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", Tally()).columns["label"] == ["glad", "sad", None]


def test_damaged_parquet(read, tmp_path):
    with pytest.raises(UserMistake, match="not a Parquet file; save it again"):
        read("text,label\n", "a.parquet")


def test_parquet_column_twice_is_refused(tmp_path):
    text = pa.array(["a"])
    pq.write_table(pa.table([text, text], names=["label", "label"]), tmp_path / "a.parquet")
    with pytest.raises(UserMistake, match="more than one column named 'label'"):
        read_table(tmp_path / "a.parquet", Tally())


@pytest.mark.parametrize(
    "column",
    [pa.array([2**62], pa.timestamp("us")), pa.array([2**62], pa.duration("s"))],
    ids=["year-148107", "longer-than-the-universe"],
)
def test_parquet_values_that_python_cannot_hold_are_named_by_column(tmp_path, column):
    pq.write_table(pa.table({"text": ["a"], "when": column}), tmp_path / "a.parquet")
    with pytest.raises(UserMistake, match=r"Column 'when' of .* cannot be read .*; take it out of the file"):
        read_table(tmp_path / "a.parquet", Tally())


@pytest.mark.parametrize("description", [b"{", b'{"info": {"features": {"label": {"_type": "Smell"}}}}'])
def test_parquet_whose_class_names_cannot_be_read_is_refused(tmp_path, description):
    table = pa.table({"text": ["a"], "label": [0]}).replace_schema_metadata({b"huggingface": description})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserMistake, match="about its columns cannot be read; save the file again without it"):
        read_table(tmp_path / "a.parquet", Tally())


def test_unknown_kind_names_the_known(read):
    with pytest.raises(UserMistake, match=r"known are \.csv, \.tsv"):
        read("x", "a.xlsx")


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_missing_file_stays_an_oserror(tmp_path, name):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / name, Tally())
