"""How many passes run at the same time, and with which instructions."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from buddy.inference import ctranslate2_engine
from buddy.inference.classifier import load_classifier
from buddy.inference.ctranslate2_engine import _use_wide_instructions, cores
from buddy.inference.engine import Sampling
from buddy.inference.labels import make_trie
from buddy.text.render import render_reply_question
from tests.conftest import ENDINGS, OPENINGS, random_tokens

TEXTS = [f"{opening} {ending}" for openings in OPENINGS.values() for opening in openings for ending in ENDINGS]


@pytest.mark.parametrize(("asked", "given"), [("", 4), ("1", 1), ("3", 3), ("64", 4), ("0", 4), ("all", 4)])
def test_there_are_as_many_as_cores_or_as_somebody_asked_for(monkeypatch, asked, given):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 5}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert cores() == given


@pytest.mark.parametrize("threads", ["1", "2", "3"])
def test_answers_do_not_depend_on_them_nor_on_the_order(companion_model, monkeypatch, threads):
    expected = load_classifier(companion_model).probabilities(TEXTS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setattr(ctranslate2_engine, "TOKENS_OF_A_QUESTION_PASS", 40)
    model = load_classifier(companion_model)
    assert model.engine.generator.num_generators == int(threads)  # type: ignore[attr-defined]
    order = np.random.default_rng(1).permutation(len(TEXTS))
    found = model.probabilities([TEXTS[i] for i in order])
    np.testing.assert_allclose(found, expected[order], atol=1e-5)
    assert (found.argmax(axis=1) == expected[order].argmax(axis=1)).all()


def test_a_seed_gives_the_same_replies_with_many(companion_model, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    model = load_classifier(companion_model)
    prefixes = model.codec.encode([render_reply_question([text]) for text in TEXTS[:12]])
    sampling = Sampling(temperature=1.5, top_p=1.0, seed=5)
    written = [model.engine.generate(prefixes, sampling, model.codec.reply_ends) for _ in range(6)]
    assert all(one == written[0] for one in written)
    streamed = [list(model.engine.stream(prefixes[0], sampling, ())) for _ in range(6)]
    assert all(one == streamed[0] for one in streamed)


def test_those_of_pytorch_stay_as_they_are(companion_model, monkeypatch):
    """The library sets a number of threads that PyTorch, in the same process, would take for its own."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        model = load_classifier(companion_model)
        model.log_scores(TEXTS)
        prefixes = model.codec.encode([render_reply_question([TEXTS[0]])])
        model.engine.generate(prefixes, Sampling(seed=1), ())
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("trie", [make_trie([(5,), (6,)], end=0), make_trie([(5, 6), (5, 7)], end=0)])
def test_those_that_ask_first_at_the_same_time_make_one_model(companion_model, monkeypatch, trie):
    engine, made = load_classifier(companion_model).engine, []
    make = ctranslate2_engine._new_generator

    def make_slowly(*arguments, **named):
        made.append(arguments)
        time.sleep(0.05)
        return make(*arguments, **named)

    monkeypatch.setattr(ctranslate2_engine, "_new_generator", make_slowly)
    barrier = threading.Barrier(8)

    def ask(_: int) -> None:
        barrier.wait(10)
        engine.score_labels([random_tokens(4)], trie)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(made) == 1


def test_a_failure_in_one_of_them_is_not_lost(companion_model, monkeypatch):
    model = load_classifier(companion_model)

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(ctranslate2_engine, "_choose", fail)
    monkeypatch.setattr(type(model.engine), "_score_along_paths", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        model.log_scores(TEXTS)


WIDE = "avx2 avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [(WIDE, None, "AVX512"), ("avx2 avx512f", None, None), (WIDE, "AVX2", "AVX2"), (None, None, None)],
    ids=["has-them", "has-some", "somebody-chose", "not-linux"],
)
def test_wide_instructions_are_used_where_the_processor_has_them(monkeypatch, tmp_path, flags, before, after):
    monkeypatch.delenv("CT2_FORCE_CPU_ISA", raising=False)
    if before:
        monkeypatch.setenv("CT2_FORCE_CPU_ISA", before)
    if flags:
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\nbogomips\t: 1\n")
    _use_wide_instructions(tmp_path / "cpuinfo")
    assert os.environ.get("CT2_FORCE_CPU_ISA") == after
    monkeypatch.delenv("CT2_FORCE_CPU_ISA", raising=False)
