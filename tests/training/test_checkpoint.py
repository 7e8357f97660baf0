import json
from dataclasses import replace

import pytest
import yaml

from buddy.errors import UserMistake
from buddy.training import checkpoint
from buddy.training.checkpoint import (
    Evaluation,
    append_history,
    cut_history,
    has_checkpoint,
    read_history,
    read_settings,
)


def point(step: int) -> Evaluation:
    return Evaluation(step, step / 10, 2.0, 2.5, 0.4, 0.3, 1e-3, 1.0, 100.0)


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

    @pytest.mark.parametrize("content", [None, "", "settings: 3", "{broken", "settings: {data: x, colour: red}"])
    def test_of_a_folder_that_is_no_run_are_refused(self, tmp_path, content):
        if content is not None:
            (tmp_path / "config.yaml").write_text(content)
        with pytest.raises(UserMistake, match=r"is no run directory \(no readable config\.yaml\)"):
            read_settings(tmp_path)


@pytest.mark.parametrize("name", ["best", "last"])
def test_a_folder_set_aside_by_a_crash_is_put_back(tmp_path, name):
    (tmp_path / "last" / "resume").mkdir(parents=True)
    (tmp_path / "last" / "resume" / "position.json").write_text("{}")
    (tmp_path / "best").mkdir()
    (tmp_path / name).rename(tmp_path / f".{name}.old")
    assert has_checkpoint(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"best", "last"}


def test_without_a_position_there_is_nothing_to_go_on_from(tmp_path):
    assert not has_checkpoint(tmp_path)
    (tmp_path / "last").mkdir()
    assert not has_checkpoint(tmp_path)


def test_git_commit_is_optional(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert checkpoint._git_commit() is None
