import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from buddy.data.corpus import CorpusFile, parse_corpus_file, read_passages
from buddy.data.prepared import write_prepared
from buddy.errors import UserMistake
from buddy.records import Dialogue, Example

LINES = [{"text": "It rained."}, {"turns": ["Hi.", " How are\nyou? "], "label": "ignored"}]
TURNS = ("Hi.", "How are you?")


def write_lines(path: Path, lines: list[object]) -> Path:
    opener: Any = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    with opener(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, lines)) + "\n\n")
    return path


@pytest.mark.parametrize("name", ["talk.jsonl", "talk.jsonl.xz", "talk.jsonl.gz"])
def test_json_lines_give_prose_and_conversations_however_compressed(tmp_path, name):
    path = write_lines(tmp_path / name, LINES)
    assert list(read_passages(CorpusFile(path), seed=1)) == ["It rained.", Dialogue(f"{name}:2", "", "", TURNS)]


def test_a_text_file_gives_paragraphs(tmp_path):
    path = tmp_path / "novel.txt"
    path.write_text("One line\nand another.\n\n\nA second passage.")
    assert list(read_passages(CorpusFile(path), 1)) == ["One line\nand another.", "A second passage."]


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", '{"text": "It rained."}'), ("a.txt", "It rained.")])
@pytest.mark.parametrize("opener", [open, gzip.open])
def test_a_mark_of_the_byte_order_is_no_part_of_the_text(tmp_path, name, content, opener):
    path = tmp_path / (name if opener is open else f"{name}.gz")
    with opener(path, "wb") as file:
        file.write(content.encode("utf-8-sig"))
    assert list(read_passages(CorpusFile(path), 1)) == ["It rained."]


def test_a_prepared_folder_gives_its_training_split_only(tmp_path):
    talk = Dialogue("t1", "sad", "My cat died.", ("My cat died.", "I am sorry."))
    examples = {"train": [Example("1", "We won!", "joyful")], "valid": [Example("2", "Go away.", "angry")]}
    write_prepared(tmp_path, examples, {"train": [talk], "valid": [talk]})
    assert list(read_passages(CorpusFile(tmp_path), 1)) == [Example("1", "We won!", "joyful"), talk]


def test_times_repeat_passages_or_keep_a_share_of_them_that_the_seed_decides(tmp_path):
    path = write_lines(tmp_path / "many.jsonl", [{"text": f"Day {i}."} for i in range(1000)])
    assert list(read_passages(CorpusFile(path, 2), 1))[:4] == ["Day 0.", "Day 0.", "Day 1.", "Day 1."]
    some = list(read_passages(CorpusFile(path, 0.3), 1))
    assert 240 < len(some) == len(set(some)) < 360
    assert some == list(read_passages(CorpusFile(path, 0.3), 1)) != list(read_passages(CorpusFile(path, 0.3), 2))
    assert 1240 < len(list(read_passages(CorpusFile(path, 1.3), 1))) < 1360


@pytest.mark.parametrize(
    "line", ['{"text": ""}', '{"turns": []}', '{"turns": ["a", 3]}', "[1]", '"text"', "{", '{"other": "x"}']
)
def test_names_the_line_that_is_no_passage(tmp_path, line):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(UserMistake, match=r"bad\.jsonl, line 2: expected"):
        list(read_passages(CorpusFile(path), 1))


@pytest.mark.parametrize("content", [b"no archive", lzma.compress(b'{"text": "a"}\n' * 999)[:-20]])
def test_a_damaged_archive_is_named(tmp_path, content):
    (tmp_path / "a.jsonl.xz").write_bytes(content)
    with pytest.raises(UserMistake, match=r"a\.jsonl\.xz is damaged"):
        list(read_passages(CorpusFile(tmp_path / "a.jsonl.xz"), 1))


def test_an_archive_with_damage_in_its_middle_is_named(tmp_path):
    content = bytearray(gzip.compress(b'{"text": "a"}\n' * 999))
    content[20:40] = bytes(20)
    (tmp_path / "a.jsonl.gz").write_bytes(content)
    with pytest.raises(UserMistake, match=r"a\.jsonl\.gz is damaged"):
        list(read_passages(CorpusFile(tmp_path / "a.jsonl.gz"), 1))


def test_half_surrogates_become_question_marks_and_line_breaks_stay(tmp_path):
    path = write_lines(tmp_path / "cut.jsonl", [{"text": " Hello \ud83d there.\nBye. "}, {"turns": ["Hi \ud83d"]}])
    prose, talk = read_passages(CorpusFile(path), 1)
    assert prose == "Hello ? there.\nBye."
    assert isinstance(talk, Dialogue)
    assert talk.turns == ("Hi ?",)


def test_another_kind_of_file_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text\n")
    with pytest.raises(UserMistake, match=r"no \.jsonl or \.txt file"):
        list(read_passages(CorpusFile(tmp_path / "a.csv"), 1))


def test_arguments(tmp_path):
    path, odd = tmp_path / "a.txt", tmp_path / "b@2.txt"
    path.touch(), odd.touch()
    assert parse_corpus_file(str(path)) == CorpusFile(path, 1.0)
    assert parse_corpus_file(f"{path}@2.5") == CorpusFile(path, 2.5)
    assert parse_corpus_file(str(odd)) == CorpusFile(odd, 1.0)
    assert parse_corpus_file(f"{odd}@3") == CorpusFile(odd, 3.0)


@pytest.mark.parametrize("times", ["0", "-1", "x", "", "nan", "inf", "101"])
def test_times_must_be_a_sensible_number(tmp_path, times):
    (tmp_path / "a.txt").touch()
    with pytest.raises(UserMistake, match="above 0 and up to 100"):
        parse_corpus_file(f"{tmp_path / 'a.txt'}@{times}")


def test_a_missing_file_is_named():
    with pytest.raises(UserMistake, match=r"no file or folder nowhere\.txt"):
        parse_corpus_file("nowhere.txt@2")
