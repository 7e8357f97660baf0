"""A table read as a stream gives the folder that it gives when read as a whole, in little memory."""

import csv
import json
import tracemalloc
from typing import ClassVar

import pytest

from buddy.data import prepared, stream
from buddy.data.audit import describe_split, find_conflicts
from buddy.data.normalise import comparison_key
from buddy.data.prepare import PrepareSettings, prepare
from buddy.errors import EnvironmentFault, UserMistake

ROWS = [(f"Text number {n % 150}{'!' * (n % 3)}", "sad" if n % 7 else "glad", f"person {n % 40}") for n in range(400)]
"""Texts that come back with other punctuation, some of them under another label."""


def write_csv(file, rows=ROWS):
    with open(file, "w", newline="") as out:
        csv.writer(out).writerows([("text", "label", "who"), *rows])
    return file


def prepare_stream(source, out, **more):
    return prepare(PrepareSettings(source=str(source), out=out, stream=True, **more))


def write_json_lines(file, rows):
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def rows_of(data):
    return {split: data.examples(split) for split in data.splits()}


def test_every_row_is_in_one_split_and_equal_texts_are_in_the_same(tmp_path):
    data, audit = prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "out")
    rows = rows_of(data)
    assert sorted((row.text, row.label) for own in rows.values() for row in own) == sorted(row[:2] for row in ROWS)
    keys = [{comparison_key(row.text) for row in own} for own in rows.values()]
    assert len(keys) == 3
    assert sum(map(len, keys)) == 150
    assert [row.id for row in rows["train"]][:2] == sorted([row.id for row in rows["train"]], key=len)[:2]
    assert audit.overlap["train-valid"].exact == 0


def test_the_order_of_rows_and_files_makes_no_difference_and_the_seed_does(tmp_path):
    forward, _ = prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "forward")
    (tmp_path / "shards").mkdir()
    write_csv(tmp_path / "shards" / "a.csv", ROWS[:170:-1])
    write_csv(tmp_path / "shards" / "b.csv", ROWS[170::-1])
    backward, _ = prepare_stream(tmp_path / "shards", tmp_path / "backward")
    other, _ = prepare_stream(tmp_path / "moods.csv", tmp_path / "other", seed=14)

    def texts(data):
        return {split: sorted((row.text, row.label) for row in rows) for split, rows in rows_of(data).items()}

    assert texts(forward) == texts(backward) != texts(other)


def test_the_counts_are_those_of_all_rows_at_once(tmp_path):
    data, audit = prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "out")
    rows = rows_of(data)
    conflicts = find_conflicts(rows)
    assert (audit.conflicting_labels.texts, audit.conflicting_labels.rows) == (conflicts.texts, conflicts.rows)
    assert conflicts.texts > 0
    for split, own in rows.items():
        assert audit.splits[split] == describe_split(own)
        assert audit.exact_duplicates[split] == len(own) - len({comparison_key(row.text) for row in own})
    written = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert written["warnings"][0] == "Nearly equal texts were not looked for: the data were read as a stream."


def test_rows_of_one_group_stay_together(tmp_path):
    data, _ = prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "out", group_column="who")
    who = {f"moods-{number}": row[2] for number, row in enumerate(ROWS, start=1)}
    groups = [{who[row.id] for row in own} for own in rows_of(data).values()]
    assert sum(map(len, groups)) == 40


def test_files_named_after_splits_are_not_divided_and_their_leaks_are_counted(tmp_path):
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data" / "train-00000.csv", ROWS[:50])
    write_csv(tmp_path / "data" / "train-00001.csv", ROWS[50:100])
    write_csv(tmp_path / "data" / "validation.csv", ROWS[90:120])
    data, audit = prepare_stream(tmp_path / "data", tmp_path / "out")
    assert {split: len(rows) for split, rows in rows_of(data).items()} == {"train": 100, "valid": 30}
    assert audit.overlap["train-valid"].exact == 10
    assert "Leak: 10 rows of valid also in train, word for word." in audit.warnings


