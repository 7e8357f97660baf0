"""A conversation that goes on: what was said is kept, also when a reply is stopped or not read at all."""

import signal
import time

import pytest

from buddy.companion.buddy import Buddy
from buddy.companion.conversation import Turn
from buddy.companion.memory import Memory, open_memory
from buddy.companion.talk import UNSAID, Talk
from buddy.errors import EnvironmentFault


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


@pytest.fixture
def _ctrl_c():
    """Have Ctrl-C heard: a test in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
def test_ctrl_c_waits_until_talk_and_memory_know_the_same(buddy, memory, monkeypatch):
    talk = Talk(buddy, memory)
    "".join(talk.say("My old dog died").pieces)
    add = memory.add

    def interrupted(*some, **more):
        signal.raise_signal(signal.SIGINT)
        add(*some, **more)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(memory, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        talk.keep(Turn("speaker", "and it rained"))
    assert talk.turns == memory.turns(talk.conversation)
    assert talk.turns[-1].text == "and it rained"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


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


class TestAMemoryThatFails:
    @pytest.fixture
    def failing(self, monkeypatch):
        """Let the memory keep nothing until told otherwise."""

        def add(*_, **__):
            raise EnvironmentFault("The memory has no room.")

        with monkeypatch.context() as patch:
            patch.setattr(Memory, "add", add)
            yield patch

    def test_takes_nothing_from_a_crisis_which_is_kept_with_the_next_message(self, buddy, memory, failing, caplog):
        talk = Talk(buddy, memory)
        said = "".join(talk.say("I want to kill myself tonight").pieces)
        assert "call 112" in said
        assert "has no room" in caplog.text
        assert "tonight" not in caplog.text
        assert "call 112" in "".join(talk.say("no").pieces)  # an alarm after an alarm
        failing.undo()
        "".join(talk.say("My old dog died").pieces)
        kept = memory.turns(talk.conversation)
        assert [turn.role for turn in kept] == ["speaker", "listener"] * 3
        assert [turn.text for turn in kept[:3]] == ["I want to kill myself tonight", said, "no"]
        assert kept == talk.turns

    @pytest.mark.usefixtures("failing")
    def test_is_told_of_any_other_message_which_was_not_said_then(self, buddy, memory):
        talk = Talk(buddy, memory)
        with pytest.raises(EnvironmentFault):
            talk.say("My old dog died")
        assert talk.turns == []


def test_a_crisis_is_kept_after_its_answer_and_not_before(buddy, memory):
    talk = Talk(buddy, memory)
    answer = talk.say("I want to kill myself")
    next(answer.pieces)
    assert memory.conversations() == []
    talk.end_reply()
    assert memory.turns(talk.conversation) == talk.turns
    assert "call 112" in talk.turns[1].text


def test_whoever_reads_a_reply_by_another_way_tells_what_was_said(buddy, memory):
    talk = Talk(buddy, memory)
    answer = talk.hear("My old dog died")
    said = next(answer.pieces)
    talk.end_reply(said)
    talk.end_reply("twice")
    talk.hear("and it rained")
    talk.hear("and nobody came")  # the former has no reply
    kept = memory.turns(talk.conversation)
    assert [turn.text for turn in kept[1:]] == [said.strip(), "and it rained", UNSAID, "and nobody came"]


def test_a_message_that_comes_again_without_a_reply_is_kept_once(buddy, memory):
    before = Talk(buddy, memory)
    answer = before.hear("My old dog died")
    again = Talk(buddy, memory, before.conversation)
    assert again.hear("My old dog died").emotion == answer.emotion
    again.end_reply("I am sorry.")
    again.hear("My old dog died")  # this time it has got one
    assert [turn.text for turn in memory.turns(before.conversation)] == [
        "My old dog died", "I am sorry.", "My old dog died",
    ]  # fmt: skip
