import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.data import prepared
from buddy.data.prepared import read_prepared, write_prepared
from buddy.errors import UserMistake
from buddy.records import Dialogue, Example

TRAIN = [Example("1", "We won!", "joyful"), Example("2", 'مرحبا 😀\u2028 "quoted", it\'s', "sad")]
VALID = [Example("3", "x" * 100_000, "angry")]
TALKS = [Dialogue("1", "joyful", "We won!", ("We won!", "Great.")), Dialogue("2", "sad", "", ())]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_prepared(tmp_path, {"train": TRAIN, "valid": VALID}, {"train": TALKS}, {"audit.json": "{}\n"})
    return tmp_path


def test_what_was_written_is_read_back(folder):
    data = read_prepared(folder)
    assert data.examples("train") == TRAIN
    assert data.examples("valid") == VALID
    assert data.dialogues("train") == TALKS
    assert data.splits() == ("train", "valid")
    assert data.labels == ("angry", "joyful", "sad")
    assert (folder / "audit.json").read_text() == "{}\n"


def test_absent_split_names_those_that_are_there(folder):
    data = read_prepared(folder)
    with pytest.raises(UserMistake, match=r"no split named 'test' \(there are train, valid\)"):
        data.examples("test")
    with pytest.raises(UserMistake, match=r"conversations named 'valid' \(there are train\)"):
        data.dialogues("valid")


def test_data_without_dialogues_says_so(tmp_path):
    write_prepared(tmp_path, {"train": TRAIN})
    with pytest.raises(UserMistake, match="it has none"):
        read_prepared(tmp_path).dialogues("train")


def test_fingerprint_tells_data_apart_and_nothing_else(folder, tmp_path_factory):
    same, other, reordered = (tmp_path_factory.mktemp(name) for name in ("same", "other", "reordered"))
    write_prepared(same, {"train": TRAIN, "valid": VALID}, {"train": TALKS}, {"audit.json": "another report"})
    write_prepared(other, {"train": TRAIN, "valid": VALID})
    write_prepared(reordered, {"train": TRAIN[::-1], "valid": VALID}, {"train": TALKS})
    first, second, third, fourth = (read_prepared(path).fingerprint() for path in (folder, same, other, reordered))
    assert first == second
    assert len({first, third, fourth}) == 3


@pytest.mark.parametrize("rows", [1, 2])
def test_fingerprint_is_that_of_the_rows_however_they_are_cut_into_blocks(folder, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(prepared, "ROWS_OF_A_BLOCK", rows)
    write_prepared(tmp_path, {"train": TRAIN, "valid": VALID}, {"train": TALKS})
    cut = read_prepared(tmp_path)
    assert max(cut.blocks("train")) == rows
    assert cut.fingerprint() == read_prepared(folder).fingerprint()


def test_no_folder_tells_how_to_make_one(tmp_path):
    with pytest.raises(UserMistake, match="buddy prepare"):
        read_prepared(tmp_path / "nothing")
    with pytest.raises(UserMistake, match=r"not a prepared folder .*buddy prepare"):
        read_prepared(tmp_path)


@pytest.mark.parametrize("content", ["[", '{"sad": 1}', "[1, 2]", "[]", '["sad", "sad"]', "[" * 100_000])
def test_damaged_labels_are_refused(folder, content):
    (folder / "labels.json").write_text(content)
    with pytest.raises(UserMistake, match=r"labels\.json is damaged"):
        read_prepared(folder)


def test_cut_file_is_noticed_on_opening(folder):
    file = folder / "valid.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserMistake, match=r"valid\.parquet is damaged"):
        read_prepared(folder)


def test_damage_inside_a_file_is_noticed_on_reading(folder):
    file = folder / "train.parquet"
    content = bytearray(file.read_bytes())
    content[4:200] = b"\xff" * 196
    file.write_bytes(content)
    with pytest.raises(UserMistake, match=r"train\.parquet is damaged"):
        read_prepared(folder).examples("train")


def test_missing_train_and_foreign_columns_are_refused(folder):
    pq.write_table(pa.table({"words": ["a"]}), folder / "valid.parquet")
    with pytest.raises(UserMistake, match="columns words where id, text, label"):
        read_prepared(folder)
    (folder / "train.parquet").unlink()
    with pytest.raises(UserMistake, match=r"no train\.parquet"):
        read_prepared(folder)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"text": [1], "label": ["sad"]},
            "Column 'text' of .* holds int64 where text is expected; run `buddy prepare`",
        ),
        ({"text": ["a"], "label": [["sad"]]}, "Column 'label' of .* holds list"),
        ({"text": ["a", None], "label": ["sad", "sad"]}, "is damaged"),
        ({"text": ["a"], "label": ["bored"]}, "has the label 'bored', which labels.json lacks"),
        ({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())}, "train split of .* has no texts"),
    ],
    ids=["numbers", "lists", "gaps", "unknown-label", "no-rows"],
)
def test_rows_that_buddy_would_not_write_are_refused(folder, columns, sentence):
    ids = pa.array(map(str, range(len(columns["text"]))), pa.string())
    pq.write_table(pa.table({"id": ids, **columns}), folder / "train.parquet")
    with pytest.raises(UserMistake, match=sentence):
        read_prepared(folder).examples("train")


def test_gap_in_a_conversation_is_refused(folder):
    turns = pa.array([["Hello.", None]], pa.list_(pa.string()))
    talk = pa.table({"id": ["1"], "emotion": ["sad"], "situation": [""], "turns": turns})
    pq.write_table(talk, folder / "dialogues" / "train.parquet")
    with pytest.raises(UserMistake, match=r"dialogues/train\.parquet is damaged"):
        read_prepared(folder).dialogues("train")


def test_labels_are_plain_json(folder):
    assert json.loads((folder / "labels.json").read_text()) == ["angry", "joyful", "sad"]


def test_unknown_split_is_a_defect_of_the_caller(tmp_path):
    with pytest.raises(ValueError, match="a split is one of"):
        write_prepared(tmp_path, {"holdout": TRAIN})


def test_import_is_light():
    import subprocess
    import sys

    code = "import sys, buddy.data.prepared; print([m for m in ('pyarrow', 'pandas', 'datasets') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
