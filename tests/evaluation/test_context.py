import numpy as np
import pytest

from buddy.errors import UserMistake
from buddy.evaluation.context import judge_contexts
from buddy.records import Dialogue


def test_the_model_is_asked_after_the_first_and_after_the_last_turn_of_the_speaker():
    asked = []

    def ask(conversations):
        asked.append(list(conversations))
        return np.full((len(conversations), 2), 0.5)

    talks = [Dialogue("1", "sad", "", tuple("abcd"[:turns])) for turns in (1, 2, 3, 4)]
    judge_contexts(ask, ["glad", "sad"], talks, resamples=0)
    assert asked == [
        [("a",)] * 4,
        [("a",), ("a",), ("a", "b", "c"), ("a", "b", "c")],
    ]


def test_accuracy_and_its_interval_are_those_of_the_answers():
    labels = ["glad", "sad", "proud"]
    talks = [Dialogue(str(i), labels[i % 3], "", ("first", "so", f"last {i}")) for i in range(200)]

    def ask(conversations):
        rows = np.full((len(conversations), 3), 0.1)
        for row, turns in zip(rows, conversations, strict=True):
            row[int(turns[-1].split()[1]) % 3 if len(turns) > 1 else 0] = 0.8
        return rows

    found = judge_contexts(ask, labels, talks, resamples=2000, seed=5)
    assert found.conversations == 200
    assert found.last_turn.accuracy == 1.0
    assert found.last_turn.interval == pytest.approx((0.025 ** (1 / 200), 1.0))
    assert found.first_turn.accuracy == 67 / 200
    spread = np.sqrt(0.335 * 0.665 / 200)
    assert found.first_turn.interval == pytest.approx((0.335 - 1.96 * spread, 0.335 + 1.96 * spread), abs=0.01)
    assert judge_contexts(ask, labels, talks, resamples=0).first_turn.interval is None


def test_an_emotion_that_the_model_lacks_is_named():
    def never(_):
        raise AssertionError

    with pytest.raises(UserMistake, match="the emotion 'proud', which the model does not know"):
        judge_contexts(never, ["sad"], [Dialogue("1", "proud", "", ("Hi",))], resamples=0)
