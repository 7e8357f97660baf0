"""A whole file gets its labels: the same as one by one, in order, and nothing twice after an interruption."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.errors import UserMistake
from buddy.files import held
from buddy.inference import bulk, classifier
from buddy.inference.bulk import BulkResult, BulkSettings, RowCounts, classify_file, count_rows
from buddy.inference.classifier import load_classifier
from buddy.inference.folder import read_facts, save_temperature
from tests.conftest import ENDINGS, LABELS, OPENINGS

TEXTS = [f"{opening} {ending}" for openings in OPENINGS.values() for opening in openings for ending in ENDINGS][:50]


@pytest.fixture(scope="module")
def model(exported_run):
    return load_classifier(exported_run)


@pytest.fixture
def diary(tmp_path):
    """A file of fifty texts, among them one that is empty and one line that is no row."""
    with open(tmp_path / "diary.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "entry"])
        writer.writerows([i, "" if i == 7 else text] for i, text in enumerate(TEXTS))
        file.write("too,many,fields\n")
    return BulkSettings(tmp_path / "diary.csv", tmp_path / "moods.csv", "entry")


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_rows_keep_their_order_and_get_what_they_would_get_alone(model, diary, monkeypatch, at_once):
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", at_once)
    assert classify_file(model, "m", diary) == BulkResult(labelled=49, without_text=1, unreadable=1)
    rows = rows_of(diary.output)
    assert [row["day"] for row in rows] == [str(i) for i in range(50)]
    expected = model.probabilities(TEXTS)
    for i, row in enumerate(rows):
        if i == 7:
            assert (row["label"], row["probability"]) == ("", "")
        else:
            assert row["label"] == LABELS[expected[i].argmax()]
            assert float(row["probability"]) == pytest.approx(expected[i].max(), abs=1e-5)
    assert not list(diary.output.parent.glob("*.unfinished"))


def test_every_label_gets_a_column_if_asked_for(model, diary):
    classify_file(model, "m", replace(diary, all_probabilities=True, prefix="my_"))
    row = rows_of(diary.output)[3]
    assert list(row)[2:] == ["my_label", "my_probability", *(f"my_probability_{label}" for label in LABELS)]
    np.testing.assert_allclose(
        [float(row[f"my_probability_{label}"]) for label in LABELS], model.probabilities([TEXTS[3]])[0], atol=1e-5
    )


def test_problems_are_told_by_line_and_the_twentieth_ends_the_list(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bulk, "PROBLEMS_TOLD", 2)
    (tmp_path / "a.jsonl").write_text('{"text": "I am sad"}\nx\n{"text": 5}\n{"more": 1}\n{"text": " "}\n')
    result = classify_file(model, "m", BulkSettings(tmp_path / "a.jsonl", tmp_path / "b.jsonl", "text"))
    assert result == BulkResult(labelled=1, without_text=3, unreadable=1)
    err = capsys.readouterr().err
    assert "line 2: it is no JSON; the row is left out." in err
    assert "line 3: it has no text; the row gets no label." in err
    assert "line 4" not in err
    assert "… and 2 more rows." in err
    assert len((tmp_path / "b.jsonl").read_text().splitlines()) == 4


def test_problems_of_a_parquet_file_are_told_by_row(model, tmp_path, capsys):
    pq.write_table(pa.table({"text": ["I am sad", None]}), tmp_path / "a.parquet")
    classify_file(model, "m", BulkSettings(tmp_path / "a.parquet", tmp_path / "b.parquet", "text"))
    assert "a.parquet, row 2: it has no text; the row gets no label." in capsys.readouterr().err


def test_strict_ends_at_the_first(model, diary):
    with pytest.raises(UserMistake, match=r"line 9: it has no text\. Without --strict"):
        classify_file(model, "m", replace(diary, strict=True))
    assert not diary.output.exists()


class Failing:
    """A model that fails after some texts."""

    labels = LABELS

    def __init__(self, model, texts):
        self.model, self.left, self.asked = model, texts, 0

    def probabilities(self, texts):
        self.asked += len(texts)
        if self.asked > self.left:
            raise RuntimeError("the power is gone")
        return self.model.probabilities(texts)


@pytest.mark.parametrize("cut", [0, 3], ids=["whole-records", "half-a-record"])
def test_goes_on_where_it_was_interrupted(model, diary, monkeypatch, cut):
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 5)
    classify_file(model, "m", replace(diary, output=diary.output.with_name("whole.csv")))
    with pytest.raises(RuntimeError, match="power"):
        classify_file(Failing(model, 30), "m", diary)
    answers = diary.output.with_name("moods.csv.unfinished") / "answers.f32"
    done = answers.stat().st_size // (4 * len(LABELS))
    assert 20 <= done < 50
    if cut:
        answers.write_bytes(answers.read_bytes()[:-cut])
    with pytest.raises(UserMistake, match="--resume goes on"):
        classify_file(model, "m", diary)
    rest = Failing(model, 1000)
    classify_file(rest, "m", replace(diary, resume=True))
    assert rest.asked <= 51 - done + bool(cut)
    assert diary.output.read_bytes() == diary.output.with_name("whole.csv").read_bytes()


def test_a_second_process_at_the_same_output_is_refused(model, diary):
    work = diary.output.with_name("moods.csv.unfinished")
    with held(work / ".lock"), pytest.raises(UserMistake, match="Another process is at work"):
        classify_file(model, "m", replace(diary, resume=True))
    classify_file(model, "m", diary)
    assert diary.output.exists()
    assert not work.exists()


def test_the_answers_of_another_file_or_model_are_refused(model, diary, monkeypatch):
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 5)
    with pytest.raises(RuntimeError):
        classify_file(Failing(model, 30), "m", diary)
    with pytest.raises(UserMistake, match="another file, column or model"):
        classify_file(model, "other", replace(diary, resume=True))
    with open(diary.input, "a") as file:
        file.write("51,one more\n")
    with pytest.raises(UserMistake, match="another file, column or model"):
        classify_file(model, "m", replace(diary, resume=True))


def test_rows_that_an_earlier_run_passed_over_end_a_strict_one(model, diary, monkeypatch):
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 5)
    with pytest.raises(RuntimeError, match="power"):
        classify_file(Failing(model, 30), "m", diary)
    with pytest.raises(UserMistake, match=r"line 9: it has no text\. Without --strict"):
        classify_file(model, "m", replace(diary, resume=True, strict=True))
    classify_file(model, "m", replace(diary, resume=True))
    assert len(rows_of(diary.output)) == 50


class Meanwhile:
    """A model beside which something else happens."""

    labels = LABELS

    def __init__(self, happen):
        self.happen = happen

    def probabilities(self, texts):
        self.happen()
        return np.full((len(texts), len(LABELS)), 1 / len(LABELS))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("change", ["grows", "is-cut-off", "is-written-again"])
def test_a_file_that_is_changed_meanwhile_is_told_in_a_sentence(tmp_path, kind, change):
    file = tmp_path / f"diary.{kind}"
    rows = ["text\n", "I am sad\n", "We won\n"] if kind == "csv" else ['{"text": "I am sad"}\n'] * 3
    file.write_text("".join(rows))

    def happen():
        file.write_text(
            "".join({"grows": [*rows, rows[-1]], "is-cut-off": rows[:-1], "is-written-again": rows}[change])
        )
        os.utime(file, (0, 0))

    with pytest.raises(UserMistake, match=r"diary\.\w+ was changed while it was read; remove .*out\.\w+\.unfinished"):
        classify_file(Meanwhile(happen), "m", BulkSettings(file, tmp_path / f"out.{kind}", "text"))
    assert not (tmp_path / f"out.{kind}").exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text_column": "text"}, "has no column 'text'; it has 'day', 'entry'"),
        ({"output": "moods.jsonl"}, "must end in .csv"),
        ({"output": "diary.csv"}, "exists already"),
        ({"input": "nowhere.csv"}, "There is no file"),
        ({"prefix": "", "header": "label,entry"}, "has a column 'label' already; --prefix"),
    ],
)
def test_mistakes_are_told_before_the_work(diary, tmp_path, model, changes, sentence):
    if header := changes.pop("header", None):
        diary.input.write_text(diary.input.read_text().replace("day,entry", header, 1))
    files = {name: tmp_path / value for name, value in changes.items() if name in ("input", "output")}
    with pytest.raises(UserMistake, match=sentence):
        classify_file(Failing(model, 0), "m", replace(diary, **{**changes, **files}))


def test_a_header_that_is_not_utf_8_is_told_before_the_work(model, diary):
    diary.input.write_bytes(diary.input.read_bytes().replace(b"day", b"journ\xe9e", 1))
    with pytest.raises(UserMistake, match=r"header of .* is not UTF-8; save the file as UTF-8"):
        classify_file(Failing(model, 0), "m", diary)


def test_a_new_column_that_only_a_later_line_of_json_has_is_told_before_the_work(model, tmp_path):
    settings = BulkSettings(tmp_path / "a.jsonl", tmp_path / "b.jsonl", "text")
    settings.input.write_text('{"text": "I am sad"}\nno json\n{"text": "We won", "label": "mine"}\n')
    with pytest.raises(UserMistake, match=r"a\.jsonl, line 3, has a column 'label' already; --prefix"):
        classify_file(Failing(model, 0), "m", settings)
    assert not list(tmp_path.glob("b.jsonl*"))
    classify_file(model, "m", replace(settings, prefix="my_"))
    row = json.loads(settings.output.read_text().splitlines()[1])
    assert list(row) == ["text", "label", "my_label", "my_probability"]
    assert row["label"] == "mine"


def test_the_rows_of_a_parquet_file_are_counted_without_reading_them(tmp_path, monkeypatch):
    pq.write_table(pa.table({"text": ["I am sad"] * 7}), tmp_path / "a.parquet", row_group_size=3)
    monkeypatch.setattr(bulk, "read_rows", None)
    assert count_rows(tmp_path / "a.parquet", "a.parquet", ["label"]) == RowCounts(all=7, unreadable=0)


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    """What is allocated at a time, for a file of 2,000 rows and for one of 10,000, which has 4 MB of texts more."""
    import tracemalloc

    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 500)
    peaks = []
    for rows in (2_000, 10_000):
        file = tmp_path / f"{rows}.jsonl"
        file.write_text("".join(json.dumps({"text": f"I am sad {i} " + "so " * 150}) + "\n" for i in range(rows)))
        tracemalloc.start()
        classify_file(Constant(), "m", BulkSettings(file, tmp_path / f"out{rows}.jsonl", "text"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000


class Constant:
    """A model that answers at once."""

    labels = LABELS

    def probabilities(self, texts):
        return np.full((len(texts), len(LABELS)), 1 / len(LABELS))


PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test in the background has it ignored
from buddy.cli import main
main()
"""


