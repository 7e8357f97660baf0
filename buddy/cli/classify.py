"""`buddy classify`: what a text expresses, and how sure that is."""

import codecs
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import islice
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, cast

import typer

from buddy.cli.app import CONTROL_CHARACTERS, ConfigOption, app, refuse_options
from buddy.errors import EnvironmentFault, UserMistake, counted, install

if TYPE_CHECKING:
    from buddy.companion.buddy import Buddy, Emotion
    from buddy.inference.bulk import BulkResult, BulkSettings
    from buddy.inference.ray_bulk import RayBulkSettings

EXAMPLES = """Examples:

  buddy classify "I lost my cat."

  buddy classify --json < diary.txt

  buddy classify "We won!" --model runs/emotion

  buddy classify --input diary.csv --text-column entry --output moods.csv

  buddy classify --engine ray --input 's3://diaries/2026/*.parquet' --output s3://moods/2026
"""

FOR_FILES = ("text_column", "all_probabilities", "prefix", "strict", "resume")
FOR_RAY = ("address", "workers", "shard_rows")

LINES_AT_ONCE = 256
BYTES_AT_ONCE = 1 << 16
RUNNERS_UP = 2

LEAST_OF_A_TEXT = 60
"""So many letters of a text are always shown, however narrow the terminal."""


class BulkEngine(str, Enum):
    """Who does the work on a file."""

    local = "local"
    ray = "ray"


