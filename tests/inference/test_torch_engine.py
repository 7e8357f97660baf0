"""The engine for checkpoints, compared with Hugging Face's own `generate` and with one text at a time."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from buddy.inference import torch_engine
from buddy.inference.engine import Sampling
from buddy.inference.torch_engine import ROWS_WRITTEN_AT_ONCE, TorchEngine
from buddy.text.render import END, SPEAKER, SPECIAL_TOKENS
from buddy.text.tokenizer import Tokens
from tests.conftest import random_tokens, tiny_gpt2, tiny_gpt_neo, tiny_llama, tiny_mistral, tiny_quick_gpt2
from tests.inference.greedy import GREEDY
from tests.training.maskless_models import tiny_gpt1, tiny_lfm2, tiny_mamba, tiny_qwen_next

STOP = 7
LENGTHS = (3, 9, 1, 3, 20)


@pytest.fixture(
    scope="module",
    params=[
        tiny_gpt2,
        tiny_llama,
        tiny_gpt_neo,
        tiny_mistral,
        tiny_quick_gpt2,
        tiny_lfm2,
    ],
)
def engine(request, codec, cpu):
    """Models of 50 tokens with a tokenizer of more: none of the tokens that they can write is special but four."""
    return TorchEngine(request.param(), codec, cpu)


@pytest.fixture(scope="module")
def prefixes():
    return [random_tokens(length, seed=4) for length in LENGTHS]


def special(engine: TorchEngine) -> list[int]:
    return [engine.codec.special_ids[token] for token in SPECIAL_TOKENS]


def written_by_hugging_face(engine: TorchEngine, prefix: Tokens, penalty: float = 1.0) -> list[int]:
    ids = torch.from_numpy(prefix.ids)[None]
    model: Any = engine.model
    with torch.no_grad():
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=12,
            suppress_tokens=special(engine),
            eos_token_id=STOP,
            pad_token_id=0,
            logits_processor=[OfTheAnswer(ids.shape[1], penalty)],
        )
    return [token for token in written[0, ids.shape[1] :].tolist() if token != STOP]


class TestTokens:
    def test_have_the_probabilities_of_each_document_alone(self, engine):
        documents = [random_tokens(length) for length in (2, 40, 1, 7)]
        for document, found in zip(documents, engine.score_tokens(documents), strict=True):
            ids = torch.from_numpy(document.ids)
            with torch.no_grad():
                logs = engine.model(ids[None]).logits[0].log_softmax(-1)
            expected = [float(logs[i, ids[i + 1]]) for i in range(len(ids) - 1)]
            np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_do_not_make_more_logits_at_once_than_they_may(self, engine, monkeypatch):
        documents, made = [random_tokens(length) for length in (2, 7, 8, 7)], []
        expected = engine.score_tokens(documents)
        monkeypatch.setattr(torch_engine, "LOGITS_AT_ONCE", {"cpu": 800})
        layer = engine.model.get_output_embeddings()
        with layer.register_forward_hook(lambda _layer, _given, logits: made.append(logits.numel())):
            found = engine.score_tokens(documents)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
        assert 400 < max(made) <= 800

    def test_of_nothing_are_none(self, engine):
        assert engine.score_tokens([]) == []


class TestGreedyWriting:
    @pytest.mark.parametrize("penalty", [1.0, 1.4])
    def test_is_that_of_hugging_face_one_prefix_at_a_time(self, engine, prefixes, penalty):
        answers = engine.generate(
            prefixes, Sampling(temperature=0, no_repeat_ngram=0, max_tokens=12, repetition_penalty=penalty), {STOP}
        )
        assert answers == [written_by_hugging_face(engine, prefix, penalty) for prefix in prefixes]

    @pytest.mark.parametrize("make", [tiny_qwen_next, tiny_mamba, tiny_gpt1])
    def test_is_so_whatever_the_model_keeps_of_what_it_has_read(self, make, codec, cpu, prefixes):
        engine = TorchEngine(make(), codec, cpu)
        answers = engine.generate(prefixes, Sampling(temperature=0, no_repeat_ngram=0, max_tokens=12), {STOP})
        assert answers == [written_by_hugging_face(engine, prefix) for prefix in prefixes]

    def test_streams_what_it_would_write(self, engine, prefixes):
        written = engine.generate(prefixes, GREEDY, {STOP})
        assert [list(engine.stream(prefix, GREEDY, {STOP})) for prefix in prefixes] == written

    def test_repeats_no_sequence_that_may_not_be(self, engine, prefixes):
        answers = engine.generate(prefixes, Sampling(temperature=0, no_repeat_ngram=2, max_tokens=40), ())
        for answer in answers:
            pairs = list(pairwise(answer))
            assert len(set(pairs)) == len(pairs)

    def test_of_nothing_is_nothing(self, engine):
        assert engine.generate([], GREEDY, {STOP}) == []


class TestSampling:
    LOUD = Sampling(temperature=3.0, top_p=1.0, seed=11)

    def test_repeats_itself_with_a_seed_and_not_without(self, engine, prefixes):
        first, second = (engine.generate(prefixes, self.LOUD, {STOP}) for _ in range(2))
        free = engine.generate(prefixes, Sampling(temperature=3.0, top_p=1.0), {STOP})
        assert first == second != free

    def test_draws_anew_in_every_pass(self, engine):
        answers = engine.generate([random_tokens(3)] * (2 * ROWS_WRITTEN_AT_ONCE), self.LOUD, {STOP})
        assert answers[:ROWS_WRITTEN_AT_ONCE] != answers[ROWS_WRITTEN_AT_ONCE:]

    def test_never_writes_a_special_token_that_is_no_stop(self, engine, prefixes):
        stop = engine.codec.special_ids[SPEAKER]
        answers = engine.generate(prefixes * 8, self.LOUD, {stop})
        assert not set(special(engine)) & {token for answer in answers for token in answer}
        assert any(len(answer) < self.LOUD.max_tokens for answer in answers), "some stop"
        assert all(len(a) == 48 for a in engine.generate(prefixes, self.LOUD, {engine.codec.special_ids[END] + 10_000}))

    def test_takes_only_the_likeliest_where_it_must(self, engine, prefixes):
        greedy = engine.generate(prefixes, GREEDY, {STOP})
        assert engine.generate(prefixes, Sampling(top_p=1e-6, no_repeat_ngram=0), {STOP}) == greedy
        assert engine.generate(prefixes, Sampling(top_k=1, no_repeat_ngram=0), {STOP}) == greedy


def test_a_stream_leaves_gradients_on_for_whoever_reads_it(engine, prefixes):
    stream = engine.stream(prefixes[0], GREEDY, ())
    next(stream)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    stream.close()


class OfTheAnswer:
    """Hugging Face's penalty, which would count the words of the prefix as well, on the answer alone."""

    def __init__(self, start: int, penalty: float) -> None:
        self.start, self.penalty = start, penalty

    def __call__(self, ids, scores):
        for row, answer in enumerate(ids[:, self.start :]):
            for token in set(answer.tolist()):
                score = scores[row, token]
                scores[row, token] = score * self.penalty if score < 0 else score / self.penalty
        return scores
