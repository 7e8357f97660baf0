import numpy as np
import pytest

from buddy.records import Dialogue
from recipes.soft_labels import main, stretches
from recipes.teachers import FOLDS, context, fold_of, some_turns

TALK = Dialogue("1", "sad", "", ("My cat died.", "I am so sorry to hear it.", "She was my only friend here.", "Oh."))


def test_prose_is_cut_into_stretches_of_the_writer_that_are_neither_short_nor_long():
    short, of_others = "I ran.", "The dog ran home and laughed at the old house for a long time."
    mine = "I ran home because my dog had laughed at me for a whole day. It was a long way to the old house."
    long = "I " + "ran and " * 50 + "fell."
    assert list(stretches(f"{of_others} {mine} {long} {short}")) == [
        "I ran home because my dog had laughed at me for a whole day.",
    ]


def test_a_dozen_words_make_a_stretch():
    assert list(stretches("My dog ran. He ran home to me. Then it rained on all of us.")) == [
        "My dog ran. He ran home to me. Then it rained on all of us."
    ]


def test_the_turns_of_a_conversation_stand_alone():
    assert list(stretches(TALK)) == ["I am so sorry to hear it."]


def test_a_teacher_reads_up_to_a_turn_of_the_speaker():
    random = np.random.default_rng(0)
    seen = {context(some_turns(TALK, random)) for _ in range(50)}
    assert seen == {"My cat died.", "My cat died. [SEP] I am so sorry to hear it. [SEP] She was my only friend here."}


def test_texts_of_a_fold_without_a_teacher_are_not_left_without_an_answer(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["soft_labels", "data", "teachers/0", "teachers/1", "--out", "soft.parquet"])
    with pytest.raises(SystemExit):
        main()
    assert "name the 3 teachers in the order of their folds" in capsys.readouterr().err


def test_folds_are_of_about_one_size():
    folds = [fold_of(f"hit:{i}_conv:{2 * i}") for i in range(3000)]
    assert [folds.count(fold) for fold in range(FOLDS)] == pytest.approx([1000] * 3, rel=0.1)
