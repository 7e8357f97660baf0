from pathlib import Path

import pytest
import yaml

from tests.training.conftest import curves, weights

QUICK = ("--backbone", "scratch:tiny", "--vocabulary-size", 300, "--epochs", 1, "--batch-size", 16, "--max-tokens", 32)


def test_a_run_is_made_summarised_and_named(buddy, moods):
    code, out, err = buddy("train", "--data", moods, *QUICK, "--best-by", "loss", "--device", "cpu")
    assert code == 0
    best = min(curves(Path("runs/emotion")), key=lambda point: point["valid_loss"])
    assert out == (
        f"Best at step {best['step']}: {best['valid_accuracy']:.1%} right on valid, loss {best['valid_loss']:.3f}.\n"
        "Model: runs/emotion/best\n"
        "Next:  buddy evaluate runs/emotion\n"
    )
    lines = err.splitlines()
    assert lines[0] == f"data      {moods}: 48 documents to learn, 4 labels"
    assert lines[1].startswith("model     scratch:tiny, 0.2M parameters")
    assert lines[2].startswith("device    cpu as asked, ")
    assert lines[3] == "plan      3 steps of 16 documents, at most 1 epochs"
    assert lines[4] == "run       runs/emotion"
    assert lines[5].startswith("step      2  epoch  0.67   loss ")
    assert lines[6].startswith("step      3  epoch  1.00   loss ")
    assert lines[5].endswith("best so far")


FLAGS = ("--tensorboard", "--compile", "--gradient-checkpointing")


def test_every_option_reaches_the_run(buddy, moods, monkeypatch):
    monkeypatch.setattr("buddy.training.run._compile", lambda _: None)  # takes minutes; test_run.py has it
    wanted = {
        "backbone": "scratch:tiny", "task": "emotion", "epochs": 0.5, "batch_size": 24, "tokens_per_pass": 300,
        "max_tokens": 40, "learning_rate": 0.002, "warmup_share": 0.3, "weight_decay": 0.05, "max_gradient_norm": 0.7,
        "dropout": 0.2, "text_weight": 0.1, "vocabulary_size": 310, "lora_rank": 2, "evaluations_per_epoch": 1,
        "reply_weight": 0.3, "label_weight": 0.4, "other_texts_per_epoch": 7, "documents_in_memory": 500,
        "best_by": "loss", "patience": 4, "save_minutes": 2.0, "seed": 5, "device": "cpu", "number_format": "fp32",
    }  # fmt: skip
    typed = [part for name, value in wanted.items() for part in ("--" + name.replace("_", "-"), value)]
    code, *_ = buddy("train", "--data", moods, "--out", "run", *FLAGS, *typed)
    assert code == 0
    settings = yaml.safe_load(Path("run/config.yaml").read_text())["settings"]
    flags = {flag[2:].replace("-", "_"): True for flag in FLAGS}
    assert settings == {**wanted, **flags, "shard": False, "data": str(moods), "out": "run", "teacher": ""}


class TestRefused:
    def test_without_data(self, buddy):
        assert buddy("train") == (
            2, "", "buddy: Say what to train on: --data DIR, a folder made by `buddy prepare`.\n"
        )  # fmt: skip

    def test_a_run_directory_that_is_taken(self, buddy, moods):
        buddy("train", "--data", moods, *QUICK)
        before = weights(Path("runs/emotion"))
        code, out, err = buddy("train", "--data", moods, *QUICK)
        assert (code, out) == (2, "")
        assert err == "buddy: runs/emotion holds a run already; go on with --resume, or name another --out.\n"
        assert weights(Path("runs/emotion")) == before

    def test_resuming_what_is_no_run(self, buddy):
        code, _, err = buddy("train", "--resume", "--out", "nowhere")
        assert code == 2
        assert err == "buddy: nowhere is no run directory (no readable config.yaml); `buddy train` makes one.\n"

    @pytest.mark.parametrize(
        ("option", "value"), [("--epochs", 3), ("--learning-rate", 0.1), ("--data", "x"), ("--tensorboard", None)]
    )
    def test_resuming_with_another_setting(self, buddy, option, value):
        code, out, err = buddy("train", "--resume", "--out", "run", option, *([] if value is None else [value]))
        assert (code, out) == (2, "")
        assert err == f"buddy: {option} is to be left out: a run that goes on keeps its own settings.\n"

    def test_resuming_with_a_config_file_that_sets_something_else(self, buddy):
        Path("other.yaml").write_text("epochs: 3\n")
        code, _, err = buddy("train", "--resume", "--out", "run", "--config", "other.yaml")
        assert code == 2
        assert err.startswith("buddy: --epochs is to be left out")

    def test_conversations_of_data_that_has_none_and_nothing_stays_behind(self, buddy, moods):
        for _ in range(2):
            code, out, err = buddy("train", "--data", moods, *QUICK, "--task", "companion", "--out", "run")
            assert (code, out) == (2, "")
            assert "holds a run already" not in err
            assert not Path("run").exists()

    @pytest.mark.parametrize(
        ("option", "value", "sentence"),
        [
            ("--device", "tpu", "There is no device 'tpu' here; available: "),
            ("--number-format", "fp16", "bf16 or fp32, not 'fp16'"),
            ("--backbone", "scratch:huge", "There is no shape 'scratch:huge'; choose one of scratch:tiny,"),
            ("--epochs", "0", "epochs must be above 0"),
            ("--epochs", "nan", "epochs must be above 0"),
        ],
    )
    def test_what_cannot_be_done(self, buddy, moods, option, value, sentence):
        code, out, err = buddy("train", "--data", moods, *QUICK, option, value)
        assert (code, out) == (2, "")
        assert err.startswith("buddy: ")
        assert err.count("\n") == 1
        assert sentence in err
        assert not Path("runs").exists()


def test_a_finished_run_can_be_resumed_and_says_the_same(buddy, moods):
    _, out, _ = buddy("train", "--data", moods, "--out", "run", *QUICK)
    before = weights(Path("run"))
    code, again, err = buddy("train", "--resume", "--out", "run")
    assert (code, again) == (0, out)
    assert "going on at step 3" in err
    assert weights(Path("run")) == before


def test_the_data_may_be_named_from_another_folder(buddy, moods, monkeypatch, tmp_path):
    """The run remembers where its data are, not how they were named."""
    (tmp_path / "elsewhere").mkdir()
    Path("data").symlink_to(moods)
    buddy("train", "--data", "data", "--out", tmp_path / "run", *QUICK)
    monkeypatch.chdir("elsewhere")
    code, *_ = buddy("train", "--resume", "--out", tmp_path / "run")
    assert code == 0
