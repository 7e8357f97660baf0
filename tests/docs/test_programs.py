"""The Python programs on the pages, run with small models under the names that they have for their own."""

import re
from pathlib import Path

import pytest

from tests.conftest import LABELS
from tests.docs.pages import DOCS, README, blocks, run_program

EMOTIONS = 32


def program(page: str, begins: str = "from ") -> str:
    """Give the one program of a page."""
    (found,) = [block for block in blocks(DOCS / f"{page}.md", "python") if block.startswith(begins)]
    return found


def test_first_program_runs_with_the_model_that_comes_with_buddy(capsys):
    run_program(program("index"))
    emotion, reply = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"joyful \d+%", emotion)
    assert reply.strip()


def test_program_of_the_readme_runs():
    (code,) = blocks(README, "python")
    assert run_program(code)["buddy"].emotion("I finally got the job!").label == "joyful"  # type: ignore[attr-defined]


def test_program_of_the_reference_runs(moods, tmp_path, monkeypatch, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "builtin").symlink_to(moods)
    monkeypatch.chdir(tmp_path)
    run_program(program("reference"))
    assert capsys.readouterr().out.strip() in LABELS


def test_program_with_a_companion_runs(companion_checkpoint, tmp_path, monkeypatch, capsys):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "companion").symlink_to(companion_checkpoint.parent)
    monkeypatch.chdir(tmp_path)
    run_program(program("using"))
    first, emotion, *reply = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"({'|'.join(LABELS)}) \d+% \[.*\]", first)
    assert emotion in LABELS
    assert "".join(reply).strip()


def test_table_of_the_tutorial_has_the_rows_that_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_program(program("tutorials/own-labels", "# make_tickets.py"))
    rows = Path("tickets.csv").read_text("utf-8").splitlines()
    assert rows[0] == "message,kind"
    assert f"writes one of {len(rows) - 1} made-up messages" in (DOCS / "tutorials" / "own-labels.md").read_text(
        "utf-8"
    )
    assert f"{len(rows) - 1} rows read, 0 dropped." in (DOCS / "tutorials" / "own-labels.md").read_text("utf-8")


def test_server_of_the_tutorial_answers():
    testclient = pytest.importorskip("fastapi.testclient", reason="the extra 'serve' is not installed")
    client = testclient.TestClient(run_program(program("tutorials/server", "# server.py"))["app"])
    answer = client.post("/emotion", json={"text": "I lost my cat."})
    assert answer.status_code == 200
    shown = re.search(r'{"label":"(\w+)"', (DOCS / "tutorials" / "server.md").read_text("utf-8"))
    assert shown
    assert answer.json()["label"] == shown[1]
    assert len(answer.json()["probabilities"]) == EMOTIONS
    assert client.post("/emotion", json={"text": ""}).status_code == 422
    assert client.post("/emotion", json={"text": "so " * 999}).status_code == 422
    assert client.post("/emotion", json={"words": "I lost my cat."}).status_code == 422
