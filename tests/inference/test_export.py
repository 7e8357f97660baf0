import json
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from buddy.errors import UserMistake
from buddy.inference import export
from buddy.inference.classifier import load_classifier
from buddy.inference.engine import Sampling
from buddy.inference.export import export_model
from buddy.inference.folder import Quantization
from buddy.inference.labels import make_trie
from buddy.text.render import Piece
from buddy.text.tokenizer import Tokens
from buddy.training.backbone import SCRATCH_SHAPES, Backbone, new_backbone, new_tokenizer
from buddy.training.checkpoint import save_model
from buddy.training.settings import TrainSettings
from tests.conftest import LABELS, tiny_gemma, tiny_gpt2, tiny_gpt_neo, tiny_llama

TEXTS = ["My old dog died and it rained", "We won the game and we all went out", "", "😢 so"]


def save(folder: Path, model: Any = None, **settings: Any) -> Path:
    """Save a model, or a new tiny one, as a checkpoint."""
    torch.manual_seed(1)
    backbone = new_backbone("scratch:tiny", new_tokenizer([" My old dog died and it rained"], LABELS, 400))
    if model is not None:
        backbone = Backbone(model, backbone.tokenizer, backbone.codec)
        model.resize_token_embeddings(len(backbone.tokenizer), mean_resizing=False)
    save_model(folder, backbone, LABELS, TrainSettings(Path("data"), folder, **settings))
    return folder


class TestFolder:
    def test_holds_what_is_needed_and_says_where_it_comes_from(self, exported_run, trained_run):
        names = {file.name for file in exported_run.iterdir()}
        assert names == {"model.bin", "config.json", "vocabulary.json", "tokenizer.json", "buddy.json"}
        before = json.loads((trained_run / "best" / "buddy.json").read_text())
        exported = {"format": "ctranslate2", "quantization": "float32"}
        assert json.loads((exported_run / "buddy.json").read_text()) == {**before, "exported": exported}
        assert (exported_run / "tokenizer.json").read_text() == (trained_run / "best" / "tokenizer.json").read_text()

    def test_may_be_made_from_the_checkpoint_itself(self, companion_checkpoint, tmp_path):
        export_model(companion_checkpoint, tmp_path / "out", "int8")
        assert load_classifier(tmp_path / "out").labels == LABELS

    def test_says_no_more_tokens_than_the_model_can_read(self, tmp_path):
        export_model(save(tmp_path / "best", max_tokens=4096), tmp_path / "out")
        assert json.loads((tmp_path / "out" / "buddy.json").read_text())["max_tokens"] == 512
        assert load_classifier(tmp_path / "out").log_scores(["so sad " * 3000]).shape == (1, len(LABELS))

    def test_stores_tied_embeddings_once_and_in_a_byte_each(self, tmp_path, monkeypatch):
        monkeypatch.setitem(SCRATCH_SHAPES, "scratch:tiny", SCRATCH_SHAPES["scratch:small"])
        folder = save(tmp_path / "best")
        parameters = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(folder).parameters())
        positions = 512 * 384
        export_model(folder, tmp_path / "out", "int8")
        size = (tmp_path / "out" / "model.bin").stat().st_size
        assert size < 1.02 * (parameters + 3 * positions)  # positions are no factor of a product: 4 bytes each


class TestAnswers:
    @pytest.mark.parametrize("activation", ["gelu_new", "gelu_pytorch_tanh"])
    @pytest.mark.parametrize("tied", [True, False])
    def test_are_those_of_hugging_face(self, tmp_path, activation, tied):
        folder = save(tmp_path / "best", tiny_gpt2(activation=activation, tied=tied))
        assert_same_answers(folder, tmp_path / "out")

    def test_are_those_of_another_architecture(self, tmp_path):
        assert_same_answers(save(tmp_path / "best", tiny_llama()), tmp_path / "out")

    def test_have_no_tokens_for_rows_that_have_none(self, tmp_path):
        """A shape may have more rows than its tokenizer has tokens; they are never written."""
        model = tiny_gpt2(vocabulary=50)
        save(tmp_path / "best", model)
        model.resize_token_embeddings(600, mean_resizing=False)
        model.save_pretrained(tmp_path / "best")
        export_model(tmp_path / "best", tmp_path / "out", "float32")
        ours = load_classifier(tmp_path / "out")
        tokens = ours.codec.backend.get_vocab_size()
        (prefix,) = ours.codec.encode([(Piece(" sad"),)])
        answers = ours.engine.generate([prefix] * 30, Sampling(temperature=9.0, top_p=1.0, seed=1), ())
        assert max(token for answer in answers for token in answer) < tokens < 600
        assert_same_answers(tmp_path / "best", tmp_path / "again")

    @pytest.mark.parametrize("quantization", get_args(Quantization))
    def test_are_near_in_every_quantization(self, companion_checkpoint, tmp_path, quantization):
        export_model(companion_checkpoint, tmp_path / "out", quantization)
        found = load_classifier(tmp_path / "out").probabilities(TEXTS)
        expected = load_classifier(companion_checkpoint, "cpu", "fp32").probabilities(TEXTS)
        np.testing.assert_allclose(found, expected, atol=0.15)


