"""The prepared folder: the one form in which every later part meets data.

    DIR/train.parquet, valid.parquet, test.parquet   id, text, label      (valid and test may be absent)
    DIR/dialogues/train.parquet ...                  id, emotion, situation, turns (speaker first, alternating)
    DIR/labels.json                                  every label, sorted
    DIR/audit.json, DIR/data_card.md                 what was found in the data, for programs and for people

Nothing here imports a heavy library before data is read or written.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buddy.data.parquet import open_parquet, read_schema
from buddy.errors import UserMistake, quote
from buddy.files import write_json
from buddy.records import SPLITS, Dialogue, Example

if TYPE_CHECKING:
    import pyarrow as pa

LABELS_FILE = "labels.json"
AUDIT_FILE = "audit.json"
CARD_FILE = "data_card.md"
DIALOGUES_FOLDER = "dialogues"

TURNS = "turns"
EXAMPLE_COLUMNS = ("id", "text", "label")
DIALOGUE_COLUMNS = ("id", "emotion", "situation", TURNS)

ADVICE = "run `buddy prepare` again"

ROWS_OF_A_BLOCK = 8192
"""The files of the splits have blocks (row groups) of so many rows, which can be read one by one."""


@dataclass(frozen=True)
class PreparedData:
    """A prepared folder whose columns have been checked; rows are read, and checked, when they are asked for.

    Args:
        folder: where it stands.
        labels: every label of every split, sorted; a label's position is its number.
    """

    folder: Path
    labels: tuple[str, ...]

    def splits(self) -> tuple[str, ...]:
        """Name the splits that are there, in the order train, valid, test."""
        return tuple(split for split in SPLITS if _examples_file(self.folder, split).is_file())

    def examples(self, split: str) -> list[Example]:
        """Read the labelled texts of a split, in the order in which the source has them.

        Raises:
            UserMistake: the split is absent (the sentence names those that are there) or empty, its file is damaged,
                or it has a label that ``labels.json`` lacks.
        """
        self._require(split, self.splits(), "split")
        file = _examples_file(self.folder, split)
        examples = self._examples_of(_read_rows(file, EXAMPLE_COLUMNS), file)
        if not examples:
            raise UserMistake(f"The {split} split of {self.folder} has no texts; {ADVICE}.")
        return examples

    def blocks(self, split: str) -> list[int]:
        """Tell how many labelled texts each block of a split has."""
        self._require(split, self.splits(), "split")
        with open_parquet(_examples_file(self.folder, split), ADVICE) as file:
            return [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]

    def examples_of_blocks(self, split: str, blocks: Sequence[int]) -> list[Example]:
        """Read the labelled texts of some blocks, in the order in which these are named; see ``examples``."""
        file = _examples_file(self.folder, split)
        return [
            example
            for block in blocks
            for example in self._examples_of(_iterate_rows(file, EXAMPLE_COLUMNS, [block]), file)
        ]

    def _examples_of(self, rows: Iterable[tuple[Any, ...]], file: Path) -> list[Example]:
        examples = [Example(*row) for row in rows]
        unknown = sorted({example.label for example in examples} - set(self.labels))
        if unknown:
            raise UserMistake(f"{file} has the label {quote(unknown[0])}, which {LABELS_FILE} lacks; {ADVICE}.")
        return examples

    def dialogues(self, split: str) -> list[Dialogue]:
        """Read the conversations of a split; the speaker has the even turns.

        Raises:
            UserMistake: the source has no conversations for this split, or the file is damaged.
        """
        available = tuple(name for name in SPLITS if self.has_dialogues(name))
        self._require(split, available, "split of conversations")
        rows = _read_rows(_dialogues_file(self.folder, split), DIALOGUE_COLUMNS)
        return [Dialogue(id_, emotion, situation, tuple(turns)) for id_, emotion, situation, turns in rows]

    def has_dialogues(self, split: str) -> bool:
        """Tell whether the source has conversations for a split."""
        return _dialogues_file(self.folder, split).is_file()

    def fingerprint(self) -> str:
        """Tell whether two folders hold the same data: SHA-256 over labels and rows in a fixed order.

        It is taken over what the files say, not over their bytes, so that another version of the Parquet
        library, which compresses otherwise, does not look like other data.

        Returns:
            64 hexadecimal digits.
        """
        digest = hashlib.sha256(json.dumps(self.labels).encode())
        for split in SPLITS:
            for file, columns in (
                (_examples_file(self.folder, split), EXAMPLE_COLUMNS),
                (_dialogues_file(self.folder, split), DIALOGUE_COLUMNS),
            ):
                if file.is_file():
                    digest.update(f"{file.relative_to(self.folder).as_posix()}\n".encode())
                    digest.update(_hash_of_rows(file, columns))
        return digest.hexdigest()

    def _require(self, split: str, available: Sequence[str], what: str) -> None:
        if split not in available:
            there = f"there are {', '.join(available)}" if available else "it has none"
            raise UserMistake(f"{self.folder} has no {what} named {split!r} ({there}); prepare data that has one.")


def read_prepared(folder: Path) -> PreparedData:
    """Open a folder that ``buddy prepare`` wrote, after checking its labels and the columns of each file.

    Rows are not read yet: damage among them is told when they are.

    Raises:
        UserMistake: there is no such folder, it is no prepared one, ``labels.json`` is damaged, or another file is cut
            off or has other columns.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_prepared(folder, {"train": [Example("1", "We won!", "joyful"), Example("2", "Go away.", "angry")]})
        >>> data = read_prepared(folder)
        >>> data.labels, data.splits(), data.examples("train")[0].text
        (('angry', 'joyful'), ('train',), 'We won!')
    """
    if not folder.is_dir():
        raise UserMistake(f"There is no folder {folder}; `buddy prepare` makes one, see its --source.")
    data = PreparedData(folder, _read_labels(folder))
    if "train" not in data.splits():
        raise UserMistake(f"{folder} has no train.parquet; run `buddy prepare --out {folder}` again.")
    for split in data.splits():
        _check_schema(_examples_file(folder, split), EXAMPLE_COLUMNS)
        if _dialogues_file(folder, split).is_file():
            _check_schema(_dialogues_file(folder, split), DIALOGUE_COLUMNS)
    return data


def write_prepared(
    folder: Path,
    examples: Mapping[str, Sequence[Example]],
    dialogues: Mapping[str, Sequence[Dialogue]] | None = None,
    reports: Mapping[str, str] | None = None,
) -> None:
    """Write the files of a prepared folder into one that exists and is empty.

    Use it inside ``buddy.files.atomic_folder`` where a half-written folder could be met.

    Args:
        folder: where to write.
        examples: rows of every split, by its name.
        dialogues: conversations of every split, by its name; none when the source has only single texts.
        reports: further text files by name, such as ``audit.json`` and ``data_card.md``.

    Raises:
        ValueError: a split is not one of train, valid, test.
    """
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    for split, rows in examples.items():
        schema = pa.schema(dict.fromkeys(EXAMPLE_COLUMNS, text))
        _write_rows(_examples_file(folder, split), map(astuple, rows), schema)
    for split, conversations in (dialogues or {}).items():
        schema = pa.schema({name: texts if name == TURNS else text for name in DIALOGUE_COLUMNS})
        _write_rows(_dialogues_file(folder, split), map(astuple, conversations), schema)
    write_json(folder / LABELS_FILE, sorted({row.label for rows in examples.values() for row in rows}))
    for name, content in (reports or {}).items():
        (folder / name).write_text(content, encoding="utf-8")


def _examples_file(folder: Path, split: str) -> Path:
    if split not in SPLITS:
        raise ValueError(f"a split is one of {SPLITS}, not {split!r}")
    return folder / f"{split}.parquet"


def _dialogues_file(folder: Path, split: str) -> Path:
    return _examples_file(folder / DIALOGUES_FOLDER, split)


def _read_labels(folder: Path) -> tuple[str, ...]:
    file = folder / LABELS_FILE
    if not file.is_file():
        raise UserMistake(f"{folder} is not a prepared folder (no {LABELS_FILE}); `buddy prepare --out DIR` makes one.")
    try:
        labels = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(file) from error
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise _damaged(file)
    if not labels or len(set(labels)) < len(labels):
        raise _damaged(file)
    return tuple(labels)


def _check_schema(file: Path, columns: tuple[str, ...]) -> None:
    schema = read_schema(file, ADVICE)
    if tuple(schema.names) != columns:
        found, expected = ", ".join(schema.names) or "none", ", ".join(columns)
        raise UserMistake(f"{file} has the columns {found} where {expected} are expected; {ADVICE}.")
    for name, kind in zip(columns, schema.types, strict=True):
        if not _is_text(getattr(kind, "value_type", None) if name == TURNS else kind):
            raise UserMistake(f"Column {name!r} of {file} holds {kind} where text is expected; {ADVICE}.")


def _is_text(kind: "pa.DataType | None") -> bool:
    import pyarrow as pa

    return kind in (pa.string(), pa.large_string())


def _read_rows(file: Path, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return list(_iterate_rows(file, columns))


def _iterate_rows(
    file: Path, columns: tuple[str, ...], blocks: Sequence[int] | None = None
) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a file, or of some blocks of it, in the memory of some thousand of them."""
    for batch in _batches(file, columns, blocks):
        yield from zip(*(batch[name].to_pylist() for name in columns), strict=True)


