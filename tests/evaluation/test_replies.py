import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from buddy.evaluation import replies
from buddy.evaluation.replies import Surprise, _windows, judge_replies, measure_surprise, summarise
from buddy.records import Dialogue
from buddy.text.render import END, LISTENER, SPEAKER
from tests.conftest import tiny_gpt2
from tests.evaluation.speaking import FakeEngine, expected, make_dialogues

TALK = Dialogue("1", "sad", "My dog died.", ("My dog died.", "Oh no, I'm sorry!", "Thanks.", "What was he like?"))


def spell_out(codec, turns):
    """The tokens of a conversation one by one, each with whether it belongs to a reply or ends one."""
    tokens = []
    for number, turn in enumerate(turns):
        is_reply = number % 2 == 1
        tokens.append((codec.special_ids[LISTENER if is_reply else SPEAKER], number > 0 and not is_reply))
        tokens += [(token, is_reply) for token in codec.backend.encode(f" {turn}", add_special_tokens=False).ids]
    return [*tokens, (codec.special_ids[END], len(turns) % 2 == 0)]


def naive_nats(codec, turns):
    tokens = spell_out(codec, turns)
    ids = [token for token, _ in tokens]
    return -sum(expected(ids[:i], token) for i, (token, is_judged) in enumerate(tokens) if is_judged)


def test_replies_and_their_ends_are_judged_and_nothing_else(codec):
    found = judge_replies(FakeEngine(codec), [TALK], 1000, resamples=0)
    assert found.nats == pytest.approx(naive_nats(codec, TALK.turns))
    assert found.replies == 2
    assert found.words == len(
        ["Oh", "no", ",", "I", "'m", "sorry", "!", "END", "What", "was", "he", "like", "?", "END"]
    )
    assert found.space_words == len(["Oh", "no,", "I'm", "sorry!", "END", "What", "was", "he", "like?", "END"])
    assert found.bytes == len("Oh no, I'm sorry!\nWhat was he like?\n")
    assert found.tokens == sum(
        len(codec.backend.encode(f" {turn}", add_special_tokens=False).ids) + 1 for turn in TALK.turns[1::2]
    )
    assert found.per_word == pytest.approx(math.exp(found.nats / found.words))
    assert found.per_space_word == pytest.approx(math.exp(found.nats / found.space_words))
    assert found.per_token == pytest.approx(math.exp(found.nats / found.tokens))
    assert found.bits_per_byte == pytest.approx(found.nats / math.log(2) / found.bytes)
    assert found.per_word_interval is None


def test_a_real_model_is_as_surprised_as_its_own_logits_say(codec, cpu):
    from buddy.inference.torch_engine import TorchEngine

    model = tiny_gpt2(codec.backend.get_vocab_size())
    ids, is_judged = (torch.tensor(column) for column in zip(*spell_out(codec, TALK.turns), strict=True))
    with torch.no_grad():
        log_probabilities = model(ids[None]).logits[0].log_softmax(dim=-1)
    nats = -log_probabilities[:-1].gather(1, ids[1:, None])[:, 0][is_judged[1:]].sum()
    found = judge_replies(TorchEngine(model, codec, cpu), [TALK], 128, resamples=0)
    assert found.nats == pytest.approx(float(nats), rel=1e-5)


@pytest.mark.parametrize("turns", [2, 3, 4, 5, 8])
def test_a_conversation_may_end_with_either(codec, turns):
    talk = Dialogue("1", "sad", "", tuple(f"turn {i}" for i in range(turns)))
    surprise = measure_surprise(FakeEngine(codec), [talk], 1000)
    assert surprise.nats.sum() == pytest.approx(naive_nats(codec, talk.turns))
    assert len(surprise.nats) == turns // 2


def test_the_emotion_is_not_told(codec):
    engine = FakeEngine(codec)
    judge_replies(engine, [TALK], 1000, resamples=0)
    assert "sad" not in codec.decode(engine.read[0].ids.tolist())


def test_how_many_go_at_once_changes_nothing(codec, monkeypatch):
    dialogues = make_dialogues(["sad", "glad"], 20)
    at_once = judge_replies(FakeEngine(codec), dialogues, 1000, resamples=50)
    monkeypatch.setattr(replies, "CONVERSATIONS_AT_ONCE", 3)
    assert judge_replies(FakeEngine(codec), dialogues, 1000, resamples=50) == at_once


def test_a_long_conversation_is_read_in_parts_and_each_token_judged_once(codec):
    talk = Dialogue("1", "sad", "", tuple(f"turn {i} of a long talk" for i in range(12)))
    engine = FakeEngine(codec, longest=64)
    found = judge_replies(engine, [talk], 64, resamples=0)
    whole = judge_replies(FakeEngine(codec), [talk], 1000, resamples=0)
    assert len(engine.read) > 2
    assert found.tokens == whole.tokens
    assert found.nats != whole.nats  # less was known before the later tokens


