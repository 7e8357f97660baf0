from pathlib import Path

import pytest

from buddy.data.own_data import read_own_data
from buddy.errors import UserMistake


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)


def test_a_file_is_unsplit(tmp_path):
    write(tmp_path, moods="text,label,who\na,sad,x\nb,glad,y\n,sad,z\n")
    source = read_own_data(tmp_path / "moods.csv", None, None, "who")
    assert {split: [row.id for row in rows] for split, rows in source.examples.items()} == {
        "all": ["moods-1", "moods-2"]
    }
    assert source.rows_read == {"all": 3}
    assert source.groups == {"moods-1": "x", "moods-2": "y"}
    assert source.details == {"text_column": "text", "label_column": "label", "group_column": "who"}


@pytest.mark.parametrize("valid", ["valid", "Validation", "dev", "val"])
def test_a_folder_brings_its_splits(tmp_path, valid, capsys):
    write(tmp_path, test="text,label\nc,sad\n", train="text,label\na,sad\n", **{valid: "text,label\nb,sad\n"})
    (tmp_path / "notes.txt").write_text("ignored")
    (tmp_path / "train.md").write_text("ignored")
    (tmp_path / "labels.json").write_text("no rows")
    (tmp_path / "test_results.json").write_text("no rows")
    (tmp_path / ".gitignore").write_text("nobody's business")
    (tmp_path / "test.parquet").mkdir()
    source = read_own_data(tmp_path, None, None, None)
    assert {split: rows[0].text for split, rows in source.examples.items()} == {"train": "a", "valid": "b", "test": "c"}
    assert list(source.examples) == ["train", "valid", "test"]
    assert source.examples["valid"][0].id == "valid-1"
    others = "'labels.json', 'notes.txt', 'test.parquet', 'test_results.json', 'train.md'"
    assert capsys.readouterr().err == f"Not read in {tmp_path}: {others}.\n"


@pytest.mark.parametrize("test", ["test_1.csv", "testset.csv", "test.json", "Test (1).jsonl"])
def test_a_file_whose_name_begins_with_a_split_belongs_to_it(tmp_path, test, capsys):
    write(tmp_path, train="text,label\na,sad\n")
    rows = "text,label\nc,sad\n" if test.endswith("csv") else '{"text": "c", "label": "sad"}\n'
    (tmp_path / test).write_text(rows)
    source = read_own_data(tmp_path, None, None, None)
    assert {split: rows[0].text for split, rows in source.examples.items()} == {"train": "a", "test": "c"}
    assert capsys.readouterr().err == ""


def test_of_many_other_files_some_are_named(tmp_path, capsys):
    write(tmp_path, train="text,label\na,sad\n")
    for number in range(10, 25):
        (tmp_path / f"{number}.png").touch()
    read_own_data(tmp_path, None, None, None)
    assert capsys.readouterr().err.endswith(" '18.png', '19.png' and 5 more.\n")


def test_columns_are_those_of_train(tmp_path):
    write(tmp_path, train="said,mood\na,sad\nb,sad\n", test="said,feeling\nc,sad\n")
    with pytest.raises(UserMistake, match=r"test\.csv has no column 'mood'"):
        read_own_data(tmp_path, None, None, None)


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(UserMistake, match="has no train file"):
        read_own_data(tmp_path, None, None, None)
    write(tmp_path, train="text,label\na,sad\n", dev="text,label\na,sad\n", valid="text,label\na,sad\n")
    with pytest.raises(UserMistake, match=r"two files for the valid split: dev\.csv and valid\.csv\. --stream reads"):
        read_own_data(tmp_path, None, None, None)
    write(tmp_path, moods="text,label\na,sad\n")
    with pytest.raises(UserMistake, match=r"To which split does .*moods\.csv belong\?"):
        read_own_data(tmp_path, None, None, None)
