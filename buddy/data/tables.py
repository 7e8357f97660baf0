"""Reading a table from a file: CSV, TSV, JSON Lines or Parquet, by its ending.

A file that cannot be trusted as a whole (not UTF-8, a quotation mark that never closes) is refused; a single row
that does not fit is dropped and counted.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from buddy.data import parquet
from buddy.data.csv_rows import TORN, csv_rows
from buddy.data.source import Tally
from buddy.errors import UserMistake, quote

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Table:
    """A table in memory, column by column.

    Args:
        origin: where it is from, for messages.
        columns: name → values, all of the same length, of whatever type the file has.
        rows_read: rows that the file has, dropped ones included.
    """

    origin: str
    columns: Mapping[str, Sequence[object]]
    rows_read: int


def read_table(path: Path, tally: Tally) -> Table:
    """Read a file of rows.

    Args:
        path: its ending tells the format: .csv .tsv .jsonl .ndjson .json .parquet.
        tally: gets what was dropped and why.

    Raises:
        UserMistake: an unknown ending, an empty, binary or damaged file, or text that is not UTF-8.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UserMistake(f"{path} is of no kind that can be read; known are {', '.join(READERS)}.")
    return reader(path, tally)


def read_csv(path: Path, tally: Tally) -> Table:
    """Read comma-, semicolon- or tab-separated values with a header line.

    The separator is the one that the header has most of.

    Raises:
        UserMistake: a quotation mark is opened and not closed properly: nobody knows where its text ends.
    """
    text = _read_text(path)
    rows, line = [], 1
    for row in csv_rows(io.StringIO(text, newline="")):
        if row.fields is None:
            raise UserMistake(f"{path}, line {line}: {TORN}.")
        line += len(row.lines)
        if row.fields:
            rows.append(row.fields)
    header, *others = rows
    return _from_rows(path, [name.strip() for name in header], others, tally)


def read_json_lines(path: Path, tally: Tally) -> Table:
    """Read one JSON object per line; a column is any key of any of them."""
    text = _read_text(path)
    if text.lstrip().startswith("["):
        raise UserMistake(f'{path} is one JSON list; write one object per line ({{"text": …, "label": …}}).')
    lines = [line for line in text.split("\n") if line.strip()]
    objects = [value for value in map(_parse_object, lines) if value is not None]
    if not objects:
        raise UserMistake(f"{path} has no line that is a JSON object.")
    if len(objects) < len(lines):
        tally.dropped["line that is not a JSON object"] += len(lines) - len(objects)
    names = dict.fromkeys(name for value in objects for name in value)
    return Table(str(path), {name: [value.get(name) for value in objects] for name in names}, len(lines))


def read_parquet(path: Path, tally: Tally) -> Table:  # noqa: ARG001  (every reader takes a tally)
    """Read a Parquet file; numbers that stand for named classes in a Hugging Face data set become the names."""
    table = parquet.read_parquet(path, "save it again")
    refuse_repeated(path, table.column_names)
    classes = class_names(path, table.schema)
    columns: dict[str, Sequence[object]] = {name: _values(path, name, table[name]) for name in table.column_names}
    columns.update({name: with_class_names(columns[name], names) for name, names in classes.items()})
    return Table(str(path), columns, table.num_rows)


def with_class_names(values: Sequence[object], names: Sequence[str]) -> list[object]:
    """Replace class numbers by their names; anything else (a missing label is often -1) becomes None.

    Example:
        >>> with_class_names([1, 0, -1], ["joy", "fear"])
        ['fear', 'joy', None]
    """
    known: dict[object, object] = dict(enumerate(names))
    return [known.get(value) for value in values]


READERS: Mapping[str, Callable[[Path, Tally], Table]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_lines,
    ".parquet": read_parquet,
}


def _read_text(path: Path) -> str:
    content = path.read_bytes()
    if b"\0" in content:
        raise UserMistake(f"{path} is a binary file, or text that is not UTF-8; save it as UTF-8 text.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserMistake(f"{path} is not UTF-8 text (line {line}); save it as UTF-8.") from error
    if not text.strip():
        raise UserMistake(f"{path} is empty.")
    return text


def _from_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], tally: Tally) -> Table:
    refuse_repeated(path, header)
    fitting = [row for row in rows if len(row) == len(header)]
    if len(fitting) < len(rows):
        tally.dropped[f"row that does not have the header's {len(header)} fields"] += len(rows) - len(fitting)
    values = zip(*fitting, strict=True) if fitting else [()] * len(header)
    return Table(str(path), dict(zip(header, values, strict=True)), len(rows))


def refuse_repeated(path: Path, names: Sequence[str]) -> None:
    """Make sure that every column can be named.

    Raises:
        UserMistake: two have the same name.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserMistake(f"{path} has more than one column named {quote(repeated[0])}; rename or remove one.")


def _parse_object(line: str) -> Mapping[str, object] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _values(path: Path, name: str, column: "pa.ChunkedArray") -> list[object]:
    """Turn a column into Python values; a date beyond the year 9999, say, is none."""
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserMistake(
            f"Column {quote(name)} of {path} cannot be read ({reason}); take it out of the file."
        ) from error


def class_names(path: Path, schema: "pa.Schema") -> dict[str, list[str]]:
    """Find the columns that Hugging Face's datasets library wrote as numbered classes, and their names.

    Raises:
        UserMistake: what the library wrote about the columns cannot be read; to go on without it would make
            labels of the numbers.
    """
    if b"huggingface" not in (schema.metadata or {}):
        return {}
    from datasets import ClassLabel, Features

    try:
        features = Features.from_arrow_schema(schema)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserMistake(
            f"What Hugging Face's datasets library wrote into {path} about its columns cannot be read; save the file "
            "again without it."
        ) from error
    return {name: list(kind.names) for name, kind in features.items() if isinstance(kind, ClassLabel)}
