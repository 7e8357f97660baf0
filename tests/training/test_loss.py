from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from buddy.text.batches import pack, pad
from buddy.text.tokenizer import SoftLabel, Tokens
from buddy.training.loss import learned_loss
from tests.conftest import random_tokens


@pytest.fixture
def documents():
    """Texts of several lengths of which the last one, two or three tokens are learned."""
    return [
        Tokens(random_tokens(length).ids, np.array([0.0] * (length - learned) + [1.0] * learned, np.float32))
        for length, learned in ((9, 2), (5, 3), (14, 1), (2, 1), (7, 2))
    ]


def naive_sum(model: nn.Module, documents: list[Tokens]) -> torch.Tensor:
    """Hugging Face's own loss, a document at a time, its mean turned back into a sum."""
    total = torch.zeros(())
    for document in documents:
        ids = torch.from_numpy(document.ids)[None]
        targets = torch.where(torch.from_numpy(document.weights)[None] > 0, ids, -100)
        total = total + model(input_ids=ids, labels=targets).loss * (targets[:, 1:] != -100).sum()
    return total


def gradients(model: nn.Module, total: torch.Tensor) -> list[torch.Tensor | None]:
    model.zero_grad()
    total.backward()
    return [parameter.grad for parameter in model.parameters()]


def test_is_the_sum_of_hugging_faces_loss_and_the_count_of_learned_tokens(model, cpu, documents):
    loss = learned_loss(model, pad(documents), cpu)
    assert loss.weight == 9.0
    torch.testing.assert_close(loss.total, naive_sum(model, documents), rtol=1e-6, atol=1e-5)
    for found, expected in zip(
        gradients(model, loss.total), gradients(model, naive_sum(model, documents)), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("arrange", [pad, lambda documents: pack(documents, 23)], ids=["padded", "packed"])
def test_and_gradient_do_not_depend_on_how_documents_share_a_batch(model, cpu, documents, arrange):
    together = learned_loss(model, arrange(documents), cpu)
    alone = [learned_loss(model, pad([document]), cpu) for document in documents]
    assert together.weight == sum(loss.weight for loss in alone)
    one_by_one = torch.stack([loss.total for loss in alone]).sum()
    torch.testing.assert_close(together.total, one_by_one, rtol=1e-6, atol=1e-6)
    for found, expected in zip(gradients(model, together.total), gradients(model, one_by_one), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_weighs_each_token(model, cpu):
    ids = random_tokens(8).ids
    weights = np.array([0.3, 0.2, 0.2, 0.0, 0.5, 0.2, 1.0, 1.0], np.float32)
    loss = learned_loss(model, pad([Tokens(ids, weights)]), cpu)
    with torch.no_grad():
        nll = -model(torch.from_numpy(ids)[None]).logits[0].log_softmax(-1)
    expected = sum(weights[i] * float(nll[i - 1, ids[i]]) for i in range(1, 8))
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-5)
    assert loss.weight == pytest.approx(3.1), "nothing stands before the first token, so it is never learned"


def test_gives_no_thought_to_gradients_where_nobody_learns(model, cpu, documents, monkeypatch):
    learning = learned_loss(model, pad(documents), cpu)
    monkeypatch.setattr("buddy.training.loss._gradient", None)
    for judging in (torch.no_grad(), torch.inference_mode()):
        with judging:
            assert learned_loss(model, pad(documents), cpu).total == learning.total


def test_teaches_the_layers_alone_where_the_output_layer_is_frozen(model, cpu, documents):
    whole = gradients(model, learned_loss(model, pad(documents), cpu).total)
    frozen = model.get_output_embeddings().weight.requires_grad_(False)
    found = gradients(model, learned_loss(model, pad(documents), cpu).total)
    for parameter, one, other in zip(model.parameters(), found, whole, strict=True):
        if parameter is not frozen:
            torch.testing.assert_close(one, other)


def test_of_a_batch_in_which_nothing_is_learned_is_zero_and_teaches_nothing(model, cpu):
    """It still has a gradient: a process without a share of its own takes part in the exchange with the others."""
    loss = learned_loss(model, pad([random_tokens(4, learned=0.0)]), cpu)
    assert (float(loss.total.detach()), loss.weight) == (0.0, 0.0)
    assert not any(gradient is not None and gradient.any() for gradient in gradients(model, loss.total))


@pytest.fixture
def taught(documents):
    """The first and the third of the documents have a teacher, one of them besides a label of their own."""
    random = np.random.default_rng(5)
    answers = [random.dirichlet(np.ones(4)).astype(np.float32) for _ in range(2)]
    with_label = replace(documents[0], soft_label=SoftLabel(7, answers[0]))
    without = replace(documents[2], weights=documents[2].weights * 0, soft_label=SoftLabel(5, answers[1]))
    return [with_label, documents[1], without, *documents[3:]]


LABEL_IDS = (3, 17, 4, 40)


def soft_sum(model: nn.Module, documents: list[Tokens]) -> torch.Tensor:
    """The cross-entropy against the teacher's answers, from Hugging Face's logits, a document at a time."""
    total = torch.zeros(())
    for document in documents:
        if document.soft_label is not None:
            logits = model(input_ids=torch.from_numpy(document.ids)[None]).logits[0, document.soft_label.at - 1]
            of_labels = logits.log_softmax(0)[list(LABEL_IDS)]
            total = total - (of_labels * torch.from_numpy(document.soft_label.probabilities)).sum()
    return total


@pytest.mark.parametrize(
    "arrange",
    [lambda some: pad(some, LABEL_IDS), lambda some: pack(some, 23, LABEL_IDS)],
    ids=["padded", "packed"],
)
def test_a_teachers_answer_is_learned_beside_the_labels(model, cpu, taught, arrange):
    loss = learned_loss(model, arrange(taught), cpu)
    assert loss.weight == 8.0 + 2
    labelled = [document for document in taught if document.weights.any()]

    def expected() -> torch.Tensor:
        return naive_sum(model, labelled) + soft_sum(model, taught)

    torch.testing.assert_close(loss.total, expected(), rtol=1e-5, atol=1e-5)
    for found, wanted in zip(gradients(model, loss.total), gradients(model, expected()), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
