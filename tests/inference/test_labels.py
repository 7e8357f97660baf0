import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from buddy.errors import UserMistake
from buddy.inference import torch_labels
from buddy.inference.labels import label_trie, make_trie
from buddy.inference.torch_labels import score_labels
from buddy.text.render import END as END_OF_TEXT
from buddy.text.tokenizer import Tokens
from tests.conftest import random_tokens, tiny_gemma, tiny_gpt2, tiny_llama, tiny_mistral, tiny_quick_gpt2
from tests.training.maskless_models import tiny_bloom, tiny_lfm2, tiny_local_gpt_neo

END = 0
SHARED_BEGINNINGS = [(7,), (7, 8), (7, 8, 9, 10, 11), (7, 12, 13), (14, 15), (14, 16, 17, 18), (3,)]
SINGLE_TOKENS = [(5,), (9,), (31,)]


@pytest.fixture(
    scope="module",
    params=[
        tiny_gpt2,
        tiny_quick_gpt2,
        tiny_llama,
        tiny_gemma,
        tiny_mistral,
        tiny_lfm2,
        tiny_bloom,
        tiny_local_gpt_neo,
    ],
)
def model(request):
    return request.param()


def naive_log_scores(model: nn.Module, ids: list[int], labels: list[tuple[int, ...]]) -> list[float]:
    """Run the text with every label on its own, without mask, trie or batch, and add up the log-probabilities."""
    scores = []
    for label in labels:
        is_beginning = any(other != label and other[: len(label)] == label for other in labels)
        answer = [*label, END] if is_beginning else [*label]
        with torch.no_grad():
            logits = model(torch.tensor([ids + answer])).logits[0].double()
        following = logits.log_softmax(-1)[len(ids) - 1 :]
        scores.append(sum(float(following[i, token]) for i, token in enumerate(answer)))
    return torch.tensor(scores).log_softmax(0).tolist()


def naive(model: nn.Module, questions: list[Tokens], labels: list[tuple[int, ...]]) -> npt.NDArray[np.float64]:
    return np.array([naive_log_scores(model, question.ids.tolist(), labels) for question in questions])


