"""Which questions are after one's own feeling, and how they are answered."""

from pathlib import Path

import pytest

from buddy.companion.feeling import FORMS, asks_about_feeling, feeling_answer, without_question

OTHERS = (
    "How do you feel?",
    "What are you feeling?",
    "How does she feel?",
    "I feel sad",
    "I don't know how to feel about this",
    "I feel like nobody asks how I feel",
    "Why am I so tired?",
    "Am I late?",
    "Am I wrong to be angry?",
    "Should I be worried?",
    "Is it normal to feel this way?",
    "Why do I feel so sad?",
    "How can I feel better?",
    "Do you know what it feels like?",
    "Can you feel it?",
    "Do I look fat?",
    "Am I crazy?",
    "Am I the only one?",
    "Guess what happened",
    "I asked him how he felt",
    "How do I feel better?",
    "What do I do?",
    "I know what I feel",
    "Do you know how I feel?",
    "What a feeling!",
    "What feelings do you have?",
    "My mood is great",
    "That makes me happy",
    "Am I allowed to be sad?",
    "When am I happy?",
    "She asked what emotion it was in the film",
    "I am feeling great",
    "I feel so lonely at night. Do you?",
    "Boy, was I surprised!",
)


def lines(name: str) -> list[str]:
    return Path(__file__).with_name(name).read_text("utf-8").splitlines()


def test_of_many_wordings_nearly_all_are_recognised():
    asked = lines("feeling_questions.txt")
    assert len(asked) >= 60
    assert sum(map(asks_about_feeling, asked)) >= 0.95 * len(asked)


def test_of_many_ordinary_turns_none_is():
    turns = lines("ordinary_turns.txt")
    assert len(turns) >= 200
    assert [turn for turn in turns if asks_about_feeling(turn)] == []


@pytest.mark.parametrize("text", FORMS)
def test_its_own_examples_are_recognised(text):
    assert asks_about_feeling(text)
    assert asks_about_feeling(f"So, I lost my job yesterday. {text}")


@pytest.mark.parametrize(
    "text",
    [
        "whats my mood rn",
        "am i sad",
        "tell me what u think im feeling",
        "HOW DO I FEEL",
        "Hey buddy, can you please tell me which emotion this is?",
        "what am I feeling right now, honestly?",
    ],
)
def test_other_wordings_are(text):
    assert asks_about_feeling(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_sounds_like_it_is_not(text):
    assert not asks_about_feeling(text)


def test_the_rest_of_a_message_is_kept():
    assert without_question("I lost my job. What am I feeling? Help.") == "I lost my job. Help."
    assert without_question("What am I feeling?") == ""


def test_an_answer_takes_up_what_was_asked():
    found = {"sad": 0.6, "lonely": 0.2, "proud": 0.1, "angry": 0.1}
    assert feeling_answer("Am I sad?", found).startswith("Yes. You sound sad to me; I am 60% sure.")
    assert "angry (10%)" in feeling_answer("Am I angry?", found)
    assert feeling_answer("How do I feel?", {"sad": 1.0}) == "You sound sad to me; I am 100% sure."
