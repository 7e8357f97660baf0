import json
from pathlib import Path

import pytest

ROWS = "message,mood\n" + "".join(f"text number {n},{'sad' if n % 2 else 'glad'}\n" for n in range(40))


@pytest.fixture
def moods(tmp_path):
    path = tmp_path / "moods.csv"
    path.write_text(ROWS + ",sad\n")
    return path


def test_a_table_becomes_a_folder_and_a_summary(buddy, moods):
    code, out, err = buddy("prepare", "--source", "moods.csv")
    assert code == 0
    assert out == (
        "moods: 2 labels\n"
        "\n"
        "  split          texts\n"
        "  train             32\n"
        "  valid              4\n"
        "  test               4\n"
        "\n"
        "41 rows read, 1 dropped.\n"
        "\n"
        "Worth knowing:\n"
        "  - Dropped: 1 row, no text.\n"
        "\n"
        "Data card: data/moods/data_card.md\n"
        "Next:      buddy train --data data/moods\n"
    )
    assert err == "Taking the texts from column 'message' and the labels from column 'mood'.\n"


def test_columns_and_shares_are_passed_on(buddy, moods):
    moods.write_text("a,b,mood\n" + "".join(f"{n},text {n},{'sad' if n % 2 else 'glad'}\n" for n in range(40)))
    arguments = "--text-column b --label-column mood --group-column a --valid-fraction 0.25 --test-fraction 0 --seed 5"
    code, out, err = buddy("prepare", "--source", "moods.csv", *arguments.split(), "--out", "here", "--drop-leaks")
    assert (code, err) == (0, "")
    assert "valid             10\n" in out
    assert "test " not in out
    assert Path("here/train.parquet").is_file()


def test_config_file_gives_defaults_and_the_command_line_wins(buddy, moods):
    Path("prepare.yaml").write_text("source: moods.csv\nout: from-config\nvalid_fraction: 0.25\n")
    code, out, _ = buddy("prepare", "--config", "prepare.yaml", "--out", "typed")
    assert code == 0
    assert "valid             10\n" in out
    assert Path("typed").is_dir()
    assert not Path("from-config").exists()


def test_leaks_and_conversations_are_summarised(buddy):
    from tests.data.conftest import conversation, csv_file

    leak = "I lost my dog in the big park"
    train = csv_file(
        conversation("a", "sad", leak, "x", "y"),
        conversation("b", "glad", "w", "x"),
        conversation("c", "sad", "v", "x"),
    )
    _write_archive({"train.csv": train, "valid.csv": csv_file(conversation("d", "sad", leak, "x"))})
    code, out, err = buddy("prepare", "--archive", "ed.tar.gz", "--out", "ed", "--drop-leaks")
    assert code == 0
    assert "  split          texts  conversations          turns\n" in out
    assert "  train              2              2              2\n" in out
    assert "Taken out of train because valid or test has them: 1 text, 1 conversation.\n" in out
    assert "not the official file" in err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--source", "nowhere"), 2, "There is no file or folder 'nowhere'"),
        (("--source", "moods.csv", "--label-column", "feeling"), 2, "its columns are 'message', 'mood'."),
        (("--archive", "none.tar.gz"), 2, "none.tar.gz: No such file or directory; check the name."),
        (("--archive", "moods.csv"), 2, "not a tar archive"),
        (("--source", "moods.csv", "--valid-fraction", "2"), 2, "must be at least 0 and less than 1"),
        (("--url", "http://127.0.0.1:9/x"), 1, "Could not fetch http://127.0.0.1:9/x"),
    ],
)
def test_failures_are_one_sentence(buddy, moods, monkeypatch, arguments, code, sentence):
    monkeypatch.setattr("buddy.data.download.sleep", lambda _: None)
    found, out, err = buddy("prepare", *arguments)
    assert (found, out) == (code, "")
    last = err.splitlines()[-1]
    assert last.startswith("buddy: ")
    assert sentence in last
    assert "Traceback" not in err


def test_label_cannot_colour_the_terminal(buddy):
    rows = [json.dumps({"text": f"text {n}", "label": "\x1b[31msad" if n % 2 else "glad"}) for n in range(8)]
    Path("moods.jsonl").write_text("\n".join(rows))
    code, out, _ = buddy("prepare", "--source", "moods.jsonl")
    assert code == 0
    assert "fewer than 5 training texts:  [31msad, glad" in out
    assert "\x1b" not in out


def test_interrupt_leaves_nothing(buddy, monkeypatch):
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("buddy.data.prepare.read_builtin", interrupted)
    code, _, err = buddy("prepare", "--source", "builtin")
    assert code == 130
    assert "Traceback" not in err
    assert not Path("data").exists()


def test_help_ends_with_examples(buddy):
    code, out, _ = buddy("prepare", "--help")
    assert code == 0
    assert out.split("Examples:")[1].count("buddy prepare") == 4


def _write_archive(files: dict[str, str]) -> None:
    import tarfile

    for name, content in files.items():
        Path(name).write_text(content)
    with tarfile.open("ed.tar.gz", "w:gz") as tar:
        for name in files:
            tar.add(name)
