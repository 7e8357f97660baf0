from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import buddy
from buddy.data.builtin import parse_dialogues, read_builtin
from buddy.data.duplicates import near_neighbours
from buddy.data.normalise import clean, comparison_key

MARKS = ("S: ", "L: ")
ED_LABELS = (
    "afraid angry annoyed anticipating anxious apprehensive ashamed caring confident content devastated disappointed "
    "disgusted embarrassed excited faithful furious grateful guilty hopeful impressed jealous joyful lonely nostalgic "
    "prepared proud sad sentimental surprised terrified trusting"
)


def test_every_line_is_an_example():
    source = read_builtin()
    examples = source.examples["all"]
    folder = Path(buddy.__file__).parent / "data" / "builtin" / "situations"
    lines = [line for file in folder.glob("*.txt") for line in file.read_text("utf-8").split("\n") if line.strip()]
    assert len(lines) == len(examples) == source.rows_read["all"] - len(source.dialogues["all"])
    assert len({row.id for row in examples}) == len(examples)
    first = examples[0]
    assert first.id == f"{first.label}-001"
    assert (folder / f"{first.label}.txt").read_text("utf-8").startswith(first.text[:20])


def test_the_built_in_set_is_fit_to_learn_from():
    examples = read_builtin().examples["all"]
    per_label = Counter(row.label for row in examples)
    assert sorted(per_label) == ED_LABELS.split()
    assert set(per_label.values()) == {100}
    repeated = [key for key, count in Counter(comparison_key(row.text) for row in examples).items() if count > 1]
    assert repeated == []
    lengths = [len(row.text.split()) for row in examples]
    assert min(lengths) >= 3
    assert max(lengths) <= 120


def test_every_conversation_is_read():
    folder = Path(buddy.__file__).parent / "data" / "builtin" / "dialogues"
    lines = [line for file in folder.glob("*.txt") for line in file.read_text("utf-8").split("\n") if line]
    dialogues = read_builtin().dialogues["all"]
    assert len(lines) == sum(1 + len(one.turns) for one in dialogues)
    assert {turn for one in dialogues for turn in one.turns} == {line[3:] for line in lines if line[:3] in MARKS}
    assert {one.situation for one in dialogues} == {line for line in lines if line[:3] not in MARKS}
    assert len({one.id for one in dialogues}) == len(dialogues)


def test_the_built_in_conversations_are_fit_to_learn_from():
    dialogues = read_builtin().dialogues["all"]
    assert Counter(one.emotion for one in dialogues) == dict.fromkeys(ED_LABELS.split(), 10)
    assert {len(one.turns) for one in dialogues} == {4, 5, 6, 7, 8}
    turns = Counter(comparison_key(turn) for one in dialogues for turn in one.turns)
    assert [turn for turn, count in turns.items() if count > 1] == []


def test_no_situation_of_the_built_in_set_is_nearly_another():
    source = read_builtin()
    texts = [row.text for row in source.examples["all"]] + [one.situation for one in source.dialogues["all"]]
    assert len({comparison_key(text) for text in texts}) == len(texts)
    assert near_neighbours({comparison_key(text): ["here"] for text in texts}) == {}


def test_the_listener_answers_the_speaker():
    (one, other) = parse_dialogues(
        "\nI won.\nS: Won!\nL: What? Tell me: all.\nS: Yes.\n\n\nA cat.\nS: Mine.\nL: Aw.", "joyful"
    )
    assert (one.id, one.emotion, one.situation) == ("joyful-d01", "joyful", "I won.")
    assert one.turns == ("Won!", "What? Tell me: all.", "Yes.")
    assert (other.id, other.situation, other.turns) == ("joyful-d02", "A cat.", ("Mine.", "Aw."))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S: I won.\nL: Oh.\n", "line 1: a turn stands where a situation is expected"),
        ("Won.\nL: Oh.\nS: Yes.\n", "line 2: expected 'S:' and the words of the turn, not 'L: Oh.'"),
        ("Won.\nS: Yes.\nS: Again.\n", "line 3: expected 'L:'"),
        ("Won.\nS: Yes.\nL: Oh.\nAnd then?\n", "line 4: expected 'S:'"),
        ("Won.\nS:Yes.\nL: Oh.\n", "line 2: expected 'S:'"),
        ("Won.\nS: Yes.\n\nLost.\nS: No.\nL: Oh.\n", "line 3: a conversation is a situation and at least two turns"),
        ("Won.\nS: Yes.\nL: \n", "line 3: white space"),
        ("Won.\nS: Yes. \nL: Oh.\n", "line 2: white space"),
        ("Won.\nS: Yes.\nL: Oh  no.\n", "line 3: white space"),
    ],
)
def test_a_slip_in_the_texts_is_found(text, message):
    with pytest.raises(ValueError, match=f"^proud.txt, {message}"):
        parse_dialogues(text, "proud")


WORDS = st.text("abSL: .'", min_size=1, max_size=20).filter(
    lambda words: words == clean(words) and not words.startswith(("S:", "L:"))
)
CONVERSATIONS = st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=2, max_size=7)), max_size=5)


@given(CONVERSATIONS)
def test_what_is_written_is_what_is_read(conversations):
    text = "\n\n".join(
        "\n".join([situation, *(MARKS[number % 2] + turn for number, turn in enumerate(turns))])
        for situation, turns in conversations
    )
    read = [(one.situation, list(one.turns)) for one in parse_dialogues(text, "sad")]
    assert read == conversations