@given(st.integers(2, 500), st.integers(16, 64))
def test_windows_judge_each_token_once_with_enough_before_it(length, max_tokens):
    windows = list(_windows(length, max_tokens))
    judged = [place for start, stop, first in windows for place in range(first, stop)]
    assert judged == list(range(1, length))
    assert all(0 <= start < first < stop <= length and stop - start <= max_tokens for start, stop, first in windows)
    assert all(first - start >= max_tokens // 2 for start, _, first in windows if start)


def test_perplexity_of_a_blind_guess_is_the_size_of_the_vocabulary():
    blind = Surprise(np.full(3, 4 * math.log(50)), np.tile([4.0, 4.0, 4.0, 6.0], (3, 1)), np.arange(3))
    found = summarise(blind, resamples=100, seed=1)
    assert found.per_token == pytest.approx(50)
    assert found.per_word_by_reply == pytest.approx(50)
    assert found.per_word_interval == pytest.approx((50, 50))


def test_a_perplexity_too_large_for_a_number_is_left_out():
    """A long reply without spaces is one word."""
    whole, plain = [200.0, 2.0, 2.0, 600.0], [10.0, 10.0, 10.0, 30.0]
    found = summarise(Surprise(np.array([2000.0, 2000.0]), np.array([whole, whole]), np.arange(2)), 20, seed=1)
    assert (found.per_word, found.per_word_by_reply, found.per_space_word) == (None, None, None)
    assert found.per_word_interval is None
    assert found.per_token == pytest.approx(math.exp(10))
    assert found.bits_per_byte == pytest.approx(4000 / math.log(2) / 1200)
    mixed = summarise(Surprise(np.array([2000.0, 30.0]), np.array([whole, plain]), np.arange(2)), 200, seed=1)
    assert mixed.per_word == pytest.approx(math.exp(2030 / 12))
    assert mixed.per_word_interval is None  # some draws hold the first conversation alone


def test_by_reply_a_short_one_counts_as_much_as_a_long_one():
    sizes = np.array([[2, 2, 2, 3], [18, 18, 18, 90]])
    found = summarise(Surprise(np.array([2 * 6.0, 18 * 3.0]), sizes, np.array([0, 0])), resamples=0, seed=1)
    assert found.per_word == pytest.approx(math.exp((12 + 54) / 20))
    assert found.per_word_by_reply == pytest.approx(math.exp((6 + 3) / 2))
    assert (found.conversations, found.replies) == (1, 2)


def test_each_reply_of_a_conversation_has_its_own_surprise(codec):
    whole = measure_surprise(FakeEngine(codec), [TALK], 1000)
    begun = measure_surprise(FakeEngine(codec), [Dialogue("1", "sad", "", TALK.turns[:3])], 1000)
    assert whole.nats[0] == pytest.approx(begun.nats[0])
    assert whole.sizes[0].tolist() == begun.sizes[0].tolist()
    assert whole.conversations.tolist() == [0, 0]


def test_the_interval_holds_the_figure_and_narrows_with_more_conversations(codec):
    few, many = (
        judge_replies(FakeEngine(codec), make_dialogues(["sad"], count), 1000, resamples=200) for count in (12, 300)
    )
    assert few.per_word
    assert few.per_word_interval
    assert many.per_word_interval
    (low, high), (closer_low, closer_high) = few.per_word_interval, many.per_word_interval
    assert low < few.per_word < high
    assert closer_high - closer_low < (high - low) / 2


def test_the_interval_draws_whole_conversations():
    """Two kinds of conversations, all alike within: only their mixture varies from draw to draw."""
    surprise = Surprise(np.repeat([0.5, 2.5] * 50, 2), np.ones((200, 4)), np.repeat(np.arange(100), 2))
    found = summarise(surprise, resamples=2000, seed=3)
    spread = 1.0 / np.sqrt(100)  # of the mean of 100 draws between 0.5 and 2.5
    assert found.per_word_interval
    low, high = found.per_word_interval
    assert math.log(low) == pytest.approx(1.5 - 1.96 * spread, abs=0.02)
    assert math.log(high) == pytest.approx(1.5 + 1.96 * spread, abs=0.02)


def test_a_split_in_which_nobody_listens_is_refused(codec):
    with pytest.raises(ValueError, match="no conversation has a turn of the listener"):
        judge_replies(FakeEngine(codec), [Dialogue("1", "sad", "", ("Hi",))], 1000)


def test_half_a_surrogate_pair_has_a_size(codec):
    talk = Dialogue("1", "sad", "", ("Hi", "so \ud800 sad"))
    assert judge_replies(FakeEngine(codec), [talk], 1000, resamples=0).bytes == len("so ? sad\n")
