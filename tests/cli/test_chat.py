"""Whole conversations with a model that has learned nothing: what stands where, and how they end."""

import functools
import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from buddy.cli.chat import NOT_REMEMBERED
from buddy.companion.buddy import UNREADABLE, Buddy
from buddy.companion.conversation import Turn, load_turns, now, save_turns
from buddy.companion.memory import default_path, open_memory
from buddy.errors import EnvironmentFault
from buddy.serving.screen import Screen, make_reader
from buddy.serving.terminal import FAREWELL, GREETING, HELP, ONCE_MORE, STOPPED

BUDDY = [sys.executable, "-m", "buddy", "chat"]
EMOTION = re.compile(r"  (furious|glad|sad|sad and tired) \S.*\S \d{1,3}%")


@pytest.fixture
def chat(buddy, companion_model, monkeypatch):
    """Have a conversation: what is typed, line by line; gives exit code, stdout and stderr."""

    def talk(*lines: str, options: tuple[object, ...] = ("--seed", 1)) -> tuple[object, str, str]:
        waiting = iter(lines)

        def read(prompt: str) -> str:
            print(end=prompt)
            try:
                return next(waiting)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", read)
        code, out, err = buddy("chat", "--no-memory", "--model", companion_model, *options)
        return code, out, err

    return talk


class TestConversation:
    def test_is_a_greeting_and_for_each_message_an_emotion_and_a_reply(self, chat, companion_model):
        code, out, err = chat("My old dog died", "I cried all night", "bye")
        greeting, first_emotion, first, second_emotion, second, farewell = out.splitlines()
        companion = Buddy(companion_model, seed=1)
        talk = ["My old dog died"]
        assert (code, err) == (0, "")
        assert greeting == GREETING
        for emotion, reply, following in ((first_emotion, first, "I cried all night"), (second_emotion, second, "")):
            expected = companion.answer(talk).emotion
            assert expected
            assert emotion.startswith(f"  {expected.label} ")
            assert emotion.endswith(f" {expected.probability:.0%}")
            assert reply == companion.reply(talk)
            talk += [reply, following]
        assert farewell == FAREWELL

    @pytest.mark.parametrize("word", ["bye", "Bye!", " BYE. ", "quit", "exit"])
    def test_ends_politely_on_a_word(self, chat, word):
        assert chat(word) == (0, f"{GREETING}\n{FAREWELL}\n", "")

    def test_ends_politely_when_nothing_more_comes(self, chat):
        code, out, err = chat()
        assert (code, out, err) == (0, f"{GREETING}\n{FAREWELL}\n", "")

    def test_passes_over_empty_lines(self, chat):
        _, out, _ = chat("", "   ", "hm", "")
        assert len(out.splitlines()) == 4

    def test_asks_for_english_when_it_cannot_read_the_letters(self, chat):
        assert chat("Мне грустно") == (0, f"{GREETING}\n{UNREADABLE}\n{FAREWELL}\n", "")

    def test_is_another_with_another_seed_and_the_same_with_the_same(self, chat):
        first, again, other = (chat("hm", "so sad", options=("--seed", seed)) for seed in (1, 1, 2))
        assert first == again != other

    def test_says_that_it_is_a_program_and_no_clinician(self):
        assert "program" in GREETING
        assert "not a clinician" in GREETING
        assert "\n" not in GREETING

    def test_is_left_by_the_second_ctrl_c(self, buddy, companion_model, monkeypatch):
        def interrupt(prompt: str) -> str:
            raise KeyboardInterrupt

        monkeypatch.setattr("builtins.input", interrupt)
        code, out, err = buddy("chat", "--no-memory", "--model", companion_model)
        assert (code, out, err) == (0, f"{GREETING}\n{ONCE_MORE}\n{FAREWELL}\n", "")

    def test_goes_on_when_ctrl_c_stops_a_reply(self, chat, monkeypatch):
        pieces = iter(("I ", "", "see."))

        def spoken(*_: object) -> Iterator[str]:
            for piece in pieces:
                if not piece:
                    raise KeyboardInterrupt
                yield piece

        monkeypatch.setattr("buddy.companion.buddy.as_it_comes", spoken)
        code, out, _ = chat("hm", "and now")
        assert code == 0
        assert f"I {STOPPED}" in out
        assert out.endswith(f"see.\n{FAREWELL}\n")

    def test_is_left_by_ctrl_c_after_one_that_stopped_a_reply(self, buddy, companion_model, monkeypatch):
        typed = iter(("hm", ""))

        def read(_: str) -> str:
            return next(typed) or interrupt()

        def interrupt(*_: object) -> str:
            raise KeyboardInterrupt

        monkeypatch.setattr("builtins.input", read)
        monkeypatch.setattr("buddy.serving.screen.Screen.stream", lambda _, pieces: print(next(iter(pieces))))
        monkeypatch.setattr("buddy.serving.screen.Screen.aside", interrupt)
        code, out, _ = buddy("chat", "--no-memory", "--model", companion_model)
        assert (code, out) == (0, f"{GREETING}\n{STOPPED}\n{FAREWELL}\n")

    def test_with_a_model_that_only_names_emotions_does_not_begin(self, buddy, exported_run):
        code, out, err = buddy("chat", "--model", exported_run)
        assert (code, out) == (2, "")
        assert "has not learned to reply" in err


