"""A conversation in a terminal: what is typed is a message, or a command that begins with a slash."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from buddy.companion.buddy import Buddy
from buddy.companion.conversation import Turn, load_turns, save_turns
from buddy.companion.reply import CONTROLS
from buddy.companion.talk import Talk
from buddy.errors import BuddyError, UserMistake, explain, quote
from buddy.serving.screen import Screen

if TYPE_CHECKING:
    from buddy.companion.memory import Memory

GREETING = (
    "I am buddy, a small program that listens. I am not a clinician; in danger, call your local emergency number. "
    '("bye" ends, /help tells more.)'
)
FAREWELL = "Take care."
STOPPED = "(stopped)"
ONCE_MORE = "(Ctrl-C once more leaves.)"
LAST_WORDS = frozenset(
    ("bye", "bye bye", "goodbye", "good bye", "good night", "see you", "quit", "exit", "/quit", "/bye")
)

HELP = """\
/emotion      what I take you to feel, with all that comes near
/mood         how it has changed in this conversation
/save FILE    write this conversation to a file
/load FILE    go on with one that was saved
/forget       erase this conversation, also from my memory
/forget all   erase every conversation
/reset        begin another conversation
/help         this
bye           leave; Ctrl-C stops a reply, and a second one leaves"""


@dataclass
class Terminal:
    """What the commands work on.

    Attributes:
        buddy: who answers.
        screen: where to write.
        memory: where turns are kept, if anywhere.
        talk: the conversation.
        forget_typed: makes what was typed so far unknown to the arrow keys.
        interrupted: whether Ctrl-C was the last thing that the user did; once more leaves.
    """

    buddy: Buddy
    screen: Screen
    memory: "Memory | None"
    talk: Talk
    forget_typed: Callable[[], None] = lambda: None
    interrupted: bool = False

    def converse(self, read: Callable[[], str]) -> None:
        """Answer until the end, and take leave.

        Args:
            read: gives a line; raises EOFError at the end and KeyboardInterrupt for Ctrl-C.
        """
        for message in self._messages(read):
            self._do(message)
        self.screen.say(FAREWELL)

    def _messages(self, read: Callable[[], str]) -> Iterator[str]:
        """Give what the user types, until they end it."""
        while True:
            try:
                message = read().strip()
            except EOFError:
                if self.screen.width:
                    self.screen.say()  # Ctrl-D leaves the cursor behind the prompt
                return
            except KeyboardInterrupt:
                if self.interrupted:
                    return
                self.interrupted = True
                self.screen.aside(ONCE_MORE)
                continue
            if message.lower().rstrip(".! ") in LAST_WORDS:
                return
            if message:
                yield message

    def _do(self, line: str) -> None:
        """Answer a message or carry out a command; what goes wrong is told, and the conversation goes on."""
        self.interrupted = False
        try:
            try:
                do = self._command if line.startswith("/") else self._answer
                do(line)
            except KeyboardInterrupt:
                self.interrupted = True
                self.screen.say(STOPPED)
                self.talk.end_reply()
        except BuddyError as error:
            self.screen.aside(str(error))
        except OSError as error:
            self.screen.aside(f"{error.filename or ''}: {explain(error)}.".lstrip(": "))

    def _answer(self, message: str) -> None:
        answer = self.talk.say(message)
        if answer.emotion and answer.kind == "talk":
            self.screen.aside(self.screen.emotion(answer.emotion.label, answer.emotion.probability))
        self.screen.stream(answer.pieces)

    def _command(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        command = COMMANDS.get(name.lower())
        if command is None:
            self.screen.aside(f"There is no {name}; /help lists what there is.")
        else:
            command(self, argument.strip())


def _show_emotion(terminal: Terminal, _: str) -> None:
    told = [turn for turn in terminal.talk.turns if turn.emotions]
    terminal.screen.aside(terminal.screen.emotions(told[-1].emotions) if told else "You haven't told me anything yet.")


def _show_mood(terminal: Terminal, _: str) -> None:
    from buddy.companion.mood import course
    from buddy.companion.mood_chart import chart

    screen = terminal.screen
    screen.aside(chart(course(terminal.talk.turns), screen.width or 80, screen.plain, blocks=screen.blocks))


def _save(terminal: Terminal, name: str) -> None:
    path = _path(name or "conversation.json")
    if path.exists():
        terminal.screen.aside(f"{path} exists; choose another name: /save FILE")
        return
    save_turns(terminal.talk.turns, path)
    terminal.screen.aside(f"Saved in {path}.")


def _load(terminal: Terminal, name: str) -> None:
    if not name:
        terminal.screen.aside("Name a file: /load FILE")
        return
    turns = load_turns(_path(name))
    talk = Talk(terminal.buddy, terminal.memory)
    talk.keep(*turns)
    terminal.talk = talk  # where they cannot be kept, the conversation so far stays
    terminal.screen.aside("\n".join(_line(turn) for turn in turns))


def _path(name: str) -> Path:
    """Give the path that somebody names.

    Raises:
        UserMistake: no file can have that name.
    """
    try:
        if "\0" not in name:
            return Path(name).expanduser()
    except RuntimeError:  # "~" and the name of nobody
        pass
    raise UserMistake(f"{quote(name)} is no name of a file.")


def _line(turn: Turn) -> str:
    return f"{'>' if turn.role == 'speaker' else ' '} {CONTROLS.sub(' ', turn.text)}"


def _forget(terminal: Terminal, what: str) -> None:
    everything, conversation = what.lower() == "all", terminal.talk.conversation
    terminal.talk = Talk(terminal.buddy, terminal.memory)  # also if its traces cannot be wiped yet
    terminal.forget_typed()
    if terminal.memory and everything:
        terminal.memory.erase_all()
    elif terminal.memory and conversation:
        with suppress(LookupError):  # another terminal has forgotten it
            terminal.memory.erase(conversation)
    terminal.screen.aside(
        "I have forgotten every conversation." if everything else "I have forgotten this conversation."
    )


def _reset(terminal: Terminal, _: str) -> None:
    terminal.talk = Talk(terminal.buddy, terminal.memory)
    terminal.screen.aside("A new conversation.")


def _help(terminal: Terminal, _: str) -> None:
    terminal.screen.aside(HELP)


COMMANDS: dict[str, Callable[[Terminal, str], None]] = {
    "/emotion": _show_emotion,
    "/mood": _show_mood,
    "/save": _save,
    "/load": _load,
    "/forget": _forget,
    "/reset": _reset,
    "/help": _help,
}
