"""`buddy classify`: what a text expresses, and how sure that is."""

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import CONTROL_CHARACTERS, ConfigOption, app

if TYPE_CHECKING:
    from buddy.companion.buddy import Buddy, Emotion

EXAMPLES = """Examples:

  buddy classify "I lost my cat."

  buddy classify --json < diary.txt

  buddy classify "We won!" --model runs/emotion
"""

LINES_AT_ONCE = 256
RUNNERS_UP = 2


@app.command(epilog=EXAMPLES)
def classify(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="The texts; without one, each line of stdin.")
    ] = None,
    *,
    model: Annotated[
        Path | None,
        typer.Option(help="A run, a checkpoint, or an exported model.", show_default="the one that comes with buddy"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line, with the probability of every label.")
    ] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Say what texts express: the label, how sure that is, and the two runners-up.

    Empty lines are passed over.
    """
    from buddy.companion.buddy import Buddy

    buddy = Buddy(model)
    for some in _batches(texts or _lines(), 1 if not texts and sys.stdin.isatty() else LINES_AT_ONCE):
        for text, emotion in zip(some, buddy.emotions(some), strict=True):
            print(_as_json(text, emotion) if as_json else _as_columns(text, emotion, buddy), flush=True)


def _lines() -> Iterator[str]:
    """Give the lines of stdin that are not empty; a person who types gets an answer to each at once."""
    if sys.stdin.isatty():
        print("One text a line; Ctrl-D ends.", file=sys.stderr)
    return (line.rstrip("\r\n") for line in sys.stdin if line.strip())


def _batches(texts: Iterable[str], at_once: int) -> Iterator[list[str]]:
    waiting = iter(texts)
    while some := list(islice(waiting, at_once)):
        yield some


def _as_json(text: str, emotion: "Emotion") -> str:
    record = {
        "text": text,
        "label": emotion.label,
        "probability": emotion.probability,
        "probabilities": dict(emotion.probabilities),
    }
    return json.dumps(record, ensure_ascii=False)


def _as_columns(text: str, emotion: "Emotion", buddy: "Buddy") -> str:
    """Put label, certainty, runners-up and text under those of the lines above."""
    width = max(map(len, buddy.labels))
    first, *others = list(emotion.probabilities.items())[: RUNNERS_UP + 1]
    cells = [f"{first[0]:<{width}} {first[1]:>4.0%}", *(f"{label:<{width}} {share:>4.0%}" for label, share in others)]
    return CONTROL_CHARACTERS.sub(" ", "   ".join([*cells, text]))