class TestWhoAnswers:
    def test_in_a_crisis_is_the_guard_and_not_the_model(self, chat, monkeypatch):
        def speak(*_: object) -> None:
            raise AssertionError("the model speaks")

        monkeypatch.setattr("buddy.companion.buddy.as_it_comes", speak)
        code, out, _ = chat("I want to kill myself", "no", options=("--country", "GB"))
        assert code == 0
        assert out.count("Samaritans: 116 123") == 2
        assert out.count("call 999") == 2

    def test_to_a_question_after_ones_feeling_is_the_classifier(self, chat):
        _, out, _ = chat("What am I feeling?", "My old dog died", "what am I feeling?")
        assert "You haven't told me anything yet" in out
        assert re.search("You sound|I am not sure. My best guess is", out.splitlines()[-2])

    def test_without_the_guard_is_told(self, chat):
        code, out, err = chat("I want to kill myself", options=("--no-guard",))
        assert (code, "small computer program" in out) == (0, False)
        assert err.startswith("Warning: The crisis guard is switched off")

    def test_to_go_on_without_a_memory_is_refused(self, chat):
        assert "Without a memory there is no conversation" in chat(options=("--conversation", "last"))[2]

    def test_of_an_unknown_country_is_refused(self, chat):
        code, _, err = chat("hm", options=("--country", "XX"))
        assert code == 2
        assert "There are no helplines for 'XX'" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--no-memory", "--forget-after", "30"], "--forget-after is about a memory; leave out --no-memory."),
        (["--no-memory", "--memory-url", "sqlite:///a"], "--memory-url is about a memory; leave out --no-memory."),
        (["--export", "a.json", "--forget-after", "1"], "--forget-after does nothing beside --export."),
        (["--export", "a.json", "--conversation", "last"], "--conversation does nothing beside --export."),
        (["--export", "a.json", "--no-guard"], "--no-guard does nothing beside --export."),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(buddy, arguments, says):
    assert buddy("chat", *arguments) == (2, "", f"buddy: {says}\n")


