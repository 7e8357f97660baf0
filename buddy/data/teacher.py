"""What a teacher says about texts: probabilities of all labels, to learn from instead of one label alone.

A Parquet table with the columns

    id      of an example or conversation of the prepared folder; any other for a text without a label
    turn    the speaker's turn up to which a conversation was read; -1 for an example or another single text
    text    what was judged; used where the id is unknown
    p_LABEL one column per label, as in the predictions.parquet that `buddy evaluate` writes (which has no ``turn``)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from buddy.data.normalise import comparison_key
from buddy.data.parquet import read_parquet
from buddy.errors import UserMistake, quote

if TYPE_CHECKING:
    import pyarrow as pa

SINGLE_TEXT = -1


@dataclass(frozen=True)
class Teacher:
    """A teacher's answers.

    Attributes:
        rows: (id, turn) → row of the probabilities, for examples and conversations of the data.
        others: single texts of no example and no conversation, each with its row.
        probabilities: (N, E) in the order of the data's labels; rows sum to 1.
    """

    rows: dict[tuple[str, int], int]
    others: Sequence[tuple[str, int]]
    probabilities: npt.NDArray[np.float32]


def read_teacher(
    path: Path,
    labels: Sequence[str],
    known_ids: Collection[str],
    held_out_ids: Collection[str] = (),
    held_out_texts: Collection[str] = (),
) -> Teacher:
    """Read a teacher's table.

    Args:
        path: the Parquet file.
        labels: of the data that is trained on.
        known_ids: ids of its training examples and conversations.
        held_out_ids: of examples and conversations that may not be learned from, such as those of the validation split.
        held_out_texts: what these say, in whatever case and punctuation; it stays out under any id.

    Raises:
        UserMistake: a column is missing, or a row is no distribution over the labels.

    Source:
        Hinton et al. 2015, "Distilling the Knowledge in a Neural Network".
    """
    table = read_parquet(path, "make it anew")
    missing = [name for name in ("id", "text", *(f"p_{label}" for label in labels)) if name not in table.column_names]
    if missing:
        raise UserMistake(
            f"{path} has no column {quote(missing[0])}; a teacher needs id, text and p_LABEL of all labels."
        )
    _check(table, path)
    ids, texts = table["id"].to_pylist(), table["text"].to_pylist()
    turns = table["turn"].to_pylist() if "turn" in table.column_names else [SINGLE_TEXT] * len(ids)
    probabilities = np.column_stack([table[f"p_{label}"].to_numpy() for label in labels]).astype(np.float32)
    if not (np.abs(probabilities.sum(axis=1) - 1) < 1e-2).all() or probabilities.min(initial=0) < 0:
        raise UserMistake(f"{path} has a row whose probabilities do not sum to 1, or with one below 0.")
    known = set(known_ids)
    no_others, hidden = known | set(held_out_ids), set(map(comparison_key, held_out_texts))
    rows = {(id_, turn): row for row, (id_, turn) in enumerate(zip(ids, turns, strict=True)) if id_ in known}
    others = [
        (text, row)
        for row, (id_, turn, text) in enumerate(zip(ids, turns, texts, strict=True))
        if turn == SINGLE_TEXT and id_ not in no_others and comparison_key(text) not in hidden
    ]
    return Teacher(rows, others, probabilities)


def _check(table: "pa.Table", path: Path) -> None:
    """Refuse a table with gaps or other kinds of values: a row that is quietly never found would teach nothing."""
    from pyarrow import types

    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if name in ("id", "text"):
            is_right = types.is_string(kind) or types.is_large_string(kind)
        elif name == "turn":
            is_right = types.is_integer(kind)
        else:
            is_right = not name.startswith("p_") or types.is_floating(kind)
        if not is_right or column.null_count:
            raise UserMistake(f"Column {quote(name)} of {path} holds {kind} or gaps; make it anew.")
