"""Whole runs in this process: what they learn, what they write, what they refuse."""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from buddy.data.prepared import write_prepared
from buddy.errors import EnvironmentFault, UserMistake
from buddy.records import Dialogue, Example
from buddy.text.batches import pad
from buddy.text.render import LISTENER, Piece, render_conversation, render_emotion_question
from buddy.text.tokenizer import Tokens
from buddy.training import checkpoint
from buddy.training import run as run_module
from buddy.training.backbone import load_backbone
from buddy.training.checkpoint import read_history
from buddy.training.device import choose_device
from buddy.training.loop import Sums
from buddy.training.loss import learned_loss
from buddy.training.run import start_run
from tests.conftest import write_moods
from tests.training.conftest import assert_same_run, curves, weights
from tests.training.foreign_models import FAMILIES, write_foreign


class TestLearning:
    def test_texts_can_be_learned_by_heart(self, trained_run):
        points = curves(trained_run)
        assert points[0]["train_accuracy"] < 0.5
        assert points[-1]["train_accuracy"] == 1.0
        assert points[-1]["train_loss"] < 0.1
        assert points[0]["train_loss"] > 1.0

    def test_runs_with_one_seed_are_alike_and_with_another_are_not(self, train):
        first, again, other = train("first"), train("again"), train("other", seed=14)
        assert_same_run(first, again)
        assert curves(first)[-1]["train_loss"] != curves(other)[-1]["train_loss"]

    def test_fewer_tokens_per_pass_change_neither_loss_nor_gradient(self, train, monkeypatch):
        gradients: dict[str, list[torch.Tensor]] = {}
        plain_step = torch.optim.AdamW.step
        for name, tokens_per_pass in (("at-once", 100_000), ("one-by-one", 1)):
            seen = gradients[name] = []

            def record(optimizer, closure=None, seen=seen):
                seen += [p.grad.clone() for group in optimizer.param_groups for p in group["params"]]
                return plain_step(optimizer, closure)

            monkeypatch.setattr(torch.optim.AdamW, "step", record)
            train(name, epochs=0.1, dropout=0.0, number_format="fp32", tokens_per_pass=tokens_per_pass)
        assert gradients["at-once"]
        for one, other in zip(gradients["at-once"], gradients["one-by-one"], strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-6)

    def test_loss_that_is_shown_is_the_loss_before_the_step_per_learned_token(self, train):
        """A model that knows nothing needs ln(vocabulary) nats for each learned token."""
        run = train(epochs=0.1, batch_size=48, learning_rate=1e-9, text_weight=0.3)
        vocabulary = json.loads((run / "best" / "config.json").read_text())["vocab_size"]
        assert curves(run)[0]["train_loss"] == pytest.approx(np.log(vocabulary), rel=0.02)

    def test_compiled_layers_learn_the_same(self, train, monkeypatch):
        """With the compiler's own front; what it makes of the layers on a machine is its makers' to test."""
        compiled = []

        def in_front(graph, inputs):
            compiled.append(graph)
            return graph.forward

        monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=in_front))
        plain, quick = train("plain", dropout=0.0), train("compiled", dropout=0.0, compile=True)
        assert compiled
        for one, other in zip(curves(plain), curves(quick), strict=True):
            assert other["valid_loss"] == pytest.approx(one["valid_loss"], rel=1e-3)

    def test_text_weight_teaches_the_text_itself(self, train):
        """Without it, the words of the texts are only read and stay as improbable as they were."""

        def nats_per_word_piece(run) -> float:
            backbone = load_backbone(str(run / "last"))
            (tokens,) = backbone.codec.encode([render_emotion_question("My old dog died and we all went out")])
            everything = Tokens(tokens.ids, np.ones(len(tokens), np.float32))
            loss = learned_loss(backbone.model, pad([everything]), choose_device("cpu", "fp32"))
            return float(loss.total.detach()) / loss.weight

        assert nats_per_word_piece(train("with", text_weight=1.0)) < nats_per_word_piece(train("without")) - 0.5

    def test_conversations_are_learned_with_the_texts(self, train, tmp_path):
        texts = [Example(f"{i}", "My dog died.", ("sad", "glad")[i % 2]) for i in range(4)]
        turns = ["My dog died.", "I am so sorry.", "Thanks.", "Take care."]
        talks = [Dialogue(str(i), "sad", "", turns) for i in range(12)]
        data = tmp_path / "talks"
        data.mkdir()
        write_prepared(data, dict.fromkeys(("train", "valid"), texts), dict.fromkeys(("train", "valid"), talks))
        run = train(data=data, task="companion", epochs=25.0, max_tokens=64, learning_rate=1e-2, dropout=0.0)
        assert json.loads((run / "best" / "buddy.json").read_text())["task"] == "companion"

        backbone = load_backbone(str(run / "best"))
        question = backbone.codec.encode([(*render_conversation(turns[:1]), Piece(LISTENER, special=True))])[0]
        ids = torch.from_numpy(question.ids)[None]
        for _ in range(8):
            with torch.no_grad():
                ids = torch.cat([ids, backbone.model(ids).logits[:, -1:].argmax(-1)], dim=1)
        assert "<LISTENER> I am so sorry.<SPEAKER>" in backbone.codec.decode(ids[0].tolist())