class TestScores:
    @pytest.mark.parametrize("labels", [SHARED_BEGINNINGS, SINGLE_TOKENS], ids=["shared-beginnings", "single-tokens"])
    def test_equal_every_label_run_on_its_own(self, model, cpu, labels):
        questions = [random_tokens(length) for length in (1, 3, 4, 9, 20)]
        scores = score_labels(model, questions, make_trie(labels, END), cpu)
        expected = naive(model, questions, labels)
        np.testing.assert_allclose(np.exp(scores), np.exp(expected), atol=1e-5)
        np.testing.assert_allclose(scores, expected, atol=1e-4)
        assert np.exp(expected).std() > 0.1, "a model without opinions would prove nothing"

    @settings(max_examples=20, deadline=None)
    @given(
        st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=5).map(tuple), min_size=2, max_size=7, unique=True),
        st.lists(st.integers(1, 12), min_size=1, max_size=4),
    )
    def test_equal_it_for_any_set_of_labels(self, cpu, labels, lengths):
        model = tiny_gpt2(vocabulary=6)
        questions = [random_tokens(length, seed=i, vocabulary=6) for i, length in enumerate(lengths)]
        scores = score_labels(model, questions, make_trie(labels, END), cpu)
        np.testing.assert_allclose(np.exp(scores), np.exp(naive(model, questions, labels)), atol=1e-5)

    def test_of_single_tokens_are_the_softmax_at_the_last_real_token(self, model, cpu):
        questions = [random_tokens(length) for length in (12, 2, 7)]
        scores = score_labels(model, questions, make_trie(SINGLE_TOKENS, END), cpu)
        for row, question in zip(scores, questions, strict=True):
            with torch.no_grad():
                last = model(torch.from_numpy(question.ids)[None]).logits[0, -1]
            expected = last[[token for (token,) in SINGLE_TOKENS]].softmax(0)
            np.testing.assert_allclose(np.exp(row), expected, atol=1e-5)

    @pytest.mark.parametrize("max_tokens_per_pass", [1, 30, 100])
    def test_do_not_depend_on_the_passes(self, model, cpu, max_tokens_per_pass):
        questions = [random_tokens(length) for length in (2, 17, 3, 9, 9, 1)]
        trie = make_trie(SHARED_BEGINNINGS, END)
        at_once = score_labels(model, questions, trie, cpu)
        in_passes = score_labels(model, questions, trie, cpu, max_tokens_per_pass)
        np.testing.assert_allclose(at_once, in_passes, atol=1e-5)

    def test_do_not_make_more_logits_at_once_than_they_may(self, model, cpu, monkeypatch):
        questions = [random_tokens(length) for length in (2, 17, 3, 9, 9, 1)]
        trie = make_trie(SHARED_BEGINNINGS, END)
        expected, made = score_labels(model, questions, trie, cpu), []
        monkeypatch.setattr(torch_labels, "LOGITS_AT_ONCE", {"cpu": 1000})  # of two texts with 9 columns each
        layer = model.get_output_embeddings()
        with layer.register_forward_hook(lambda _layer, _given, logits: made.append(logits.numel())):
            found = score_labels(model, questions, trie, cpu)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert 500 < max(made) <= 1000

    def test_do_not_depend_on_the_order(self, model, cpu):
        questions = [random_tokens(length) for length in (2, 17, 3, 9, 1)]
        trie = make_trie(SHARED_BEGINNINGS, END)
        order = [3, 0, 4, 2, 1]
        scores = score_labels(model, questions, trie, cpu)
        np.testing.assert_allclose(
            scores[order], score_labels(model, [questions[i] for i in order], trie, cpu), atol=1e-5
        )

    def test_do_not_depend_on_longer_companions(self, model, cpu):
        trie = make_trie(SHARED_BEGINNINGS, END)
        question = random_tokens(4)
        alone = score_labels(model, [question], trie, cpu)[0]
        padded = score_labels(model, [random_tokens(60), question], trie, cpu)[1]
        np.testing.assert_allclose(alone, padded, atol=1e-5)

    def test_leave_the_weights_of_a_model_that_learns_able_to(self, cpu):
        model, seen = tiny_gpt2(), []
        model.register_forward_hook(lambda *answer: seen.append(answer[-1].logits))
        score_labels(model, [random_tokens(5)], make_trie(SINGLE_TOKENS, END), cpu)
        assert [(logits.requires_grad, logits.is_inference()) for logits in seen] == [(False, False)]

    def test_of_no_texts_are_no_rows(self, model, cpu):
        assert score_labels(model, [], make_trie(SINGLE_TOKENS, END), cpu).shape == (0, 3)


class TestTrie:
    def test_nodes_are_the_beginnings_that_go_on(self):
        trie = make_trie([(1, 2, 3), (1, 2, 4), (5,), (1,)], end=END)
        assert trie.tokens == (1, 2)
        assert trie.parents == (0, 1)
        assert trie.paths == (((0, 1), (1, 2), (2, 3)), ((0, 1), (1, 2), (2, 4)), ((0, 5),), ((0, 1), (1, END)))
        assert trie.depths.tolist() == [0, 1]
        assert trie.ancestry.tolist() == [[True, False], [True, True]]

    @pytest.mark.parametrize("labels", [[(1, 2), (3,), (1, 2)], [(1,), ()]], ids=["same-tokens", "no-tokens"])
    def test_labels_that_no_score_could_tell_apart_are_refused(self, labels):
        with pytest.raises(ValueError, match="tokens of its own"):
            make_trie(labels, END)

    def test_labels_that_are_spelled_alike_are_named(self, codec):
        with pytest.raises(UserMistake, match="cannot tell the labels 'sad' and ' sad' apart"):
            label_trie(codec, ["sad", "glad", " sad"])

    def test_the_beginning_of_another_label_is_ended_by_the_mark_that_is_learned_behind_labels(self, codec):
        trie = label_trie(codec, ["sad", "sad and tired"])
        assert trie.paths[0][-1] == (1, codec.special_ids[END_OF_TEXT])
        assert trie.paths[1][-1][1] == codec.encode_label("sad and tired")[-1]
