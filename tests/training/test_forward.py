"""Packed documents do not see each other, padding changes nothing, and positions start anew in each document."""

import numpy as np
import pytest
import torch

from buddy.text.batches import Batch, pack, pad
from buddy.text.tokenizer import Tokens
from buddy.training.forward import Question, next_token_logits, same_document_mask
from tests.conftest import random_tokens


@pytest.fixture
def documents():
    return [random_tokens(length) for length in (9, 7, 4, 12, 3)]


def all_logits(model: torch.nn.Module, batch: Batch, cpu) -> torch.Tensor:
    mask = None if batch.documents is None else same_document_mask(batch.documents)
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
    mask = None if batch.documents is None else same_document_mask(batch.documents)
    columns = np.random.default_rng(0).integers(0, batch.input_ids.shape[1], (len(batch.input_ids), 3))
    with torch.inference_mode():
        some = next_token_logits(model, Question(batch.input_ids, batch.positions, mask, columns), cpu)
    every = all_logits(model, batch, cpu)
    for row, wanted in enumerate(columns):
        torch.testing.assert_close(some[row], every[row, wanted])


def test_padding_gives_no_nan(model, cpu, documents):
    assert torch.isfinite(all_logits(model, pack(documents, width=20), cpu)).all()
