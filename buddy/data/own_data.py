"""One's own data: a file of rows, or a folder whose files are named after the splits."""

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

from buddy.data.columns import Columns, choose_columns, to_examples
from buddy.data.row_files import KINDS
from buddy.data.source import UNSPLIT, Source, Tally
from buddy.data.tables import READERS, Table, read_table
from buddy.errors import UserMistake, quote
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

OTHERS_NAMED = 10
"""So many of a folder's other files are named."""


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


def files_by_split(folder: Path, kinds: Collection[str]) -> dict[str, list[Path]]:
    """Find the tables of a folder by the split that they are named after; without such names all are ``UNSPLIT``.

    What is not read is named on standard error. A ``.json`` file whose name is not that of a split is no table but a
    description, such as ``labels.json``.

    Args:
        folder: where to look.
        kinds: the endings that can be read.

    Raises:
        UserMistake: some are named after splits, and of one it is not clear to which it belongs: rows of test would be
            learned from, or left out, without a word.
    """
    found: dict[str, list[Path]] = {}
    others: list[str] = []
    for file in sorted(file for file in folder.iterdir() if not file.name.startswith(".")):
        split, kind = _split_named(file), file.suffix.lower()
        is_named = kind in KINDS or file.stem.lower() in SPLIT_NAMES
        is_table = kind in kinds and is_named and not file.name.startswith("_")
        if is_table and file.is_file():
            found.setdefault(split, []).append(file)
        else:
            others.append(quote(file.name))
    if UNSPLIT in found and len(found) > 1:
        raise UserMistake(
            f"To which split does {found[UNSPLIT][0]} belong? Name it like train-1.csv, valid-1.csv or test-1.csv, "
            "or take it out of the folder."
        )
    if others:
        more = f" and {len(others) - OTHERS_NAMED} more" if len(others) > OTHERS_NAMED else ""
        print(f"Not read in {folder}: {', '.join(others[:OTHERS_NAMED])}{more}.", file=sys.stderr)
    return {split: found[split] for split in (*SPLITS, UNSPLIT) if split in found}


def _split_files(folder: Path) -> dict[str, Path]:
    found = files_by_split(folder, READERS)
    if "train" not in found:
        raise UserMistake(
            f"{folder} has no train file; name the files train, valid and test, ending in one of {', '.join(READERS)}."
        )
    for split, (first, *more) in found.items():
        if more:
            raise UserMistake(
                f"{folder} has two files for the {split} split: {first.name} and {more[0].name}. "
                "--stream reads several, of all kinds but .json."
            )
    return {split: files[0] for split, files in found.items()}


def _split_named(file: Path) -> str:
    """Name the split that a file is named after, as ``test (1).csv`` and ``testset.csv`` are; ``values.csv`` is not."""
    first = re.match(r"([a-z]+?)(set|data)?(?![a-z])", file.stem.lower())
    return SPLIT_NAMES.get(first[1], UNSPLIT) if first else UNSPLIT
