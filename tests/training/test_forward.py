"""Packed documents do not see each other, padding changes nothing, and positions start anew in each document."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from buddy.text.batches import Batch, pack, pad
from buddy.text.tokenizer import Tokens
from buddy.training import forward
from buddy.training.device import choose_device
from buddy.training.forward import Question, mask_between_documents, next_token_logits
from buddy.training.gpt2 import Borders, can_keep_within_borders
from buddy.training.loss import learned_loss
from tests.conftest import random_tokens, tiny_gpt2, tiny_quick_gpt2


@pytest.fixture
def documents():
    return [random_tokens(length) for length in (9, 7, 4, 12, 3)]


def all_logits(model: torch.nn.Module, batch: Batch, cpu) -> torch.Tensor:
    mask = mask_between_documents(model, batch.documents, cpu)
    columns = np.tile(np.arange(batch.input_ids.shape[1]), (len(batch.input_ids), 1))
    with torch.inference_mode():
        return next_token_logits(model, Question(batch.input_ids, batch.positions, mask, columns), cpu)


def alone(model: torch.nn.Module, document: Tokens) -> torch.Tensor:
    """What the model says about a document that has the world for itself: no mask, no positions, no padding."""
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.from_numpy(document.ids)[None]).logits[0]
    return logits


def find(batch: Batch, document: Tokens) -> tuple[int, slice]:
    """Row and columns in which a document stands."""
    for row, ids in enumerate(batch.input_ids):
        for start in range(len(ids) - len(document) + 1):
            if (ids[start : start + len(document)] == document.ids).all():
                return row, slice(start, start + len(document))
    raise AssertionError("the document is not in the batch")


def test_packed_documents_get_the_logits_that_they_get_alone(model, cpu, documents):
    batch = pack(documents, width=20)
    assert len(batch.input_ids) == 2
    logits = all_logits(model, batch, cpu)
    for document in documents:
        torch.testing.assert_close(logits[find(batch, document)], alone(model, document), rtol=0, atol=1e-5)


@pytest.mark.parametrize("changed", range(5))
def test_a_changed_document_leaves_its_neighbours_exactly_as_they_were(model, cpu, documents, changed):
    before = pack(documents, width=20)
    others = [document for i, document in enumerate(documents) if i != changed]
    places = [find(before, document) for document in others]
    documents[changed] = random_tokens(len(documents[changed]), seed=99)
    after = pack(documents, width=20)
    logits_before, logits_after = all_logits(model, before, cpu), all_logits(model, after, cpu)
    assert not torch.equal(logits_before, logits_after)
    for place in places:
        assert torch.equal(logits_before[place], logits_after[place])


def test_padded_documents_get_the_logits_that_they_get_alone(model, cpu, documents):
    logits = all_logits(model, pad(documents), cpu)
    for row, document in enumerate(documents):
        torch.testing.assert_close(logits[row, : len(document)], alone(model, document), rtol=0, atol=1e-5)


@pytest.mark.parametrize("arrange", [pad, lambda documents: pack(documents, width=20)], ids=["padded", "packed"])
def test_each_row_gets_the_columns_that_it_wants(model, cpu, documents, arrange):
    batch = arrange(documents)
    mask = mask_between_documents(model, batch.documents, cpu)
    columns = np.random.default_rng(0).integers(0, batch.input_ids.shape[1], (len(batch.input_ids), 3))
    with torch.inference_mode():
        some = next_token_logits(model, Question(batch.input_ids, batch.positions, mask, columns), cpu)
    every = all_logits(model, batch, cpu)
    for row, wanted in enumerate(columns):
        torch.testing.assert_close(some[row], every[row, wanted])


def test_with_numpy_1_each_row_gets_its_columns_too(model, cpu, documents, monkeypatch):
    expected = all_logits(model, pad(documents), cpu)
    unique = np.unique

    def of_numpy_1(array, return_inverse):
        values, place = unique(array, return_inverse=return_inverse)
        return values, place.ravel()

    monkeypatch.setattr(np, "unique", of_numpy_1)
    assert torch.equal(all_logits(model, pad(documents), cpu), expected)


def test_padding_gives_no_nan(model, cpu, documents):
    assert torch.isfinite(all_logits(model, pack(documents, width=20), cpu)).all()


class TestBorders:
    """Flash attention keeps documents apart without a mask, and nothing that comes out is another."""

    @pytest.fixture
    def flash(self, monkeypatch):
        """What flash attention does with borders, spelled out; it is there on an accelerator only."""

        def within(
            query: Tensor, key: Tensor, value: Tensor, starts: Tensor, others: Tensor, *longest: int, **named: Any
        ):
            assert named == {"window_size": (-1, 0)}
            assert others is starts
            assert longest == (int(starts.diff().max()),) * 2
            seen = []
            for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
                q, k, v = (part[begin:end].transpose(0, 1) for part in (query, key, value))  # (H, T, D / H) each
                seen.append(functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1))
            return torch.cat(seen)

        monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", within)
        monkeypatch.setattr(forward, "can_keep_within_borders", lambda *_: True)

    @pytest.mark.usefixtures("flash")
    def test_stand_where_documents_and_padding_begin(self, cpu):
        documents = np.array([[0, 0, 1, 1, 1], [0, 1, 2, -1, -1]])
        borders = mask_between_documents(tiny_quick_gpt2(), documents, cpu)
        assert isinstance(borders, Borders)
        assert borders.starts.tolist() == [0, 2, 5, 6, 7, 8, 10]
        assert borders.starts.dtype == torch.int32
        assert borders.longest == 3

    @pytest.mark.usefixtures("flash")
    def test_give_the_loss_and_the_gradients_of_a_mask(self, monkeypatch, documents, cpu):
        batch = pack(documents, width=20)
        batch.weights[0, 1:4] = 0  # so that rows have unlike numbers of learned tokens
        with_borders = loss_and_gradients(batch, cpu)
        monkeypatch.setattr(forward, "can_keep_within_borders", lambda *_: False)
        torch.testing.assert_close(with_borders, loss_and_gradients(batch, cpu))

    def test_are_for_an_accelerator_that_knows_them_and_drops_nothing(self, monkeypatch):
        model = tiny_quick_gpt2().train()
        assert not can_keep_within_borders(model, "cpu", torch.bfloat16)
        assert not can_keep_within_borders(model, "cuda", torch.float32)
        assert can_keep_within_borders(model, "cuda", torch.bfloat16)
        model.config.attn_pdrop = 0.1
        assert not can_keep_within_borders(model, "cuda", torch.bfloat16)
        assert can_keep_within_borders(model.eval(), "cuda", torch.bfloat16)
        monkeypatch.setattr(torch, "__version__", type(torch.__version__)("2.10.1"))
        assert not can_keep_within_borders(model, "cuda", torch.bfloat16)

    @pytest.mark.usefixtures("flash")
    def test_are_not_for_other_models(self, cpu):
        assert isinstance(mask_between_documents(tiny_gpt2(), np.array([[0, 1]]), cpu), Tensor)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
    def test_are_known_to_the_accelerator(self, monkeypatch):
        device = choose_device("cuda", "bf16")
        batch = pack([random_tokens(length) for length in (90, 70, 40, 120, 30)], width=200)
        with_borders = loss_and_gradients(batch, device)
        monkeypatch.setattr(forward, "can_keep_within_borders", lambda *_: False)
        for found, expected in zip(with_borders, loss_and_gradients(batch, device), strict=True):
            assert float((found - expected).norm() / expected.norm()) < 0.02


def loss_and_gradients(batch: Batch, device) -> list[Tensor]:
    model = tiny_quick_gpt2().to(device.name)
    total = learned_loss(model, batch, device).total
    total.backward()
    return [total.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]
