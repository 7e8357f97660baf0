import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.data.empathetic_dialogues import COMMA, MalformedLineError, Row, parse_line, read_source
from buddy.data.normalise import clean
from buddy.errors import UserMistake
from buddy.records import Dialogue, Example
from tests.data.conftest import conversation, csv_file

TALK = conversation("hit:1", "sad", "I lost my dog, Rex.", "My dog died.", "Oh, no!", "Yes.")

anything = st.characters(exclude_characters="\n", exclude_categories=["Cs"])
# a text that spells "_comma_" out cannot be told from one with a comma: the format's limit, not the reader's
texts = st.text(anything).map(clean).filter(lambda text: text and "comma" not in text)
words = texts.filter(lambda text: "," not in text)


def read(text: str | bytes, split: str = "train"):
    return read_source({split: text if isinstance(text, bytes) else text.encode()}, "here")


@given(words, st.integers(1, 99), words, texts, words, texts, st.lists(texts, max_size=4))
def test_any_fields_come_back(name, number, emotion, situation, person, utterance, further):
    written = [situation.replace(",", COMMA), person, utterance.replace(",", COMMA)]
    line = ",".join([name, str(number), emotion, *written, *further])
    assert parse_line(line) == Row(name, number, emotion, situation, person, utterance)


@given(st.lists(st.text(anything) | words.map(lambda word: f"c,1,sad,s,1,{word},,")))
def test_no_line_is_lost_without_a_reason(lines):
    content = "\n".join([conversation("c0", "sad", "s", "t"), *lines, "last,1,sad,s,1,t,,"])
    source = read(content.encode("utf-8").replace(b"\0", b"0"))
    kept = sum(source.spoken_turns.values())
    assert source.rows_read["train"] == len(lines) + 2 == kept + source.tally.dropped.total()


def test_rows_become_a_dialogue_and_an_example():
    source = read(csv_file(TALK))
    assert source.examples["train"] == [Example("hit:1", "I lost my dog, Rex.", "sad")]
    assert source.dialogues["train"] == [
        Dialogue("hit:1", "sad", "I lost my dog, Rex.", ("My dog died.", "Oh, no!", "Yes."))
    ]
    assert source.rows_read == {"train": 3}
    assert not source.tally.dropped


def test_quotes_swallow_nothing():
    talk = conversation("hit:1", "sad", '"Never" she said', '"I am fine', 'no "you are not', '"')
    assert [len(one.turns) for one in read(csv_file(talk, TALK.replace("hit:1", "hit:2"))).dialogues["train"]] == [3, 3]


def test_official_peculiarities():
    content = (
        "hit:0_conv:1,1,sad,It hurt,11, Ouch,5|5|5_2|2|5,,a candidate|another, with text\n"
        "hit:0_conv:1,2,sad,It hurt,42,Sorry,,<cleaned>\r\n"
        "hit:0_conv:1,3,sad,It hurt,42,to hear.\n"
        "hit:0_conv:1,4,sad,It hurt,11,Thanks\u2028a lot,,"
    )
    source = read(content, "valid")
    assert source.dialogues["valid"][0].turns == ("Ouch", "Sorry to hear.", "Thanks a lot")
    assert source.spoken_turns == {"hit:0_conv:1": 4}
    assert source.tally.notes["turn merged with the one before, by the same person"] == 1
    assert source.tally.notes["row with an unusual number of fields (kept, six are used)"] == 2
    assert source.rows_read == {"valid": 4}


def test_rows_of_a_conversation_need_not_stand_together():
    first, second, third = TALK.split("\n")
    source = read(csv_file(third, first, conversation("hit:2", "glad", "s", "t"), second))
    assert [one.id for one in source.dialogues["train"]] == ["hit:1", "hit:2"]
    assert source.dialogues["train"][0].turns == ("My dog died.", "Oh, no!", "Yes.")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "blank line"),
        ("hit:1,1,sad,only five,1", "fewer than six fields"),
        ("hit:1,one,sad,s,1,t,,", "the utterance number is not a number"),
        ("hit:1,²,sad,s,1,t,,", "the utterance number is not a number"),
        (",1,sad,s,1,t,,", "empty conversation id"),
        ("hit:1,1,,s,1,t,,", "empty emotion"),
        ("hit:1,1,sad,s,1,  ,,", "empty utterance"),
    ],
)
def test_malformed_lines_have_reasons(line, reason):
    with pytest.raises(MalformedLineError, match=reason):
        parse_line(line)
    assert read(csv_file(TALK, line, TALK)).tally.dropped == {reason: 1}


def test_a_situation_counts_once_per_emotion_and_split():
    talks = [
        conversation(f"hit:{n}", emotion, situation, "t")
        for n, (emotion, situation) in enumerate(
            [("sad", "I  fell"), ("sad", "I fell"), ("afraid", "I fell"), ("sad", "")]
        )
    ]
    source = read(csv_file(*talks))
    assert [(one.id, one.label) for one in source.examples["train"]] == [("hit:0", "sad"), ("hit:2", "afraid")]
    assert len(source.dialogues["train"]) == 4
    assert source.tally.notes == {
        "repeated situation (kept once as an example)": 1,
        "conversation without a situation (no example made of it)": 1,
    }


def test_contradicting_rows_are_counted():
    source = read("a,1,sad,one,1,x,,\na,2,glad,one,0,y,,\n")
    assert source.dialogues["train"][0].emotion == "sad"
    assert sum(source.tally.notes.values()) == 1


def test_bad_bytes_cost_no_row():
    source = read(csv_file(TALK).encode().replace(b"Oh_comma_", b"Oh\xff"))
    assert source.dialogues["train"][0].turns[1] == "Oh\ufffd no!"
    assert source.tally.notes == {"line with bytes that are not UTF-8 (replaced)": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"train\.csv in here is empty"),
        (b"\n \n", "is empty"),
        (b"\x00\x01\x02", "binary"),
        (b"text,label\nhello,sad\n", "has the layout"),
    ],
)
def test_what_is_no_such_file_is_refused(content, message):
    with pytest.raises(UserMistake, match=message):
        read(content)


def test_the_real_archive_loses_nothing(ed_archive):
    from buddy.data.archive import read_members

    members = read_members(ed_archive, {"train.csv", "valid.csv"})
    source = read_source({name.removesuffix(".csv"): content for name, content in members.items()}, "there")
    assert {split: len(rows) for split, rows in source.dialogues.items()} == {"train": 19_541, "valid": 2_769}
    assert source.rows_read == {"train": 84_204, "valid": 12_074}
    assert sum(len(one.turns) for rows in source.dialogues.values() for one in rows) == 84_204 + 12_074
    assert not source.tally.dropped
    assert len(source.labels()) == 32
    raw = sum(content.count(COMMA.encode()) for content in members.values())
    assert raw == 56_922
    assert not any(COMMA in text for rows in source.dialogues.values() for one in rows for text in one.turns)