def _batches(file: Path, columns: tuple[str, ...], blocks: Sequence[int] | None = None) -> Iterator["pa.RecordBatch"]:
    with open_parquet(file, ADVICE) as table:
        for batch in table.iter_batches(ROWS_OF_A_BLOCK, row_groups=blocks):
            batch.validate(full=True)  # the library takes a file's word for what it holds
            if any(_has_gaps(batch[name]) for name in columns):
                raise _damaged(file)
            yield batch


def _hash_of_rows(file: Path, columns: tuple[str, ...]) -> bytes:
    """Hash the lengths and the letters of each column's texts, however the file is cut into blocks."""
    import numpy as np
    import pyarrow.compute as pc

    hashes: dict[str, hashlib._Hash] = defaultdict(hashlib.sha256)
    for batch in _batches(file, columns):
        for name in columns:
            column = batch[name]
            if hasattr(column.type, "value_type"):
                hashes[f"{name} lists"].update(pc.list_value_length(column).cast("int64").to_numpy().tobytes())
                column = pc.list_flatten(column)
            texts = column.cast("large_string")
            _, offsets, letters = texts.buffers()
            ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            hashes[f"{name} lengths"].update(np.diff(ends).tobytes())
            if letters is not None:
                hashes[name].update(memoryview(letters)[ends[0] : ends[-1]])
    return b"".join(name.encode() + found.digest() for name, found in sorted(hashes.items()))


def _has_gaps(column: "pa.Array") -> bool:
    """Tell whether a value is missing, in a column of lists also within a list."""
    import pyarrow.compute as pc

    is_nested = hasattr(column.type, "value_type")
    return column.null_count > 0 or (is_nested and pc.list_flatten(column).null_count > 0)


def _write_rows(file: Path, rows: Iterable[tuple[object, ...]], schema: "pa.Schema") -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    table = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema=schema
    )
    file.parent.mkdir(exist_ok=True)
    with open(file, "wb") as sink:  # Python's own file, so that a full disk raises an OSError that names its cause
        pq.write_table(table, sink, compression="zstd", row_group_size=ROWS_OF_A_BLOCK)


def _damaged(file: Path) -> UserMistake:
    return UserMistake(f"{file} is damaged; {ADVICE}.")
