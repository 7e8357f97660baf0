import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from buddy.inference.bulk import BulkResult
from buddy.inference.classifier import load_classifier
from buddy.models import find_model
from tests.conftest import LABELS

TEXTS = ["My old dog died and I told my friend.", "We won the game and we all went out."]


@pytest.fixture
def stdin(monkeypatch):
    """Let stdin hold some text."""

    def fill(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))

    return fill


def test_each_text_gets_its_label_and_the_runners_up_in_columns(buddy, exported_run):
    code, out, err = buddy("classify", *TEXTS, "--model", exported_run)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    for line, row, text in zip(lines, load_classifier(exported_run).probabilities(TEXTS), TEXTS, strict=True):
        ranked = row.argsort()[::-1][:3]
        cells = "   ".join(f"{LABELS[column]:<13} {row[column]:>4.0%}" for column in ranked)
        assert line == f"{cells}   {text}"
    assert [line.split()[0] for line in lines] == ["sad", "glad"]


def test_lines_of_stdin_are_texts_and_empty_ones_are_passed_over(buddy, exported_run, stdin):
    stdin(f"{TEXTS[0]}\r\n\n  \n{TEXTS[1]}")
    code, out, _ = buddy("classify", "--model", exported_run)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["sad", "glad"]
    assert out.splitlines()[0].endswith(TEXTS[0])


def test_many_lines_are_more_than_one_batch(buddy, exported_run, stdin, monkeypatch):
    monkeypatch.setattr("buddy.cli.classify.LINES_AT_ONCE", 3)
    stdin("".join(f"{TEXTS[i % 2]} {i}\n" for i in range(8)))
    _, out, _ = buddy("classify", "--model", exported_run, "--json")
    assert [json.loads(line)["text"][-1] for line in out.splitlines()] == list("01234567")


def test_lines_and_letters_may_be_cut_off_anywhere_while_they_are_read(buddy, exported_run, stdin, monkeypatch):
    monkeypatch.setattr("buddy.cli.classify.BYTES_AT_ONCE", 1)
    stdin("Café 😢\r\n\rSo sad")
    _, out, _ = buddy("classify", "--model", exported_run, "--json")
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["Café 😢", "So sad"]


