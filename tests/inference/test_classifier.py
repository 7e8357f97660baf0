import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from buddy.data.prepared import read_prepared
from buddy.errors import UserMistake
from buddy.inference.classifier import Classifier, load_classifier, score_texts
from buddy.inference.folder import save_temperature
from buddy.inference.labels import label_trie
from buddy.inference.torch_engine import TorchEngine
from buddy.text.render import EMOTION_TYPE, render_emotion_question
from buddy.training.backbone import new_backbone, new_tokenizer, set_dropout
from buddy.training.checkpoint import save_model
from buddy.training.settings import TrainSettings
from tests.conftest import ENDINGS, LABELS, OPENINGS

TEXTS = [f"{opening} {ENDINGS[0]}" for openings in OPENINGS.values() for opening in openings]


@pytest.fixture(scope="module")
def classifier(trained_run):
    return load_classifier(trained_run / "best", "cpu", "fp32")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A model that was not trained, with loud weights and dropout, so that it has opinions and shows its mode."""
    torch.manual_seed(1)
    labels = ("furious", "glad", "sad")
    backbone = new_backbone("scratch:tiny", new_tokenizer((f" {text}" for text in TEXTS), labels, 400))
    set_dropout(backbone.model, 0.5)
    with torch.no_grad():
        for parameter in backbone.model.parameters():
            parameter.mul_(5)
    save_model(tmp_path / "best", backbone, labels, TrainSettings(Path("data"), tmp_path))
    return tmp_path / "best"


class TestAnswers:
    def test_are_right_about_what_was_learned_by_heart(self, classifier, moods):
        examples = read_prepared(moods).examples("train")
        columns = classifier.log_scores([example.text for example in examples]).argmax(axis=1)
        assert [classifier.labels[column] for column in columns] == [example.label for example in examples]

    def test_of_a_fresh_checkpoint_are_the_softmax_of_the_models_logits(self, checkpoint):
        """The folder is all that another program needs: plain Hugging Face calls give the same probabilities."""
        model, tokenizer = AutoModelForCausalLM.from_pretrained(checkpoint), AutoTokenizer.from_pretrained(checkpoint)
        found = load_classifier(checkpoint, "cpu", "fp32").probabilities(TEXTS)
        labels = [tokenizer.encode(f" {label}") for label in ("furious", "glad", "sad")]
        for text, row in zip(TEXTS, found, strict=True):
            with torch.no_grad():
                logits = model(torch.tensor([tokenizer.encode(f" {text}{EMOTION_TYPE}")])).logits[0, -1]
            np.testing.assert_allclose(row, logits[[ids[0] for ids in labels]].softmax(0), atol=1e-5)
        assert found.std(axis=0).min() > 0.01, "a model that always says the same would prove nothing"

    def test_do_not_depend_on_the_company_of_a_text(self, classifier):
        together = classifier.log_scores([*TEXTS, "so " * 500])[:-1]
        alone = np.concatenate([classifier.log_scores([text]) for text in TEXTS])
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_are_the_same_when_asked_again(self, checkpoint):
        classifier = load_classifier(checkpoint, "cpu", "fp32")
        assert (classifier.log_scores(TEXTS) == classifier.log_scores(TEXTS)).all()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " \n",
            "x" * 100_000,
            "I am so sad. " * 8_000,
            "😢👩‍👩‍👧🏳️‍🌈",
            "אני עצוב מאוד",
            "\0\u202e\ufeff",
            "<EMOTION_TYPE> sad <|endoftext|>",
        ],
        ids=["empty", "blank", "one-long-word", "long", "emoji", "right-to-left", "control", "special-tokens"],
    )
    def test_are_given_to_any_text(self, classifier, text):
        probabilities = classifier.probabilities([text, "I am sad"])
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)

    def test_to_a_long_text_rest_on_its_end(self, classifier):
        ending = " The sun is out and we all went out" * 12
        long_scores = classifier.log_scores(["They broke my car and it rained." * 2000 + ending])
        np.testing.assert_allclose(long_scores, classifier.log_scores([ending]), atol=1e-5)

    def test_to_a_text_longer_than_the_model_can_read_are_given_however_high_max_tokens_was(self, moods, tmp_path):
        from buddy.evaluation.during_training import make_evaluate
        from buddy.training.run import start_run

        start_run(
            TrainSettings(moods, tmp_path / "run", "scratch:tiny", epochs=0.1, max_tokens=4096, vocabulary_size=400),
            make_evaluate,
        )
        classifier = load_classifier(tmp_path / "run" / "best", "cpu", "fp32")
        assert classifier.log_scores(["I am so sad. " * 8_000]).shape == (1, len(LABELS))

    def test_do_not_lose_the_text_when_there_are_many_long_labels(self, classifier):
        """What labels need is room for the longest of them, not for all."""
        labels = [f"{first} {second} again" for first in ("sad", "glad", "out", "won") for second in ("I", "we", "the")]
        trie = label_trie(classifier.codec, labels)
        text = "my old dog died and we all went out"
        (question,) = classifier.codec.encode([render_emotion_question(text)])
        just_enough = len(question) + 1 + max(trie.depths)
        assert just_enough - len(trie.tokens) < len(question), "otherwise nothing could be lost"
        tight, ample = (
            score_texts(classifier.engine.model, [text], classifier.codec, trie, classifier.engine.device, max_tokens)
            for max_tokens in (just_enough, 120)
        )
        np.testing.assert_allclose(tight, ample, atol=1e-5)


class TestTemperature:
    def test_flattens_without_changing_the_order(self, classifier):
        cold = classifier.probabilities(TEXTS)
        warm = replace(classifier, temperature=3.0).probabilities(TEXTS)
        np.testing.assert_allclose(cold, np.exp(classifier.log_scores(TEXTS)), atol=1e-12)
        powers = cold ** (1 / 3)
        np.testing.assert_allclose(warm, powers / powers.sum(axis=1, keepdims=True), atol=1e-9)
        assert (warm.max(axis=1) < cold.max(axis=1)).all()

    def test_is_stored_beside_the_other_facts_and_used_from_then_on(self, checkpoint):
        before = json.loads((checkpoint / "buddy.json").read_text())
        save_temperature(checkpoint, 1.75)
        assert json.loads((checkpoint / "buddy.json").read_text()) == {**before, "temperature": 1.75}
        assert load_classifier(checkpoint, "cpu", "fp32").temperature == 1.75


class TestLoading:
    def test_reads_labels_and_limit_from_the_checkpoint(self, classifier: Classifier):
        assert classifier.labels == LABELS
        assert classifier.max_tokens == 64
        assert isinstance(classifier.engine, TorchEngine)
        assert not classifier.engine.model.training

    def test_a_folder_that_is_none_of_ours_is_refused(self, tmp_path):
        with pytest.raises(UserMistake, match=r"no checkpoint of buddy's \(no readable buddy\.json\)"):
            load_classifier(tmp_path)
        with pytest.raises(UserMistake, match=r"There is no model .*nowhere"):
            load_classifier(tmp_path / "nowhere")

    @pytest.mark.parametrize(
        "change",
        [
            {"labels": "sad"},
            {"labels": ["sad"]},
            {"labels": ["sad", "sad"]},
            {"labels": [1, 2]},
            {"labels": None},
            {"temperature": 0},
            {"temperature": float("nan")},
            {"temperature": "hot"},
            {"max_tokens": None},
            {"max_tokens": 0},
            {"special_tokens": None},
            {"special_tokens": {}},
            {"special_tokens": {"<EMOTION_TYPE>": 0, "<SPEAKER>": 1, "<LISTENER>": 2, "<|endoftext|>": "3"}},
        ],
    )
    def test_facts_of_the_wrong_kind_are_refused(self, checkpoint, change):
        facts = json.loads((checkpoint / "buddy.json").read_text())
        (checkpoint / "buddy.json").write_text(json.dumps({**facts, **change}))
        with pytest.raises(UserMistake, match=r"buddy\.json is damaged; train the model again"):
            load_classifier(checkpoint)

    @pytest.mark.parametrize("content", ["[]", "null", "3"])
    def test_json_that_is_no_record_is_refused(self, checkpoint, content):
        (checkpoint / "buddy.json").write_text(content)
        with pytest.raises(UserMistake, match="another text layout"):
            load_classifier(checkpoint)

    def test_more_tokens_than_the_model_can_read_are_never_given_to_it(self, checkpoint):
        facts = json.loads((checkpoint / "buddy.json").read_text())
        (checkpoint / "buddy.json").write_text(json.dumps({**facts, "max_tokens": 10**9}))
        assert load_classifier(checkpoint).probabilities(["so sad " * 1000]).shape == (1, len(facts["labels"]))

    def test_a_damaged_buddy_json_is_refused(self, checkpoint):
        (checkpoint / "buddy.json").write_text('{"labels": [')
        with pytest.raises(UserMistake, match="no checkpoint"):
            load_classifier(checkpoint)

    def test_another_layout_is_refused_instead_of_answering_nonsense(self, checkpoint):
        facts = json.loads((checkpoint / "buddy.json").read_text())
        (checkpoint / "buddy.json").write_text(json.dumps({**facts, "layout_version": 0}))
        with pytest.raises(UserMistake, match="another text layout"):
            load_classifier(checkpoint)

    def test_a_checkpoint_without_weights_is_refused(self, checkpoint):
        (checkpoint / "model.safetensors").unlink()
        with pytest.raises(UserMistake, match="no causal language model in Hugging Face format with safetensors"):
            load_classifier(checkpoint)

    def test_a_checkpoint_with_half_its_weights_is_refused(self, checkpoint):
        weights = (checkpoint / "model.safetensors").read_bytes()
        (checkpoint / "model.safetensors").write_bytes(weights[: len(weights) // 2])
        with pytest.raises(UserMistake, match="best"):
            load_classifier(checkpoint)

    def test_a_checkpoint_set_aside_by_a_crash_is_found(self, checkpoint):
        checkpoint.rename(checkpoint.with_name(".best.old"))
        assert load_classifier(checkpoint).labels == ("furious", "glad", "sad")