class TestFilesOfAFolder:
    """Their names tell the split, or it is asked for: rows of test must not be learned from."""

    @pytest.mark.parametrize("behind", ["", "0", "_0", "-00000-of-00002", ".part1", "_de-1.2", " (1)", "set", "data-2"])
    def test_go_by_the_word_with_which_they_begin(self, tmp_path, behind):
        for name in ("train", "Dev", "test"):
            (tmp_path / f"{name}{behind}.csv").touch()
        found = stream.files_of(tmp_path)
        assert {split: [file.stem for file in files] for split, files in found.items()} == {
            "train": [f"train{behind}"], "valid": [f"Dev{behind}"], "test": [f"test{behind}"],
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("names", "unclear"),
        [
            (("test (1).csv", "moods.csv"), "moods"),
            (("moods.csv", "train.csv"), "moods"),
            (("testament.csv", "train.csv"), "testament"),
        ],
    )
    def test_are_refused_if_one_might_belong_to_any(self, tmp_path, names, unclear):
        for name in names:
            (tmp_path / name).touch()
        with pytest.raises(UserMistake, match=rf"To which split does .*{unclear}\.\w+ belong\? Name it like train-1"):
            stream.files_of(tmp_path)

    def test_without_the_name_of_a_split_are_one_table(self, tmp_path):
        for name in ("devices.csv", "january.csv", "part-2.csv", "values.csv"):
            (tmp_path / name).touch()
        assert list(stream.files_of(tmp_path)) == ["all"]

    def test_that_are_not_read_are_named(self, tmp_path, capsys):
        for name in ("train.csv", "test.json", "valid.xlsx", "_test.csv"):
            (tmp_path / name).touch()
        assert list(stream.files_of(tmp_path)) == ["train"]
        assert capsys.readouterr().err == f"Not read in {tmp_path}: '_test.csv', 'test.json', 'valid.xlsx'.\n"


def test_a_rare_label_that_a_split_lacks_is_told(tmp_path):
    rows = [*ROWS, *[("Rare", "proud", "me")] * 5]  # the same text, so all in one split
    _, audit = prepare_stream(write_csv(tmp_path / "moods.csv", rows), tmp_path / "out")
    assert "proud" in audit.splits["train"].per_label
    for split in ("valid", "test"):
        assert f"Labels in train that {split} does not have: proud." in audit.warnings


def test_rows_that_say_nothing_are_counted(tmp_path):
    file = write_csv(tmp_path / "moods.csv", [*ROWS, ("", "sad", ""), ("Hm", "", "")])
    with open(file, "a") as out:
        out.write("a,b\n")
    _, audit = prepare_stream(file, tmp_path / "out")
    assert audit.dropped == {"row that cannot be read": 1, "no text": 1, "no label": 1}
    assert audit.rows_read == {"all": 403}


def test_a_folder_without_valid_gets_it_from_train(tmp_path):
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data" / "train-00000.csv", ROWS[:200])
    write_csv(tmp_path / "data" / "train-00001.csv", ROWS[200:])
    write_csv(tmp_path / "data" / "test.csv", ROWS[:30])
    data, audit = prepare_stream(tmp_path / "data", tmp_path / "out", valid_fraction=0.2)
    sizes = {split: len(rows) for split, rows in rows_of(data).items()}
    assert list(sizes) == ["train", "valid", "test"]
    assert sizes["train"] + sizes["valid"] == 400
    assert 40 < sizes["valid"] < 120
    assert sizes["test"] == 30
    assert audit.overlap["train-valid"].exact == 0
    assert audit.notes == {"row of train moved to valid, which the source does not have": sizes["valid"]}


def test_a_quotation_mark_that_is_not_closed_is_told_before_it_swallows_rows(tmp_path):
    file = write_csv(tmp_path / "moods.csv", ROWS[:20])
    file.write_text(file.read_text().replace("Text number 5", '"Text number 5', 1))
    with pytest.raises(UserMistake, match=r"line 7: a quotation mark is not closed, or not doubled\."):
        prepare_stream(file, tmp_path / "out")


def test_rows_at_the_beginning_that_cannot_be_read_are_no_reason_to_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "ROWS_OF_A_BLOCK", 10)
    file = write_csv(tmp_path / "moods.csv")
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([header, *["a,b"] * 10, *rows]))
    data, audit = prepare_stream(file, tmp_path / "out")
    assert audit.dropped == {"row that cannot be read": 10}
    assert audit.rows_read == {"all": 410}
    ids = [row.id for rows in rows_of(data).values() for row in rows]
    assert len(set(ids)) == len(ids) == 400