def test_a_line_of_a_pipe_is_answered_before_the_next_one_comes(exported_run):
    command = [sys.executable, "-m", "buddy", "classify", "--json", "--model", str(exported_run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        for text in TEXTS:
            running.stdin.write(f"{text}\n".encode())
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["text"] == text


def test_json_has_the_probability_of_every_label(buddy, exported_run):
    code, out, _ = buddy("classify", "--json", "--model", exported_run, *TEXTS)
    assert code == 0
    expected = load_classifier(exported_run).probabilities(TEXTS)
    for line, row, text in zip(out.splitlines(), expected, TEXTS, strict=True):
        record = json.loads(line)
        assert record["text"] == text
        assert record["label"] == LABELS[row.argmax()]
        assert record["probability"] == record["probabilities"][record["label"]]
        np.testing.assert_allclose([record["probabilities"][label] for label in LABELS], row, atol=1e-5)


def test_a_run_is_as_good_as_its_export(buddy, exported_run, trained_run):
    assert buddy("classify", *TEXTS, "--model", trained_run)[1] == buddy("classify", *TEXTS, "--model", exported_run)[1]


def test_a_text_cannot_move_the_cursor(buddy, exported_run):
    _, out, _ = buddy("classify", "a\x1b[31mb\nc", "--model", exported_run)
    assert out.endswith("a [31mb c\n")


def test_nothing_in_nothing_out(buddy, exported_run, stdin):
    stdin("")
    assert buddy("classify", "--model", exported_run) == (0, "", "")


def test_without_the_model_that_ships_says_so(buddy, monkeypatch, tmp_path):
    monkeypatch.setattr("buddy.companion.buddy.find_model", lambda name: tmp_path / name)
    code, out, err = buddy("classify", "I lost my cat.")
    assert (code, out) == (2, "")
    assert err.startswith("buddy: The model that comes with buddy is missing from this installation;")


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_of_a_file_asks_the_model_that_ships_as_well_and_not_a_folder_of_its_name(
    buddy, monkeypatch, exported_run, tmp_path, engine
):
    asked: list[Path] = []

    def answer(folder: Path, *_: object) -> BulkResult:
        asked.append(folder)
        return BulkResult(1, 0, 0)

    shutil.copytree(exported_run, tmp_path / "companion")
    monkeypatch.setattr("buddy.inference.classifier.load_classifier", lambda folder: folder)
    monkeypatch.setattr("buddy.inference.bulk.classify_file", answer)
    monkeypatch.setattr("buddy.inference.ray_bulk.classify_on_ray", answer)
    assert buddy("classify", "--input", "a.csv", "--output", "b.csv", "--engine", engine)[0] == 0
    assert asked == [find_model("companion")]


def test_of_an_exported_model_needs_no_torch_and_bytes_that_are_no_text_are_read(exported_run):
    program = (
        "import sys, contextlib; from buddy.cli import main\n"
        f"sys.argv = ['buddy', 'classify', '--model', {str(exported_run)!r}]\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print({'torch', 'transformers', 'rich', 'pandas', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"caf\xe9\n", capture_output=True, check=True, env=os.environ
    )
    first, second = done.stdout.decode().splitlines()
    assert first.endswith("caf\ufffd")
    assert second == "set()"


def test_an_empty_text_is_passed_over_and_alone_it_is_a_mistake(buddy, exported_run):
    assert buddy("classify", "", TEXTS[0], "--model", exported_run)[1].splitlines()[0].endswith(TEXTS[0])
    code, out, err = buddy("classify", " ", "--model", exported_run)
    assert (code, out) == (2, "")
    assert "nothing to classify" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["I won.", "--strict"], "--strict is for files; it goes with --input and --output."),
        (["I won.", "--probabilities"], "--probabilities is for files"),
        (["--input", "a.csv", "--output", "b.csv", "--workers", "2"], "--workers is about a cluster"),
        (["I won.", "--engine", "ray"], "Ray is for files"),
        (["I won.", "--input", "a.csv", "--output", "b.csv"], "--input and --output go together"),
        (["--input", "a.csv"], "--input and --output go together"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(buddy, arguments, says):
    code, _, error = buddy("classify", *arguments)
    assert (code, says in error) == (2, True)


def test_a_configuration_file_may_have_options_for_files(buddy, exported_run, tmp_path):
    (tmp_path / "config.yaml").write_text("text_column: entry\nstrict: true\nworkers: 2\n")
    code, out, _ = buddy("classify", TEXTS[0], "--model", exported_run, "--config", tmp_path / "config.yaml")
    assert (code, out.split()[0]) == (0, "sad")


def test_letters_that_the_model_never_learned_are_pointed_out(buddy, exported_run):
    code, out, err = buddy("classify", "Я потерял кота", TEXTS[0], "--model", exported_run)
    assert (code, len(out.splitlines())) == (0, 2)
    assert "never learned, in 1 of the texts" in err


def test_a_terminal_gets_lines_that_fit(buddy, exported_run, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "150")
    _, out, _ = buddy("classify", "so " * 100, "so", "--model", exported_run)
    long, short = out.splitlines()
    assert len(long) == 150
    assert long.endswith("…")
    assert short.endswith("so")


@pytest.mark.parametrize("name", ["base", "companion"])
def test_a_model_that_ships_has_a_name(buddy, monkeypatch, exported_run, tmp_path, name):
    monkeypatch.setattr("buddy.inference.folder.find_model", {name: exported_run}.get)
    assert buddy("classify", TEXTS[0], "--model", name)[1].startswith("sad")
    code, _, err = buddy("classify", TEXTS[0], "--model", tmp_path / "nowhere")
    assert code == 2
    assert "There is no model" in err