class TestCommands:
    def test_are_listed(self, chat):
        assert HELP in chat("/help")[1]
        assert "There is no /foo" in chat("/foo")[1]

    def test_save_and_load(self, chat, tmp_path):
        file = tmp_path / "talk.json"
        chat("My old dog died", f"/save {file}")
        speaker, listener = load_turns(file)
        assert (speaker.text, speaker.role, listener.role) == ("My old dog died", "speaker", "listener")
        assert abs(sum(speaker.emotions.values()) - 1) < 1e-3
        _, out, _ = chat(f"/load {file}", f"/save {file}", "/load nowhere.json", "/emotion")
        assert "> My old dog died" in out
        assert "exists; choose another name" in out
        assert "nowhere.json" in out
        assert speaker.emotions
        assert next(iter(speaker.emotions)) in out

    def test_load_refuses_what_is_no_conversation(self, chat, tmp_path):
        (tmp_path / "a.json").write_text('{"turns": [{"role": "listener", "text": "hm", "said_at": "2026-01-01"}]}')
        assert "holds no conversation" in chat(f"/load {tmp_path / 'a.json'}")[1]

    @pytest.mark.parametrize("command", ["/load", "/save"])
    @pytest.mark.parametrize("name", ["~nobody-of-this-name/x", "a\0b"])
    def test_refuse_what_is_no_name_of_a_file(self, chat, command, name):
        code, out, _ = chat(f"{command} {name}", "hm")
        assert "is no name of a file" in out
        assert (code, out.endswith(f"{FAREWELL}\n")) == (0, True)

    def test_load_hands_no_control_codes_to_the_terminal(self, chat, tmp_path):
        turns = [Turn("speaker", "hi\x1b[2J\x1b]0;x\x07"), Turn("listener", "hm")]
        save_turns(turns, tmp_path / "a.json")
        _, out, _ = chat(f"/load {tmp_path / 'a.json'}")
        assert "> hi" in out
        assert not any(letter in out for letter in "\x1b\x07")

    def test_load_refuses_a_time_that_no_calendar_has(self, chat, tmp_path):
        row = {"text": "hm", "said_at": "0001-01-01T00:00:00+14:00"}
        rows = [{"role": role, **row} for role in ("speaker", "listener")]
        (tmp_path / "a.json").write_text(json.dumps({"turns": rows}))
        assert "holds no conversation" in chat(f"/load {tmp_path / 'a.json'}")[1]

    def test_show_the_mood_with_what_the_terminal_has(self, chat, monkeypatch):
        _, out, _ = chat("My old dog died", "/mood")
        assert "My old" not in out
        assert any(block in out for block in "█▏▎▍▌▋▊▉")
        plain = Screen(80, blocks=False)
        monkeypatch.setattr("buddy.serving.screen.make_screen", lambda _: plain)
        assert chat("My old dog died", "/mood")[1].isascii()

    def test_are_explained_in_80_columns(self):
        assert all(len(line) < 80 for line in HELP.splitlines())

    def test_reset_begins_anew(self, chat):
        assert "You haven't told me anything yet" in chat("My old dog died", "/reset", "how do I feel?")[1]


