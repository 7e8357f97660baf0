import contextlib
import io
import json
import shutil
import sys

import numpy as np
import pytest

from tests.training.conftest import assert_same_run
from tests.training.foreign_models import FAMILIES, write_foreign

QUICK = (
    "--backbone",
    "scratch:tiny",
    "--vocabulary-size",
    330,
    "--max-tokens",
    32,
    "--batch-size",
    4,
    "--device",
    "cpu",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A text of which much can be foretold: the same few sentences in ever new order."""
    path = tmp_path_factory.mktemp("corpus") / "text.jsonl"
    random = np.random.default_rng(2)
    sentences = [
        "The old dog ran home.",
        "She laughed at him.",
        "It was late.",
        "Nobody called.",
        "I won.",
        "It rained.",
    ]
    lines = [{"text": " ".join(random.permutation(sentences))} for _ in range(300)]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.fixture(scope="module")
def pretrained(corpus, tmp_path_factory):
    """The folder in which a base model was made, and what was said."""
    from buddy.cli import main

    folder, out = tmp_path_factory.mktemp("pretrained"), io.StringIO()
    options = (*QUICK, "--epochs", 3, "--evaluations-per-epoch", 2)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["buddy", "pretrain", "--corpus", str(corpus), *map(str, options)])
        with pytest.raises(SystemExit) as leaving:
            main()
    assert leaving.value.code == 0
    return folder, out.getvalue()


@pytest.fixture
def history(pretrained, tmp_path):
    """The curves of that base model, which stands in ``runs/base`` of the test's own folder, and what was said."""
    folder, out = pretrained
    shutil.copytree(folder / "runs", tmp_path / "runs", symlinks=True)
    with open(tmp_path / "runs/base/history.jsonl") as file:
        return [json.loads(line) for line in file], out


def test_a_base_model_learns_to_continue_text(history):
    points, out = history
    assert len(points) == 6
    assert points[-1]["valid_loss"] < 0.7 * points[0]["valid_loss"]
    assert points[-1]["valid_accuracy"] > points[0]["valid_accuracy"] + 0.1
    bits = [point["valid_bits_per_byte"] for point in points]
    ratio = [point["valid_loss"] / one for point, one in zip(points, bits, strict=True)]
    assert ratio == pytest.approx([ratio[0]] * 6)
    assert 0 < bits[-1] < 8
    assert f"{bits[-1]:.3f} bits per byte" in out
    assert out.endswith(
        "Next:  buddy train --data DIR --backbone runs/base/best --epochs 5 --learning-rate 0.0005 --dropout 0.2\n"
    )


def test_a_model_can_be_fine_tuned_from_it_and_keeps_its_tokenizer(history, buddy, moods, tmp_path):
    options = ("--epochs", 1, "--out", "run", "--max-tokens", 32, "--device", "cpu")
    code, _, err = buddy("train", "--data", moods, "--backbone", "runs/base/best", *options)
    assert code == 0, err
    base, tuned = (
        json.loads((tmp_path / name / "tokenizer.json").read_text()) for name in ("runs/base/best", "run/best")
    )
    assert base["model"]["vocab"] == tuned["model"]["vocab"]
    assert "Ġnostalgic" in base["model"]["vocab"]


def test_an_interrupted_run_ends_like_one_that_was_not(buddy, corpus, tmp_path, monkeypatch):
    from buddy.training import loop

    def run(name, *more):
        return buddy("pretrain", "--out", name, *more)

    options = ("--corpus", corpus, *QUICK, "--epochs", 1)
    assert run("whole", *options)[0] == 0
    real, steps = loop.take_step, []

    def crash(*arguments):
        steps.append(1)
        if len(steps) == 30:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(loop, "take_step", crash)
    assert run("broken", *options)[0] == 130
    monkeypatch.setattr(loop, "take_step", real)
    code, _, err = run("broken", "--resume")
    assert code == 0, err
    assert_same_run(tmp_path / "whole", tmp_path / "broken")


def test_says_what_is_missing(buddy):
    code, _, err = buddy("pretrain")
    assert (code, "--corpus FILE" in err) == (2, True)


def test_leaves_a_finished_run_alone(history, buddy, corpus, tmp_path):
    before = (tmp_path / "runs/base/corpus/corpus.json").stat().st_mtime_ns
    code, _, err = buddy("pretrain", "--corpus", corpus, *QUICK)
    assert (code, "holds a run already" in err) == (2, True)
    assert (tmp_path / "runs/base/corpus/corpus.json").stat().st_mtime_ns == before


def test_rows_longer_than_the_model_reads_are_refused(buddy, corpus):
    wide = [*QUICK, "--epochs", 0.1]
    wide[wide.index("--max-tokens") + 1] = 1024
    code, _, err = buddy("pretrain", "--corpus", corpus, *wide)
    assert (code, "reads 512 tokens, not 1024; lower --max-tokens" in err) == (2, True)


def test_several_processes_would_write_one_corpus_over_each_other(buddy, corpus, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, _, err = buddy("pretrain", "--corpus", corpus, *QUICK)
    assert (code, "start `buddy pretrain` alone" in err) == (2, True)


def test_the_size_of_a_tokenizer_that_is_there_already_is_refused(history, buddy, corpus):
    options = ("--corpus", corpus, "--backbone", "runs/base/best", "--out", "run", "--vocabulary-size", 330)
    code, _, err = buddy("pretrain", *options)
    assert (code, "--vocabulary-size is of the tokenizer that scratch trains" in err) == (2, True)


@pytest.mark.parametrize("family", FAMILIES[1:3], ids=lambda family: family.name)
def test_a_model_that_ends_a_text_otherwise_is_refused(buddy, corpus, tmp_path, family):
    """Also where it has a token that is spelled as our end: it would never learn to end."""
    write_foreign(family, tmp_path / "foreign", tied=True)
    options = ("--corpus", corpus, "--backbone", "foreign", "--out", "run", "--max-tokens", 32, "--device", "cpu")
    code, _, err = buddy("pretrain", *options)
    assert (code, "a corpus with <|endoftext|>; choose a model like gpt2" in err) == (2, True), err
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_a_run_may_go_on_with_fewer_tokens_at_once(history, buddy, tmp_path):
    assert buddy("pretrain", "--resume", "--tokens-per-pass", 64)[0] == 0
    assert "tokens_per_pass: 64\n" in (tmp_path / "runs/base/config.yaml").read_text()
