"""A table of any size, read row by row and written as a prepared folder; of each row some twenty bytes stay in memory.

The split of a row is a function of its text (or group) and the seed: rows that say the same stay together without
knowing of each other. What is remembered of a row is a hash of its comparison key, its label and its length; that is
enough to count repetitions, contradictions and leaks at the end. Nearly equal texts are not looked for: that needs
them all at once.

Shapes: `N` rows of a split.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, field, replace
from hashlib import blake2b
from itertools import chain, combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from buddy.data.audit import Conflicts, Overlap, SplitFacts, WordCounts
from buddy.data.columns import Columns, choose_columns, to_examples
from buddy.data.normalise import comparison_key
from buddy.data.own_data import LICENCE, files_by_split
from buddy.data.parquet import open_parquet, read_schema
from buddy.data.prepared import ADVICE, EXAMPLE_COLUMNS, ROWS_OF_A_BLOCK
from buddy.data.report import Audit, find_warnings
from buddy.data.row_files import JSON_KINDS, KINDS, kind_of, read_rows
from buddy.data.source import MOVED_TO_VALID, UNSPLIT, Tally, reasons
from buddy.data.tables import Table, class_names, with_class_names
from buddy.errors import EnvironmentFault, UserMistake, explain, quote
from buddy.progress import progress
from buddy.records import SPLITS, Example

Keys = npt.NDArray[np.uint64]


@dataclass
class Kept:
    """What is kept of the rows of a split."""

    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    labels: "array[int]" = field(default_factory=lambda: array("I"))
    words: "array[int]" = field(default_factory=lambda: array("I"))

    def add(self, key: str, label: int, text: str) -> None:
        """Keep what is to be known of a row."""
        self.keys.append(int.from_bytes(_hash(key), "little"))
        self.labels.append(label)
        self.words.append(text.count(" ") + 1)  # a clean text has single spaces


@dataclass
class Streamed:
    """What was found on the way.

    Attributes:
        splits: by name, in the order train, valid, test.
        labels: every label; a label's place is its number in ``Kept``.
        first: some rows, to show a few of them.
        rows_read: by the source's own split.
        columns: where texts, labels and groups were found.
    """

    splits: dict[str, Kept]
    labels: list[str]
    first: list[Example]
    rows_read: Counter[str]
    columns: Columns


@dataclass(frozen=True)
class Wanted:
    """How to read and divide; the fields are those of ``PrepareSettings``."""

    text_column: str | None
    label_column: str | None
    group_column: str | None
    fractions: Mapping[str, float]
    seed: int


def files_of(path: Path) -> dict[str, list[Path]]:
    """Find the files of a source, by split: those of a folder that are named after one, or else all of them.

    ``train-00000-of-00012.parquet`` is one of several files of train, and so are ``train_0.csv`` and ``trainset.csv``.

    Raises:
        UserMistake: there is none, some are named after splits and none after train, or it is not clear to which split
            one belongs: rows of test would be learned from, or left out, without a word.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("train-0.csv", "train-1.csv", "dev.csv"): (folder / name).touch()
        >>> {split: [file.name for file in files] for split, files in files_of(folder).items()}
        {'train': ['train-0.csv', 'train-1.csv'], 'valid': ['dev.csv']}
    """
    if not path.is_dir():
        kind_of(path)
        return {UNSPLIT: [path]}
    files = files_by_split(path, KINDS)
    if not {"train", UNSPLIT} & set(files):
        raise UserMistake(f"{path} has no file of rows that ends in {', '.join(KINDS)}, or none of train.")
    return files


def stream_into(folder: Path, files: Mapping[str, list[Path]], name: str, wanted: Wanted, tally: Tally) -> Streamed:
    """Read files and write the rows of each split as they come.

    Args:
        folder: an empty one, which gets the files of the splits.
        files: by split; those under ``UNSPLIT`` are divided, and where there is no valid it is cut from train.
        name: of the source; ids of rows without a split begin with it.
        wanted: how.
        tally: gets what was dropped and why.

    Raises:
        UserMistake: columns that are not there or cannot be settled, or a file that is damaged.
        EnvironmentFault: a file cannot be read.
        OSError: the folder cannot be written.
    """
    divided = _divided(files, wanted.fractions)
    splits = {split: Kept() for split in SPLITS if split in {"train", *files, *chain.from_iterable(divided.values())}}
    numbers: dict[str, int] = {}  # of labels
    rows_read: Counter[str] = Counter()
    columns: Columns | None = None
    names: dict[str, dict[str, Sequence[object]]] = {}  # of the columns of each file, without their values
    some: list[Example] = []
    rows = sum(_estimate_rows(file) for group in files.values() for file in group)
    with ExitStack() as stack, progress("reading", rows, "rows") as bar:
        writers = {split: stack.enter_context(_Writer(folder / f"{split}.parquet")) for split in splits}
        for split, chunk in _chunks(files, tally):
            rows_read[split] += chunk.rows_read
            bar.advance(chunk.rows_read)
            if not chunk.columns:
                continue  # none of its rows can be read
            columns = columns or choose_columns(chunk, wanted.text_column, wanted.label_column, wanted.group_column)
            names.setdefault(chunk.origin, {}).update(dict.fromkeys(chunk.columns, ()))
            filled = _filled(chunk, columns)
            _check_columns(filled, columns)
            prefix, first = name if split == UNSPLIT else split, rows_read[split] - chunk.rows_read + 1
            examples, groups = to_examples(filled, columns, prefix, tally, first)
            for example in examples:
                key = comparison_key(example.text)
                group = groups.get(example.id, key)
                goes_to = split_of(group, divided[split], wanted.seed) if split in divided else split
                writers[goes_to].add(example)
                splits[goes_to].add(key, numbers.setdefault(example.label, len(numbers)), example.text)
                if (split, goes_to) == ("train", "valid"):
                    tally.notes[MOVED_TO_VALID] += 1
            some = some or examples
    if columns is None:
        raise UserMistake("There is no row in any of the files that can be read.")
    for origin, found in names.items():
        _check_columns(Table(origin, found, 0), columns)
    return Streamed(splits, list(numbers), some, rows_read, columns)


def audit_stream(found: Streamed, path: Path, settings: Mapping[str, object], tally: Tally) -> Audit:
    """Count what was found.

    Raises:
        UserMistake: nothing can be learned from it: a split is empty, or there are fewer than two labels.
    """
    for split, kept in found.splits.items():
        if not kept.keys:
            raise UserMistake(f"No usable row is left in the {split} split of {path}{reasons(tally)}.")
    if len(found.labels) < 2:
        raise UserMistake(
            f"{path} has only one label, {quote(found.labels[0])}; at least two are needed to learn from."
        )
    audit = Audit(
        source=path.stem,
        origin=str(path),
        licence=LICENCE,
        settings=settings,
        rows_read=dict(found.rows_read),
        dropped=dict(tally.dropped.most_common()),
        notes=dict(tally.notes),
        labels=sorted(found.labels),
        splits={split: _describe(kept, found.labels) for split, kept in found.splits.items()},
        exact_duplicates={split: _count_duplicates(kept) for split, kept in found.splits.items()},
        near_duplicates={},
        conflicting_labels=_count_conflicts(found.splits),
        overlap=_overlaps(found.splits),
        leaks_dropped={"examples": 0, "dialogues": 0},
    )
    return replace(audit, warnings=find_warnings(audit))


def split_of(group: str, fractions: Mapping[str, float], seed: int) -> str:
    """Name the split of a group, which depends on nothing but the seed: every group lands anywhere between 0 and 1.

    Example:
        >>> names = [split_of(str(number), {"test": 0.1, "valid": 0.2}, seed=13) for number in range(1000)]
        >>> [round(names.count(name), -2) for name in ("train", "valid", "test")]
        [700, 200, 100]
    """
    place = int.from_bytes(_hash(group, str(seed).encode()), "little") / 2**64
    for name, share in fractions.items():
        if place < share:
            return name
        place -= share
    return "train"


def _count_duplicates(kept: Kept) -> int:
    """Count the rows whose text stands in an earlier row of the split."""
    return len(kept.keys) - len(np.unique(_keys(kept)))


def _count_overlap(first: Kept, second: Kept) -> Overlap:
    """Count the rows of the second split whose text also stands in the first."""
    return Overlap(int(np.isin(_keys(second), np.unique(_keys(first))).sum()), None, ())


def _count_conflicts(splits: Mapping[str, Kept]) -> Conflicts:
    """Count the texts that carry several labels, over all splits, and their rows."""
    keys = np.concatenate([_keys(kept) for kept in splits.values()])
    labels = np.concatenate([np.frombuffer(kept.labels, np.uint32) for kept in splits.values()])
    order = np.argsort(keys)
    keys, labels = keys[order], labels[order]
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    several = np.minimum.reduceat(labels, starts) != np.maximum.reduceat(labels, starts)
    sizes = np.diff(np.append(starts, len(keys)))
    return Conflicts(int(several.sum()), int(sizes[several].sum()), ())


def _describe(kept: Kept, labels: list[str]) -> SplitFacts:
    """Count one split."""
    counts = np.bincount(np.frombuffer(kept.labels, np.uint32), minlength=len(labels))
    per_label = {label: int(count) for label, count in zip(labels, counts, strict=True) if count}
    words = np.frombuffer(kept.words, np.uint32)
    median, p95 = np.percentile(words, [50, 95])
    return SplitFacts(
        rows=len(words),
        conversations=0,
        turns=0,
        turns_after_merging=0,
        per_label=dict(sorted(per_label.items(), key=lambda item: (-item[1], item[0]))),
        majority_share=round(int(counts.max()) / len(words), 4),
        words=WordCounts(round(float(words.mean()), 1), float(median), float(p95), int(words.max())),
    )


def _overlaps(splits: Mapping[str, Kept]) -> dict[str, Overlap]:
    """Count what stands in two splits, for every two."""
    return {
        f"{first}-{second}": _count_overlap(splits[first], splits[second]) for first, second in combinations(splits, 2)
    }


class _Writer:
    """A Parquet file that grows by a block whenever one is full."""

    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema = pa.schema(dict.fromkeys(EXAMPLE_COLUMNS, pa.string()))
        self._sink = open(file, "wb")  # noqa: SIM115  (closed with the writer)
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._rows: list[tuple[str, ...]] = []

    def add(self, example: Example) -> None:
        """Write a row, soon."""
        self._rows.append((example.id, example.text, example.label))
        if len(self._rows) == ROWS_OF_A_BLOCK:
            self._write()

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        with self._sink:
            if self._rows:
                self._write()
            self._writer.close()

    def _write(self) -> None:
        import pyarrow as pa

        columns = [pa.array(column, pa.string()) for column in zip(*self._rows, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows.clear()


def _chunks(files: Mapping[str, list[Path]], tally: Tally) -> Iterator[tuple[str, Table]]:
    """Give some thousand rows at a time, with the source's split; those that cannot be read are counted."""
    for split, group in files.items():
        for file in group:
            with _reading(file):
                for chunk in _chunks_of(file, tally):
                    yield split, chunk


