"""`buddy demo` on the real built-in data, with a run so short that it learns nothing."""

from pathlib import Path

import pytest


@pytest.mark.slow
def test_goes_through_the_whole_pipeline_and_says_what_comes_next(buddy, monkeypatch):
    monkeypatch.setattr("buddy.evaluation.during_training.TRAIN_SAMPLE", 100)
    monkeypatch.setattr("buddy.evaluation.figures.DOTS_PER_INCH", 30)
    code, out, err = buddy("demo", "--epochs", 0.05)
    assert code == 0
    for step in ("[1 of 3] Prepare", "[2 of 3] Train", "[3 of 3] Evaluate"):
        assert step in err
    assert f"Open the report:  {Path('runs/demo/report.html').absolute()}" in out
    assert "buddy train --data data/empathetic-dialogues" in out
    assert "TF-IDF" in out
    report = Path("runs/demo/report.html").read_text()
    assert "Right" in report
    assert {path.name for path in Path("runs/demo").iterdir()} >= {"metrics.json", "predictions.parquet", "figures"}


def test_a_second_demo_takes_another_folder(tmp_path, monkeypatch):
    from buddy.cli.demo import _free_folder

    assert _free_folder(tmp_path, "demo") == tmp_path / "demo"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo-2").mkdir()
    assert _free_folder(tmp_path, "demo") == tmp_path / "demo-3"


def test_stopped_by_a_signal_ends_with_its_code_and_does_not_evaluate(buddy, monkeypatch):
    from buddy.training.stopping import StopRequest

    monkeypatch.setattr("buddy.training.run.start_run", lambda *_: StopRequest(signal_number=15))
    code, out, err = buddy("demo", "--out", "here")
    assert code == 143
    assert "Stopped by SIGTERM and saved. Go on with: buddy train --resume --out here" in out
    assert "[3 of 3]" not in err
