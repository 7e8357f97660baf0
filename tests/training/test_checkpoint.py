import errno
import json
import os
import shutil
import subprocess
from dataclasses import replace

import pytest
import yaml
from safetensors import SafetensorError

from buddy.errors import EnvironmentFault, UserMistake
from buddy.training import checkpoint
from buddy.training.checkpoint import (
    CurvePoint,
    append_history,
    cut_history,
    has_checkpoint,
    read_history,
    read_settings,
    repair,
)


def point(step: int) -> CurvePoint:
    return CurvePoint(step, step / 10, 2.0, 2.5, 0.4, 0.3, 1e-3, 1.0, 100.0)


class TestHistory:
    def test_points_come_back_in_order(self, tmp_path):
        for step in (3, 6):
            append_history(tmp_path, point(step))
        assert read_history(tmp_path) == [point(3), point(6)]

    def test_points_after_the_position_and_half_a_line_are_cut(self, tmp_path):
        for step in (3, 6, 9):
            append_history(tmp_path, point(step))
        with open(tmp_path / "history.jsonl", "a") as file:
            file.write('{"step": 12, "epo')
        cut_history(tmp_path, 2)
        assert read_history(tmp_path) == [point(3), point(6)]

    def test_a_run_without_points_has_an_empty_one(self, tmp_path):
        assert read_history(tmp_path) == []
        cut_history(tmp_path, 0)
        assert (tmp_path / "history.jsonl").read_text() == ""

    @pytest.mark.parametrize("line", [b'{"step": 12, "epo', b'{"step": 12}', b"[1]", b"\xff"])
    def test_a_damaged_line_is_refused(self, tmp_path, line):
        append_history(tmp_path, point(3))
        with open(tmp_path / "history.jsonl", "ab") as file:
            file.write(line)
        with pytest.raises(UserMistake, match=r"history\.jsonl is damaged; start a new run with another --out"):
            read_history(tmp_path)

    def test_bytes_that_are_no_text_are_cut_like_any_others(self, tmp_path):
        append_history(tmp_path, point(3))
        with open(tmp_path / "history.jsonl", "ab") as file:
            file.write(b"\xff\0")
        cut_history(tmp_path, 1)
        assert read_history(tmp_path) == [point(3)]

    def test_that_finds_the_disk_full_says_so(self, tmp_path, monkeypatch):
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentFault, match=r"history\.jsonl could not be written: No space left on device"):
            append_history(tmp_path, point(3))


class TestFullDisk:
    """The libraries that write models are written in Rust and do not raise OSError."""

    @pytest.mark.parametrize(
        ("where", "error"),
        [
            ("transformers.PreTrainedModel.save_pretrained", SafetensorError("I/O error: full (os error 28)")),
            ("transformers.PreTrainedTokenizerFast.save_pretrained", Exception("full (os error 28)")),
            ("transformers.PreTrainedTokenizerFast.save_pretrained", OSError(28, "full")),
            ("buddy.training.checkpoint.save_file", SafetensorError("I/O error: full (os error 28)")),
        ],
        ids=["model", "tokenizer", "config", "optimizer"],
    )
    def test_is_one_sentence_and_leaves_nothing_half_written(self, train, tmp_path, monkeypatch, where, error):
        def full(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(where, full)
        sentence = (
            r"run/(best|last) could not be written: No space left on device; free some space and try again; what was "
            r"saved before is kept, and --resume goes on from it\.$"
        )
        with pytest.raises(EnvironmentFault, match=sentence):
            train()
        left = {path.name for path in (tmp_path / "run").iterdir()}
        assert left - {"best"} == {"config.yaml", "history.jsonl"}

    def test_is_told_from_any_other_failure(self, train, monkeypatch):
        def fail(*_: object, **__: object) -> None:
            raise SafetensorError("a defect")

        monkeypatch.setattr("transformers.PreTrainedModel.save_pretrained", fail)
        with pytest.raises(SafetensorError, match="a defect"):
            train()

    def test_in_the_middle_of_a_run_is_survived(self, small_disk, quick):
        from buddy.evaluation.during_training import make_evaluate
        from buddy.training.run import resume_run, start_run

        settings = replace(quick, out=small_disk / "run", epochs=1.0)
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            start_run(settings, make_evaluate)
        assert not [path for path in (small_disk / "run").iterdir() if path.name.startswith(".")]
        subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
        resume_run(read_settings(settings.out), make_evaluate)
        assert [point.step for point in read_history(settings.out)] == [3, 6]

    @pytest.fixture
    def small_disk(self, tmp_path):
        """A real disk on which one checkpoint fits and the next does not, where the machine lets us have one."""
        folder = tmp_path / "disk"
        folder.mkdir()
        try:
            mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("mounting is not permitted here")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)