class TestMemory:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BUDDY_DATA_HOME", str(tmp_path / "data"))

    def talk(self, buddy, companion_model, monkeypatch, *lines: str, options: tuple[str, ...] = ()) -> str:
        waiting = iter([*lines, "bye"])
        monkeypatch.setattr("builtins.input", lambda _: next(waiting))
        code, out, err = buddy("chat", "--model", companion_model, "--seed", 1, *options)
        assert code == 0
        return str(out + err)

    def test_keeps_what_was_said_and_tells_so_once(self, buddy, companion_model, monkeypatch):
        first = self.talk(buddy, companion_model, monkeypatch, "My old dog died")
        second = self.talk(buddy, companion_model, monkeypatch, "hm", options=("--conversation", "last"))
        assert "I remember our conversations" in first
        assert "I remember" not in second
        with open_memory() as memory:
            (stored,) = memory.conversations()
            assert [turn.text for turn in memory.turns(stored.id)][::2] == ["My old dog died", "hm"]

    def test_forgets(self, buddy, companion_model, monkeypatch, tmp_path):
        self.talk(buddy, companion_model, monkeypatch, "My old zebra died", "/forget")
        assert all(b"zebra" not in file.read_bytes() for file in (tmp_path / "data").iterdir())
        self.talk(buddy, companion_model, monkeypatch, "hm")
        assert "every conversation" in self.talk(buddy, companion_model, monkeypatch, "/forget all")
        with open_memory() as memory:
            assert memory.conversations() == []

    def test_goes_on_with_the_conversation_where_a_loaded_one_cannot_be_kept(
        self, buddy, companion_model, monkeypatch, tmp_path
    ):
        def full(*_: object) -> None:
            raise EnvironmentFault("the disk is full")

        def load_turns(_: object) -> list[Turn]:
            monkeypatch.setattr("buddy.companion.memory.Memory.begin", full)
            return [Turn("speaker", "hi"), Turn("listener", "hm")]

        monkeypatch.setattr("buddy.serving.terminal.load_turns", load_turns)
        file = tmp_path / "talk.json"
        said = self.talk(buddy, companion_model, monkeypatch, "My old dog died", "/load a.json", f"/save {file}")
        assert "the disk is full" in said
        assert json.loads(file.read_text())["turns"][0]["text"] == "My old dog died"

    def test_forgets_what_is_old_and_begins_also_where_traces_cannot_be_wiped_yet(
        self, buddy, companion_model, monkeypatch
    ):
        def full(*_: object) -> None:
            raise EnvironmentFault("the disk is full")

        with open_memory() as memory:
            memory.add(memory.begin().id, [Turn("speaker", "hm", now() - timedelta(days=8))])
        with monkeypatch.context() as patch:
            patch.setattr("buddy.companion.memory_sqlite.SqliteDatabase._rebuild", full)
            said = self.talk(buddy, companion_model, patch, options=("--forget-after", "7"))
        assert "Warning: It is deleted, but traces of it remain" in said
        assert GREETING in said
        with open_memory() as memory:
            assert memory.conversations() == []

    def test_that_does_not_exist_is_not_begun_by_an_export(self, buddy, tmp_path):
        assert buddy("chat", "--export", tmp_path / "all.json") == (0, "", f"{NOT_REMEMBERED}\n")
        assert not (tmp_path / "all.json").exists()
        assert not default_path().exists()

    def test_forgets_also_where_traces_cannot_be_wiped_yet_and_goes_on(self, buddy, companion_model, monkeypatch):
        def full(*_: object) -> None:
            raise EnvironmentFault("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr("buddy.companion.memory_sqlite.SqliteDatabase._rebuild", full)
            said = self.talk(buddy, companion_model, patch, "My old zebra died", "/forget", "hm", "/forget")
            assert said.count("traces of it remain") == 2
            assert "is remembered" not in said
            with pytest.warns(UserWarning, match="traces of it remain"), open_memory() as memory:
                assert memory.conversations() == []
            assert "traces of it remain" in self.talk(buddy, companion_model, patch, "hm")
        with open_memory() as memory:
            assert len(memory.conversations()) == 1


def test_the_arrow_keys_know_nothing_of_what_was_forgotten(monkeypatch):
    from prompt_toolkit import PromptSession
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    with create_pipe_input() as keys:
        made = functools.partial(PromptSession, input=keys, output=DummyOutput())
        monkeypatch.setattr("prompt_toolkit.PromptSession", made)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("TERM", "xterm")
        reader = make_reader(["/help"], plain=False)
        keys.send_text("my zebra\r")
        assert reader.line() == "my zebra"
        keys.send_text("\x1b[A\r")
        assert reader.line() == "my zebra"
        reader.forget()
        keys.send_text("\x1b[A\r")
        assert reader.line() == ""


def test_everything_remembered_can_be_exported(buddy, companion_model, monkeypatch, tmp_path):
    monkeypatch.setenv("BUDDY_DATA_HOME", str(tmp_path))
    for message in ("I lost my cat.", "I won!"):
        waiting = iter([message, "bye"])
        monkeypatch.setattr("builtins.input", lambda _, waiting=waiting: next(waiting))
        buddy("chat", "--model", companion_model)
    code, out, err = buddy("chat", "--export", tmp_path / "all.json")
    assert (code, out) == (0, "")
    assert "all.json" in err
    found = json.loads((tmp_path / "all.json").read_text())["conversations"]
    assert {one["turns"][0]["text"] for one in found} == {"I lost my cat.", "I won!"}


def test_works_in_a_pipe_without_torch(companion_model):
    program = (
        "import sys, contextlib; from buddy.cli import main\n"
        f"sys.argv = ['buddy', 'chat', '--no-memory', '--seed', '1', '--model', {str(companion_model)!r}]\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print({'torch', 'transformers', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], input=b"hi\n", capture_output=True, check=True)
    greeting, emotion, reply, farewell, loaded = done.stdout.decode().splitlines()
    assert (greeting, farewell, loaded, done.stderr) == (GREETING, FAREWELL, "set()", b"")
    assert EMOTION.fullmatch(emotion)
    assert reply.strip()


def test_on_a_terminal_prompts_and_ends_on_ctrl_d(companion_model):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb"}
    arguments = [*BUDDY, "--no-memory", "--model", str(companion_model), "--seed", "1"]
    process = subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    seen = read_until(ours, "> ")
    os.write(ours, b"hi\n")
    seen += read_until(ours, "> ")
    os.write(ours, b"\x04")
    seen += read_until(ours, FAREWELL)
    assert process.wait(60) == 0
    lines = seen.replace("\r", "").splitlines()
    assert " ".join(lines[:2]) == GREETING  # in 80 columns
    assert lines[2] == "> hi"
    assert EMOTION.fullmatch(lines[3])
    assert lines[-2:] == ["> ", FAREWELL]


def read_until(terminal: int, awaited: str) -> str:
    seen, deadline = b"", time.monotonic() + 100
    while not seen.decode("utf-8", "ignore").replace("\r", "").rstrip("\n").endswith(awaited):
        assert time.monotonic() < deadline, seen
        seen += os.read(terminal, 1000)
    return seen.decode()
