"""Reply speed: buddy against Hugging Face's ``generate``, word by word, with the same weights and conversations.

Both stream one reply at a time, drawn with the same temperature and top-p, and both are made to write so many tokens.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast, TextIteratorStreamer

from buddy.bench.hugging_face import load_as_hugging_face
from buddy.companion.buddy import Buddy
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.engine import Sampling
from buddy.progress import progress
from buddy.text.render import render_reply_question
from buddy.text.tokenizer import Tokens

BUDDY, GENERATE = "buddy", "generate, fp32"
TOKENS = 32
SAMPLING = Sampling(max_tokens=TOKENS)

Side = Callable[[Tokens], Iterator[object]]
"""Takes a conversation up to the reply, gives the reply piece by piece."""


@dataclass(frozen=True)
class Speed:
    """One side in all rounds."""

    tokens_per_second: list[float] = field(default_factory=list)
    milliseconds_to_first: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """Both sides, and what a whole reply of ``Buddy`` takes: candidates, choice and all.

    Attributes:
        model: the folder.
        conversations: how many.
        sides: by name.
        reply_milliseconds: the median time of a reply, the best of eight.
        reply_words_per_second: words of these replies, over their time.
    """

    model: str
    conversations: int
    sides: Mapping[str, Speed]
    reply_milliseconds: float
    reply_words_per_second: float

    def ratios(self) -> list[float]:
        """How many times more tokens a second buddy writes, by round."""
        pairs = zip(self.sides[BUDDY].tokens_per_second, self.sides[GENERATE].tokens_per_second, strict=True)
        return [ours / theirs for ours, theirs in pairs]

    def to_json(self) -> dict[str, object]:
        """Give everything measured, and the median, for a file."""
        return {**asdict(self), "ratio": statistics.median(self.ratios())}


def bench_chat(model: Path, messages: Sequence[str], rounds: int = 3) -> Comparison:
    """Let both sides reply to the same messages in turn.

    Args:
        model: an exported companion of GPT-2's kind, or a checkpoint of one.
        messages: each begins a conversation of its own.
        rounds: how often each side is measured.

    Raises:
        UserMistake: the model has not learned to reply, or is none that ``generate`` can use, too.
    """
    buddy = Buddy(model)
    buddy.require_replies()
    classifier = load_classifier(model)
    prefixes = classifier.codec.encode(
        [render_reply_question([one]) for one in messages], classifier.max_tokens - TOKENS
    )
    sides: dict[str, Side] = {
        BUDDY: lambda prefix: classifier.engine.stream(prefix, SAMPLING, ()),
        GENERATE: _generate(*load_as_hugging_face(model), classifier),
    }
    speeds = {name: Speed() for name in sides}
    replies: list[tuple[float, int]] = []
    with progress("measuring", (len(sides) + 1) * rounds, "runs") as bar:
        for side in sides.values():
            list(side(prefixes[0]))  # warms it up
        buddy.get_ready()
        for _ in range(rounds):
            for name, side in sides.items():
                first, whole = zip(*(_time(side, prefix) for prefix in prefixes), strict=True)
                speeds[name].tokens_per_second.append(TOKENS * len(prefixes) / sum(whole))
                speeds[name].milliseconds_to_first.append(1000 * statistics.median(first))
                bar.advance(1, note=name)
            replies += [_reply(buddy, one) for one in messages]
            bar.advance(1, note="whole replies")
    seconds, words = zip(*replies, strict=True)
    return Comparison(str(model), len(messages), speeds, 1000 * statistics.median(seconds), sum(words) / sum(seconds))


def _time(side: Side, prefix: Tokens) -> tuple[float, float]:
    """Give the seconds until the first piece, and until the last."""
    started = time.perf_counter()
    pieces = side(prefix)
    next(pieces)
    first = time.perf_counter() - started
    for _ in pieces:
        pass
    return first, time.perf_counter() - started


def _reply(buddy: Buddy, message: str) -> tuple[float, int]:
    """Give the seconds that a whole reply takes, and its words."""
    started = time.perf_counter()
    reply = buddy.reply([message])
    return time.perf_counter() - started, len(reply.split())


def _generate(network: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, classifier: Classifier) -> Side:
    """Stream as the library's documentation shows it: ``generate`` in a thread, pieces from a queue."""

    def write(prefix: Tokens) -> Iterator[object]:
        streamer: Any = TextIteratorStreamer(cast(Any, tokenizer), skip_prompt=True)
        options = {
            "input_ids": torch.from_numpy(prefix.ids)[None],
            "attention_mask": torch.ones(1, len(prefix), dtype=torch.int64),
            "max_new_tokens": TOKENS,
            "min_new_tokens": TOKENS,
            "do_sample": True,
            "temperature": SAMPLING.temperature,
            "top_p": SAMPLING.top_p,
            "top_k": SAMPLING.top_k,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": list(classifier.codec.reply_ends),
            "streamer": streamer,
        }
        with ThreadPoolExecutor(1) as thread:
            writing = thread.submit(cast(Any, network).generate, **options)
            writing.add_done_callback(lambda _: streamer.end())  # a failure does not end it
            yield from streamer
            writing.result()

    return write
