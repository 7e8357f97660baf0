"""Is the built-in set fit to learn from? Measured against EmpatheticDialogues (ED), which must have been prepared.

    python -m recipes.builtin_quality data/empathetic-dialogues

Prints Markdown tables: near duplicates, variety of wording, lengths, labels, and how well a linear model carries over
from one set to the other. One thread, a few minutes; ``docs/data-card.md`` shows the result.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from buddy.data.audit import find_conflicts
from buddy.data.builtin import read_builtin
from buddy.data.duplicates import near_neighbours
from buddy.data.normalise import comparison_key
from buddy.data.prepared import PreparedData, read_prepared
from buddy.data.source import UNSPLIT
from buddy.evaluation.baselines import TFIDF, baseline_probabilities
from buddy.evaluation.generated import distinct
from buddy.evaluation.metrics import accuracy, macro_f1
from buddy.records import Dialogue, Example

SEED = 13
DRAWS = 5
FOLDS = 5

Texts = Sequence[str]
Row = tuple[object, ...]


def main(folder: Path) -> None:
    """Measure everything and print it, section by section."""
    data, builtin = read_prepared(folder), read_builtin()
    examples, dialogues = builtin.examples[UNSPLIT], builtin.dialogues[UNSPLIT]
    theirs, their_dialogues = data.examples("train"), data.dialogues("train")
    kinds = {
        "situations": ([row.text for row in examples], [row.text for row in theirs]),
        "speaker's turns": (turns_of(dialogues, 0), turns_of(their_dialogues, 0)),
        "listener's turns": (turns_of(dialogues, 1), turns_of(their_dialogues, 1)),
    }
    table("Near duplicates", ("texts", "within", "with ED"), near_duplicates(examples, dialogues, data))
    table("Variety on equally many words", ("text", "words", *VARIETY_COLUMNS), variety(kinds))
    table("Length in words", ("texts", "count", "5%", "median", "mean", "95%", "longest"), lengths(kinds))
    table("Labels", ("what", "ours", "ED's"), label_facts(examples, dialogues, data))
    table("TF-IDF + logistic regression", ("learns", "is asked", "accuracy", "macro F1"), transfer(examples, data))


def table(title: str, head: Sequence[str], rows: Iterable[Row]) -> None:
    """Print a section as soon as it is measured."""
    print(f"## {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    print()


def turns_of(dialogues: Sequence[Dialogue], first: int) -> list[str]:
    """Give the turns of the speaker (0) or the listener (1)."""
    return list(chain.from_iterable(one.turns[first::2] for one in dialogues))


def near_duplicates(examples: Sequence[Example], dialogues: Sequence[Dialogue], data: PreparedData) -> Iterator[Row]:
    """Count our texts that share most of their word pairs with another of ours, or with one of ED's."""
    situations = [row.text for row in examples] + [one.situation for one in dialogues]
    their_rows = chain.from_iterable(data.examples(split) for split in data.splits())
    yield "situations, those of conversations too", *found_again(situations, [row.text for row in their_rows])
    their_dialogues = chain.from_iterable(data.dialogues(split) for split in ("train", "valid"))
    yield "turns", *found_again(list(all_turns(dialogues)), list(all_turns(their_dialogues)))


def all_turns(dialogues: Iterable[Dialogue]) -> Iterator[str]:
    """Give every turn of five words or more; shorter ones are anybody's."""
    return (turn for one in dialogues for turn in one.turns if len(turn.split()) >= 5)


def found_again(ours: Texts, theirs: Texts) -> tuple[str, str]:
    """Count those of our texts that stand, exactly or nearly, twice among ours; and among theirs."""
    our_keys, their_keys = [comparison_key(text) for text in ours], {comparison_key(text) for text in theirs}
    places: dict[str, set[str]] = {key: {"theirs"} for key in their_keys}
    for key in our_keys:
        places.setdefault(key, set()).add("ours")
    near = near_neighbours(places)
    times = Counter(our_keys)

    def count(is_exact: Callable[[str], bool], place: str) -> str:
        exact = sum(is_exact(key) for key in our_keys)
        nearly = sum(not is_exact(key) and place in near.get(key, ()) for key in our_keys)
        return f"{exact} exactly, {nearly} nearly of {len(our_keys):,}"

    return count(lambda key: times[key] > 1, "ours"), count(lambda key: key in their_keys, "theirs")


VARIETY_COLUMNS = tuple(f"distinct-{n} {whose}" for n in (1, 2, 3) for whose in ("ours", "ED"))


def variety(kinds: Mapping[str, tuple[Texts, Texts]]) -> Iterator[Row]:
    """Compare how often wording repeats, on draws of equally many words, for it repeats more the more there is."""
    for name, (ours, theirs) in kinds.items():
        words = sum(len(comparison_key(text).split()) for text in ours) // 2
        both = [[mean_distinct(texts, words, n) for texts in (ours, theirs)] for n in (1, 2, 3)]
        yield name, f"{words:,}", *(f"{value:.3f}" for pair in both for value in pair)


def mean_distinct(texts: Texts, words: int, n: int) -> float:
    """Average distinct-n over draws of texts that together have so many words."""
    return float(np.mean([distinct(draw(texts, words, SEED + i), n) for i in range(DRAWS)]))