class TestFiles:
    def test_a_run_holds_what_other_programs_rely_on(self, trained_run):
        assert {path.name for path in trained_run.iterdir()} == {"config.yaml", "history.jsonl", "best", "last"}
        plain = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "buddy.json"}
        best = {path.name for path in (trained_run / "best").iterdir()}
        assert plain <= best
        assert {path.name for path in (trained_run / "last").iterdir()} == best | {"resume"}
        assert {path.suffix for path in trained_run.rglob("*") if path.is_file()} == {
            ".json",
            ".yaml",
            ".jsonl",
            ".safetensors",
        }
        line = json.loads((trained_run / "history.jsonl").read_text().splitlines()[0])
        assert [*line] == [
            "step", "epoch", "train_loss", "valid_loss", "train_accuracy", "valid_accuracy",
            "learning_rate", "seconds", "tokens_per_second",
        ]  # fmt: skip

    def test_facts_that_answering_needs_lie_beside_the_model(self, trained_run):
        facts = json.loads((trained_run / "best" / "buddy.json").read_text())
        assert facts["labels"] == ["furious", "glad", "sad", "sad and tired"]
        assert set(facts["special_tokens"]) == {"<EMOTION_TYPE>", "<SPEAKER>", "<LISTENER>", "<|endoftext|>"}
        assert (facts["layout_version"], facts["temperature"], facts["max_tokens"], facts["task"]) == (
            1,
            1.0,
            64,
            "emotion",
        )

    def test_config_says_what_was_asked_and_with_what_it_was_done(self, trained_run, moods):
        from buddy.data.prepared import read_prepared

        config = yaml.safe_load((trained_run / "config.yaml").read_text())
        assert config["settings"]["seed"] == 13
        assert config["settings"]["data"] == str(moods)
        assert {"python", "torch", "transformers", "buddy-companion"} <= set(config["versions"])
        assert config["data_fingerprint"] == read_prepared(moods).fingerprint()
        assert config["device"] == "cpu fp32 (cpu as asked, fp32 as asked)"
        assert config["parameters"]["total"] == config["parameters"]["trained"] > 100_000
        assert "git_commit" in config


class TestSettings:
    def test_come_back_as_they_were(self, train, quick):
        run = train(epochs=0.1)
        assert read_settings(run) == replace(quick, epochs=0.1)

    def test_follow_a_run_that_was_moved(self, train, tmp_path):
        moved = train(epochs=0.1).rename(tmp_path / "elsewhere")
        assert read_settings(moved).out == moved

    @pytest.mark.parametrize(
        "content", [None, "", "settings: 3", "{broken", "a: \xff", "settings: {data: x, colour: red}"]
    )
    def test_of_a_folder_that_is_no_run_are_refused(self, tmp_path, content):
        if content is not None:
            (tmp_path / "config.yaml").write_bytes(content.encode("latin-1"))
        with pytest.raises(UserMistake, match=r"is no run directory \(no readable config\.yaml\)"):
            read_settings(tmp_path)

    @pytest.mark.parametrize(
        ("setting", "kind"),
        [("seed: 13", "seed: x"), ("save_minutes: 5.0", "save_minutes: x"), ("backbone: scratch:tiny", "backbone: 5")],
    )
    def test_of_another_kind_are_refused_by_name(self, train, setting, kind):
        run = train(epochs=0.1)
        content = (run / "config.yaml").read_text()
        assert content.count(setting) == 1
        (run / "config.yaml").write_text(content.replace(setting, kind))
        with pytest.raises(UserMistake, match=rf"config\.yaml gives {setting.split(':')[0]} a value of the wrong"):
            read_settings(run)


class TestDamaged:
    @pytest.mark.parametrize(
        ("file", "content"),
        [
            ("last/resume/position.json", b"{"),
            ("last/resume/position.json", b"[]"),
            ("last/resume/position.json", b'{"position": {"step": "x"}, "stopping": {"patience": 1}}'),
            ("last/resume/position.json", b'{"position": {"steps": 1}, "stopping": {"patience": 1}}'),
            ("last/resume/optimizer.safetensors", b"abc"),
            ("last/resume/optimizer.safetensors", None),
            ("history.jsonl", b"{\n{\n{\n{\n{\n{\n"),
        ],
    )
    def test_runs_do_not_go_on(self, trained_run, tmp_path, file, content):
        from buddy.evaluation.during_training import make_evaluate
        from buddy.training.run import resume_run

        run = shutil.copytree(trained_run, tmp_path / "run")
        (run / file).unlink() if content is None else (run / file).write_bytes(content)
        with pytest.raises(UserMistake, match=r"(last|history\.jsonl) is damaged; start a new run with another --out"):
            resume_run(read_settings(run), make_evaluate)

    def test_runs_without_their_best_model_do_not_go_on(self, trained_run, tmp_path):
        from buddy.evaluation.during_training import make_evaluate
        from buddy.training.run import resume_run

        run = shutil.copytree(trained_run, tmp_path / "run")
        shutil.rmtree(run / "best")
        with pytest.raises(UserMistake, match="has lost its folder best"):
            resume_run(read_settings(run), make_evaluate)


@pytest.mark.parametrize("name", ["best", "last"])
def test_a_folder_set_aside_by_a_crash_is_put_back(tmp_path, name):
    (tmp_path / "last" / "resume").mkdir(parents=True)
    (tmp_path / "last" / "resume" / "position.json").write_text("{}")
    (tmp_path / "best").mkdir()
    (tmp_path / name).rename(tmp_path / f".{name}.old")
    repair(tmp_path)
    assert has_checkpoint(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"best", "last"}


def test_without_a_position_there_is_nothing_to_go_on_from(tmp_path):
    assert not has_checkpoint(tmp_path)
    (tmp_path / "last").mkdir()
    assert not has_checkpoint(tmp_path)


def test_git_commit_is_optional(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert checkpoint._git_commit() is None
