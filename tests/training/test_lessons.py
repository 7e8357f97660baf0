from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.data import prepared
from buddy.data.prepared import read_prepared, write_prepared
from buddy.data.teacher import SINGLE_TEXT
from buddy.errors import UserMistake
from buddy.records import Dialogue, Example
from buddy.text.render import EMOTION_TYPE
from buddy.text.tokenizer import Codec
from buddy.training import lessons as module
from buddy.training.lessons import labelled_lessons, streamed_lessons
from buddy.training.settings import TrainSettings

LABELS = ("furious", "glad", "sad", "tired")
TALKS = [
    Dialogue(
        f"t{i}", LABELS[i % 4], "We won.", ("We won the game", "I cried all night", "It rained", "We all went out")
    )
    for i in range(40)
]
EXAMPLES = [Example(f"e{i}", "My old dog died.", LABELS[i % 4]) for i in range(6)]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    both = ("train", "valid")
    write_prepared(tmp_path / "data", dict.fromkeys(both, EXAMPLES), dict.fromkeys(both, TALKS))
    return read_prepared(tmp_path / "data")


@pytest.fixture
def settings(tmp_path):
    return TrainSettings(data=tmp_path, out=tmp_path, task="companion", text_weight=0.1)


@pytest.fixture
def teacher(tmp_path):
    """Answers for every example, for the first conversation up to each turn, and for ten other texts."""
    keys = [
        *((e.id, SINGLE_TEXT) for e in EXAMPLES),
        ("t0", 0),
        ("t0", 2),
        *((f"o{i}", SINGLE_TEXT) for i in range(10)),
    ]
    answers = np.random.default_rng(1).dirichlet(np.ones(4), len(keys)).astype(np.float32)
    columns = {
        "id": [id_ for id_, _ in keys],
        "turn": [turn for _, turn in keys],
        "text": [f"She moved away {'again ' * i}" for i in range(len(keys))],
        **{f"p_{label}": answers[:, i] for i, label in enumerate(LABELS)},
    }
    pq.write_table(pa.table(columns), tmp_path / "teacher.parquet")
    return str(tmp_path / "teacher.parquet"), {key: answers[i] for i, key in enumerate(keys)}


@pytest.fixture
def one_at_a_time(monkeypatch):
    """No conversation follows another one."""
    monkeypatch.setattr(module, "SHARE_OF_DIALOGUES_BEHIND_ANOTHER", 0)


@pytest.mark.usefixtures("one_at_a_time")
def test_conversations_take_another_form_in_every_epoch_and_all_of_them_occur(settings, data, codec):
    lessons = labelled_lessons(settings, data, codec)
    forms = []
    for epoch in range(8):
        documents = lessons.documents(epoch, 0)
        assert len(documents) == lessons.per_epoch == 46
        marks = [np.flatnonzero(d.ids == codec.special_ids[EMOTION_TYPE]).tolist() for d in documents[6:]]
        forms.append(tuple(map(tuple, marks)))
    assert len(set(forms)) == 8
    without = np.mean([not place for form in forms for place in form])
    assert 0.3 < without < 0.5
    assert len({place for form in forms for place in form}) == 3  # none, after the first turn, after the second
    assert forms[3] == tuple(
        tuple(np.flatnonzero(d.ids == codec.special_ids[EMOTION_TYPE]).tolist()) for d in lessons.documents(3, 0)[6:]
    )


def test_the_teachers_answer_stands_at_the_label(settings, data, codec, teacher):
    path, answers = teacher
    lessons = labelled_lessons(replace(settings, teacher=path, label_weight=0.3), data, codec)
    for example, document in zip(EXAMPLES, lessons.documents(0, 0), strict=False):
        soft = document.soft_label
        assert soft
        assert document.ids[soft.at] == codec.encode_label(example.label)[0]
        np.testing.assert_array_equal(soft.probabilities, answers[example.id, SINGLE_TEXT])
        assert document.weights[soft.at] == np.float32(0.3)
        assert document.weights[-1] == 1.0


