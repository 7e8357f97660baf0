"""Whole conversations with a model that has learned nothing: what stands where, and how they end."""

import os
import pty
import re
import subprocess
import sys
import time

import pytest

from buddy.cli.chat import FAREWELL, GREETING, UNREADABLE
from buddy.companion.buddy import Buddy

BUDDY = [sys.executable, "-m", "buddy", "chat"]
EMOTION = re.compile(r"  \((furious|glad|sad|sad and tired), \d{1,3}% sure\)")


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
        code, out, err = buddy("chat", "--model", companion_model, *options)
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
            expected = companion.emotion_of(talk)
            assert emotion == f"  ({expected.label}, {expected.probability:.0%} sure)"
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

    def test_ended_by_ctrl_c_leaves_no_traceback(self, buddy, companion_model, monkeypatch):
        def interrupt(prompt: str) -> str:
            raise KeyboardInterrupt

        monkeypatch.setattr("builtins.input", interrupt)
        code, out, err = buddy("chat", "--model", companion_model)
        assert (code, out) == (130, f"{GREETING}\n")
        assert "Traceback" not in err

    def test_with_a_model_that_only_names_emotions_does_not_begin(self, buddy, exported_run):
        code, out, err = buddy("chat", "--model", exported_run)
        assert (code, out) == (2, "")
        assert "has not learned to reply" in err


def test_works_in_a_pipe_without_torch(companion_model):
    program = (
        "import sys, contextlib; from buddy.cli import main\n"
        f"sys.argv = ['buddy', 'chat', '--seed', '1', '--model', {str(companion_model)!r}]\n"
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
    arguments = [*BUDDY, "--model", str(companion_model), "--seed", "1"]
    process = subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    seen = read_until(ours, "> ")
    os.write(ours, b"hi\n")
    seen += read_until(ours, "> ")
    os.write(ours, b"\x04")
    seen += read_until(ours, FAREWELL)
    assert process.wait(60) == 0
    lines = seen.replace("\r", "").splitlines()
    assert lines[0] == GREETING
    assert lines[1] == "> hi"
    assert EMOTION.fullmatch(re.sub(r"\x1b\[\d+m", "", lines[2]))
    assert "\x1b[2m" in lines[2]
    assert lines[4:] == ["> ", FAREWELL]


def read_until(terminal: int, awaited: str) -> str:
    seen, deadline = b"", time.monotonic() + 100
    while not seen.decode("utf-8", "ignore").replace("\r", "").rstrip("\n").endswith(awaited):
        assert time.monotonic() < deadline, seen
        seen += os.read(terminal, 1000)
    return seen.decode()