def draw(texts: Texts, words: int, seed: int) -> list[list[str]]:
    """Draw texts at random, split into words, until there are enough."""
    drawn: list[list[str]] = []
    for i in np.random.default_rng(seed).permutation(len(texts)):
        drawn.append(comparison_key(texts[i]).split()[:words])
        words -= len(drawn[-1])
        if not words:
            break
    return drawn


def lengths(kinds: Mapping[str, tuple[Texts, Texts]]) -> Iterator[Row]:
    """Tell how long texts are, in words between spaces."""
    for name, both in kinds.items():
        for whose, texts in zip(("ours", "ED's"), both, strict=True):
            counts = np.array([len(text.split()) for text in texts])
            low, median, high = np.percentile(counts, [5, 50, 95])
            yield (
                f"{name}, {whose}",
                f"{len(counts):,}",
                f"{low:g}",
                f"{median:g}",
                f"{counts.mean():.1f}",
                f"{high:g}",
                counts.max(),
            )


def label_facts(examples: Sequence[Example], dialogues: Sequence[Dialogue], data: PreparedData) -> Iterator[Row]:
    """Tell whether labels are balanced, whether a text names its own, and what listeners do; ours, then ED's."""
    both = ((examples, dialogues), (data.examples("train"), data.dialogues("train")))
    yield "situations for each label", *(spread(row.label for row in rows) for rows, _ in both)
    yield "conversations for each label", *(spread(one.emotion for one in talks) for _, talks in both)
    yield "texts with two labels", *(find_conflicts({"all": rows}).texts for rows, _ in both)
    yield (
        "situations that name their label",
        *(f"{share(names_its_label(row) for row in rows):.1%}" for rows, _ in both),
    )
    replies = [turns_of(talks, 1) for _, talks in both]
    yield "replies that ask something", *(f"{share('?' in turn for turn in turns):.1%}" for turns in replies)
    yield "conversations by turns", *(by_length(talks) for _, talks in both)


def spread(labels: Iterable[str]) -> str:
    """Write the counts of the rarest and the commonest label."""
    counts = Counter(labels).values()
    return f"{min(counts)} to {max(counts)}"


def share(marks: Iterable[bool]) -> float:
    """Give the share of marks that are true."""
    return float(np.mean(list(marks)))


def names_its_label(row: Example) -> bool:
    """Tell whether the label stands in the text as a word."""
    return row.label in comparison_key(row.text).split()


def by_length(dialogues: Sequence[Dialogue]) -> str:
    """List how many conversations have so many turns."""
    turns = Counter(len(one.turns) for one in dialogues)
    return ", ".join(f"{count} × {length}" for length, count in sorted(turns.items()))


def transfer(examples: Sequence[Example], data: PreparedData) -> Iterator[Row]:
    """Tell how much of what a linear model learns from one set holds in the other."""
    train, valid = data.examples("train"), data.examples("valid")
    as_many = balanced(train, len(examples) // len(data.labels))
    yield "built-in, 4 of 5 parts", "built-in, the fifth", *cross_validated(examples, data.labels)
    yield "built-in", "ED valid", *judged(probabilities(examples, valid, data.labels), valid, data.labels)
    for name, learned in ((f"as many of ED train ({len(as_many):,})", as_many), ("ED train", train)):
        said = probabilities(learned, [*valid, *examples], data.labels)
        yield name, "ED valid", *judged(said[: len(valid)], valid, data.labels)
        yield name, "built-in", *judged(said[len(valid) :], examples, data.labels)


def balanced(rows: Sequence[Example], per_label: int) -> list[Example]:
    """Draw equally many rows of each label."""
    shuffled = [rows[i] for i in np.random.default_rng(SEED).permutation(len(rows))]
    taken: Counter[str] = Counter()
    chosen = []
    for row in shuffled:
        if taken[row.label] < per_label:
            taken[row.label] += 1
            chosen.append(row)
    return chosen


def probabilities(train: Sequence[Example], asked: Sequence[Example], labels: Sequence[str]) -> np.ndarray:
    """Let the baseline learn from one set and judge the other."""
    return baseline_probabilities(TFIDF, train, [row.text for row in asked], labels)


def cross_validated(rows: Sequence[Example], labels: Sequence[str]) -> tuple[str, str]:
    """Score each fifth of the rows by a model of the other four."""
    fold_of = np.random.default_rng(SEED).permutation(len(rows)) % FOLDS
    said, asked = [], []
    for fold in range(FOLDS):
        held_out = [row for row, its in zip(rows, fold_of, strict=True) if its == fold]
        said.append(
            probabilities([row for row, its in zip(rows, fold_of, strict=True) if its != fold], held_out, labels)
        )
        asked += held_out
    return judged(np.concatenate(said), asked, labels)


def judged(said: np.ndarray, asked: Sequence[Example], labels: Sequence[str]) -> tuple[str, str]:
    """Write accuracy and macro F1 in percent."""
    truth = np.array([labels.index(row.label) for row in asked])
    return f"{100 * accuracy(said, truth):.1f}", f"{100 * macro_f1(said, truth):.1f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
