import pytest

from buddy.evaluation import companion
from buddy.evaluation.companion import judge_companion, places_of, write_replies
from buddy.evaluation.generated import describe_replies
from buddy.inference.engine import Sampling
from buddy.text.render import LISTENER, SPEAKER
from tests.conftest import LABELS
from tests.evaluation.speaking import SAYS, FakeCompanion, FakeEngine, make_dialogues


@pytest.fixture
def model(codec):
    return FakeCompanion(FakeEngine(codec), LABELS)


DIALOGUES = make_dialogues(LABELS, 30)


def test_every_turn_of_the_listener_is_a_place():
    places = places_of(DIALOGUES)
    assert len(places) == sum(len(one.turns) // 2 for one in DIALOGUES)
    assert all(len(place.context) % 2 == 1 for place in places)
    assert places[-1].reference == DIALOGUES[-1].turns[len(places[-1].context)]


def test_the_model_goes_on_where_the_listener_would_speak(model, codec):
    write_replies(model, [("Hello.",), ("a", "b", "c")], Sampling(seed=1))
    texts = [codec.decode(prefix.ids.tolist()) for prefix in model.engine.prefixes]
    assert texts == [f"{SPEAKER} Hello.{LISTENER}", f"{SPEAKER} a{LISTENER} b{SPEAKER} c{LISTENER}"]


def test_replies_are_in_the_order_of_their_contexts_however_many_go_at_once(model, monkeypatch):
    contexts = [place.context for place in places_of(DIALOGUES)]
    at_once = write_replies(model, contexts, Sampling(seed=1))
    monkeypatch.setattr(companion, "CONTEXTS_AT_ONCE", 5)
    assert write_replies(model, contexts, Sampling(seed=1)) == at_once
    assert set(at_once) <= set(SAYS)


def test_each_part_draws_anew(model, monkeypatch):
    monkeypatch.setattr(companion, "CONTEXTS_AT_ONCE", 5)
    write_replies(model, [("Hi",)] * 15, Sampling(seed=2**31 - 2))
    assert [sampling.seed for sampling in model.engine.samplings] == [2**31 - 2, 2**31 - 1, 0]


def test_long_conversations_lose_their_oldest_turns(codec):
    model = FakeCompanion(FakeEngine(codec, longest=80), LABELS, max_tokens=80)
    turns = tuple(f"turn number {i} of a talk that goes on for long" for i in range(21))
    write_replies(model, [turns], Sampling(seed=1, max_tokens=20))
    text = codec.decode(model.engine.prefixes[0].ids.tolist())
    assert text.endswith(f"turn number 20 of a talk that goes on for long{LISTENER}")
    assert "number 10" not in text


def test_scores_are_those_of_the_parts(model):
    found = judge_companion(model, DIALOGUES, conversations=12, resamples=20, seed=5)
    assert found.perplexity.conversations == found.context_emotion.conversations == 30
    assert found.context_emotion.first_turn.accuracy < 0.5 < found.context_emotion.last_turn.accuracy
    written = found.generated
    assert written
    assert (written.conversations, written.sampling.seed) == (12, 5)
    assert written.replies == len(model.engine.prefixes)
    assert written.of_people.repeated == 0
    assert written.of_model.repeated > 0.5  # it has four things to say
    said = {example.reply for example in written.examples}
    assert said <= set(SAYS)
    assert len(written.examples) == companion.EXAMPLES_SHOWN
    turns = [one.turns for one in DIALOGUES]
    for example in written.examples:
        assert any(one[: len(example.context) + 1] == (*example.context, example.reference) for one in turns)


def test_traits_compare_a_reply_with_the_turn_it_answers(model):
    found = judge_companion(model, DIALOGUES, conversations=30, resamples=0, seed=5).generated
    assert found
    places = places_of(DIALOGUES)
    references, answered = [place.reference for place in places], [place.context[-1] for place in places]
    assert found.of_people == describe_replies(references, answered)
    assert found.replies == len(places)


def test_the_draw_depends_on_the_seed_alone(model):
    first, again, other = (
        judge_companion(model, DIALOGUES, conversations=10, resamples=0, seed=seed).generated for seed in (1, 1, 2)
    )
    assert first == again
    assert first
    assert other
    assert [one.context for one in first.examples] != [one.context for one in other.examples]


def test_no_replies_are_written_unless_asked_for(model):
    assert judge_companion(model, DIALOGUES, conversations=0, resamples=0, seed=1).generated is None
    assert model.engine.prefixes == []


def test_a_model_that_reads_little_still_has_room_to_read(codec):
    model = FakeCompanion(FakeEngine(codec, longest=32), LABELS, max_tokens=32)
    found = judge_companion(model, DIALOGUES[:6], conversations=6, resamples=0, seed=1)
    assert found.generated
    assert found.generated.sampling.max_tokens == 16
