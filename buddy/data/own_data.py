"""One's own data: a file of rows, or a folder whose files are named after the splits."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from buddy.data.columns import Columns, choose_columns, to_examples
from buddy.data.source import UNSPLIT, Source, Tally
from buddy.data.tables import READERS, Table, read_table
from buddy.errors import UserMistake
from buddy.records import SPLITS, Example

SPLIT_NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "val": "valid",
    "test": "test",
}
"""What people call the splits, and what buddy calls them."""

LICENCE = "Whatever the source's terms are; buddy does not know them."


def read_own_data(path: Path, text: str | None, label: str | None, group: str | None) -> Source:
    """Read a file of rows, or a folder with train, valid (validation, dev) and test files.

    Args:
        path: the file or folder.
        text: the column of the texts; None to guess.
        label: the column of the labels; None to guess.
        group: the column whose equal values must stay in one split; None for none.

    Raises:
        UserMistake: nothing there, nothing readable, or columns that cannot be settled.
    """
    tally = Tally()
    files = _split_files(path) if path.is_dir() else {UNSPLIT: path}
    tables = {split: read_table(file, tally) for split, file in files.items()}
    columns = choose_columns(next(iter(tables.values())), text, label, group)
    return from_tables(path.stem, str(path), LICENCE, tables, columns, tally)


def from_tables(
    name: str, origin: str, licence: str, tables: Mapping[str, Table], columns: Columns, tally: Tally
) -> Source:
    """Make a source of one table per split.

    Raises:
        UserMistake: a later table lacks a column that the first one has.
    """
    examples: dict[str, list[Example]] = {}
    groups: dict[str, str] = {}
    for split, table in tables.items():
        choose_columns(table, columns.text, columns.label, columns.group)
        prefix = name if split == UNSPLIT else split
        examples[split], own_groups = to_examples(table, columns, prefix, tally)
        groups.update(own_groups)
    rows_read = {split: table.rows_read for split, table in tables.items()}
    details = {f"{role}_column": column for role, column in asdict(columns).items() if column is not None}
    return Source(name, origin, licence, examples, tally, rows_read, groups=groups, details=details)


def _split_files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        split = SPLIT_NAMES.get(file.stem.lower())
        if split is None or file.suffix.lower() not in READERS or not file.is_file():
            continue
        if split in found:
            raise UserMistake(f"{folder} has two files for the {split} split: {found[split].name} and {file.name}.")
        found[split] = file
    if "train" not in found:
        raise UserMistake(
            f"{folder} has no train file; name the files train, valid and test, ending in one of {', '.join(READERS)}."
        )
    return {split: found[split] for split in SPLITS if split in found}
