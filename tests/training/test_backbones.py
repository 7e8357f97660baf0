"""Any causal language model of the hub: GPT-2, Llama, Qwen and Gemma, from their own files to ours and an export."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from buddy.data.prepared import read_prepared
from buddy.inference.classifier import load_classifier
from buddy.inference.export import export_model
from buddy.inference.labels import Scores, log_softmax
from buddy.text.render import END, SPECIAL_TOKENS, render_example
from buddy.training.backbone import load_backbone
from tests.training.conftest import curves
from tests.training.foreign_models import FAMILIES, Family, write_foreign
from tests.training.maskless_models import tiny_lfm2

TEXTS = ["My old dog died and it rained", "We won the game and we all went out", "", "😢 so"]
SHORT: dict[str, Any] = {
    "epochs": 1.0,
    "batch_size": 8,
    "max_tokens": 32,
    "learning_rate": 1e-3,
    "dropout": None,
    "number_format": "fp32",
}


@dataclass(frozen=True)
class Trained:
    """A model as it lay on the hub, and the run that began with it."""

    family: Family
    source: Path
    run: Path

    @property
    def best(self) -> Path:
        return self.run / "best"


CASES = [
    pytest.param((family, tied, rank), id=f"{family.name}-{'tied' if tied else 'untied'}-{'lora' if rank else 'whole'}")
    for family in FAMILIES
    for tied in (True, False)
    for rank in (0, 4)
]


@pytest.fixture(scope="module", params=CASES)
def trained(request, moods: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Each family, with tied and untied embeddings, trained as a whole and with adapters, for 6 steps."""
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run
    from buddy.training.settings import TrainSettings
    from tests.training.conftest import QUICK_RUN

    family, tied, rank = request.param
    folder = tmp_path_factory.mktemp(family.name)
    source = write_foreign(family, folder / "hub", tied)
    changes = {**QUICK_RUN, **SHORT, "backbone": str(source), "lora_rank": rank}
    start_run(TrainSettings(data=moods, out=folder / "run", **changes), make_evaluate)
    return Trained(family, source, folder / "run")


@pytest.fixture(params=[pytest.param(family, id=family.name) for family in FAMILIES])
def foreign(request, tmp_path) -> Path:
    return write_foreign(request.param, tmp_path / "hub", tied=False)