@pytest.mark.usefixtures("one_at_a_time")
def test_a_conversation_gets_the_answer_of_its_turn(settings, data, codec, teacher):
    path, answers = teacher
    lessons = labelled_lessons(replace(settings, teacher=path), data, codec)
    seen = set()
    for epoch in range(12):
        first, *others = lessons.documents(epoch, 0)[-40:]
        assert all(document.soft_label is None for document in others)
        if first.soft_label is not None:
            turn = next(t for t in (0, 2) if (answers["t0", t] == first.soft_label.probabilities).all())
            assert (first.soft_label.at > 10) == (turn == 2)
            seen.add(turn)
    assert seen == {0, 2}


def test_some_conversations_follow_another_one_and_keep_their_emotion_and_its_teacher(
    settings, data, codec, teacher, monkeypatch
):
    path, answers = teacher
    settings = replace(settings, teacher=path)

    def talks(epoch: int) -> list[list[str]]:
        return [
            spelled(document.ids, codec)
            for document in labelled_lessons(settings, data, codec).documents(epoch, 0)[-40:]
        ]

    longer = []
    for epoch in range(8):
        shown = talks(epoch)
        assert shown == talks(epoch)
        for number, words in enumerate(shown):
            turns = [word for word in words if word in ("<SPEAKER>", "<LISTENER>")]
            assert turns in (["<SPEAKER>", "<LISTENER>"] * n for n in (2, 3, 4))
            named = words[words.index(EMOTION_TYPE) + 1] if EMOTION_TYPE in words else None
            assert named in (None, LABELS[number % 4])
            if named:  # it stands behind a turn of this conversation, which has four
                assert words[: words.index(EMOTION_TYPE)].count("<SPEAKER>") > len(turns) // 2 - 2
            longer.append(len(turns) > 4)
    assert 0.2 < np.mean(longer) < 0.4
    monkeypatch.setattr(module, "SHARE_OF_DIALOGUES_BEHIND_ANOTHER", 1)
    lessons = labelled_lessons(settings, data, codec)
    turns_seen = set()
    for epoch in range(12):
        document = lessons.documents(epoch, 0)[-40]
        soft = document.soft_label
        if soft:
            turn = next(t for t in (0, 2) if (answers["t0", t] == soft.probabilities).all())
            heard, all_of_it = (
                spelled(ids, codec).count("<SPEAKER>") for ids in (document.ids[: soft.at], document.ids)
            )
            assert heard == all_of_it - 1 + turn // 2
            turns_seen.add(turn)
    assert turns_seen == {0, 2}


def spelled(ids, codec: Codec) -> list[str]:
    return [codec.decode([token]).strip() or name_of(token, codec) for token in ids.tolist()]


def name_of(token: int, codec: Codec) -> str:
    return next((name for name, number in codec.special_ids.items() if number == token), "")


def test_texts_that_only_the_teacher_labelled_take_turns(settings, data, codec, teacher):
    path, answers = teacher
    lessons = labelled_lessons(replace(settings, teacher=path, other_texts_per_epoch=4), data, codec)
    assert lessons.per_epoch == 6 + 4 + 40
    seen = []
    for epoch in range(5):
        for document in lessons.documents(epoch, 0)[6:10]:
            assert document.soft_label
            assert document.weights[document.soft_label.at] == 0
            seen.append(document.soft_label.probabilities.tobytes())
    expected = {answers[f"o{i}", SINGLE_TEXT].tobytes() for i in range(10)}
    assert set(seen[:10]) == set(seen[10:]) == expected


