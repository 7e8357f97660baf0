import numpy as np
import pytest

from buddy.evaluation.baselines import BASELINES, MAJORITY, TFIDF, baseline_probabilities
from buddy.records import Example

MOODS = ["joyful", "sad"]
TRAIN = [
    *(Example(f"j{i}", f"what a lovely sunny day number {i}", "joyful") for i in range(6)),
    *(Example(f"s{i}", f"my dog died {i} weeks ago", "sad") for i in range(4)),
]


def test_majority_answers_with_the_frequencies_of_train():
    said = baseline_probabilities(MAJORITY, TRAIN, ["anything", ""], MOODS)
    assert said.tolist() == [[0.6, 0.4], [0.6, 0.4]]


def test_tfidf_learns_from_words_and_from_pieces_of_words():
    said = baseline_probabilities(TFIDF, TRAIN, ["a lovely day", "the doggy dying"], MOODS)
    assert said.argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("name", BASELINES)
def test_a_label_that_train_lacks_is_never_given(name):
    said = baseline_probabilities(name, TRAIN, ["a lovely day"], ["proud", *MOODS])
    assert said[0, 0] == 0
    assert said.sum() == pytest.approx(1)


def test_columns_follow_the_labels_that_are_asked_for():
    forward = baseline_probabilities(TFIDF, TRAIN, ["a lovely day"], MOODS)
    backward = baseline_probabilities(TFIDF, TRAIN, ["a lovely day"], MOODS[::-1])
    assert np.allclose(forward, backward[:, ::-1], atol=1e-4)


def test_texts_without_words_are_no_obstacle():
    train = [Example("1", "😀😀", "joyful"), Example("2", "😭", "sad")]
    said = baseline_probabilities(TFIDF, train, ["😀", ""], MOODS)
    assert said[0].argmax() == 0
    assert said[1].tolist() == pytest.approx([0.5, 0.5], abs=0.1)


def test_texts_of_one_character_each_are_learned_as_words():
    train = [Example("1", "😀", "joyful"), Example("2", "😭", "sad"), Example("3", "a", "sad")]
    said = baseline_probabilities(TFIDF, train, ["😀", "a"], MOODS)
    assert said.argmax(axis=1).tolist() == [0, 1]


def test_many_texts_with_nothing_in_common_leave_the_majority():
    train = [Example(str(i), f"{chr(0x4E00 + i)}{chr(0x6E00 + i)}", MOODS[i % 4 == 0]) for i in range(1000)]
    assert baseline_probabilities(TFIDF, train, ["\N{SNOWMAN}"], MOODS).tolist() == [[0.75, 0.25]]


def test_one_label_alone_needs_no_regression():
    assert baseline_probabilities(TFIDF, TRAIN[:3], ["x"], MOODS).tolist() == [[1.0, 0.0]]


def test_a_label_without_a_column_is_refused():
    with pytest.raises(ValueError, match="'sad'"):
        baseline_probabilities(MAJORITY, TRAIN, ["x"], ["joyful"])
