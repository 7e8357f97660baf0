"""The two commands as a person meets them: what stands on stdout, what on stderr, and how they fail."""

import json

import pytest

from buddy.cli import main


def buddy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run the command line; give its exit code, stdout and stderr."""
    monkeypatch.setattr("sys.argv", ["buddy", *map(str, words)])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def command(monkeypatch, capsys):
    return lambda *words: buddy(monkeypatch, capsys, *words)


def test_evaluate_prints_a_table_and_writes_everything(run, command):
    code, out, err = command("evaluate", run.folder, "--baselines", "--bootstrap", 40)
    metrics = json.loads(run.file("metrics.json").read_text())
    assert code == 0
    assert f"{100 * metrics['accuracy']:.1f}" in out
    assert "valid: 120 texts, 4 labels, 95% intervals from 40 resamples" in out
    assert "TF-IDF + logistic regression" in out
    assert "\x1b[" not in out
    assert f"Report: {run.file('report.html')}" in err
    names = {file.name for file in run.folder.iterdir()}
    assert {"metrics.json", "metrics-valid.json", "predictions.parquet", "figures", "report.html"} <= names


@pytest.fixture
def no_report(monkeypatch):
    """Leave the page out where a test is about other things."""
    monkeypatch.setattr("buddy.evaluation.report.write_report", lambda run: run / "report.html")


def test_the_plain_table_is_aligned(run, command, no_report):
    _, out, _ = command("evaluate", run.folder, "--baselines", "--bootstrap", 40)
    table = [line for line in out.splitlines() if line.rstrip().endswith(")")]
    assert len(table) == 6
    assert len({len(line.rstrip()) for line in table}) == 1  # the last column ends at one place


def test_without_resamples_no_interval_is_claimed(run, command):
    _, out, _ = command("evaluate", run.folder, "--baselines", "--bootstrap", 0)
    assert "interval" not in out
    assert "(" not in out
    assert "95%" not in run.file("report.html").read_text()
    metrics = json.loads(run.file("metrics.json").read_text())
    assert metrics["intervals"] == {}
    assert metrics["baselines"]["majority"]["accuracy_gain"]["interval"] is None


def test_json_is_all_that_stands_on_stdout(run, command, no_report):
    _, out, _ = command("evaluate", run.folder, "--split", "test", "--json", "--bootstrap", 5)
    assert json.loads(out) == json.loads(run.file("metrics.json").read_text())
    assert json.loads(out)["split"] == "test"


def test_a_companion_gets_two_more_tables(make_run, command, no_report):
    run = make_run(task="companion")
    _, out, _ = command("evaluate", run.folder, "--bootstrap", 40, "--replies", 6)
    replies = json.loads(run.file("metrics.json").read_text())["replies"]
    assert "12 conversations" in out
    assert f"{replies['perplexity']['per_word']:.1f} (" in out
    assert "emotion after the last turn, %" in out
    assert f"{replies['generated']['replies']} replies written in 6 conversations" in out
    assert "distinct-2, %" in out
    _, out, _ = command("evaluate", run.folder, "--bootstrap", 40, "--replies", 0)
    assert "perplexity per word" in out
    assert "distinct" not in out


def test_options_may_come_from_a_file(run, command, tmp_path, no_report):
    (tmp_path / "options.yaml").write_text("split: test\nbootstrap: 7\nbaselines: true\n")
    command("evaluate", run.folder, "--config", tmp_path / "options.yaml")
    metrics = json.loads(run.file("metrics.json").read_text())
    assert (metrics["split"], metrics["bootstrap"]["resamples"], len(metrics["baselines"])) == ("test", 7, 2)


def test_report_prints_where_the_page_is(run, command):
    code, out, _ = command("report", run.folder)
    assert code == 0
    assert out.strip() == str(run.file("report.html"))
    assert run.file("report.html").is_file()


@pytest.mark.parametrize("name", ["evaluate", "report"])
def test_a_folder_that_is_no_run_gets_one_sentence(command, tmp_path, name):
    code, out, err = command(name, tmp_path)
    assert (code, out) == (2, "")
    assert err == f"buddy: {tmp_path} is not a run folder (no config.yaml); name a folder that `buddy train` wrote.\n"


@pytest.mark.parametrize("name", ["evaluate", "report"])
def test_help_ends_with_examples(command, name):
    _, out, _ = command(name, "--help")
    assert f"buddy {name} runs/emotion" in out.split("Examples:")[1]
