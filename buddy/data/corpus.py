"""Text to pre-train on, read as a stream: prose, conversations, and what `buddy prepare` wrote.

FILE.jsonl, .jsonl.xz, .jsonl.gz   one object a line: {"text": "…"} or {"turns": ["…", "…"]}
FILE.txt                           passages with an empty line between them
FOLDER                             the training split of a prepared folder
"""

import gzip
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from buddy.data.normalise import clean, encodable
from buddy.data.prepared import DIALOGUES_FOLDER, read_prepared
from buddy.errors import UserMistake, quote
from buddy.records import Dialogue, Example

Passage = str | Example | Dialogue
"""Prose, a labelled text, or a conversation (without an emotion where its source names none)."""

OPENERS: dict[str, Callable[..., IO[Any]]] = {".xz": lzma.open, ".gz": gzip.open}


@dataclass(frozen=True)
class CorpusFile:
    """A file or folder of a corpus, and how often its text counts.

    Attributes:
        path: where it is.
        times: 2 shows every passage twice per epoch, 0.3 a fixed 30% of them.
    """

    path: Path
    times: float = 1.0


def parse_corpus_file(argument: str) -> CorpusFile:
    """Read ``PATH`` or ``PATH@TIMES`` as it is typed.

    Raises:
        UserMistake: there is no such file, or the times are no number above 0.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        ...     parse_corpus_file(file.name + "@0.3").times
        0.3
    """
    path, _, times = argument.rpartition("@")
    if Path(argument).exists() or not path:
        path, times = argument, "1"
    if not Path(path).exists():
        raise UserMistake(f"There is no file or folder {path}.")
    try:
        found = CorpusFile(Path(path), float(times))
    except ValueError:
        found = CorpusFile(Path(path), 0.0)
    if not 0 < found.times <= 100:
        raise UserMistake(f"In {argument} a number above 0 and up to 100 is expected after the @.")
    return found


def read_passages(file: CorpusFile, seed: int) -> Iterator[Passage]:
    """Give the passages of a file, one at a time, as often as they count.

    Which passages a share keeps is decided by their number and the seed alone.

    Raises:
        UserMistake: a line is no passage; the sentence says which and what is expected.
    """
    random = np.random.default_rng((seed, *file.path.name.encode()))
    for passage in _read_once(file.path):
        whole, part = divmod(file.times, 1)
        for _ in range(int(whole) + (random.random() < part)):
            yield passage


def _read_once(path: Path) -> Iterator[Passage]:
    if path.is_dir():
        data = read_prepared(path)
        yield from data.examples("train")
        if (path / DIALOGUES_FOLDER / "train.parquet").is_file():
            yield from data.dialogues("train")
        return
    kinds = [suffix for suffix in path.suffixes if suffix in (".jsonl", ".txt")]
    if len(kinds) != 1:
        raise UserMistake(f"{path} is no .jsonl or .txt file (either may be .xz or .gz compressed) and no folder.")
    try:
        with OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8-sig") as lines:
            yield from (_read_json_lines if kinds[0] == ".jsonl" else _read_paragraphs)(path, lines)
    except (lzma.LZMAError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise UserMistake(f"{path} is damaged, or no UTF-8 text: {error}.") from error


def _read_json_lines(path: Path, lines: IO[str]) -> Iterator[Passage]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _read_object(json.loads(line), f"{path.name}:{number}")
            except (ValueError, RecursionError) as error:
                raise UserMistake(
                    f'{path}, line {number}: expected {{"text": "…"}} or {{"turns": ["…", "…"]}}, not {quote(line)}.'
                ) from error


def _read_object(record: object, name: str) -> Passage:
    if not isinstance(record, dict):
        raise ValueError("no object")
    text, turns = record.get("text"), record.get("turns")
    if isinstance(text, str) and clean(text):
        return encodable(text.strip())
    if isinstance(turns, list) and turns and all(isinstance(turn, str) for turn in turns):
        return Dialogue(name, "", "", tuple(map(clean, turns)))
    raise ValueError("neither text nor turns")


def _read_paragraphs(_: Path, lines: IO[str]) -> Iterator[Passage]:
    paragraph: list[str] = []
    for line in lines:
        if line.strip():
            paragraph.append(line.rstrip())
        elif paragraph:
            yield "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield "\n".join(paragraph)