class TestChoosingTheBest:
    """With an evaluation whose results are written down beforehand, as (loss, accuracy) on valid."""

    @pytest.fixture
    def scripted(self, quick):
        def run(name: str, results: list[tuple[float, float]], **changes: object) -> tuple[Path, list[torch.Tensor]]:
            seen: list[torch.Tensor] = []

            def evaluate(model: torch.nn.Module, split: str, share: int, shares: int) -> Sums:
                if split == "train":
                    return Sums(loss=4.0, weight=2.0, correct=1.0, texts=4.0)
                seen.append(model.state_dict()["transformer.wte.weight"].clone())
                loss, accuracy = results[len(seen) - 1]
                return Sums(loss=loss * 10, weight=10.0, correct=accuracy * 20, texts=20.0)

            settings = replace(quick, out=quick.out.with_name(name), **changes)
            start_run(settings, lambda *_: evaluate)
            return settings.out, seen

        return run

    @pytest.mark.parametrize(
        ("best_by", "expected"), [("loss", 2), ("accuracy", 3)], ids=["lowest-loss", "highest-accuracy"]
    )
    def test_best_holds_the_weights_of_the_best_evaluation(self, scripted, best_by, expected):
        results = [(3.0, 0.2), (2.5, 0.1), (2.0, 0.3), (2.2, 0.5), (2.1, 0.5), (2.3, 0.4)]
        run, seen = scripted("run", results, best_by=best_by)
        best = load_file(run / "best" / "model.safetensors")["transformer.wte.weight"]
        assert [bool(torch.equal(best, weights)) for weights in seen] == [i == expected for i in range(6)]

    def test_patience_ends_the_run(self, scripted):
        run, seen = scripted("run", [(2.0, 0.1), (1.0, 0.1), (1.5, 0.1), (1.0, 0.1), (0.5, 0.1)], patience=2)
        assert len(seen) == 4
        assert [point["valid_loss"] for point in curves(run)] == [2.0, 1.0, 1.5, 1.0]

    def test_sums_are_divided_once(self, scripted):
        run, _ = scripted("run", [(2.0, 0.25)] * 2, epochs=1.0)
        point = curves(run)[0]
        assert (point["train_loss"], point["train_accuracy"]) == (2.0, 0.25)
        assert (point["valid_loss"], point["valid_accuracy"]) == (2.0, 0.25)
        assert (point["step"], point["epoch"]) == (3, 0.5)


class TestWriting:
    def test_tensorboard_gets_every_curve_when_asked(self, train):
        from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
            EventAccumulator,
        )

        run = train(epochs=1.0, tensorboard=True)
        events = EventAccumulator(str(run / "tensorboard"))
        events.Reload()
        names = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy", "learning_rate")
        assert sorted(events.Tags()["scalars"]) == sorted(names)
        for name in names:
            expected = [(point["step"], point[name]) for point in curves(run)]
            found = [(event.step, event.value) for event in events.Scalars(name)]
            assert found == [(step, pytest.approx(value)) for step, value in expected]

    def test_tensorboard_is_silent_when_not_asked(self, trained_run):
        assert not (trained_run / "tensorboard").exists()

    def test_position_saved_last_counts_steps_and_evaluations(self, trained_run):
        state = json.loads((trained_run / "last" / "resume" / "position.json").read_text())
        points = read_history(trained_run)
        assert state["position"]["step"] == points[-1].step == 240
        assert state["position"]["evaluations"] == len(points)