def tiny_gemma2() -> Any:
    """A Gemma 2 whose soft cap of its attention is felt."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    config = Gemma2Config(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        initializer_range=0.3,
        attn_logit_softcapping=1.0,
        final_logit_softcapping=None,
    )
    return Gemma2ForCausalLM(config)


def assert_same_answers(folder: Path, out: Path) -> None:
    """Compare an export with plain Hugging Face calls."""
    export_model(folder, out, "float32")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ours = load_classifier(out)
    (sad,), (glad,) = (tokenizer.encode(f" {label}", add_special_tokens=False) for label in ("sad", "glad"))
    questions = [tokenizer.encode(f" {text}<EMOTION_TYPE>") for text in TEXTS]
    with torch.no_grad():
        last = [model(torch.tensor([ids])).logits[0, -1] for ids in questions]
    expected = torch.stack([logits[[sad, glad]].double().log_softmax(0) for logits in last]).numpy()
    as_tokens = [Tokens(np.array(ids), np.zeros(len(ids), np.float32)) for ids in questions]
    found = ours.engine.score_labels(as_tokens, make_trie([(sad,), (glad,)], end=0))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.exp(expected).std() > 0.05, "a model without opinions would prove nothing"


class TestRefused:
    @pytest.mark.parametrize("taken", ["file", "folder"])
    def test_a_place_that_is_taken(self, trained_run, tmp_path, taken):
        out = tmp_path / "out"
        if taken == "file":
            out.write_text("mine")
        else:
            (out / "mine").mkdir(parents=True)
        with pytest.raises(UserMistake, match="out exists already; remove it, or name another --out"):
            export_model(trained_run, out)
        assert out.read_text() == "mine" if taken == "file" else [p.name for p in out.iterdir()] == ["mine"]

    def test_what_is_no_model(self, tmp_path):
        with pytest.raises(UserMistake, match=r"no checkpoint of buddy's \(no readable buddy\.json\)"):
            export_model(tmp_path, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_what_was_exported_already(self, exported_run, tmp_path):
        with pytest.raises(UserMistake, match="was exported already; name the run"):
            export_model(exported_run, tmp_path / "out")

    def test_an_unknown_quantization(self, trained_run, tmp_path):
        with pytest.raises(UserMistake, match=r"must be one of int8, .* not 'int4'"):
            export_model(trained_run, tmp_path / "out", cast("Quantization", "int4"))

    def test_a_model_that_ctranslate2_computes_otherwise_and_nothing_stays_behind(self, tmp_path):
        """Gemma 2 caps its scores softly; CTranslate2 converts it and does not."""
        folder = save(tmp_path / "best", tiny_gemma2(), max_tokens=64)
        with pytest.raises(
            UserMistake, match=r"\(gemma2\) otherwise than PyTorch \(by [\d.]+ nats\), .*checkpoint itself"
        ):
            export_model(folder, tmp_path / "models" / "out")
        assert not (tmp_path / "models").exists()

    def test_texts_longer_than_some_layers_look_back(self, tmp_path):
        folder = save(tmp_path / "best", tiny_gemma(), max_tokens=16)
        with pytest.raises(UserMistake, match=r"look back 4 tokens only, .*train it with --max-tokens 4"):
            export_model(folder, tmp_path / "out")

    def test_an_architecture_that_ctranslate2_does_not_know_and_nothing_stays_behind(self, tmp_path):
        folder = save(tmp_path / "best", tiny_gpt_neo())
        with pytest.raises(UserMistake, match=r"CTranslate2 cannot convert .*GPTNeoConfig"):
            export_model(folder, tmp_path / "models" / "out")
        assert not (tmp_path / "models").exists()

    def test_an_activation_that_ctranslate2_does_not_know(self, tmp_path):
        folder = save(tmp_path / "best", tiny_gpt2(activation="mish"))
        with pytest.raises(UserMistake, match=r"CTranslate2 cannot convert .*mish"):
            export_model(folder, tmp_path / "out")

    def test_a_mistake_of_our_own_is_not_blamed_on_the_library(self, trained_run, tmp_path, monkeypatch):
        def break_down(*_: object) -> None:
            raise KeyError("ours")

        monkeypatch.setattr(export, "_to_take_apart", break_down)
        with pytest.raises(KeyError, match="ours"):
            export_model(trained_run, tmp_path / "out")
