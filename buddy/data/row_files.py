"""Rows of a CSV, TSV, JSON-lines or Parquet file, one after the other: a file of any size, in little memory.

A row that cannot be read is no reason to stop: it is passed on with what is wrong with it.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from buddy.data.csv_rows import TORN, CsvRow, csv_rows, delimiter_of
from buddy.data.parquet import open_parquet, read_schema
from buddy.data.tables import refuse_repeated
from buddy.errors import UserMistake, counted
from buddy.files import atomic_file

CSV_KINDS = (".csv", ".tsv")
JSON_KINDS = (".jsonl", ".ndjson")
KINDS = (*CSV_KINDS, *JSON_KINDS, ".parquet")

ADVICE = "save it again"

ROWS_OF_A_BATCH = 4096
"""Rows of a Parquet file that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file.

    Attributes:
        place: the line on which it ends, or if it is torn begins; in a Parquet file its number, from 1.
        values: by column; ``None`` if it cannot be read.
        problem: why it cannot.
        is_torn: because of a quotation mark that is not closed.
    """

    place: int
    values: Mapping[str, Any] | None
    problem: str = ""
    is_torn: bool = False


def kind_of(path: Path) -> str:
    """Give the ending that tells how a file is laid out.

    Raises:
        UserMistake: it is none that can be read row by row.

    Example:
        >>> kind_of(Path("diary.CSV"))
        '.csv'
    """
    if path.suffix.lower() not in KINDS:
        raise UserMistake(
            f"{path} must end in {', '.join(KINDS[:-1])} or {KINDS[-1]}, so that one knows how to read it."
        )
    return path.suffix.lower()


def read_rows(path: Path) -> Iterator[Row]:
    """Give the rows of a file in order.

    Raises:
        UserMistake: it has no header, or is no file of its kind.
        OSError: it is not there, or cannot be read.
    """
    kind = kind_of(path)
    if kind in CSV_KINDS:
        return _read_csv(path)
    return _read_json_lines(path) if kind in JSON_KINDS else _read_parquet(path)


def column_names(path: Path) -> list[str]:
    """Give the columns that a file has; of JSON lines those of its first readable row."""
    kind = kind_of(path)
    if kind == ".parquet":
        return list(read_schema(path, ADVICE).names)
    if kind in CSV_KINDS:
        with _open_csv(path) as (names, *_):
            return names
    first = next((row.values for row in _read_json_lines(path) if row.values is not None), {})
    return list(first)


def write_rows(path: Path, source: Path, added: Iterable[Mapping[str, Any]], kinds: Mapping[str, type]) -> None:
    """Write the rows of a file again, with more columns; all or nothing. Rows that cannot be read are left out.

    Args:
        path: the file to make, of the same kind as ``source``.
        source: where the rows come from.
        added: for each row of ``source`` what stands in the new columns.
        kinds: the new columns, and whether they hold ``str`` or ``float``; ``None`` may stand in each.
    """
    kind = kind_of(source)
    if kind == ".parquet":
        _write_parquet(path, source, iter(added), kinds)
        return
    rows = (
        {**row.values, **more} for row, more in zip(read_rows(source), added, strict=True) if row.values is not None
    )
    if kind in JSON_KINDS:
        with atomic_file(path) as file:
            file.writelines(f"{_spell(row)}\n" for row in rows)
        return
    with _open_csv(source) as (names, delimiter, *_), atomic_file(path) as file:
        writer = csv.DictWriter(_WithPlainEnds(file), [*names, *kinds], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


class _WithPlainEnds:
    r"""A file whose rows end in "\n", though the library writes "\r\n": it quotes no letters but those of its end."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix("\r\n") + "\n")


def is_text(field: str) -> bool:
    """Tell whether a field or name of a CSV file is UTF-8; bytes that are not are read as half surrogate pairs."""
    return field.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in field)


@contextmanager
def _open_csv(path: Path) -> Iterator[tuple[list[str], str, int, Iterator[CsvRow]]]:
    """Give the columns, what separates them, the line on which the header ends, and the rows behind it."""
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv_rows(file)
        place = 0
        for header in rows:
            place += len(header.lines)
            if header.fields != []:
                break
        if place == 0 or not header.fields:
            raise UserMistake(f"{path} has no header.")
        names = [name.strip() for name in header.fields]
        refuse_repeated(path, names)
        yield names, delimiter_of(header.lines[0]), place, rows


def _read_csv(path: Path) -> Iterator[Row]:
    with _open_csv(path) as (names, _, end, rows):
        place = end
        for row in rows:
            place += len(row.lines)
            if row.fields is None:
                yield Row(place, None, TORN, is_torn=True)
            elif row.fields:  # a line without anything is no row
                yield _csv_row(place, names, row.fields)


def _csv_row(place: int, header: Sequence[str], fields: Sequence[str]) -> Row:
    if len(fields) != len(header):
        return Row(place, None, f"it has {counted(len(fields), 'field')}, and the header {len(header)}")
    if not all(map(is_text, fields)):
        return Row(place, None, "it is not UTF-8")
    return Row(place, dict(zip(header, fields, strict=True)))


def _read_json_lines(path: Path) -> Iterator[Row]:
    with open(path, "rb") as file:
        for place, line in enumerate(file, start=1):
            if line.strip():
                yield _json_row(place, line)


def _json_row(place: int, line: bytes) -> Row:
    try:
        values = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Row(place, None, "it is not UTF-8")
    except (ValueError, RecursionError):
        return Row(place, None, "it is no JSON")
    return Row(place, values) if isinstance(values, dict) else Row(place, None, "it is no JSON object")


def _spell(row: Mapping[str, Any]) -> str:
    """Write a JSON object; half a surrogate pair, which JSON can spell and UTF-8 cannot, stays an escape."""
    line = json.dumps(row, ensure_ascii=False)
    return line if _is_encodable(line) else json.dumps(row)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_parquet(path: Path) -> Iterator[Row]:
    place = 0
    with open_parquet(path, ADVICE) as file:
        for batch in file.iter_batches(ROWS_OF_A_BATCH):
            for values in batch.to_pylist():
                place += 1
                yield Row(place, values)


def _write_parquet(path: Path, source: Path, added: Iterator[Mapping[str, Any]], kinds: Mapping[str, type]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {name: pa.string() if kind is str else pa.float64() for name, kind in kinds.items()}
    with open_parquet(source, ADVICE) as file, atomic_file(path, "wb") as out:
        schema = file.schema_arrow
        for name, kind in types.items():
            schema = schema.append(pa.field(name, kind))
        with pq.ParquetWriter(out, schema) as writer:
            for batch in file.iter_batches(ROWS_OF_A_BATCH):
                more = list(islice(added, len(batch)))
                arrays = [pa.array([row[name] for row in more], kind) for name, kind in types.items()]
                writer.write_table(pa.Table.from_arrays([*batch.columns, *arrays], schema=schema))