class TestSeveralProcesses:
    def test_only_the_first_puts_the_folder_right_and_the_others_look_afterwards(self, tmp_path):
        (tmp_path / ".last.old" / "resume").mkdir(parents=True)
        (tmp_path / ".last.old" / "resume" / "position.json").touch()
        happened = []

        def wait() -> None:
            happened.append([path.name for path in tmp_path.iterdir()])
            checkpoint.repair(tmp_path)  # by the first process

        other = SimpleNamespace(is_main_process=False, wait_for_everyone=wait)
        assert run_module._find_checkpoint(tmp_path, other)
        assert happened == [[".last.old"]]


def write_teacher(file: Path, glad: float) -> Path:
    """A teacher that gives the same answer to a few of the texts."""
    ids = [f"train-{i}" for i in range(3)]
    pq.write_table(pa.table({"id": ids, "text": ids, "p_glad": [glad] * 3, "p_sad": [1 - glad] * 3}), file)
    return file


class TestRefused:
    def test_a_run_directory_that_is_taken(self, train):
        run = train(epochs=0.1)
        before = weights(run)
        with pytest.raises(UserMistake, match="holds a run already; go on with --resume, or name another --out"):
            train(epochs=0.1)
        assert weights(run) == before

    @pytest.mark.parametrize("name", ["best", "last"])
    def test_a_folder_of_somebody_elses_that_would_be_replaced(self, train, tmp_path, name):
        (tmp_path / "run" / name).mkdir(parents=True)
        (tmp_path / "run" / name / "mine.txt").write_text("keep")
        with pytest.raises(UserMistake, match=f"{name} is there already and would be replaced"):
            train()
        assert (tmp_path / "run" / name / "mine.txt").read_text() == "keep"

    def test_a_label_that_leaves_no_room_for_a_text(self, train, tmp_path):
        from buddy.data.prepared import write_prepared

        long = "so tired of it that " * 5
        examples = [Example(f"{i}", "text", label) for i, label in enumerate(("sad", long.strip()))]
        write_prepared(tmp_path / "data", {"train": examples, "valid": examples})
        with pytest.raises(UserMistake, match=r"needs --max-tokens \d+ or more, not 32"):
            train(data=tmp_path / "data")

    def test_a_label_that_is_too_long_for_the_model_itself(self, train, tmp_path):
        from buddy.data.prepared import write_prepared

        examples = [Example(f"{i}", "text", label) for i, label in enumerate(("sad", "word " * 900))]
        write_prepared(tmp_path / "data", {"train": examples, "valid": examples})
        with pytest.raises(UserMistake, match=r"'word .*…' is too long for this model, which reads 512 tokens"):
            train(data=tmp_path / "data", max_tokens=10_000)

    def test_to_write_down_a_loss_that_is_no_number(self, quick):
        def evaluate(model: torch.nn.Module, split: str, share: int, shares: int) -> Sums:
            return Sums(loss=float("nan"), weight=1.0, correct=1.0, texts=1.0)

        with pytest.raises(UserMistake, match="no longer a number at step 3"):
            start_run(quick, lambda *_: evaluate)
        assert {path.name for path in quick.out.iterdir()} == {"config.yaml", "history.jsonl"}
        assert curves(quick.out) == []

    def test_to_go_on_when_the_loss_is_no_number(self, train, monkeypatch):
        from buddy.training import loop
        from buddy.training.loss import LossSum, learned_loss

        def overflow(*arguments):
            loss = learned_loss(*arguments)
            return LossSum(loss.total * float("inf"), loss.weight)

        monkeypatch.setattr(loop, "learned_loss", overflow)
        with pytest.raises(
            UserMistake, match=r"no longer a number at step 1; start again with a lower --learning-rate"
        ):
            train()

    def test_a_full_disk_is_the_machines_fault_and_keeps_what_was_there(self, train, resume, monkeypatch, tmp_path):
        from safetensors import SafetensorError

        def full(*_):
            raise SafetensorError("I/O error: No space left on device (os error 28)")

        monkeypatch.setattr("buddy.training.checkpoint.save_file", full)
        with pytest.raises(EnvironmentFault, match="could not be written: No space left on device"):
            train()
        monkeypatch.undo()
        assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["best", "config.yaml", "history.jsonl"]
        resume(tmp_path / "run")
        assert (tmp_path / "run" / "last").is_dir()

    def test_a_dropout_that_a_model_would_not_mind(self, train, tmp_path):
        folder = write_foreign(FAMILIES[2], tmp_path / "hub", tied=True)
        with pytest.raises(UserMistake, match=r"A model of the kind \w+ keeps its own dropout; leave out --dropout\."):
            train(backbone=str(folder), dropout=0.3)
        assert not (tmp_path / "run" / "config.yaml").exists()
        train(backbone=str(folder), dropout=0.0, epochs=0.1)

    def test_data_with_one_label(self, train, tmp_path):
        data = write_moods(tmp_path / "one", labels=("sad",))
        with pytest.raises(UserMistake, match="the one label 'sad' only; there is nothing to tell apart"):
            train(data=data)

    def test_data_without_a_valid_split(self, train, tmp_path):
        data = write_moods(tmp_path / "data")
        (data / "valid.parquet").unlink()
        with pytest.raises(UserMistake, match="no split named 'valid'"):
            train(data=data)

    def test_conversations_where_there_are_none(self, train):
        with pytest.raises(UserMistake, match="no split of conversations"):
            train(task="companion")

    def test_a_teacher_changed_since_the_run_began(self, train, resume, tmp_path):
        teacher = write_teacher(tmp_path / "teacher.parquet", 0.7)
        data = write_moods(tmp_path / "data", labels=("glad", "sad"))
        run = train(data=data, teacher=str(teacher), epochs=0.1)
        resume(run)
        write_teacher(teacher, 0.4)
        with pytest.raises(UserMistake, match=f"{teacher} has changed since {run} began; start a new run"):
            resume(run)

    def test_a_frozen_model_changed_since_the_run_began(self, train, resume):
        base = train("base", epochs=0.1) / "last"
        run = train(backbone=str(base), lora_rank=2, epochs=0.1)
        resume(run)
        shutil.copytree(train("other", seed=14, epochs=0.1) / "last", base, dirs_exist_ok=True)
        with pytest.raises(UserMistake, match=f"{base} has changed since {run} began; start a new run"):
            resume(run)

    def test_adapters_that_are_not_those_that_are_trained(self, train, resume):
        run = train(lora_rank=2, epochs=0.1)
        file = run / "last" / "resume" / "adapter.safetensors"
        adapters = load_file(file)
        first, *others = adapters
        for left in ({name: adapters[name] for name in others}, {**adapters, f"{first}.more": adapters[first].clone()}):
            save_file(left, file)
            with pytest.raises(UserMistake, match="last is damaged"):
                resume(run)

    def test_not_a_run_of_a_version_that_wrote_down_the_data_alone(self, train, resume, tmp_path):
        teacher = write_teacher(tmp_path / "teacher.parquet", 0.7)
        data = write_moods(tmp_path / "data", labels=("glad", "sad"))
        run = train(data=data, teacher=str(teacher), lora_rank=2, epochs=0.1)
        config = run / "config.yaml"
        new = ("teacher_fingerprint", "backbone_fingerprint")
        lines = config.read_text().splitlines(keepends=True)
        config.write_text("".join(line for line in lines if not line.startswith(new)))
        assert len(config.read_text().splitlines()) == len(lines) - 2
        resume(run)

    def test_data_changed_since_the_run_began(self, train, resume, tmp_path):
        data = write_moods(tmp_path / "data")
        run = train(data=data, epochs=0.1)
        (data / "train.parquet").unlink()
        write_prepared(data, {"train": [Example("1", "new", "sad"), Example("2", "other", "glad")]})
        with pytest.raises(UserMistake, match=f"{data} has changed since {run} began"):
            resume(run)
