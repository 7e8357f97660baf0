import os
import signal
from pathlib import Path

import pytest
import torch
import yaml

from tests.training.conftest import as_options, curves, weights

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
    idle = ("reply_weight", "label_weight", "other_texts_per_epoch")  # so they may not be typed
    in_file = {name: wanted[name] for name in idle}
    Path("rest.yaml").write_text(yaml.safe_dump(in_file))
    typed = as_options({name: value for name, value in wanted.items() if name not in in_file})
    code, *_ = buddy("train", "--data", moods, "--out", "run", "--config", "rest.yaml", *FLAGS, *typed)
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

    @pytest.mark.parametrize(
        ("option", "value", "because"),
        [
            ("--vocabulary-size", 400, "is of the tokenizer that scratch trains; leave it out, for base has one"),
            ("--label-weight", 0.3, "is about a teacher; it goes with --teacher"),
            ("--other-texts-per-epoch", 0, "is about a teacher; it goes with --teacher"),
            ("--reply-weight", 0.2, "is about replies; it goes with --task companion"),
            ("--shard", None, "is for several processes; start them with torchrun, or leave it out"),
        ],
    )
    def test_an_option_that_would_do_nothing(self, buddy, moods, option, value, because):
        typed = [option] if value is None else [option, value]
        assert buddy("train", "--data", moods, *typed) == (2, "", f"buddy: {option} {because}.\n")
        assert not Path("runs").exists()

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


class TestOutOfMemory:
    @pytest.fixture
    def run_out(self, monkeypatch):
        """Let memory end in the third step of a run that computes more than 500 tokens at once and keeps its layers."""
        from buddy.training import loop

        real = loop.take_step

        def take_step(training, documents):
            settings = training.settings
            if training.position.step == 2 and not (settings.tokens_per_pass == 500 or settings.gradient_checkpointing):
                raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")
            return real(training, documents)

        monkeypatch.setattr(loop, "take_step", take_step)

    @pytest.mark.parametrize("less", [("--tokens-per-pass", 500), ("--gradient-checkpointing",)])
    @pytest.mark.usefixtures("run_out")
    def test_is_one_sentence_and_the_run_goes_on_with_less(self, buddy, moods, less):
        options = (*QUICK, "--tokens-per-pass", 1000, "--device", "cpu")
        code, _, err = buddy("train", "--data", moods, "--out", "run", *options)
        assert (code, err.splitlines()[-1]) == (
            1,
            "buddy: Memory ran out (cpu, 1,000 tokens a pass); go on with less: "
            "buddy train --resume --out run --tokens-per-pass 500 or --gradient-checkpointing.",
        )
        assert buddy("train", "--resume", "--out", "run")[0] == 1
        config = Path("run/config.yaml")
        begun = {**yaml.safe_load(config.read_text()), "git_commit": "that of the first day"}
        config.write_text(yaml.safe_dump(begun))
        code, _, err = buddy("train", "--resume", "--out", "run", *less)
        assert (code, "going on at step 2" in err) == (0, True)
        assert len(curves(Path("run"))) == 2
        begun["settings"][less[0][2:].replace("-", "_")] = (*less, True)[1]
        assert yaml.safe_load(config.read_text()) == begun

    def test_with_nothing_left_to_lower_asks_for_a_smaller_run(self, buddy, moods, monkeypatch):
        def run_out(*_):
            raise MemoryError

        monkeypatch.setattr("buddy.training.loop.take_step", run_out)
        options = (*QUICK, "--tokens-per-pass", 32, "--gradient-checkpointing", "--device", "cpu")
        code, _, err = buddy("train", "--data", moods, *options)
        assert code == 1
        assert "; end other programs, or start a new run with a lower --max-tokens or a smaller model." in err

    def test_is_not_taken_for_a_damaged_run(self, buddy, moods, monkeypatch):
        def run_out(*_):
            raise torch.OutOfMemoryError("CUDA out of memory.")

        assert buddy("train", "--data", moods, "--out", "run", *QUICK)[0] == 0
        monkeypatch.setattr("buddy.training.checkpoint.restore_optimizer", run_out)
        code, _, err = buddy("train", "--resume", "--out", "run")
        assert (code, "Memory ran out" in err, "damaged" in err) == (1, True, False)


@pytest.mark.parametrize(
    "more",
    [(), ("--epochs", 20, "--patience", 1, "--learning-rate", 1e-9, "--dropout", 0)],
    ids=["plan-done", "patience-over"],
)
def test_a_signal_in_the_last_evaluation_finds_the_run_finished(buddy, moods, monkeypatch, more):
    from buddy.training import loop

    real, sent = loop._evaluate, []

    def evaluate(training):
        point = real(training)
        if point.step == training.total_steps or training.stopping.is_exhausted():
            sent.append(point.step)
            os.kill(os.getpid(), signal.SIGINT)
        return point

    monkeypatch.setattr(loop, "_evaluate", evaluate)
    code, out, _ = buddy("train", "--data", moods, *QUICK, *more)
    assert len(sent) == 1
    assert (code, out.startswith("Best at step ")) == (0, True)
