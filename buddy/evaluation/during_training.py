"""The evaluate function that training is handed: loss over learned tokens, accuracy over whole labels."""

from collections.abc import Callable, Sequence

import numpy as np
from torch import nn

from buddy.data.prepared import PreparedData
from buddy.inference.classifier import label_trie, score_texts
from buddy.inference.labels import LabelTrie
from buddy.records import Example
from buddy.text.batches import Batch, split_by_tokens
from buddy.text.tokenizer import Codec, Tokens
from buddy.training.device import Device
from buddy.training.loop import Evaluate, Sums, tokens_per_pass
from buddy.training.loss import learned_loss
from buddy.training.settings import TrainSettings

TRAIN_SAMPLE = 1000
"""Of the training texts a seeded sample of this size gives the train curve; scoring all would cost as much as
an epoch, and a thousand give the accuracy to within 3 points."""


def make_evaluate(
    settings: TrainSettings,
    data: PreparedData,
    codec: Codec,
    documents: dict[str, list[Tokens]],
    collate: Callable[[Sequence[Tokens]], Batch],
    device: Device,
) -> Evaluate:
    """Build the evaluate function of a run.

    Both curves come from the same function on a model at rest (no dropout, no averaging over past weights), so
    that the gap between them means one thing only: how much better the model knows what it has seen.
    """
    trie = label_trie(codec, data.labels)
    examples = {split: data.examples(split) for split in ("train", "valid")}
    random = np.random.default_rng(settings.seed)
    chosen = {
        split: random.permutation(len(documents[split]))[: TRAIN_SAMPLE if split == "train" else None]
        for split in documents
    }
    asked = {
        split: random.permutation(len(examples[split]))[: TRAIN_SAMPLE if split == "train" else None]
        for split in examples
    }

    def evaluate(model: nn.Module, split: str, share: int, shares: int) -> Sums:
        some_documents = [documents[split][i] for i in chosen[split][share::shares]]
        some_examples = [examples[split][i] for i in asked[split][share::shares]]
        loss = _count_loss(model, some_documents, collate, device, tokens_per_pass(settings, device))
        return loss + _count_correct(model, some_examples, data.labels, codec, trie, device, settings.max_tokens)

    return evaluate


def _count_loss(
    model: nn.Module,
    documents: Sequence[Tokens],
    collate: Callable[[Sequence[Tokens]], Batch],
    device: Device,
    max_tokens: int,
) -> Sums:
    lengths = [len(document) for document in documents]
    by_length = sorted(range(len(documents)), key=lambda i: -lengths[i])
    total = Sums()
    for indices in split_by_tokens(by_length, lengths, max_tokens):
        loss = learned_loss(model, collate([documents[i] for i in indices]), device)
        total += Sums(loss=float(loss.total), weight=loss.weight)
    return total


def _count_correct(
    model: nn.Module,
    examples: Sequence[Example],
    labels: Sequence[str],
    codec: Codec,
    trie: LabelTrie,
    device: Device,
    max_tokens: int,
) -> Sums:
    if not examples:
        return Sums()
    scores = score_texts(model, [example.text for example in examples], codec, trie, device, max_tokens)
    predicted = [labels[column] for column in scores.argmax(axis=1)]
    correct = sum(guess == example.label for guess, example in zip(predicted, examples, strict=True))
    return Sums(correct=correct, texts=len(examples))
