"""`buddy chat`: a conversation in the terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import ConfigOption, app

if TYPE_CHECKING:
    from buddy.companion.buddy import Buddy, Emotion

EXAMPLES = """Examples:

  buddy chat

  buddy chat --model runs/companion --seed 1

  echo "I lost my cat." | buddy chat
"""

GREETING = (
    "I am buddy, a small program that listens. I am not a clinician; in danger, call your local emergency number. "
    '("bye" ends.)'
)
UNREADABLE = "I'm sorry, I can't read these letters. Could you tell me in English?"
FAREWELL = "Take care."
LAST_WORDS = frozenset(("bye", "goodbye", "quit", "exit"))


@app.command(epilog=EXAMPLES)
def chat(
    *,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A companion run, a checkpoint of one, or an exported model.",
            show_default="companion, which comes with buddy",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same replies.")
    ] = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Talk with a companion model. Nothing of what you write is kept.

    After each message stands what the model takes you to feel, and how sure it is.
    """
    from buddy.companion.buddy import Buddy

    buddy = Buddy(model, seed=seed)
    buddy.require_replies()
    print(GREETING, flush=True)
    turns: list[str] = []
    for message in _messages():
        if not buddy.can_read(message):
            print(UNREADABLE, flush=True)
            continue
        turns.append(message)
        print(_aside(buddy.emotion_of(turns)), flush=True)
        turns.append(_say(buddy, turns))
    print(FAREWELL)


def _messages() -> Iterator[str]:
    """Give what the user says, until they end it; from a pipe without a prompt."""
    prompt = "> " if sys.stdin.isatty() else ""
    while True:
        try:
            message = input(prompt).strip()
        except EOFError:
            print(end="\n" if prompt else "")  # Ctrl-D leaves the cursor behind the prompt
            return
        if message.lower().rstrip(".!") in LAST_WORDS:
            return
        if message:
            yield message


def _say(buddy: "Buddy", turns: list[str]) -> str:
    """Print the reply piece by piece, and give it as a whole."""
    said = ""
    for piece in buddy.stream(turns):
        said += piece
        print(piece, end="", flush=True)
    print(flush=True)
    return said


def _aside(emotion: "Emotion") -> str:
    line = f"  ({emotion.label}, {emotion.probability:.0%} sure)"
    return f"\x1b[2m{line}\x1b[0m" if sys.stdout.isatty() else line