class TestJsonLines:
    """A row of JSON lines may lack a column, and so may all rows of a block."""

    @pytest.fixture(autouse=True)
    def small_blocks(self, monkeypatch):
        monkeypatch.setattr(stream, "ROWS_OF_A_BLOCK", 10)

    ROWS: ClassVar = [{"text": text, "label": label, "who": who} for text, label, who in ROWS]

    @pytest.mark.parametrize("names", [("moods.jsonl",), ("data/a.jsonl", "data/b.ndjson")])
    def test_without_a_label_for_a_whole_block_are_dropped_and_counted(self, tmp_path, names):
        (tmp_path / "data").mkdir()
        unlabelled = [{"text": "Hm", "who": "me"}] * 20
        parts = [[*self.ROWS[:200], *unlabelled, *self.ROWS[200:]]]
        if len(names) == 2:
            parts = [self.ROWS[:200], [*unlabelled, *self.ROWS[200:]]]
        for name, rows in zip(names, parts, strict=True):
            write_json_lines(tmp_path / name, rows)
        data, audit = prepare_stream(tmp_path / names[0].split("/")[0], tmp_path / "out")
        assert audit.dropped == {"no label": 20}
        assert sum(map(len, rows_of(data).values())) == 400

    def test_without_a_group_for_a_whole_block_are_groups_of_their_own(self, tmp_path):
        alone = [{"text": f"Alone {n}", "label": "sad"} for n in range(20)]
        file = write_json_lines(tmp_path / "moods.jsonl", [*self.ROWS, *alone])
        data, _ = prepare_stream(file, tmp_path / "out", group_column="who")
        assert sum(map(len, rows_of(data).values())) == 420

    def test_of_a_file_that_never_has_a_column_are_refused(self, tmp_path):
        (tmp_path / "data").mkdir()
        write_json_lines(tmp_path / "data" / "a.jsonl", self.ROWS)
        write_json_lines(tmp_path / "data" / "b.jsonl", [{"text": "Hm", "mood": "sad"}] * 5)
        with pytest.raises(UserMistake, match=r"b\.jsonl has no column 'label'; its columns are 'text', 'mood'"):
            prepare_stream(tmp_path / "data", tmp_path / "out")
        assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_a_folder_among_the_files_is_none_of_them(tmp_path):
    (tmp_path / "data" / "old.csv").mkdir(parents=True)
    write_csv(tmp_path / "data" / "moods.csv")
    data, _ = prepare_stream(tmp_path / "data", tmp_path / "out")
    assert sum(map(len, rows_of(data).values())) == 400


@pytest.mark.parametrize("reader", ["read_rows", "open"])
def test_a_file_that_cannot_be_read_is_named_and_not_the_folder(tmp_path, monkeypatch, reader):
    def refuse(file, *_):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(stream, reader, refuse, raising=False)
    with pytest.raises(EnvironmentFault, match=r"moods\.csv could not be read: Permission denied; change"):
        prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["moods.csv"]


def test_a_disk_that_is_full_is_not_blamed_on_the_file(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stream._Writer, "add", refuse)
    with pytest.raises(EnvironmentFault, match="out could not be written, and nothing was changed: No space left"):
        prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "out")


def test_memory_does_not_grow_with_the_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "ROWS_OF_A_BLOCK", 500)
    monkeypatch.setattr(stream, "ROWS_OF_A_BLOCK", 500)
    file = write_csv(
        tmp_path / "long.csv", ((f"{n} " + "long " * 400, "sad" if n % 2 else "glad", "") for n in range(8_000))
    )
    assert file.stat().st_size > 16_000_000
    prepare_stream(write_csv(tmp_path / "moods.csv"), tmp_path / "first")  # so that the imports are done
    tracemalloc.start()
    data, _ = prepare_stream(file, tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
    assert set(data.blocks("train")[:-1]) == {500}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "builtin"}, "--stream is for a file or folder of your own"),
        ({"source": "hf:some/data"}, "--stream is for a file or folder of your own"),
        ({"source": "nowhere.csv"}, "There is no file or folder 'nowhere.csv'"),
        ({"drop_leaks": True}, "--drop-leaks needs all texts at once"),
        ({"valid_fraction": 1.5}, "must be at least 0 and less than 1"),
        ({"text_column": "words"}, "has no column 'words'"),
        ({"valid_fraction": 1e-9}, r"No usable row is left in the valid split of .*moods\.csv\.$"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing_behind(tmp_path, changes, said):
    settings = {"source": str(write_csv(tmp_path / "moods.csv")), "out": tmp_path / "out", "stream": True, **changes}
    with pytest.raises(UserMistake, match=said):
        prepare(PrepareSettings(**settings))
    assert [file.name for file in tmp_path.iterdir()] == ["moods.csv"]


@pytest.mark.parametrize("rows", [[], [("Good", "glad", ""), ("Fine", "glad", "")]])
def test_what_cannot_be_learned_from_is_refused(tmp_path, rows):
    with pytest.raises(UserMistake, match=r"no row|only one label"):
        prepare_stream(write_csv(tmp_path / "moods.csv", rows), tmp_path / "out", valid_fraction=0, test_fraction=0)