def plain_scores(folder: Path, labels: Sequence[str]) -> Scores:
    """Score labels as the library's own documentation would: each text with each label, one after the other."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
    end = tokenizer.eos_token_id

    def ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False))

    start = tokenizer.encode("a", add_special_tokens=True)[: -len(ids("a"))]
    answers = [ids(f" {label}") for label in labels]
    answers = [[*a, end] if any(b != a and b[: len(a)] == a for b in answers) else a for a in answers]
    scores: Scores = np.empty((len(TEXTS), len(labels)))
    for row, text in enumerate(TEXTS):
        question = [*start, *ids(f" {text.strip()}"), tokenizer.convert_tokens_to_ids("<EMOTION_TYPE>")]
        for column, answer in enumerate(answers):
            with torch.no_grad():
                of_all = model(torch.tensor([question + answer])).logits[0].double().log_softmax(1)
            steps = range(len(question) - 1, len(question) + len(answer) - 1)
            scores[row, column] = sum(float(of_all[step, token]) for step, token in zip(steps, answer, strict=True))
    return log_softmax(scores)


class TestLoaded:
    def test_every_old_token_keeps_its_rows_and_its_spelling(self, foreign):
        before, their_tokenizer = AutoModelForCausalLM.from_pretrained(foreign), AutoTokenizer.from_pretrained(foreign)
        backbone = load_backbone(str(foreign))
        for side in ("get_input_embeddings", "get_output_embeddings"):
            new, old = (getattr(model, side)().weight for model in (backbone.model, before))
            tokens = min(len(old), len(their_tokenizer))
            assert torch.equal(new[:tokens], old[:tokens])
        for text in TEXTS:
            assert backbone.codec.encode_words(text) == their_tokenizer.encode(text, add_special_tokens=False)

    def test_a_document_starts_and_ends_as_the_models_own_do(self, foreign):
        backbone, tokenizer = load_backbone(str(foreign)), AutoTokenizer.from_pretrained(foreign)
        (document,) = backbone.codec.encode([render_example("so sad", "sad")])
        theirs = tokenizer.encode(" so sad")
        assert document.ids[: len(theirs)].tolist() == theirs
        assert document.ids[-1] == tokenizer.eos_token_id == backbone.codec.special_ids[END]


class TestTrained:
    def test_it_learns(self, trained):
        first, *_, last = curves(trained.run)
        assert last["train_loss"] < first["train_loss"]

    def test_what_is_saved_is_a_plain_model_of_the_same_kind(self, trained):
        before, after = (AutoModelForCausalLM.from_pretrained(folder) for folder in (trained.source, trained.best))
        assert type(after) is type(before)
        assert after.state_dict().keys() == before.state_dict().keys()
        assert not (trained.best / "adapter_config.json").exists()
        assert after.config.tie_word_embeddings == before.config.tie_word_embeddings
        assert after.config.eos_token_id == before.config.eos_token_id
        changed = [name for name, tensor in after.state_dict().items() if not _begins_with(tensor, before, name)]
        assert any("attn" in name for name in changed)

    def test_special_tokens_are_there_once_and_the_chat_template_is_theirs(self, trained):
        before, after = (AutoTokenizer.from_pretrained(folder) for folder in (trained.source, trained.best))
        added = [
            token["content"] for token in json.loads((trained.best / "tokenizer.json").read_text())["added_tokens"]
        ]
        assert len(added) == len(set(added))
        ours = set(after.get_vocab()) - set(before.get_vocab())
        assert ours == set(SPECIAL_TOKENS) - {END}
        assert after.chat_template == before.chat_template
        assert (after.bos_token, after.eos_token) == (before.bos_token, before.eos_token)
        for token in ours:
            assert len(after.encode(token, add_special_tokens=False)) == 1
        assert after.encode(" so sad") == before.encode(" so sad")

    def test_labels_are_scored_as_the_sum_of_their_tokens(self, trained):
        labels = read_prepared(Path(_data_of(trained.run))).labels
        found = load_classifier(trained.best, "cpu", "fp32").log_scores(TEXTS)
        expected = plain_scores(trained.best, labels)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
        assert expected.std() > 0.5, "a model without opinions would prove nothing"

    def test_its_export_answers_alike(self, trained, tmp_path):
        export_model(trained.run, tmp_path / "out", "float32")
        found = load_classifier(tmp_path / "out").log_scores(TEXTS)
        np.testing.assert_allclose(found, load_classifier(trained.best, "cpu", "fp32").log_scores(TEXTS), atol=1e-3)


def test_a_model_that_reads_no_masks_is_trained_and_judged_and_asked_as_well(moods, tmp_path):
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run
    from buddy.training.settings import TrainSettings
    from tests.training.conftest import QUICK_RUN

    qwen = next(family for family in FAMILIES if family.name == "qwen")
    family = Family("lfm2", qwen.tokenizer_class, qwen.tokenizer, lambda rows, _tied: tiny_lfm2(rows))
    source = write_foreign(family, tmp_path / "hub", tied=True)
    settings = TrainSettings(data=moods, out=tmp_path / "run", **{**QUICK_RUN, **SHORT, "backbone": str(source)})
    start_run(settings, make_evaluate)
    first, *_, last = curves(settings.out)
    assert last["train_loss"] < first["train_loss"]
    best = settings.out / "best"
    expected = plain_scores(best, read_prepared(moods).labels)
    np.testing.assert_allclose(load_classifier(best, "cpu", "fp32").log_scores(TEXTS), expected, rtol=1e-5, atol=1e-4)
    assert expected.std() > 0.5, "a model without opinions would prove nothing"


def _begins_with(tensor: torch.Tensor, model: Any, name: str) -> bool:
    """Whether a tensor is what it was before, but for rows of new tokens."""
    old = model.state_dict()[name]
    return torch.equal(tensor[: len(old)], old)


def _data_of(run: Path) -> str:
    from buddy.training.checkpoint import read_settings

    return str(read_settings(run).data)


def test_a_mark_that_a_tokenizer_has_no_letters_for_starts_at_the_mean_of_all(tmp_path):
    """The library gives some tokenizers another way to cut, and then nothing is left of a mark."""
    (gemma,) = (family for family in FAMILIES if family.name == "gemma")
    (qwen,) = (family for family in FAMILIES if family.name == "qwen")
    source = write_foreign(Family("mixed", "Qwen2Tokenizer", gemma.tokenizer, qwen.model), tmp_path, tied=True)
    assert AutoTokenizer.from_pretrained(source).encode("<SPEAKER>", add_special_tokens=False) == []
    backbone = load_backbone(str(source))
    model: Any = backbone.model
    table = model.get_input_embeddings()
    before: Any = AutoModelForCausalLM.from_pretrained(source)
    old = before.get_input_embeddings().weight
    torch.testing.assert_close(table.weight[backbone.codec.special_ids["<SPEAKER>"]], old.mean(dim=0))
