"""From a table to labelled texts: which column is which, and which cells hold something."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from buddy.data.normalise import clean
from buddy.data.source import Tally
from buddy.data.tables import Table
from buddy.errors import UserMistake, quote
from buddy.records import Example

TEXT, LABEL = "text", "label"

COLUMNS_LISTED = 20

MISSING_LABELS = ("", "nan", "null", "n/a", "<na>")
"""How tools write "no value" into a label column. "none" is not among them: data sets use it as a label."""


@dataclass(frozen=True)
class Columns:
    """The columns that matter; ``group`` is None when rows may be divided freely."""

    text: str
    label: str
    group: str | None = None


def choose_columns(table: Table, text: str | None, label: str | None, group: str | None = None) -> Columns:
    """Settle which columns hold the texts and the labels, guessing only where there is one sensible answer.

    Not named: the columns called "text" and "label"; else, of exactly two columns, the one with fewer different
    values holds the labels.

    Raises:
        UserMistake: a named column does not exist (the sentence lists those that do), or there is more than
            one sensible guess.

    Example:
        >>> table = Table("mine.csv", {"mood": ["sad", "sad"], "said": ["I cried.", "I left."]}, 2)
        >>> choose_columns(table, None, None)
        Columns(text='said', label='mood', group=None)
    """
    for name in (text, label, group):
        if name is not None and name not in table.columns:
            raise UserMistake(f"{table.origin} has no column {name!r}; its columns are {_listed(table)}.")
    candidates = _candidates(table, group)
    text, label = _by_name(text, label, candidates)
    if (text is None or label is None) and len(candidates) == 2:
        text, label = _of_two(table, text, label, candidates)
    if text is None or label is None:
        raise UserMistake(
            f"Which columns of {table.origin} hold the texts and the labels? Name them with --text-column and "
            f"--label-column; there are {_listed(table)}."
        )
    if len({text, label, group}) < 3:
        raise UserMistake(f"One column of {table.origin} cannot be two of text, label and group at once.")
    return Columns(text, label, group)


def to_examples(
    table: Table, columns: Columns, prefix: str, tally: Tally, first: int = 1
) -> tuple[list[Example], dict[str, str]]:
    """Make an example of every row that has a text and a label; the others are counted by what they lack.

    Args:
        table: where to look.
        columns: which of its columns matter.
        prefix: ids are ``PREFIX-ROW``; rows that are dropped here count, too.
        tally: gets what was dropped and why.
        first: the number of the table's first row.

    Returns:
        The examples, and group by example id (empty without a group column).
    """
    examples = []
    groups = {}
    group_cells = table.columns[columns.group] if columns.group else repeat("")
    rows = zip(table.columns[columns.text], table.columns[columns.label], group_cells, strict=False)
    for number, (text, label, group) in enumerate(rows, start=first):
        example = Example(f"{prefix}-{number}", _to_text(text), _to_text(label))
        reason = _reason_to_drop(example, text, label)
        if reason:
            tally.dropped[reason] += 1
            continue
        examples.append(example)
        if columns.group:
            groups[example.id] = _to_text(group) or example.id  # a row without a group is one of its own
    return examples, groups


def _candidates(table: Table, group: str | None) -> list[str]:
    """Leave out the row numbers that pandas writes beside the data."""
    return [name for name in table.columns if name not in ("", "Unnamed: 0", "__index_level_0__", group)]


def _listed(table: Table) -> str:
    names = list(table.columns)
    more = f" and {len(names) - COLUMNS_LISTED} more" if len(names) > COLUMNS_LISTED else ""
    return ", ".join(map(quote, names[:COLUMNS_LISTED])) + more if names else "none"


def _by_name(text: str | None, label: str | None, candidates: Sequence[str]) -> tuple[str | None, str | None]:
    by_lower_case = {name.lower(): name for name in candidates}
    return text or by_lower_case.get(TEXT), label or by_lower_case.get(LABEL)


def _of_two(table: Table, text: str | None, label: str | None, pair: Sequence[str]) -> tuple[str | None, str | None]:
    if text is not None or label is not None:
        other = pair[0] if pair[1] in (text, label) else pair[1]
        return text or other, label or other
    fewer, more = sorted(pair, key=lambda name: len(set(map(str, table.columns[name]))))
    values = set(map(str, table.columns[fewer]))
    if len(values) == len(set(map(str, table.columns[more]))):
        return None, None
    if fewer in values:
        raise UserMistake(f"{table.origin} seems to begin without a line of column names; add one, such as text,label.")
    return more, fewer


def _reason_to_drop(example: Example, *cells: object) -> str:
    if any(isinstance(cell, (list, dict, bytes)) for cell in cells):
        return "text or label that is not a single value"
    if not example.text:
        return "no text"
    return "no label" if example.label.casefold() in MISSING_LABELS else ""


def _to_text(cell: object) -> str:
    """Write a cell as clean text; a missing one is empty."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # a column of whole numbers with a gap in it is read as fractions
    return clean(str(cell))