def _chunks_of(file: Path, tally: Tally) -> Iterator[Table]:
    classes = class_names(file, read_schema(file, ADVICE)) if kind_of(file) == ".parquet" else {}
    rows = read_rows(file)
    while some := list(islice(rows, ROWS_OF_A_BLOCK)):
        torn = next((row for row in some if row.is_torn), None)
        if torn:
            raise UserMistake(f"{file}, line {torn.place}: {torn.problem}.")
        readable = [row.values for row in some if row.values is not None]
        if len(readable) < len(some):
            tally.dropped["row that cannot be read"] += len(some) - len(readable)
        yield _table(file, readable, len(some), classes)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Name the file that cannot be read: whoever writes a folder from it would take the error for one of writing."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(f"{file} could not be read: {explain(error)}.") from error


def _divided(files: Iterable[str], fractions: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Tell which of the source's splits are divided, and into what beside train."""
    wanted = {split: share for split, share in fractions.items() if share}
    if UNSPLIT in files:
        return {UNSPLIT: wanted}
    return {"train": {"valid": wanted["valid"]}} if "valid" in wanted and "valid" not in files else {}


def _table(
    file: Path, rows: Sequence[Mapping[str, Any]], rows_read: int, classes: Mapping[str, Sequence[str]]
) -> Table:
    names = dict.fromkeys(name for row in rows for name in row)
    columns: dict[str, Sequence[object]] = {name: [row.get(name) for row in rows] for name in names}
    columns.update({name: with_class_names(columns[name], numbered) for name, numbered in classes.items()})
    return Table(str(file), columns, rows_read)


def _filled(chunk: Table, columns: Columns) -> Table:
    """Add the columns that none of some JSON lines has: each may leave out what it has nothing to say about."""
    if kind_of(Path(chunk.origin)) not in JSON_KINDS:
        return chunk
    nothing = [None] * len(next(iter(chunk.columns.values())))
    return replace(chunk, columns={**{name: nothing for name in astuple(columns) if name}, **chunk.columns})


def _check_columns(table: Table, columns: Columns) -> None:
    choose_columns(table, columns.text, columns.label, columns.group)


def _estimate_rows(file: Path) -> int:
    """Tell about how many rows a file has, from its beginning; of Parquet exactly."""
    with _reading(file):
        if kind_of(file) == ".parquet":
            with open_parquet(file, ADVICE) as table:
                return int(table.metadata.num_rows)
        with open(file, "rb") as stream:
            beginning = stream.read(1 << 20)
        return round(file.stat().st_size * beginning.count(b"\n") / max(1, len(beginning)))


def _keys(kept: Kept) -> Keys:
    return np.frombuffer(kept.keys, np.uint64)


def _hash(text: str, key: bytes = b"") -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest()
