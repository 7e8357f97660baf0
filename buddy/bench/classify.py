"""Classification speed: buddy against what one would otherwise write, with the same weights on the same texts.

Three others: ``generate`` in batches, whose words are looked up among the labels; one plain forward pass for each batch
of texts of similar length, in bf16; and Hugging Face's pipeline with a classification head. All sides take turns,
because other work on the machine slows whoever happens to run.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import GPT2ForSequenceClassification, GPT2LMHeadModel, PreTrainedTokenizerFast, pipeline

from buddy.bench.hugging_face import load_as_hugging_face
from buddy.inference.classifier import Classifier, load_classifier
from buddy.progress import progress
from buddy.text.render import EMOTION_TYPE, render_emotion_question

BATCH_SIZE = 32
TEXTS_ALONE = 30
BUDDY = "buddy"
Side = Callable[[Sequence[str]], Sequence[str]]
"""Takes texts, gives a label for each, or something that is none."""


@dataclass(frozen=True)
class Speed:
    """One side in all rounds.

    Attributes:
        texts_per_second: of many texts at once.
        milliseconds: of one text alone, the median in each round.
        same_answer: on how many of the texts, as a share, it agrees with buddy.
    """

    texts_per_second: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    same_answer: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """All sides, and the arithmetic of all layers at every token (a checkpoint's top layer does less).

    Attributes:
        model: the folder.
        texts: how many.
        sides: by name, buddy first.
        gflop_per_text: multiplications and additions, in billions, of reading a text once.
        gflop_per_second: how many of them the machine does in large products of matrices in bf16, in each round.
    """

    model: str
    texts: int
    sides: Mapping[str, Speed]
    gflop_per_text: float
    gflop_per_second: Sequence[float]

    def ratios(self, name: str) -> list[float]:
        """How many times more texts a second buddy does than another side, by round."""
        pairs = zip(self.sides[BUDDY].texts_per_second, self.sides[name].texts_per_second, strict=True)
        return [ours / theirs for ours, theirs in pairs]

    @property
    def share_of_limit(self) -> float:
        """What buddy does, over what the arithmetic in bf16 would allow, by round; 8-bit numbers can exceed it."""
        rounds = zip(self.sides[BUDDY].texts_per_second, self.gflop_per_second, strict=True)
        return statistics.median(texts * self.gflop_per_text / limit for texts, limit in rounds)

    def to_json(self) -> dict[str, object]:
        """Give everything measured, and the medians, for a file."""
        ratios = {name: statistics.median(self.ratios(name)) for name in self.sides if name != BUDDY}
        return {**asdict(self), "ratios": ratios, "share_of_limit": self.share_of_limit}


def bench_classify(model: Path, texts: Sequence[str], rounds: int = 3) -> Comparison:
    """Let all sides classify the same texts in turn.

    Args:
        model: an exported GPT-2, or a checkpoint of one.
        texts: of about the lengths that matter.
        rounds: how often each side is measured.

    Raises:
        UserMistake: the model is none that the others can use, too.
    """
    classifier = load_classifier(model)
    network, tokenizer = load_as_hugging_face(model)
    sides: dict[str, Side] = {
        BUDDY: lambda some: [classifier.labels[column] for column in classifier.probabilities(some).argmax(axis=1)],
        "one bf16 pass a batch": _forward(network, tokenizer, classifier),
        "generate, fp32": _generate(network, tokenizer, classifier),
        "pipeline with a head, fp32": _pipeline(network, tokenizer, classifier),
    }
    speeds = {name: Speed() for name in sides}
    limits = []
    with progress("measuring", len(sides) * (rounds + 1), "runs") as bar:
        answers = {}
        for name, side in sides.items():
            answers[name] = side(texts[: 4 * BATCH_SIZE])  # warms it up
            bar.advance(1, note=name)
        for _ in range(rounds):
            limits.append(_gflop_per_second())
            for name, side in sides.items():
                speeds[name].texts_per_second.append(len(texts) / _seconds(side, texts))
                alone = [_seconds(side, [text]) for text in texts[:TEXTS_ALONE]]
                speeds[name].milliseconds.append(1000 * statistics.median(alone))
                bar.advance(1, note=name)
    found = {
        name: Speed(
            speed.texts_per_second,
            speed.milliseconds,
            float(np.mean([one == other for one, other in zip(answers[name], answers[BUDDY], strict=True)])),
        )
        for name, speed in speeds.items()
    }
    return Comparison(str(model), len(texts), found, _gflop_per_text(network, classifier, texts), limits)


def _seconds(side: Side, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    side(texts)
    return time.perf_counter() - started


def _generate(network: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, classifier: Classifier) -> Side:
    """Let the model write what follows the question, and take it for the label."""
    longest = max(len(classifier.codec.encode_label(label)) for label in classifier.labels) + 1

    def answer(texts: Sequence[str]) -> list[str]:
        written = []
        for start in range(0, len(texts), BATCH_SIZE):
            asked = [f" {text}{EMOTION_TYPE}" for text in texts[start : start + BATCH_SIZE]]
            batch = tokenizer(asked, **_as_tensors(classifier))
            with torch.inference_mode():
                ids = cast(Any, network).generate(
                    **batch,
                    max_new_tokens=longest,
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                    eos_token_id=list(classifier.codec.reply_ends),
                )
            new = ids[:, batch["input_ids"].shape[1] :]
            written += [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]
        return written

    return answer


def _forward(network: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, classifier: Classifier) -> Side:
    """Take the likeliest first token of a label, after one pass for each batch of texts of similar length."""
    columns = torch.tensor([classifier.codec.encode_label(label)[0] for label in classifier.labels])

    def answer(texts: Sequence[str]) -> list[str]:
        found = [""] * len(texts)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), BATCH_SIZE):
            indices = order[start : start + BATCH_SIZE]
            asked = [f" {texts[i]}{EMOTION_TYPE}" for i in indices]
            batch = tokenizer(asked, **_as_tensors(classifier))
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                logits = network(**batch, logits_to_keep=1).logits[:, -1]
            for i, column in zip(indices, logits[:, columns].argmax(dim=1).tolist(), strict=True):
                found[i] = classifier.labels[column]
        return found

    return answer


def _pipeline(network: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, classifier: Classifier) -> Side:
    """Use Hugging Face's text classification with a head of random weights: its speed counts, not its answers."""
    config = type(network.config)(**{**network.config.to_dict(), "num_labels": len(classifier.labels)})
    config.pad_token_id = tokenizer.pad_token_id
    head = GPT2ForSequenceClassification(config)
    head.transformer.load_state_dict(network.transformer.state_dict())
    head.train(False)
    classify = cast(Any, pipeline)("text-classification", model=head, tokenizer=tokenizer, device="cpu")

    def answer(texts: Sequence[str]) -> list[str]:
        asked = [f" {text}" for text in texts]
        options = {"truncation": True, "max_length": classifier.max_tokens}
        return [one["label"] for one in classify(asked, batch_size=BATCH_SIZE, **options)]

    return answer


def _as_tensors(classifier: Classifier) -> dict[str, Any]:
    return {"return_tensors": "pt", "padding": True, "truncation": True, "max_length": classifier.max_tokens}


def _gflop_per_text(network: GPT2LMHeadModel, classifier: Classifier, texts: Sequence[str]) -> float:
    """Count the multiplications and additions of the layers' matrices, for the average text."""
    asked = classifier.codec.encode([render_emotion_question(text) for text in texts], classifier.max_tokens)
    weights = sum(table.numel() for name, table in network.named_parameters() if ".h." in name and table.dim() == 2)
    return 2 * weights * sum(map(len, asked)) / len(asked) / 1e9


def _gflop_per_second(size: int = 2048, times: int = 40) -> float:
    """Measure how quickly the machine multiplies large matrices in bf16, for so long that no moment decides."""
    one, other = torch.randn(2, size, size).to(torch.bfloat16)
    _ = one @ other
    started = time.perf_counter()
    for _ in range(times):
        _ = one @ other
    return 2 * size**3 * times / (time.perf_counter() - started) / 1e9
