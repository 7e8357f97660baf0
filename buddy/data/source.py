"""What every reader of a source gives back: records by split, and an account of every row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from buddy.errors import UserMistake, quote
from buddy.records import Dialogue, Example

UNSPLIT = "all"
"""The split name of a source that has none; ``prepare`` divides it."""

MOVED_TO_VALID = "row of train moved to valid, which the source does not have"


@dataclass(frozen=True)
class Tally:
    """What happened to rows on the way in, counted by the reason that a person will read.

    Args:
        dropped: rows that are not in the result.
        notes: rows that are in it, but not quite as they stood.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Source:
    """A source that has been read, before it is split, checked and written.

    Args:
        name: what people call it.
        origin: the path or address it came from.
        licence: under what terms it may be used, one sentence.
        examples: labelled texts by split, or all of them under ``UNSPLIT``.
        tally: what was dropped or changed.
        rows_read: rows found in the source by split, dropped ones included.
        dialogues: conversations by split; empty when the source has only single texts.
        spoken_turns: conversation id → turns as the source has them, before one person's were merged.
        groups: example id → group, for sources whose rows may not be divided freely.
        details: what was settled while reading and belongs into the record, such as the columns that were guessed.
    """

    name: str
    origin: str
    licence: str
    examples: Mapping[str, Sequence[Example]]
    tally: Tally
    rows_read: Mapping[str, int]
    dialogues: Mapping[str, Sequence[Dialogue]] = field(default_factory=dict)
    spoken_turns: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    def labels(self) -> tuple[str, ...]:
        """Name every label in any split, sorted."""
        return tuple(sorted({example.label for rows in self.examples.values() for example in rows}))


def check_usable(source: Source) -> None:
    """Refuse a source that nothing can be learned from.

    Raises:
        UserMistake: a split is empty, or there are fewer than two labels: training would end in a model
            that always gives the same answer.
    """
    for split, rows in source.examples.items():
        if not rows:
            where = source.origin if split == UNSPLIT else f"the {split} split of {source.origin}"
            raise UserMistake(f"No usable row is left in {where}{reasons(source.tally)}.")
    labels = source.labels()
    if len(labels) < 2:
        raise UserMistake(
            f"{source.origin} has only one label, {quote(labels[0])}; at least two are needed to learn from."
        )


def reasons(tally: Tally) -> str:
    """Say for what reasons most rows were dropped, in brackets behind a sentence."""
    counts = ", ".join(f"{count:,} dropped: {reason}" for reason, count in tally.dropped.most_common(3))
    return f" ({counts})" if counts else ""
