"""A conversation that goes on: what was said is kept, also when a reply is stopped or not read at all."""

import time

import pytest

from buddy.companion.buddy import Buddy
from buddy.companion.memory import open_memory
from buddy.companion.talk import UNSAID, Talk


@pytest.fixture(scope="module")
def buddy(companion_model):
    return Buddy(companion_model, seed=1)


@pytest.fixture
def memory(tmp_path):
    with open_memory(f"sqlite:///{tmp_path / 'memory.sqlite3'}") as opened:
        yield opened


def test_a_message_is_kept_before_its_reply_and_the_reply_after(buddy, memory):
    talk = Talk(buddy, memory)
    answer = talk.say("My old dog died")
    assert [turn.text for turn in memory.turns(talk.conversation)] == ["My old dog died"]
    said = "".join(answer.pieces)
    assert [turn.text for turn in memory.turns(talk.conversation)] == ["My old dog died", said]
    assert Talk(buddy, memory, talk.conversation).turns == talk.turns


@pytest.mark.parametrize("pieces_read", [0, 1])
def test_a_reply_that_is_not_read_to_its_end_ends_with_the_next_message(buddy, memory, pieces_read):
    talk = Talk(buddy, memory)
    answer = talk.say("My old dog died")  # whoever stops reading may still hold the reply
    read = [next(answer.pieces) for _ in range(pieces_read)]
    "".join(talk.say("and it rained").pieces)
    assert [turn.role for turn in talk.turns] == ["speaker", "listener"] * 2
    assert talk.turns[1].text == ("".join(read).strip() or UNSAID)
    assert memory.turns(talk.conversation) == talk.turns


def test_another_owner_cannot_go_on_with_it(buddy, memory):
    talk = Talk(buddy, memory, owner="a")
    "".join(talk.say("hm").pieces)
    with pytest.raises(LookupError):
        Talk(buddy, memory, talk.conversation, owner="b")


def test_the_first_crisis_is_answered_at_once(buddy):
    talk = Talk(buddy)
    began = time.perf_counter()
    answer = talk.say("I want to kill myself")
    said = "".join(answer.pieces)
    assert time.perf_counter() - began < 0.2  # 20 ms on an idle machine
    assert (answer.kind, answer.emotion) == ("crisis", None)
    assert "call 112" in said
