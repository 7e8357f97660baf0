from buddy.data.audit import EXAMPLES_SHOWN, compare_texts, describe_split, find_conflicts, find_leaks
from buddy.records import Dialogue, Example

LONG = "yesterday i lost the keys of my new car in the park and cried"


def rows(*texts_and_labels: tuple[str, str], start: int = 0) -> list[Example]:
    return [Example(str(number), text, label) for number, (text, label) in enumerate(texts_and_labels, start)]


SPLITS = {
    "train": rows(
        ("I won!", "glad"), ("i  won", "proud"), (LONG, "sad"), ("Nobody came.", "sad"), (f"{LONG} a lot", "sad")
    ),
    "valid": rows(("I WON", "glad"), (f"{LONG} again", "sad"), ("What a day", "glad"), start=10),
    "test": rows(("what a day?", "glad"), start=20),
}


def test_duplicates_within_a_split():
    found = compare_texts(SPLITS)
    assert found.exact_duplicates == {"train": 1, "valid": 0, "test": 0}
    assert found.near_duplicates == {"train": 2, "valid": 0, "test": 0}


def test_overlap_counts_rows_of_the_second_split_and_shows_them():
    overlap = compare_texts(SPLITS).overlap
    assert {pair: (found.exact, found.near) for pair, found in overlap.items()} == {
        "train-valid": (1, 1),
        "train-test": (0, 0),
        "valid-test": (1, 0),
    }
    shown = overlap["train-valid"].examples
    assert [(pair.first_text, pair.second_text) for pair in shown] == [("I won!", "I WON"), (LONG, f"{LONG} again")]
    assert (shown[0].first_id, shown[0].second_id) == ("0", "10")


def test_many_overlaps_show_some_of_both_kinds():
    texts = [f"{number} {LONG}" for number in range(60)]
    train = rows(*((text, "sad") for text in texts))
    valid = rows(*((text if number % 2 else f"{text} bitterly", "sad") for number, text in enumerate(texts)))
    overlap = compare_texts({"train": train, "valid": valid}).overlap["train-valid"]
    assert (overlap.exact, overlap.near) == (30, 30)
    same = sum(pair.first_text == pair.second_text for pair in overlap.examples)
    assert (len(overlap.examples), same) == (EXAMPLES_SHOWN, EXAMPLES_SHOWN // 2)


def test_conflicting_labels_over_all_splits():
    found = find_conflicts(SPLITS)
    assert (found.texts, found.rows) == (1, 3)
    assert found.examples[0].text == "I won!"
    assert found.examples[0].labels == {"glad": 2, "proud": 1}


def test_no_more_than_twenty_conflicts_are_shown():
    found = find_conflicts({"train": rows(*((str(n // 2), "sad" if n % 2 else "glad") for n in range(100)))})
    assert (found.texts, found.rows, len(found.examples)) == (50, 100, EXAMPLES_SHOWN)


def test_leaks_are_exact_and_near_and_only_of_train():
    leaks = find_leaks(SPLITS, compare_texts(SPLITS).neighbours)
    assert leaks == {"i won", LONG, f"{LONG} a lot"}


def test_a_split_is_counted():
    dialogues = [Dialogue("a", "sad", "s", ("1", "2")), Dialogue("b", "sad", "s", ("1", "2", "3"))]
    facts = describe_split(SPLITS["train"], dialogues, {"a": 4, "b": 3})
    assert (facts.rows, facts.conversations, facts.turns, facts.turns_after_merging) == (5, 2, 7, 5)
    assert list(facts.per_label.items()) == [("sad", 3), ("glad", 1), ("proud", 1)]
    assert facts.majority_share == 0.6


def test_lengths_are_in_words():
    facts = describe_split(rows(*((" ".join(["word"] * count), "sad") for count in range(1, 102))))
    assert (facts.words.mean, facts.words.median, facts.words.p95, facts.words.max) == (51.0, 51.0, 96.0, 101)
