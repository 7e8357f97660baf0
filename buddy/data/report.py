"""The audit as it is written down: every count under a stable key, and the few sentences that a person should read."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from buddy.data.audit import Conflicts, Overlap, SplitFacts
from buddy.errors import counted

FEW_TEXTS = 5
"""A label with fewer training texts than this deserves a warning: no model learns much from them."""

LOPSIDED_SHARE = 0.5


@dataclass(frozen=True)
class Audit:
    """All that is known about a prepared folder; its fields are the keys of ``audit.json``.

    Args:
        source: the name of the data.
        origin: where it was read.
        licence: one sentence.
        settings: the options that shaped the result.
        rows_read: rows of the source by split (or "all").
        dropped: rows that are not in the result, by reason.
        notes: rows that are, but not quite as they stood, by what happened.
        labels: all of them, sorted.
        splits: each as it is written.
        exact_duplicates: by split; see ``audit.Findings``, also for the next three.
        near_duplicates: by split; none where they were not looked for, in data that are read as a stream.
        conflicting_labels: over all splits.
        overlap: by two splits, before leaks were dropped.
        leaks_dropped: ``examples`` and ``dialogues`` that were taken out of train.
        warnings: sentences.
    """

    source: str
    origin: str
    licence: str
    settings: Mapping[str, object]
    rows_read: Mapping[str, int]
    dropped: Mapping[str, int]
    notes: Mapping[str, int]
    labels: Sequence[str]
    splits: Mapping[str, SplitFacts]
    exact_duplicates: Mapping[str, int]
    near_duplicates: Mapping[str, int]
    conflicting_labels: Conflicts
    overlap: Mapping[str, Overlap]
    leaks_dropped: Mapping[str, int]
    warnings: Sequence[str] = ()

    def to_json(self) -> str:
        """Write it for programs."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def find_warnings(audit: Audit) -> list[str]:
    """Say what a person should know before training, one sentence each, the gravest first."""
    return [
        *_about_leaks(audit),
        *_about_what_was_not_looked_for(audit),
        *_about_splits(audit),
        *_about_labels(audit),
        *_about_conflicts(audit),
        *_about_dropped_rows(audit),
    ]


def _about_leaks(audit: Audit) -> Iterator[str]:
    if any(audit.leaks_dropped.values()):
        return
    for pair, overlap in audit.overlap.items():
        first, second = pair.split("-")
        if first == "train" and overlap.near is None and overlap.exact:
            yield f"Leak: {counted(overlap.exact, 'row')} of {second} also in train, word for word."
        elif first == "train" and overlap.exact + (overlap.near or 0):
            near = overlap.near or 0
            yield (
                f"Leak: {counted(overlap.exact + near, 'row')} of {second} also in train ({overlap.exact:,} "
                f"word for word, {near:,} nearly); --drop-leaks takes such texts out of train."
            )


def _about_what_was_not_looked_for(audit: Audit) -> Iterator[str]:
    if not audit.near_duplicates:
        yield "Nearly equal texts were not looked for: the data were read as a stream."


def _about_splits(audit: Audit) -> Iterator[str]:
    if "valid" not in audit.splits:
        yield "There is no valid split, and training needs one to choose its best model."
    for split in ("valid", "test"):
        own, learned = _labels_of(audit, split), _labels_of(audit, "train")
        if own - learned:
            yield f"Labels in {split} that train does not have: {_shortened(sorted(own - learned))}."
        if own and learned - own:
            yield f"Labels in train that {split} does not have: {_shortened(sorted(learned - own))}."


def _about_labels(audit: Audit) -> Iterator[str]:
    train = audit.splits["train"]
    few = [label for label, count in train.per_label.items() if count < FEW_TEXTS]
    if few:
        yield f"Labels with fewer than {FEW_TEXTS} training texts: {_shortened(few)}."
    if train.majority_share > LOPSIDED_SHARE:
        label = next(iter(train.per_label))
        yield f"{train.majority_share:.0%} of train has the label {label!r}; judge by macro F1, not by accuracy."
    spellings = Counter(label.casefold() for label in audit.labels)
    alike = [label for label in audit.labels if spellings[label.casefold()] > 1]
    if alike:
        yield f"Labels that differ only in upper and lower case: {_shortened(alike)}."


def _about_conflicts(audit: Audit) -> Iterator[str]:
    conflicts = audit.conflicting_labels
    if conflicts.texts:
        texts, rows = counted(conflicts.texts, "text"), counted(conflicts.rows, "row")
        yield f"Contradiction: {texts} under several labels ({rows}), all kept."


def _about_dropped_rows(audit: Audit) -> Iterator[str]:
    for reason, count in audit.dropped.items():
        yield f"Dropped: {counted(count, 'row')}, {reason}."


def _labels_of(audit: Audit, split: str) -> set[str]:
    return set(audit.splits[split].per_label) if split in audit.splits else set()


def _shortened(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - 10} more" if len(labels) > 10 else ""
    return ", ".join(labels[:10]) + more
