"""Rows of comma-, semicolon- or tab-separated values, with the lines that each of them takes.

A quotation mark that is never closed makes one row of everything behind it. Here it costs its own line only: when such
a row comes to no good end, it is *torn*, and reading goes on with the line after the one on which it began.
"""

import csv
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

DELIMITERS = ",;\t"

TORN = "a quotation mark is not closed, or not doubled"
"""What is wrong with a torn row, whatever the csv module says: that depends on how many lines follow."""

LINES_OF_A_ROW = 10_000
"""A row that takes more lines than this has a quotation mark that is not closed."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row as it stands in a file.

    Attributes:
        lines: that it takes, with their ends.
        fields: its values; ``None`` if it is torn.
    """

    lines: list[str]
    fields: list[str] | None


def csv_rows(lines: Iterator[str]) -> Iterator[CsvRow]:
    r"""Give the rows of a file, its header first; a line without anything, also before it, is a row without fields.

    Args:
        lines: of the file, with their ends.

    Example:
        >>> lines = ["day,entry\n", '1,"two\n', 'lines"\n', '2,"torn\n', '3,"so",\n']
        >>> for row in csv_rows(iter(lines)): print(row.fields)
        ['day', 'entry']
        ['1', 'two\nlines']
        None
        ['3', 'so', '']
    """
    while (first := next(lines, "")).isspace():
        yield CsvRow([first], [])
    taken = _Lines(chain([first], lines))
    with any_field_length():
        reader = csv.reader(taken, delimiter=delimiter_of(first), strict=True)
        while True:
            try:
                fields = next(reader)
            except StopIteration:  # noqa: PERF203  (each row may be torn)
                return
            except (csv.Error, _TooManyLines):
                yield CsvRow(taken.first_of_row(), None)
            else:
                yield CsvRow(taken.all_of_row(), fields)


@contextmanager
def any_field_length() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters per field, which holds for the whole process."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def delimiter_of(header: str) -> str:
    """Tell what separates the columns of a file: the separator that its header has most of.

    Example:
        >>> delimiter_of("day;what happened, in short;mood")
        ';'
    """
    return max(DELIMITERS, key=header.count)


class _TooManyLines(Exception):
    """A row does not end."""


class _Lines:
    """Lines as the csv module takes them; those of the last row can be had again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._row: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self._row) == LINES_OF_A_ROW:
            raise _TooManyLines
        line = self._again.popleft() if self._again else next(self._lines)
        self._row.append(line)
        return line

    def all_of_row(self) -> list[str]:
        """Give the lines of the row, and begin another one."""
        row, self._row = self._row, []
        return row

    def first_of_row(self) -> list[str]:
        """Give its first line only; the others come again."""
        first, *others = self.all_of_row()
        self._again.extendleft(reversed(others))
        return [first]
