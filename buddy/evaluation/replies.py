"""How well does a model foresee what a good listener said? Perplexity of the replies in real conversations.

The model reads each conversation as it was and says for every token of the listener, and for the token that ends
each of his turns, how likely it was. The speaker's words are read and not judged.

A perplexity says among how many equally likely words the model hesitates, so it depends on what a word is. Tokens
are each model's own; only figures per word compare, and only when words are counted alike: see ``words``.

Shapes: ``D`` conversations, ``R`` replies in them, ``T`` tokens of a conversation.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from buddy.evaluation.bootstrap import Interval, draws, interval
from buddy.evaluation.metrics import Floats, Integers
from buddy.evaluation.words import split_words
from buddy.inference.engine import Engine
from buddy.progress import progress
from buddy.records import Dialogue
from buddy.text.render import render_dialogue
from buddy.text.tokenizer import Tokens

CONVERSATIONS_AT_ONCE = 256


@dataclass(frozen=True)
class Surprise:
    """How surprised the model was at each reply, and how much text that was.

    Attributes:
        nats: (R,) the sum of -log of the probabilities of the reply's tokens and of its end.
        sizes: (R, 4) how much was said, in the units of ``UNITS``.
        conversations: (R,) the number of the conversation that the reply stands in.
    """

    nats: Floats
    sizes: Floats
    conversations: Integers


UNITS = ("tokens", "words", "space_words", "bytes")
"""Of a reply with its end, which counts one in every unit (as bytes: a line feed)."""

WORDS = UNITS.index("words")

MOST_NATS = 700.0
"""Of a unit: more, and its perplexity is no number any more. A reply without spaces is one word, however long."""


@dataclass(frozen=True)
class Perplexity:
    """How hard the replies of a split are to foresee; lower is better.

    Attributes:
        conversations: how many there are.
        replies: how many turns the listener has in them.
        nats: the surprise at all of them together.
        tokens: of the model's own tokenizer, the ends of the replies among them, as in the next three.
        words: as published systems count them, see ``words``.
        space_words: what stands between white space: fewer, so the perplexity is higher.
        bytes: in UTF-8.
        per_token: exp(nats / tokens).
        per_word: exp(nats / words).
        per_word_interval: where it would be on other conversations of this kind, in 95% of cases.
        per_word_by_reply: exp of the mean over replies of nats / words. Published code averages in this way, by
            which a word of a short reply counts more.
        per_space_word: exp(nats / space_words).
        bits_per_byte: nats / bytes, in bits.

    A perplexity is ``None`` where its units hold so much text that it would be too large for a number.
    """

    conversations: int
    replies: int
    nats: float
    tokens: int
    words: int
    space_words: int
    bytes: int
    per_token: float | None
    per_word: float | None
    per_word_interval: Interval | None
    per_word_by_reply: float | None
    per_space_word: float | None
    bits_per_byte: float


def judge_replies(
    engine: Engine, dialogues: Sequence[Dialogue], max_tokens: int, resamples: int = 1000, seed: int = 13
) -> Perplexity:
    """Tell how well a model foresees the listener's turns.

    Args:
        engine: the model.
        dialogues: at least one of them with a listener's turn.
        max_tokens: how much the model reads at once. In a longer conversation each token is judged with at least
            half as many before it.
        resamples: how many bootstrap samples of conversations the interval comes from; 0 for none.
        seed: of these samples.
    """
    return summarise(measure_surprise(engine, dialogues, max_tokens), resamples, seed)


def measure_surprise(engine: Engine, dialogues: Sequence[Dialogue], max_tokens: int) -> Surprise:
    """Add up the surprise at each reply.

    The layout is the one without emotions, ``<SPEAKER> … <LISTENER> reply <SPEAKER> …``: the model gets no hint.
    """
    found: list[tuple[float, int]] = []
    with progress("reading conversations", total=len(dialogues), unit="conversations") as bar:
        for start in range(0, len(dialogues), CONVERSATIONS_AT_ONCE):
            some = dialogues[start : start + CONVERSATIONS_AT_ONCE]
            found += _surprise_at_replies(engine, some, max_tokens)
            bar.advance(len(some))
    replies = [(number, reply) for number, one in enumerate(dialogues) for reply in one.turns[1::2]]
    return Surprise(
        nats=np.array([nats for nats, _ in found]),
        sizes=np.array([(tokens, *_size_of(reply)) for (_, tokens), (_, reply) in zip(found, replies, strict=True)]),
        conversations=np.array([number for number, _ in replies], dtype=np.int64),
    )


def summarise(surprise: Surprise, resamples: int, seed: int) -> Perplexity:
    """Turn surprises into perplexities.

    Raises:
        ValueError: no listener said anything: there is nothing to divide by.

    Example:
        >>> oh_no_and_the_end = [4, 4, 3, 7]  # Oh, no, ! and the end
        >>> one = Surprise(np.array([4 * np.log(8)]), np.array([oh_no_and_the_end]), np.array([0]))
        >>> found = summarise(one, resamples=0, seed=13)
        >>> round(found.per_word, 6), round(found.per_space_word, 6), found.replies
        (8.0, 16.0, 1)
    """
    if not surprise.nats.size:
        raise ValueError("no conversation has a turn of the listener")
    nats = float(surprise.nats.sum())
    tokens, words, space_words, size = map(int, surprise.sizes.sum(axis=0))
    return Perplexity(
        conversations=len(set(surprise.conversations.tolist())),
        replies=len(surprise.nats),
        nats=nats,
        tokens=tokens,
        words=words,
        space_words=space_words,
        bytes=size,
        per_token=_perplexity(nats / tokens),
        per_word=_perplexity(nats / words),
        per_word_interval=_interval(surprise, resamples, seed),
        per_word_by_reply=_perplexity(float(np.mean(surprise.nats / surprise.sizes[:, WORDS]))),
        per_space_word=_perplexity(nats / space_words),
        bits_per_byte=nats / math.log(2) / size,
    )


def _perplexity(nats_per_unit: float) -> float | None:
    return math.exp(nats_per_unit) if nats_per_unit <= MOST_NATS else None


def _surprise_at_replies(engine: Engine, dialogues: Sequence[Dialogue], max_tokens: int) -> list[tuple[float, int]]:
    """Give the nats and the number of tokens of each reply with its end."""
    documents = engine.codec.encode([render_dialogue(one, emotion_after=()) for one in dialogues])
    nats = _nats_at_tokens(engine, documents, max_tokens)
    return [
        (float(of_tokens[places].sum()), len(places))
        for document, of_tokens in zip(documents, nats, strict=True)
        for places in _places_of_replies(document)
    ]


def _nats_at_tokens(engine: Engine, documents: Sequence[Tokens], max_tokens: int) -> list[Floats]:
    """Give the surprise at every token of each document, 0 at the first."""
    nats = [np.zeros(len(document)) for document in documents]
    windows = [(i, *window) for i, document in enumerate(documents) for window in _windows(len(document), max_tokens)]
    read = [Tokens(documents[i].ids[start:stop], documents[i].weights[start:stop]) for i, start, stop, _ in windows]
    for (i, start, stop, first), log_probabilities in zip(windows, engine.score_tokens(read), strict=True):
        nats[i][first:stop] = -log_probabilities[first - start - 1 :]
    return nats


def _places_of_replies(document: Tokens) -> list[Integers]:
    """Find the tokens of each reply with its end: the stretches that have a weight in this layout."""
    places = np.flatnonzero(document.weights > 0)
    gaps = np.flatnonzero(np.diff(places) > 1)  # there is always a speaker's turn between two replies
    return np.split(places, gaps + 1) if places.size else []


def _windows(length: int, max_tokens: int) -> Iterator[tuple[int, int, int]]:
    """Give (start, stop, first judged): stretches of at most ``max_tokens`` in which each token is judged once.

    The first one begins at the start; of each later one only the new half is judged.

    Example:
        >>> list(_windows(5, 8)), list(_windows(11, 8))
        ([(0, 5, 1)], [(0, 8, 1), (3, 11, 8)])
    """
    stop = min(length, max_tokens)
    yield 0, stop, 1
    while stop < length:
        first, stop = stop, min(length, stop + max_tokens // 2)
        yield stop - max_tokens, stop, first


def _size_of(reply: str) -> tuple[int, int, int]:
    """Count words, words between white space, and bytes of a reply, its end as one more."""
    said = reply.strip()
    return len(split_words(said)) + 1, len(said.split()) + 1, len(said.encode("utf-8", "replace")) + 1


def _interval(surprise: Surprise, resamples: int, seed: int) -> Interval | None:
    """Draw conversations, not replies: what is said in one conversation hangs together."""
    if not resamples:
        return None
    nats, words = (
        np.bincount(surprise.conversations, weights=values) for values in (surprise.nats, surprise.sizes[:, WORDS])
    )
    drawn = [(weights @ nats) / (weights @ words) for weights in draws(len(words), resamples, seed)]
    low, high = interval(float(nats.sum() / words.sum()), np.concatenate(drawn))
    return (math.exp(low), math.exp(high)) if high <= MOST_NATS else None
