"""What is in the data: sizes, labels, lengths, repetitions, contradictions, and what leaks from one split to another.

A leak is a training text that stands, word for word or nearly so, in valid or test: the score then rewards memory.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from buddy.data.duplicates import Neighbours, near_neighbours
from buddy.data.normalise import comparison_key
from buddy.records import Dialogue, Example

EXAMPLES_SHOWN = 20

Rows = Mapping[str, Sequence[Example]]
"""Labelled texts by split."""


@dataclass(frozen=True)
class WordCounts:
    """How long texts are, in words between spaces."""

    mean: float
    median: float
    p95: float
    max: int


@dataclass(frozen=True)
class SplitFacts:
    """One split as it is written.

    Args:
        rows: labelled texts.
        conversations: dialogues.
        turns: what was said in them, counted as in the source.
        turns_after_merging: turns once the consecutive ones of one person are joined.
        per_label: label → rows, commonest first.
        majority_share: the accuracy of always giving the commonest label.
        words: lengths of the texts.
    """

    rows: int
    conversations: int
    turns: int
    turns_after_merging: int
    per_label: Mapping[str, int]
    majority_share: float
    words: WordCounts


@dataclass(frozen=True)
class TextPair:
    """Two rows, one from each of two splits, that say the same or nearly the same."""

    first_id: str
    first_text: str
    second_id: str
    second_text: str


@dataclass(frozen=True)
class Overlap:
    """Rows of the second split whose text also stands in the first, exactly or else nearly.

    ``near`` is ``None`` where that was not looked for.
    """

    exact: int
    near: int | None
    examples: Sequence[TextPair]


@dataclass(frozen=True)
class Conflict:
    """One text with several labels, and how many rows give it each."""

    text: str
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Conflicts:
    """Texts that stand in the data under more than one label."""

    texts: int
    rows: int
    examples: Sequence[Conflict]


@dataclass(frozen=True)
class Findings:
    """What comparing all texts with each other brought to light; nothing has been removed for it yet.

    Args:
        exact_duplicates: split → rows whose normalised text stands in an earlier row of the split.
        near_duplicates: split → rows with another, nearly equal text in the split.
        conflicting_labels: over all splits.
        overlap: by two splits, named like ``train-valid``.
        neighbours: which text is nearly which, by comparison key.
    """

    exact_duplicates: Mapping[str, int]
    near_duplicates: Mapping[str, int]
    conflicting_labels: Conflicts
    overlap: Mapping[str, Overlap]
    neighbours: Neighbours


def compare_texts(examples: Rows) -> Findings:
    """Find what is said twice, within a split and across splits, and what is labelled in two ways.

    Texts are compared by ``comparison_key``: case, punctuation and spacing make no difference.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for split, rows in examples.items():
        for row in rows:
            places[comparison_key(row.text)].add(split)
    neighbours = near_neighbours(places)
    return Findings(
        exact_duplicates={split: len(rows) - len(_by_key(rows)) for split, rows in examples.items()},
        near_duplicates={
            split: sum(split in neighbours.get(comparison_key(row.text), ()) for row in rows)
            for split, rows in examples.items()
        },
        conflicting_labels=find_conflicts(examples),
        overlap={
            f"{first}-{second}": _overlap(examples, first, second, neighbours)
            for first, second in combinations(examples, 2)
        },
        neighbours=neighbours,
    )


def find_conflicts(examples: Rows) -> Conflicts:
    """Find the texts that carry several labels, over all splits.

    Example:
        >>> rows = [Example("1", "My dog died.", "sad"), Example("2", "my dog died", "devastated")]
        >>> found = find_conflicts({"train": rows})
        >>> found.texts, found.rows, found.examples[0].labels
        (1, 2, {'devastated': 1, 'sad': 1})
    """
    labels_of: dict[str, Counter[str]] = defaultdict(Counter)
    text_of: dict[str, str] = {}
    for row in chain.from_iterable(examples.values()):
        key = comparison_key(row.text)
        labels_of[key][row.label] += 1
        text_of.setdefault(key, row.text)
    several = [key for key, labels in labels_of.items() if len(labels) > 1]
    shown = [Conflict(text_of[key], dict(sorted(labels_of[key].items()))) for key in several[:EXAMPLES_SHOWN]]
    return Conflicts(len(several), sum(labels_of[key].total() for key in several), shown)


def find_leaks(examples: Rows, neighbours: Neighbours) -> frozenset[str]:
    """Name the comparison keys of training texts that stand, or nearly stand, in valid or test.

    Example:
        >>> rows = {"train": [Example("1", "We won!", "joyful")], "valid": [Example("2", "we won", "joyful")]}
        >>> find_leaks(rows, neighbours={})
        frozenset({'we won'})
    """
    held_out = {comparison_key(row.text) for split, rows in examples.items() if split != "train" for row in rows}
    keys = (comparison_key(row.text) for row in examples.get("train", ()))
    return frozenset(key for key in keys if key in held_out or neighbours.get(key, {}).keys() - {"train"})


def describe_split(
    rows: Sequence[Example], dialogues: Sequence[Dialogue] = (), spoken_turns: Mapping[str, int] | None = None
) -> SplitFacts:
    """Count one split.

    Args:
        rows: its labelled texts, at least one.
        dialogues: its conversations, if it has any.
        spoken_turns: conversation id → turns as in the source, before merging.

    Example:
        >>> facts = describe_split([Example("1", "We won!", "joyful"), Example("2", "I cried a lot", "sad")])
        >>> facts.rows, facts.per_label, facts.majority_share, facts.words.max
        (2, {'joyful': 1, 'sad': 1}, 0.5, 4)
    """
    per_label = Counter(row.label for row in rows)
    merged = {dialogue.id: len(dialogue.turns) for dialogue in dialogues}
    return SplitFacts(
        rows=len(rows),
        conversations=len(dialogues),
        turns=sum((spoken_turns or {}).get(id_, turns) for id_, turns in merged.items()),
        turns_after_merging=sum(merged.values()),
        per_label=dict(sorted(per_label.items(), key=lambda item: (-item[1], item[0]))),
        majority_share=round(max(per_label.values()) / len(rows), 4),
        words=_count_words(rows),
    )


def _count_words(rows: Sequence[Example]) -> WordCounts:
    import numpy as np

    counts = np.array([len(row.text.split()) for row in rows])
    median, p95 = np.percentile(counts, [50, 95])
    return WordCounts(round(float(counts.mean()), 1), float(median), float(p95), int(counts.max()))


def _by_key(rows: Sequence[Example]) -> dict[str, Example]:
    """Index rows by comparison key; of several, the first."""
    return {comparison_key(row.text): row for row in reversed(rows)}


def _overlap(examples: Rows, first: str, second: str, neighbours: Neighbours) -> Overlap:
    in_first = _by_key(examples[first])
    exact: list[TextPair] = []
    near: list[TextPair] = []
    for row in examples[second]:
        key = comparison_key(row.text)
        neighbour = neighbours.get(key, {}).get(first)
        if key in in_first:
            exact.append(_pair(in_first[key], row))
        elif neighbour is not None:
            near.append(_pair(in_first[neighbour], row))
    return Overlap(len(exact), len(near), _some_of_both(exact, near))


def _some_of_both(exact: Sequence[TextPair], near: Sequence[TextPair]) -> list[TextPair]:
    half = EXAMPLES_SHOWN // 2
    return [*exact[: max(half, EXAMPLES_SHOWN - len(near))], *near][:EXAMPLES_SHOWN]


def _pair(first: Example, second: Example) -> TextPair:
    return TextPair(first.id, first.text, second.id, second.text)
