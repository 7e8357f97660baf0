"""What a terminal shows, and how it reads a line: with history and colours where it can, as plain lines where not."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

BAR_CELLS = 10
BLOCKS = " ▏▎▍▌▋▊▉█"
DIM, NORMAL = "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True)
class Screen:
    """How to write on a terminal, or into a pipe.

    Attributes:
        width: columns; 0 never breaks a line.
        colour: whether letters may be dim or bold.
        blocks: whether the encoding has block characters for bars.
        plain: for a screen reader: sentences in place of bars, and a reply in one piece.
    """

    width: int = 0
    colour: bool = False
    blocks: bool = False
    plain: bool = False

    def say(self, text: str = "") -> None:
        """Write a text, broken into lines that fit."""
        self.stream([text])

    def aside(self, text: str) -> None:
        """Write what is no part of the conversation."""
        for line in text.splitlines():
            print(f"{DIM}{line}{NORMAL}" if self.colour else line, flush=True)

    def stream(self, pieces: Iterable[str]) -> None:
        """Write a reply as it comes; a word that does not fit goes to the next line."""
        column, word = 0, ""

        def put_word() -> None:
            nonlocal column, word
            if word and self.width and column and column + len(word) > self.width:
                print()
                column = 0
            print(word, end="", flush=True)
            column, word = column + len(word), ""

        for letter in "".join(pieces) if self.plain else (letter for piece in pieces for letter in piece):
            if not letter.isspace():
                word += letter
                continue
            put_word()
            if letter == "\n":
                print()
                column = 0
            elif not self.width or 0 < column < self.width:
                print(letter, end="", flush=True)
                column += 1
        put_word()
        print(flush=True)

    def emotion(self, label: str, probability: float) -> str:
        """Give an emotion and how sure it is, as a small bar or as a sentence.

        Example:
            >>> Screen().emotion("sad", 0.53)
            '  sad [#####.....] 53%'
            >>> Screen(plain=True).emotion("sad", 0.53)
            'You sound sad, 53 percent sure.'
        """
        if self.plain:
            return f"You sound {label}, {probability:.0%} sure.".replace("%", " percent")
        return f"  {label} {self.bar(probability)} {probability:.0%}"

    def emotions(self, probabilities: Mapping[str, float], most: int = 8) -> str:
        """Give the likeliest emotions, one to a line."""
        likeliest = list(probabilities.items())[:most]
        if self.plain:
            return "\n".join(f"{label}: {value:.0%}".replace("%", " percent") for label, value in likeliest)
        widest = max(len(label) for label, _ in likeliest)
        return "\n".join(f"  {label:<{widest}} {self.bar(value)} {value:4.0%}" for label, value in likeliest)

    def bar(self, share: float) -> str:
        """Draw a share between 0 and 1."""
        if not self.blocks:
            full = round(share * BAR_CELLS)
            return f"[{'#' * full}{'.' * (BAR_CELLS - full)}]"
        eighths = round(share * BAR_CELLS * 8)
        cells = "█" * (eighths // 8) + (BLOCKS[eighths % 8] if eighths % 8 else "")
        return f"▕{cells:<{BAR_CELLS}}▏"


def make_screen(plain: bool) -> Screen:
    """Find out what stdout can show; ``NO_COLOR`` and a dumb terminal are respected."""
    terminal = sys.stdout.isatty()
    colour = terminal and not plain and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    blocks = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    width = shutil.get_terminal_size((80, 24)).columns - 1 if terminal else 0
    return Screen(width, colour, blocks and not plain, plain)


@dataclass(frozen=True)
class Reader:
    """Reads what somebody types; what was typed is kept in memory only.

    Attributes:
        line: gives a line; raises EOFError at the end and KeyboardInterrupt for Ctrl-C.
        forget: makes the lines so far unknown to the arrow keys.
    """

    line: Callable[[], str]
    forget: Callable[[], None] = lambda: None


def make_reader(commands: Sequence[str], plain: bool) -> Reader:
    """Make what reads lines: with editing, history and completion on a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or plain or os.environ.get("TERM", "dumb") == "dumb":
        return Reader(lambda: input("> " if sys.stdin.isatty() else ""))
    try:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import WordCompleter
        from prompt_toolkit.history import InMemoryHistory
    except ImportError:  # the small installation
        return _small_reader()
    completer = WordCompleter(list(commands), sentence=True)
    session: PromptSession[str] = PromptSession("> ", completer=completer, complete_while_typing=False)

    def forget() -> None:
        session.history = session.default_buffer.history = InMemoryHistory()
        session.default_buffer.reset()

    return Reader(session.prompt, forget)


def _small_reader() -> Reader:
    """Read with Python's own means: with `readline`, input() edits the line and remembers those before."""
    try:
        import readline
    except ImportError:
        return Reader(lambda: input("> "))
    return Reader(lambda: input("> "), readline.clear_history)
