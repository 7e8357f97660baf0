import pytest

from buddy.records import Dialogue
from buddy.text.render import (
    Piece,
    label_text,
    render_conversation,
    render_dialogue,
    render_emotion_question,
    render_example,
)

TALK = Dialogue("1", "proud", "My son won.", ["My son won!", "Well done!", "Thanks.", "Enjoy the day."])


def drawn(pieces: tuple[Piece, ...]) -> str:
    """A rendered text to the letter: specials in angle brackets of their own, what is learned with its weight."""
    return "".join(f"[{piece.text}]{piece.weight:g}" if piece.weight else piece.text for piece in pieces)


def test_labelled_text():
    assert drawn(render_example("I lost my cat.", "sad")) == " I lost my cat.<EMOTION_TYPE>[ sad]1[<|endoftext|>]1"


def test_text_can_be_learned_with_a_weight_of_its_own():
    assert drawn(render_example("Hi", "very sad", text_weight=0.2)) == (
        "[ Hi]0.2<EMOTION_TYPE>[ very sad]1[<|endoftext|>]1"
    )


def test_emotion_question_is_how_a_labelled_text_begins():
    assert drawn(render_emotion_question("I lost my cat.")) == " I lost my cat.<EMOTION_TYPE>"
    assert render_emotion_question("I lost my cat.") == render_example("I lost my cat.", "sad")[:2]


def test_conversation_with_the_emotion_after_the_first_turn():
    assert drawn(render_dialogue(TALK)) == (
        "<SPEAKER> My son won!<EMOTION_TYPE>[ proud]1<LISTENER>[ Well done!]1"
        "[<SPEAKER>]1 Thanks.<LISTENER>[ Enjoy the day.]1[<|endoftext|>]1"
    )


def test_conversation_without_the_emotion():
    assert drawn(render_dialogue(TALK, emotion_after=())) == (
        "<SPEAKER> My son won!<LISTENER>[ Well done!]1[<SPEAKER>]1 Thanks.<LISTENER>[ Enjoy the day.]1[<|endoftext|>]1"
    )


def test_conversation_with_the_emotion_after_a_later_turn():
    assert " Thanks.<EMOTION_TYPE>[ proud]1<LISTENER>" in drawn(render_dialogue(TALK, emotion_after=(2,)))


def test_end_after_a_speaker_is_not_the_listeners_to_learn():
    three_turns = Dialogue("1", "proud", "", TALK.turns[:3])
    assert drawn(render_dialogue(three_turns)).endswith("[<SPEAKER>]1 Thanks.<|endoftext|>")
    assert drawn(render_dialogue(three_turns, speaker_weight=0.5)).endswith("[ Thanks.]0.5[<|endoftext|>]0.5")


def test_conversation_so_far_is_how_a_training_conversation_begins():
    assert render_conversation(TALK.turns) == tuple(
        Piece(piece.text, 0.0, piece.special) for piece in render_dialogue(TALK, emotion_after=())[:-1]
    )


@pytest.mark.parametrize("text", ["sad", " sad", "\tsad \n"])
def test_a_word_has_one_space_before_it_wherever_it_stands(text):
    assert label_text(text) == " sad"
    assert render_emotion_question(text)[0].text == " sad"
