"""A file of any size, cut into parts that workers take one at a time.

A part is cut between rows: at a byte in a CSV or JSON-lines file, at a row in a Parquet file. As a file of its own,
with the header of the whole, it can be read like any other.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO

from buddy.data.csv_rows import csv_rows
from buddy.data.parquet import parquet_of
from buddy.data.row_files import ADVICE, CSV_KINDS, ROWS_OF_A_BATCH, kind_of
from buddy.inference.places import open_place

BLOCK = 1 << 20


@dataclass(frozen=True)
class Part:
    """Some rows of a file.

    Attributes:
        source: the file's place.
        start: the first byte; in a Parquet file the first row.
        stop: the byte or row behind the last one.
        header: bytes of the header with which a CSV file begins.
        before: lines, or rows of a Parquet file, that stand between the header and the part.
        rows: how many there are; those that cannot be read count as well.
    """

    source: str
    start: int
    stop: int
    header: int
    before: int
    rows: int


def cut(source: str, rows: int) -> list[Part]:
    """Cut a file into parts of so many rows; the last one may have fewer, and an empty file has one empty part.

    A CSV file is read as a whole for this: only then it is known whether a line's end is a row's, too.

    Raises:
        UserMistake: the file cannot be read, or is no file of its kind.
    """
    kind = kind_of(Path(source))
    if kind == ".parquet":
        return _cut_parquet(source, rows)
    with open_place(source) as file:
        ends = _ends_of_csv_rows(file) if kind in CSV_KINDS else _ends_of_json_rows(file)
        return _cut_lines(source, ends, rows)


def take(part: Part, file: Path) -> None:
    """Write a part as a file of its own.

    Raises:
        UserMistake: the source cannot be read.
    """
    if kind_of(Path(part.source)) == ".parquet":
        _take_rows(part, file)
        return
    with open(file, "wb") as out:
        if part.header:
            with open_place(part.source) as source:
                out.write(source.read(part.header))
        with open_place(part.source, part.start) as source:
            left = part.stop - part.start
            while left and (some := source.read(min(left, BLOCK))):
                out.write(some)
                left -= len(some)


def _cut_lines(source: str, ends: Iterator[tuple[int, int]], rows: int) -> list[Part]:
    """Cut at every so manieth end of a row; the first end is that of the header."""
    header, header_lines = next(ends, (0, 0))  # none in a file of nothing
    parts: list[Part] = []
    start, before, count = header, header_lines, 0
    stop, line = start, before
    for stop, line in ends:
        count += 1
        if count == rows:
            parts.append(Part(source, start, stop, header, before - header_lines, count))
            start, before, count = stop, line, 0
    if count or not parts:
        parts.append(Part(source, start, stop, header, before - header_lines, count))
    return parts


def _ends_of_csv_rows(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Give the byte and the line at which the header ends, and then each row."""
    stop = number = 0
    text = io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
    for row in csv_rows(text):
        stop += sum(map(_bytes_of, row.lines))
        number += len(row.lines)
        if row.fields != []:  # a row, even if it cannot be read; a line without anything is none
            yield stop, number


def _ends_of_json_rows(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Give the same for lines of JSON, which have no header."""
    yield 0, 0
    stop = 0
    for number, line in enumerate(file, start=1):
        stop += len(line)
        if line.strip():
            yield stop, number


def _bytes_of(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape"))


def _cut_parquet(source: str, rows: int) -> list[Part]:
    with open_place(source) as stream, parquet_of(stream, source, ADVICE) as file:
        total = file.metadata.num_rows
    starts = range(0, max(total, 1), rows)
    return [Part(source, start, min(start + rows, total), 0, start, min(rows, total - start)) for start in starts]


def _take_rows(part: Part, path: Path) -> None:
    import pyarrow.parquet as pq

    with open_place(part.source) as stream, parquet_of(stream, part.source, ADVICE) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        ends = list(accumulate(sizes))
        groups = [i for i, end in enumerate(ends) if end > part.start and end - sizes[i] < part.stop]
        at = ends[groups[0]] - sizes[groups[0]] if groups else 0
        with pq.ParquetWriter(path, file.schema_arrow) as out:
            for batch in file.iter_batches(ROWS_OF_A_BATCH, row_groups=groups):
                first, last = max(part.start - at, 0), min(part.stop - at, len(batch))
                if first < last:
                    out.write_batch(batch.slice(first, last - first))
                at += len(batch)
                if at >= part.stop:  # the row group may go on for long
                    break
