"""``Buddy`` as a program uses it, on models that are too small to be right."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import buddy
from buddy import Buddy
from buddy.companion import buddy as module
from buddy.errors import UserMistake
from buddy.inference.classifier import load_classifier
from buddy.text.render import SPECIAL_TOKENS
from tests.conftest import LABELS

TALK = ["My old dog died and it rained", "Oh no.", "I cried all night"]


@pytest.fixture(scope="module")
def companion(companion_model):
    return Buddy(companion_model, seed=1)


class TestEmotion:
    def test_is_the_likeliest_label_with_its_calibrated_probability(self, companion, companion_model):
        row = load_classifier(companion_model).probabilities(["I cried"])[0]
        emotion = companion.emotion("I cried")
        assert emotion.label == LABELS[row.argmax()]
        assert emotion.probability == row.max() == emotion.probabilities[emotion.label]
        assert dict(emotion.probabilities) == pytest.approx(dict(zip(LABELS, row, strict=True)))
        assert sorted(emotion.probabilities.values(), reverse=True) == list(emotion.probabilities.values())

    def test_of_many_texts_is_that_of_each(self, companion):
        texts = ["I cried", "We won the game", ""]
        for one, text in zip(companion.emotions(texts), texts, strict=True):
            alone = companion.emotion(text)
            assert one.label == alone.label
            assert one.probability == pytest.approx(alone.probability, abs=1e-5)
        assert companion.emotions([]) == []

    def test_of_one_text_and_of_many_are_not_mistaken_for_each_other(self, companion):
        with pytest.raises(TypeError, match="emotions takes a list"):
            companion.emotion(["I lost my cat."])
        with pytest.raises(TypeError, match="emotion takes that"):
            companion.emotions("I lost my cat.")

    def test_of_a_conversation_is_asked_in_its_layout(self, companion, companion_model):
        row = load_classifier(companion_model).conversation_probabilities([TALK])[0]
        emotion = companion.emotion_of(TALK)
        assert [emotion.probabilities[label] for label in LABELS] == pytest.approx(row.tolist())
        assert emotion.probabilities != companion.emotion(TALK[-1]).probabilities

    def test_of_a_message_is_read_with_the_conversation_where_that_is_more_certain(self):
        buddy = Buddy()
        lost, yes, other = (
            "I lost my cat last week and I miss her.",
            "Yes, it was.",
            "But then somebody stole my bike and I am so mad.",
        )
        for messages in ([lost, yes], [lost, other], ["I was so happy!", other]):
            turns = [messages[0], "Oh.", messages[1]]
            alone, together = buddy.emotion(messages[1]), buddy.emotion_of(turns)
            assert buddy.answer(turns).emotion == max(alone, together, key=lambda one: one.probability)
        after_loss = buddy.answer([lost, "Oh.", yes]).emotion
        after_joy = buddy.answer(["I was so happy!", "Oh.", other]).emotion
        assert after_loss
        assert after_joy
        assert (after_loss.label, after_joy.label) == (buddy.emotion(lost).label, buddy.emotion(other).label)

    def test_of_a_message_is_read_both_ways_at_the_same_time(self, monkeypatch):
        buddy, both = Buddy(), threading.Barrier(2, timeout=10)
        alone, together = buddy.emotion, buddy.emotion_of
        monkeypatch.setattr(buddy, "emotion", lambda text: (both.wait(), alone(text))[1])
        monkeypatch.setattr(buddy, "emotion_of", lambda turns: (both.wait(), together(turns))[1])
        felt = buddy.answer(["I lost my cat last week and I miss her."]).emotion
        assert felt
        assert felt.label == "sad"

    def test_needs_no_further_model_once_buddy_is_ready(self, monkeypatch):
        buddy = Buddy()
        buddy.get_ready()
        monkeypatch.delattr("buddy.inference.ctranslate2_engine._new_generator")
        assert buddy.emotion("I lost my cat last week and I miss her.").label == "sad"

    def test_of_a_question_is_that_of_what_was_told_before(self):
        buddy = Buddy()
        lost = "I lost my cat last week and I miss her."
        for turns in ([lost, "Oh.", "What am I feeling?"], [f"{lost} What am I feeling?"]):
            found = buddy.answer(turns).emotion
            assert found == max(buddy.emotion(lost), buddy.emotion_of([lost]), key=lambda one: one.probability)
        assert buddy.answer(["What am I feeling?"]).emotion is None

    def test_is_right_about_what_was_learned_by_heart(self, exported_run, trained_run):
        for model in (exported_run, trained_run, str(trained_run / "best")):
            assert Buddy(model).emotion("My old dog died and I told my friend.").label == "sad"


class TestReply:
    def test_is_a_line_without_special_tokens(self, companion):
        for message in ("hm", "so much cake " * 100, "", " ", "\n", "😢", "<LISTENER> <|endoftext|>"):
            reply = companion.reply([message])
            assert reply.strip()
            assert "\n" not in reply
            assert not any(token in reply for token in SPECIAL_TOKENS)

    def test_is_the_same_with_a_seed(self, companion, companion_model):
        assert companion.reply(TALK) == companion.reply(TALK) == Buddy(companion_model, seed=1).reply(TALK)
        others = {Buddy(companion_model, seed=seed).reply(TALK) for seed in range(2, 6)}
        assert others - {companion.reply(TALK)}

    def test_streams_what_it_would_say(self, companion):
        assert "".join(companion.stream(TALK)) == companion.reply(TALK)

    def test_of_one_candidate_streams_the_same_with_a_seed(self, companion_model):
        one = Buddy(companion_model, candidates=1, seed=4)
        first, second = ("".join(one.stream(TALK)) for _ in range(2))
        assert first == second != ""

    def test_works_on_a_checkpoint_as_well(self, companion_checkpoint):
        assert Buddy(companion_checkpoint, seed=1).reply(TALK).strip()

    def test_of_a_model_that_only_names_emotions_is_refused(self, exported_run):
        model = Buddy(exported_run)
        assert not model.can_reply
        for ask in (model.reply, model.stream):
            with pytest.raises(UserMistake, match="has not learned to reply; `buddy train --task companion`"):
                ask(["hm"])

    @pytest.mark.parametrize("talk", [[], ["I cried", "Oh no."], "I cried"])
    def test_to_what_is_no_conversation_is_refused(self, companion, talk):
        for ask in (companion.reply, companion.stream, companion.emotion_of):
            with pytest.raises(ValueError, match="a conversation"):
                ask(talk)

    def test_may_be_asked_for_by_many_threads_at_once(self, companion):
        expected = companion.reply(TALK), companion.emotion_of(TALK)
        found = []
        threads = [
            threading.Thread(target=lambda: found.append((companion.reply(TALK), companion.emotion_of(TALK))))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 5


class TestLoading:
    def test_without_a_name_takes_the_model_that_ships(self, companion_model, monkeypatch):
        monkeypatch.setattr(module, "find_model", {"companion": companion_model}.get)
        assert Buddy().labels == LABELS

    def test_says_when_that_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "find_model", {"companion": tmp_path / "companion"}.get)
        with pytest.raises(UserMistake, match="The model that comes with buddy is missing from this installation"):
            Buddy()

    def test_of_a_folder_without_a_model_is_refused(self, tmp_path):
        with pytest.raises(UserMistake, match="no checkpoint of buddy's"):
            Buddy(tmp_path)

    def test_takes_a_runs_best_checkpoint_after_a_crash(self, trained_run, tmp_path):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / ".best.old").symlink_to(trained_run / "best")
        assert Buddy(tmp_path / "run").labels == LABELS


class TestImport:
    def test_of_the_name_is_lazy(self):
        program = (
            "import sys, buddy; before = set(sys.modules); buddy.Buddy\n"
            "names = ('numpy', 'tokenizers', 'ctranslate2', 'torch', 'buddy.companion.buddy')\n"
            "print([n for n in names if n in before], [n for n in names if n in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[] ['numpy', 'tokenizers', 'buddy.companion.buddy']"

    def test_of_an_unknown_name_fails_as_usual(self):
        with pytest.raises(AttributeError, match="module 'buddy' has no attribute 'Body'"):
            buddy.Body  # noqa: B018

    def test_gives_the_class(self):
        assert buddy.Buddy is module.Buddy
        assert np.all([name in buddy.__all__ for name in ("Buddy", "__version__")])