def test_nothing_of_what_is_held_out_is_learned_from_the_teacher(settings, tmp_path, codec):
    """Neither under its id, nor under another one, nor in another dress."""
    talk = Dialogue("held-talk", "sad", "It rained all day.", ("It rained", "Oh no"))
    held = Example("held-example", "My cat is gone.", "sad")
    (tmp_path / "split").mkdir()
    write_prepared(
        tmp_path / "split",
        {"train": EXAMPLES, "valid": [held], "test": [replace(held, id="e-test", text="They left.")]},
        {"train": TALKS[:4], "valid": [replace(talk, id="t-valid")], "test": [talk]},
    )
    rows = [
        ("held-example", SINGLE_TEXT, "Anything"),
        ("o1", SINGLE_TEXT, "my cat is gone"),
        ("o2", SINGLE_TEXT, "THEY LEFT!"),
        ("held-talk", SINGLE_TEXT, "Whatever"),
        ("held-talk", 0, "It rained"),
        ("o3", 0, "Nobody knows this one"),
        ("o4", SINGLE_TEXT, "it rained all day"),
        ("o5", SINGLE_TEXT, "We went out"),
    ]
    answers = {f"p_{label}": np.full(len(rows), 0.25, np.float32) for label in LABELS}
    columns = dict(zip(("id", "turn", "text"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table({**columns, **answers}), tmp_path / "answers.parquet")
    for task in ("emotion", "companion"):
        asked = replace(settings, task=task, teacher=str(tmp_path / "answers.parquet"))
        documents = labelled_lessons(asked, read_prepared(tmp_path / "split"), codec).documents(0, 0)
        (other,) = [document for document in documents if document.soft_label]
        assert codec.decode(other.ids.tolist()).count("We went out") == 1


def test_what_is_judged_of_train_is_laid_out_as_valid_is(settings, data, codec, teacher):
    """Train and valid have the same rows here: only labels that are sure, and no conversation behind another."""
    path, _ = teacher
    for changes in ({"teacher": path, "label_weight": 0.3}, {}, {"task": "emotion", "teacher": path}):
        lessons = labelled_lessons(replace(settings, **changes), data, codec)
        judged = lessons.judged()
        assert all(document.soft_label is None for document in judged)
        for one, other in zip(judged, lessons.valid, strict=True):
            np.testing.assert_array_equal(one.ids, other.ids)
            np.testing.assert_array_equal(one.weights, other.weights)


def test_labels_that_begin_alike_cannot_have_a_teacher(settings, tmp_path, codec, teacher):
    labels = ("sad", "sad and tired")
    (tmp_path / "alike").mkdir()
    write_prepared(tmp_path / "alike", {"train": [Example("1", "a", labels[0]), Example("2", "b", labels[1])]})
    columns = {"id": ["1"], "text": ["a"], "p_sad": [np.float32(1)], "p_sad and tired": [np.float32(0)]}
    pq.write_table(pa.table(columns), tmp_path / "two.parquet")
    asked = replace(settings, task="emotion", teacher=str(tmp_path / "two.parquet"))
    with pytest.raises(UserMistake, match="begin with the same token"):
        labelled_lessons(asked, read_prepared(tmp_path / "alike"), codec)


class TestChapters:
    """Of more examples than memory holds some blocks at a time are learned from."""

    @pytest.fixture
    def large(self, tmp_path, monkeypatch):
        """Ten whole blocks of four examples, and one of three."""
        monkeypatch.setattr(prepared, "ROWS_OF_A_BLOCK", 4)
        (tmp_path / "large").mkdir()
        rows = [Example(f"e{i}", f"My dog died {'again ' * (i % 9)}{i}.", LABELS[i % 4]) for i in range(43)]
        write_prepared(tmp_path / "large", {"train": rows, "valid": EXAMPLES})
        return read_prepared(tmp_path / "large")

    @pytest.fixture
    def settings(self, tmp_path):
        return TrainSettings(data=tmp_path, out=tmp_path, documents_in_memory=14)

    def test_hold_every_example_once_in_each_epoch_in_another_order(self, settings, large, codec):
        lessons = streamed_lessons(settings, large, codec)
        assert lessons.chapters == [12, 12, 12, 7]

        def ids_of(epoch):
            chapters = [lessons.documents(epoch, chapter) for chapter in range(4)]
            assert [len(documents) for documents in chapters] == lessons.chapters
            return [tuple(document.ids) for documents in chapters for document in documents]

        whole = labelled_lessons(replace(settings, documents_in_memory=43), large, codec).documents(0, 0)
        expected = sorted(tuple(document.ids) for document in whole)
        assert sorted(ids_of(0)) == sorted(ids_of(1)) == expected
        assert ids_of(0) == ids_of(0) != ids_of(1)
        assert ids_of(0) != [tuple(document.ids) for document in whole]

    def test_of_a_single_block_are_one(self, settings, data, codec):
        assert data.blocks("train") == [6]
        assert streamed_lessons(replace(settings, documents_in_memory=2), data, codec).chapters == [6]

    @pytest.mark.parametrize("changes", [{"task": "companion"}, {"teacher": "teacher.parquet"}])
    def test_are_not_for_what_needs_all_at_once(self, settings, large, codec, changes):
        with pytest.raises(UserMistake, match="raise --documents-in-memory"):
            streamed_lessons(replace(settings, **changes), large, codec)
