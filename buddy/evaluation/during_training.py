"""The evaluate function that training is handed: loss over learned tokens, accuracy over whole labels."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from torch import nn
from torch.nn import functional

from buddy.inference.classifier import score_texts
from buddy.inference.labels import LabelTrie, label_trie
from buddy.records import Example
from buddy.text.batches import Batch, split_by_tokens
from buddy.text.tokenizer import Codec, Tokens
from buddy.training.device import Device
from buddy.training.forward import Question, mask_between_documents, next_token_logits
from buddy.training.lessons import Lessons
from buddy.training.loop import Evaluate, Sums, tokens_per_pass
from buddy.training.loss import learned_loss
from buddy.training.settings import TrainSettings

T = TypeVar("T")

ROWS_OF_TEXT = 128
"""In pre-training both curves come from so many rows; at 256 tokens a row their loss is known to about 1%."""

TRAIN_SAMPLE = 1000
"""Of the training texts a seeded sample of this size gives the train curve; scoring all would cost as much as
an epoch, and a thousand give the accuracy to within 3 points."""


def make_evaluate(
    settings: TrainSettings, labels: Sequence[str], codec: Codec, lessons: Lessons, device: Device
) -> Evaluate:
    """Build the evaluate function of a run.

    Both curves come from the same function on a model at rest (no dropout, no averaging over past weights), so
    that the gap between them means one thing only: how much better the model knows what it has seen.

    Accuracy is that of labels; in pre-training, which has none, that of the next token.
    """
    random = np.random.default_rng(settings.seed)
    learns_text = settings.task == "text"
    few = ROWS_OF_TEXT if learns_text else TRAIN_SAMPLE
    documents = {
        "train": _sample(lessons.judged(), few, random),
        "valid": _sample(lessons.valid, few if learns_text else len(lessons.valid), random),
    }
    asked = {
        split: _sample(examples, few if split == "train" else len(examples), random)
        for split, examples in lessons.asked.items()
    }
    trie = label_trie(codec, labels)
    at_once = tokens_per_pass(settings, device)

    def evaluate(model: nn.Module, split: str, share: int, shares: int) -> Sums:
        mine = documents[split][share::shares]
        if learns_text:
            return _count_next_tokens(model, mine, lessons.collate, device, at_once)
        loss = _count_loss(model, mine, lessons.collate, device, at_once)
        questions = asked[split][share::shares]
        return loss + _count_correct(model, questions, labels, codec, trie, device, settings)

    return evaluate


def _sample(items: Sequence[T], size: int, random: np.random.Generator) -> list[T]:
    return [items[i] for i in random.permutation(len(items))[:size]]


def _batches(
    documents: Sequence[Tokens], collate: Callable[[Sequence[Tokens]], Batch], max_tokens: int
) -> Iterator[Batch]:
    lengths = [len(document) for document in documents]
    by_length = sorted(range(len(documents)), key=lambda i: -lengths[i])
    for indices in split_by_tokens(by_length, lengths, max_tokens):
        yield collate([documents[i] for i in indices])


def _count_loss(
    model: nn.Module,
    documents: Sequence[Tokens],
    collate: Callable[[Sequence[Tokens]], Batch],
    device: Device,
    max_tokens: int,
) -> Sums:
    total = Sums()
    for batch in _batches(documents, collate, max_tokens):
        loss = learned_loss(model, batch, device)
        total += Sums(loss=float(loss.total), weight=loss.weight)
    return total


def _count_next_tokens(
    model: nn.Module,
    documents: Sequence[Tokens],
    collate: Callable[[Sequence[Tokens]], Batch],
    device: Device,
    max_tokens: int,
) -> Sums:
    """Count the loss of text, and how many tokens are the likeliest in their place."""
    total = Sums()
    for batch in _batches(documents, collate, max_tokens):
        learned = batch.weights[:, 1:] > 0  # (B, T - 1)
        columns = np.broadcast_to(np.arange(learned.shape[1]), learned.shape)
        mask = mask_between_documents(model, batch.documents, device)
        logits = next_token_logits(model, Question(batch.input_ids, batch.positions, mask, columns.copy()), device)
        here = device.tensor(learned)
        ids = device.tensor(batch.input_ids[:, 1:][learned])  # (N,)
        logits = logits[here].float()  # (N, V)
        total += Sums(
            loss=float(functional.cross_entropy(logits, ids, reduction="sum")),
            weight=float(learned.sum()),
            correct=float((logits.argmax(dim=1) == ids).sum()),
            texts=float(learned.sum()),
        )
    return total


def _count_correct(
    model: nn.Module,
    examples: Sequence[Example],
    labels: Sequence[str],
    codec: Codec,
    trie: LabelTrie,
    device: Device,
    settings: TrainSettings,
) -> Sums:
    if not examples:
        return Sums()
    texts = [example.text for example in examples]
    scores = score_texts(model, texts, codec, trie, device, settings.max_tokens, settings.tokens_per_pass)
    predicted = [labels[column] for column in scores.argmax(axis=1)]
    correct = sum(guess == example.label for guess, example in zip(predicted, examples, strict=True))
    return Sums(correct=correct, texts=len(examples))
