"""The benchmarks of classification, chat and start: all sides do the same work, and figures are taken apart by hand."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from buddy.bench import chat, classify, start
from buddy.bench.chat import bench_chat
from buddy.bench.classify import BUDDY, Comparison, Speed, bench_classify
from buddy.bench.hugging_face import load_as_hugging_face
from buddy.errors import EnvironmentFault, UserMistake
from buddy.inference.classifier import load_classifier
from buddy.inference.engine import Sampling
from buddy.inference.export import export_model
from buddy.inference.label_head import read, write
from tests.conftest import ENDINGS, OPENINGS, random_tokens

TEXTS = [f"{opening} {ending}" for openings in OPENINGS.values() for opening in openings for ending in ENDINGS][:40]


@pytest.mark.parametrize("quantization", ["float32", "float16", "int8"])
def test_hugging_face_gets_the_weights_that_buddy_has(companion_checkpoint, tmp_path, quantization):
    export_model(companion_checkpoint, tmp_path / "model", quantization)
    network, tokenizer = load_as_hugging_face(tmp_path / "model")
    original, _ = load_as_hugging_face(companion_checkpoint)
    tolerance = {"float32": 0, "float16": 2e-3, "int8": 0.05}[quantization]
    theirs = original.state_dict()
    for name, table in network.state_dict().items():
        scale = max(float(theirs[name].abs().max()), 1e-9)
        assert float((table - theirs[name]).abs().max()) <= tolerance * scale, name
    document = random_tokens(12)
    with torch.inference_mode():
        logits = network(torch.from_numpy(document.ids)[None]).logits[0].log_softmax(dim=1)
    scores = load_classifier(tmp_path / "model").engine.score_tokens([document])[0]
    found = logits[torch.arange(11), torch.from_numpy(document.ids)[1:]].numpy()
    np.testing.assert_allclose(found, scores, atol=1e-3 if quantization == "float32" else 1)
    assert tokenizer.padding_side == "left"


def test_a_model_of_another_kind_is_refused(tmp_path, exported_run):
    shutil.copytree(exported_run, tmp_path / "model")
    weights = read((tmp_path / "model" / "model.bin").read_bytes())
    others = {name: one for name, one in weights.variables.items() if "position_encodings" not in name}
    (tmp_path / "model" / "model.bin").write_bytes(write(replace(weights, variables=others)))
    with pytest.raises(UserMistake, match="is no GPT-2"):
        load_as_hugging_face(tmp_path / "model")


def test_all_sides_classify_the_same_texts(exported_run, monkeypatch):
    seen: list[int] = []
    seconds = classify._seconds

    def note(side: classify.Side, texts: Sequence[str]) -> float:
        seen.append(len(texts))
        return seconds(side, texts)

    monkeypatch.setattr(classify, "_seconds", note)
    measured = bench_classify(exported_run, TEXTS, rounds=2)
    assert seen.count(len(TEXTS)) == 2 * 4
    assert measured.sides["generate, fp32"].same_answer > 0.9
    assert measured.sides["one bf16 pass a batch"].same_answer > 0.7  # labels that begin alike are one to it
    assert all(len(speed.texts_per_second) == len(speed.milliseconds) == 2 for speed in measured.sides.values())
    assert json.loads(json.dumps(measured.to_json()))["ratios"].keys() == measured.sides.keys() - {BUDDY}


def test_ratios_are_taken_within_a_round():
    sides = {BUDDY: Speed([100.0, 300.0]), "other": Speed([50.0, 100.0])}
    measured = Comparison("model", 8, sides, gflop_per_text=0.5, gflop_per_second=[200.0, 100.0])
    assert measured.ratios("other") == [2.0, 3.0]
    assert measured.share_of_limit == (0.25 + 1.5) / 2
    assert measured.to_json()["ratios"] == {"other": 2.5}


def test_the_arithmetic_is_counted_by_hand(exported_run):
    network, _ = load_as_hugging_face(exported_run)
    width, layers = network.config.n_embd, network.config.n_layer
    model = load_classifier(exported_run)
    tokens = len(model.codec.backend.encode(" I won").ids) + 1  # and the mark
    found = classify._gflop_per_text(network, model, ["I won", "I won"])
    assert found == pytest.approx(2 * 12 * width**2 * layers * tokens / 1e9)


def test_both_sides_write_as_many_tokens(companion_model, monkeypatch):
    monkeypatch.setattr(chat, "TOKENS", 6)
    monkeypatch.setattr(chat, "SAMPLING", Sampling(max_tokens=6))
    measured = bench_chat(companion_model, TEXTS[:3], rounds=2)
    assert {len(speed.tokens_per_second) for speed in measured.sides.values()} == {2}
    ours, theirs = (measured.sides[name].tokens_per_second for name in (chat.BUDDY, chat.GENERATE))
    assert measured.ratios() == [a / b for a, b in zip(ours, theirs, strict=True)]
    assert measured.reply_milliseconds > 0
    assert measured.to_json()["conversations"] == 3


def test_a_failure_of_generate_is_told_at_once(companion_model, monkeypatch):
    network, tokenizer = load_as_hugging_face(companion_model)

    def fail(**_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(network, "generate", fail)
    side = chat._generate(network, tokenizer, load_classifier(companion_model))
    with pytest.raises(RuntimeError, match="out of memory"):
        list(side(random_tokens(12)))


def test_a_program_that_fails_says_why():
    with pytest.raises(EnvironmentFault, match=r"^buddy classify ended with 1: no such thing$"):
        start._run(start.BUDDY, [sys.executable, "-c", "raise SystemExit('well...\\nno such thing')"])


def test_a_model_that_cannot_reply_is_refused(exported_run):
    with pytest.raises(UserMistake, match="has not learned to reply"):
        bench_chat(exported_run, TEXTS[:1])


class TestCommand:
    def test_classify_prints_a_line_for_each_side(self, buddy, exported_run, moods, tmp_path):
        options = ("--data", moods, "--texts", 8, "--rounds", 1, "--out", "b.json")
        code, out, _ = buddy("bench", "classify", "--model", exported_run, *options)
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()[1:5]] == ["buddy", "one", "generate,", "pipeline"]
        assert out.count("times as fast") == 3
        assert json.loads((tmp_path / "b.json").read_text())["texts"] == 8

    def test_chat_prints_both(self, buddy, companion_model):
        code, out, _ = buddy("bench", "chat", "--model", companion_model, "--messages", 2, "--rounds", 1)
        assert code == 0
        assert out.count("tokens/s") == 2
        assert "best of eight" in out

    def test_start_runs_both_programs(self, buddy, exported_run):
        code, out, _ = buddy("bench", "start", "--model", exported_run, "--rounds", 1)
        assert code == 0
        assert out.count(" s\n") == 2

    def test_out_must_be_a_file(self, buddy, exported_run, tmp_path):
        for command in ("classify", "chat", "start"):
            code, _, err = buddy("bench", command, "--model", exported_run, "--out", tmp_path)
            assert code == 2
            assert "--out names a file" in err
