import json
from dataclasses import replace

import pytest

from buddy.data.audit import Conflicts, Overlap, TextPair, describe_split
from buddy.data.card import write_card
from buddy.data.report import Audit, find_warnings
from buddy.records import Dialogue, Example

TRAIN = [Example(f"t{n}", f"text {n}", "sad" if n % 2 else "glad") for n in range(20)]
VALID = [Example(f"v{n}", f"other {n}", "sad" if n else "glad") for n in range(4)]


@pytest.fixture
def audit() -> Audit:
    return Audit(
        source="Moods",
        origin="moods.csv",
        licence="Free.",
        settings={"seed": 13},
        rows_read={"all": 24},
        dropped={},
        notes={},
        labels=("glad", "sad"),
        splits={"train": describe_split(TRAIN), "valid": describe_split(VALID)},
        exact_duplicates={"train": 0, "valid": 0},
        near_duplicates={"train": 0, "valid": 0},
        conflicting_labels=Conflicts(0, 0, ()),
        overlap={"train-valid": Overlap(0, 0, ())},
        leaks_dropped={"examples": 0, "dialogues": 0},
    )


def test_sound_data_gives_no_warning(audit):
    assert find_warnings(audit) == []


def test_every_trouble_has_its_sentence(audit):
    labels = ("glad", "Sad", "sad")
    lopsided = [*(Example(str(n), "t", "sad") for n in range(9)), Example("x", "t", "Sad")]
    troubled = replace(
        audit,
        labels=labels,
        splits={"train": describe_split(lopsided), "test": describe_split([Example("y", "t", "glad")])},
        overlap={"train-test": Overlap(2, 1, ()), "valid-test": Overlap(9, 9, ())},
        conflicting_labels=Conflicts(1, 2, ()),
        dropped={"no label": 1, "no text": 1_200},
    )
    assert find_warnings(troubled) == [
        "Leak: 3 rows of test also in train (2 word for word, 1 nearly); --drop-leaks takes such texts out of train.",
        "There is no valid split, and training needs one to choose its best model.",
        "Labels in test that train does not have: glad.",
        "Labels in train that test does not have: Sad, sad.",
        "Labels with fewer than 5 training texts: Sad.",
        "90% of train has the label 'sad'; judge by macro F1, not by accuracy.",
        "Labels that differ only in upper and lower case: Sad, sad.",
        "Contradiction: 1 text under several labels (2 rows), all kept.",
        "Dropped: 1 row, no label.",
        "Dropped: 1,200 rows, no text.",
    ]


def test_leaks_that_were_dropped_need_no_warning(audit):
    mended = replace(audit, overlap={"train-valid": Overlap(2, 1, ())}, leaks_dropped={"examples": 3, "dialogues": 0})
    assert find_warnings(mended) == []


def test_many_labels_are_not_all_named(audit):
    rows = [Example(str(n), "t", f"label {n}") for n in range(15)]
    few = find_warnings(replace(audit, splits={"train": describe_split(rows), "valid": audit.splits["valid"]}))
    assert any(warning.endswith("label 3 and 5 more.") or "and 5 more." in warning for warning in few)


def test_json_has_stable_keys(audit):
    values = json.loads(audit.to_json())
    assert list(values) == [
        "source", "origin", "licence", "settings", "rows_read", "dropped", "notes", "labels", "splits",
        "exact_duplicates", "near_duplicates", "conflicting_labels", "overlap", "leaks_dropped", "warnings",
    ]  # fmt: skip
    assert list(values["splits"]["train"]) == [
        "rows", "conversations", "turns", "turns_after_merging", "per_label", "majority_share", "words",
    ]  # fmt: skip
    assert values["splits"]["train"]["words"] == {"mean": 2.0, "median": 2.0, "p95": 2.0, "max": 2}


def test_card_shows_the_same_numbers(audit):
    card = write_card(replace(audit, dropped={"no label": 3}, warnings=["Mind the gap."]), TRAIN)
    for line in (
        "# Moods",
        "**Licence**: Free.",
        "| train | 20 | 2.0 | 2 | 2 | 2 | glad (50.0%) |",
        "- Mind the gap.",
        "- 3: no label",
        "| train-valid | 0 | 0 |",
        "| t4 | glad | text 4 |",
        "| glad | 10 | 1 |",
        "- seed: `13`",
    ):
        assert line in card.split("\n")
    assert card.count("| glad | text ") + card.count("| sad | text ") == 5
    assert "conversations" not in card


def test_card_of_conversations_counts_them(audit):
    dialogues = [Dialogue("d", "sad", "s", ("a", "b"))]
    card = write_card(replace(audit, splits={"train": describe_split(TRAIN, dialogues)}), TRAIN)
    assert "| split | texts | conversations | turns |" in card
    assert "| train | 20 | 1 | 2 |" in card


def test_card_tells_what_was_taken_out(audit):
    pair = TextPair("a", "I won", "b", "i won!")
    found = replace(
        audit, leaks_dropped={"examples": 3, "dialogues": 2}, overlap={"train-valid": Overlap(1, 0, [pair])}
    )
    card = write_card(found, TRAIN)
    assert "Taken out of train for this: 3 texts, 2 conversations." in card
    assert "- train-valid: “I won” — “i won!”" in card


def test_hostile_label_does_not_break_what_is_worth_knowing(audit):
    card = write_card(replace(audit, warnings=["Labels with fewer than 5 training texts: <EMOTION_TYPE>, _x_."]), TRAIN)
    assert "- Labels with fewer than 5 training texts: &lt;EMOTION\\_TYPE>, \\_x\\_." in card.split("\n")


def test_hostile_text_does_not_break_the_card(audit):
    text = "a | b <script>alert(1)</script> [x](y) *z* `q` _w_ " + "x" * 1_000
    card = write_card(audit, [Example("1|2", text, "sa|d")])
    row = next(line for line in card.split("\n") if "alert" in line)
    assert "<script" not in row
    assert row.replace("\\|", "").count("|") == 4
    assert len(row) < 300
