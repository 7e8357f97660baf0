"""How a reply is chosen, with an engine that says what it is told to."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pytest

from buddy.companion.reply import AT_A_LOSS, Replies, as_it_comes, best_reply, is_good
from buddy.inference.classifier import Classifier
from buddy.inference.engine import Sampling, Written, score_answers
from buddy.inference.labels import LabelTrie, Scores
from buddy.text.render import END, LISTENER, SPEAKER
from buddy.text.tokenizer import Codec, Tokens


class Scripted:
    """An engine whose replies are given, a batch for each time that it is asked.

    After a conversation a reply is the likelier, the longer its words; after nothing all are likely alike. A word of
    ``doubted`` has unlikely pieces.
    """

    doubted = ""

    def __init__(self, codec: Codec, *batches: Sequence[str], cut: bool = False) -> None:
        self.codec, self.batches, self.cut = codec, list(batches), cut
        self.asked: list[tuple[list[str], Sampling]] = []

    def generate(self, prefixes: Sequence[Tokens], sampling: Sampling, stop_ids: Collection[int]) -> list[list[int]]:
        assert set(stop_ids) == {self.codec.special_ids[SPEAKER], self.codec.special_ids[END]}
        self.asked.append(([self.codec.decode(prefix.ids.tolist()) for prefix in prefixes], sampling))
        return [self._spell(text, sampling) for text in self.batches.pop(0)]

    def write(
        self, prefix: Tokens, count: int, sampling: Sampling, stop_ids: Collection[int], end: int
    ) -> list[Written]:
        return score_answers(self, prefix, self.generate([prefix] * count, sampling, stop_ids), end)

    def stream(self, prefix: Tokens, sampling: Sampling, stop_ids: Collection[int]) -> Iterator[int]:
        yield from self.generate([prefix], sampling, stop_ids)[0]

    def score_tokens(self, documents: Sequence[Tokens]) -> list[Scores]:
        scores = []
        for document in documents:
            text = self.codec.decode(document.ids.tolist())
            reply = text.rsplit(LISTENER, 1)[1].removesuffix(SPEAKER)
            words = [len(word) for word in reply.split()] if text.startswith(SPEAKER) else []
            doubt = -3.0 if self.doubted and self.doubted in reply else 0.0
            scores.append(np.full(len(document) - 1, float(np.mean(words or [0])) / 10 - 2 + doubt))
        return scores

    def score_labels(self, questions: Sequence[Tokens], trie: LabelTrie) -> Scores:  # noqa: ARG002
        raise AssertionError("a reply needs no labels")

    def _spell(self, text: str, sampling: Sampling) -> list[int]:
        ids = self.codec.backend.encode(f" {text}" if text else "", add_special_tokens=False).ids
        return ids + [ids[-1]] * (sampling.max_tokens - len(ids)) if self.cut else ids


def model(engine: Scripted, max_tokens: int = 400) -> Classifier:
    return Classifier(engine, ("sad", "glad"), temperature=1.0, max_tokens=max_tokens, task="companion")


TALK = ["I lost my cat.", "Oh no, since when?", "Since Monday."]


class TestReply:
    def test_is_the_likeliest_of_the_good_ones(self, codec):
        engine = Scripted(codec, ["", "How is it", "Tremendously", "Since Monday!"])
        assert best_reply(model(engine), TALK, Replies()) == "Tremendously"

    def test_without_made_up_words_goes_first(self, codec):
        engine = Scripted(codec, ["How is it", "Tremendously xqzzy"])
        engine.doubted = "xqzzy"
        assert best_reply(model(engine), TALK, Replies()) == "How is it"

    def test_takes_no_five_words_from_the_last_turn(self, codec):
        engine = Scripted(codec, ["Oh no, you lost your old grey cat there", "How is it"])
        assert best_reply(model(engine), ["I think that you lost your old grey cat"], Replies()) == "How is it"

    def test_is_asked_for_behind_the_whole_conversation(self, codec):
        engine = Scripted(codec, ["I see."] * 3)
        best_reply(model(engine), TALK, Replies(Sampling(seed=3), candidates=3))
        ((prefixes, sampling),) = engine.asked
        assert (
            prefixes == ["<SPEAKER> I lost my cat.<LISTENER> Oh no, since when?<SPEAKER> Since Monday.<LISTENER>"] * 3
        )
        assert sampling.seed == 3

    def test_that_leaves_nothing_to_chance_is_written_once(self, codec):
        engine = Scripted(codec, ["I see."])
        assert best_reply(model(engine), TALK, Replies(Sampling(temperature=0))) == "I see."
        assert len(engine.asked[0][0]) == 1

    def test_leaves_room_for_itself_and_loses_the_oldest_turns(self, codec):
        engine = Scripted(codec, ["I see."] * 4)
        best_reply(
            model(engine, max_tokens=64), ["I am sad. " * 30, "Oh.", "It rained."], Replies(Sampling(max_tokens=48))
        )
        ((prefixes, sampling),) = engine.asked
        assert sampling.max_tokens == 32
        assert prefixes[0] == "<LISTENER> Oh.<SPEAKER> It rained.<LISTENER>"

    def test_is_tried_again_when_no_candidate_is_good_and_with_another_seed(self, codec):
        engine = Scripted(codec, ["", "…", "so so so so"], ["Since Monday", "I see."])
        assert best_reply(model(engine), TALK, Replies(Sampling(seed=3))) == "I see."
        assert [sampling.seed for _, sampling in engine.asked] == [3, 4]

    def test_is_there_even_when_nothing_good_comes(self, codec):
        assert best_reply(model(Scripted(codec, [""], ["!"])), TALK, Replies()) == AT_A_LOSS

    def test_that_was_cut_ends_with_its_last_whole_sentence(self, codec):
        engine = Scripted(codec, ["I see. What was it like? I once had a"], cut=True)
        assert best_reply(model(engine), TALK, Replies(Sampling(max_tokens=60))) == "I see. What was it like?"

    def test_that_was_cut_in_its_first_sentence_is_none(self, codec):
        engine = Scripted(codec, ["I once had a dog and"], ["I see."], cut=False)
        cut = Scripted(codec, ["I once had a dog and"], ["I went out and"], cut=True)
        assert best_reply(model(engine), TALK, Replies()) == "I once had a dog and"
        assert best_reply(model(cut), TALK, Replies(Sampling(max_tokens=30))) == AT_A_LOSS

    def test_cannot_move_the_cursor(self, codec):
        engine = Scripted(codec, ["I \x1b[31msee\x07."])
        assert best_reply(model(engine), TALK, Replies()) == "I [31msee."
        engine = Scripted(codec, ["I \x1b[31msee\x07."])
        assert "".join(as_it_comes(model(engine), TALK, Replies(candidates=1))) == "I [31msee."

    def test_is_one_line(self, codec):
        engine = Scripted(codec, ["I see.\n\n  Tell me\tmore."])
        assert best_reply(model(engine), TALK, Replies()) == "I see. Tell me more."


class TestGoodness:
    @pytest.mark.parametrize("reply", ["", " ", "...", "?!", "😢"])
    def test_is_not_in_what_says_nothing(self, reply):
        assert not is_good(reply, TALK)

    @pytest.mark.parametrize(
        "reply",
        ["Since Monday.", "since Monday?!", "Since, Monday", "Oh no, since when?", "oh no since when exactly"],
        ids=["the-last-turn", "other-marks", "a-comma", "an-earlier-reply", "nearly-that"],
    )
    def test_is_not_in_what_was_just_said(self, reply):
        assert not is_good(reply, TALK)

    @pytest.mark.parametrize("reply", ["no no no", "I am so I am so sad", "that is bad, that is bad"])
    def test_is_not_in_circles(self, reply):
        assert not is_good(reply, TALK)

    @pytest.mark.parametrize(
        "reply", ["Oh no!", "Monday is long ago.", "I lost my cat, too. Was she old?", "Very, very sad."]
    )
    def test_is_in_the_rest(self, reply):
        assert is_good(reply, TALK)


class TestStream:
    def test_gives_the_words_of_the_best_reply(self, codec):
        pieces = list(as_it_comes(model(Scripted(codec, ["", "I see that."])), TALK, Replies()))
        assert pieces == ["I ", "see ", "that."]

    def test_of_one_candidate_comes_token_by_token(self, codec):
        text = "It rained 😢 and we all went out"
        pieces = list(as_it_comes(model(Scripted(codec, [text])), TALK, Replies(candidates=1)))
        assert "".join(pieces) == text
        assert len(pieces) > 5
        assert "\ufffd" not in "".join(pieces)

    def test_of_one_candidate_that_says_nothing_says_something(self, codec):
        assert list(as_it_comes(model(Scripted(codec, [""])), TALK, Replies(candidates=1))) == [AT_A_LOSS]


def test_no_candidates_are_refused():
    with pytest.raises(ValueError, match="candidates cannot be 0"):
        Replies(candidates=0)