@app.command(epilog=EXAMPLES)
def classify(
    context: typer.Context,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="The texts; without one, each line of stdin.")
    ] = None,
    *,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A run, a checkpoint, or an exported model.", show_default="companion, which comes with buddy"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line, with the probability of every label.")
    ] = False,
    input_file: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="A CSV, TSV, JSON-lines or Parquet file, of any size; for ray also a folder, '*.csv', or s3://…",
        ),
    ] = None,
    text_column: Annotated[str, typer.Option(help="Where the texts of --input stand.")] = "text",
    output: Annotated[
        str | None,
        typer.Option(
            help="The file to make: the rows of --input with their labels; for ray a folder of such files.",
        ),
    ] = None,
    all_probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Also write a column for every label.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="Goes before the names of the new columns.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="End at a row that cannot be read or has no text.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run was interrupted.")] = False,
    engine: Annotated[
        BulkEngine, typer.Option(help="local: this process; ray: the workers of a Ray cluster.")
    ] = BulkEngine.local,
    address: Annotated[
        str | None,
        typer.Option(help="Of the Ray cluster.", show_default="RAY_ADDRESS, or a cluster on this machine"),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="On the Ray cluster, each with a core and a model. 0: one for each core.")
    ] = 0,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows of one file that a Ray worker writes.", show_default="10000")
    ] = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Say what texts express: the label, how sure that is, and the two runners-up.

    Empty texts are passed over. With --input and --output a whole file is classified: its rows in their order, with
    `label` and `probability` behind their columns.
    """
    if engine != BulkEngine.ray:
        refuse_options(context, FOR_RAY, "is about a cluster; it goes with --engine ray")
    if input_file is not None or output is not None:
        if texts or as_json or input_file is None or output is None:
            raise UserMistake("--input and --output go together, and without texts and --json.")
        if engine == BulkEngine.ray:
            try:
                from buddy.inference.ray_bulk import RayBulkSettings
            except ModuleNotFoundError as error:
                raise EnvironmentFault(f"A cluster needs {error.name}: {install('ray')}.") from error

            ray_settings = RayBulkSettings(
                input=input_file,
                output=output,
                text_column=text_column,
                all_probabilities=all_probabilities,
                prefix=prefix,
                strict=strict,
                resume=resume,
                address=address,
                workers=workers,
                shard_rows=shard_rows,
            )
            result = _classify_on_ray(model, ray_settings)
        else:
            from buddy.inference.bulk import BulkSettings

            settings = BulkSettings(
                input=Path(input_file),
                output=Path(output),
                text_column=text_column,
                all_probabilities=all_probabilities,
                prefix=prefix,
                strict=strict,
                resume=resume,
            )
            result = _classify_file(model, settings)
        labels, silent = counted(result.labelled, "label"), counted(result.without_text, "row")
        lost = counted(result.unreadable, "row")
        print(f"{output}: {labels}, {silent} without text, {lost} left out as unreadable.")
        return
    if engine == BulkEngine.ray:
        raise UserMistake("Ray is for files: --input and --output.")
    refuse_options(context, FOR_FILES, "is for files; it goes with --input and --output")
    _classify_texts(model, texts, as_json)


def _classify_texts(model: Path | None, texts: list[str] | None, as_json: bool) -> None:
    from buddy.companion.buddy import Buddy

    if texts and not any(text.strip() for text in texts):
        raise UserMistake("There is nothing to classify: the text is empty.")
    buddy = Buddy(model)
    unreadable = 0
    there = [texts] if texts else _lines()
    for some in (batch for group in there for batch in _batches(_not_empty(group), LINES_AT_ONCE)):
        unreadable += sum(not buddy.can_read(text) for text in some)
        for text, emotion in zip(some, buddy.emotions(some), strict=True):
            print(_as_json(text, emotion) if as_json else _as_columns(text, emotion, buddy), flush=True)
    if unreadable:
        print(
            f"Letters that the model never learned, in {unreadable} of the texts: their labels mean nothing.",
            file=sys.stderr,
        )


def _classify_file(model: Path | None, settings: "BulkSettings") -> "BulkResult":
    from buddy.inference.bulk import classify_file
    from buddy.inference.classifier import load_classifier
    from buddy.inference.folder import model_digest

    folder = _folder(model)
    with _told_how_to_go_on():
        return classify_file(load_classifier(folder), model_digest(folder), settings)


def _classify_on_ray(model: Path | None, settings: "RayBulkSettings") -> "BulkResult":
    from buddy.inference.ray_bulk import classify_on_ray

    with _told_how_to_go_on():
        return classify_on_ray(_folder(model), settings)


def _folder(model: Path | None) -> Path:
    from buddy.companion.buddy import shipped_model
    from buddy.inference.folder import find_model_folder

    return find_model_folder(model) if model else shipped_model()


@contextmanager
def _told_how_to_go_on() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print("Nothing is lost: the same command with --resume goes on.", file=sys.stderr)
        raise


def _lines() -> Iterator[list[str]]:
    """Give the lines of stdin, each time those that are there: a person who types gets an answer to each at once."""
    if sys.stdin.isatty():
        print("One text a line; Ctrl-D ends.", file=sys.stderr)
    stdin = cast(io.BufferedReader, sys.stdin.buffer)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(sys.stdin.encoding)("replace"), translate=True)
    rest = ""
    while some := stdin.read1(BYTES_AT_ONCE):
        *lines, rest = (rest + decoder.decode(some)).split("\n")
        yield lines
    yield (rest + decoder.decode(b"", final=True)).split("\n")


def _not_empty(texts: Iterable[str]) -> Iterator[str]:
    return (text for text in texts if text.strip())


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
    columns = "   ".join(cells) + "   "
    text = CONTROL_CHARACTERS.sub(" ", text)
    return columns + (_shorten(text, get_terminal_size().columns - len(columns)) if sys.stdout.isatty() else text)


def _shorten(text: str, room: int) -> str:
    """Cut a text to the room that a line of the terminal has left; in a narrow one it may go on in the next line.

    Example:
        >>> _shorten("I lost my cat.", 80), len(_shorten("so " * 99, 80))
        ('I lost my cat.', 80)
    """
    room = max(room, LEAST_OF_A_TEXT)
    return text if len(text) <= room else f"{text[: room - 1]}…"