class TestCommand:
    def test_makes_the_file(self, buddy, exported_run, diary):
        code, out, err = buddy(
            "classify",
            "--input",
            diary.input,
            "--text-column",
            "entry",
            "--output",
            diary.output,
            "--model",
            exported_run,
        )
        assert code == 0
        assert out == f"{diary.output}: 49 labels, 1 row without text, 1 row left out as unreadable.\n"
        assert "line 9: it has no text" in err
        assert len(rows_of(diary.output)) == 50

    def test_goes_on_with_the_same_model_only_not_with_one_that_took_its_place(
        self, buddy, model, exported_run, diary, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 5)
        folder = shutil.copytree(exported_run, tmp_path / "model")
        files = ("--input", diary.input, "--text-column", "entry", "--output", diary.output)
        command = ("classify", *files, "--model", folder)
        with monkeypatch.context() as power:
            power.setattr(classifier, "load_classifier", lambda _: Failing(model, 30))
            with pytest.raises(RuntimeError, match="power"):
                buddy(*command)
        temperature = read_facts(folder).temperature
        save_temperature(folder, 2 * temperature)
        code, _, err = buddy(*command, "--resume")
        assert code == 2
        assert "belongs to another file, column or model" in err
        save_temperature(folder, temperature)
        assert buddy(*command, "--resume")[0] == 0

    @pytest.mark.parametrize(
        "arguments", [("--input", "a.csv"), ("--output", "b.csv"), ("x", "--input", "a", "--output", "b")]
    )
    def test_needs_both_files_and_no_texts(self, buddy, arguments):
        code, _, err = buddy("classify", *arguments)
        assert code == 2
        assert "go together" in err

    def test_ctrl_c_loses_nothing(self, exported_run, tmp_path):
        file = tmp_path / "many.jsonl"
        file.write_text("".join(json.dumps({"text": TEXTS[i % 50]}) + "\n" for i in range(40_000)))
        options = ["--input", str(file), "--output", str(tmp_path / "out.jsonl"), "--model", str(exported_run)]
        command = [sys.executable, "-c", PROGRAM, "classify", *options]
        answers = tmp_path / "out.jsonl.unfinished" / "answers.f32"
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while not (answers.exists() and answers.stat().st_size):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 130
        assert "--resume goes on" in err
        subprocess.run([*command, "--resume"], check=True, capture_output=True)
        lines = (tmp_path / "out.jsonl").read_text().splitlines()
        assert len(lines) == 40_000
        assert {json.loads(line)["label"] for line in lines[:50]} <= set(LABELS)
