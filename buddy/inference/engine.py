"""What can be asked of a model, whatever computes it.

An engine takes tokens and gives numbers and tokens. It knows nothing of emotions or conversations; ``Classifier`` and
the companion put their questions into these few.

Shapes: `N` texts, `E` labels, `T` tokens of a document, `V` vocabulary.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from buddy.inference.labels import LabelTrie, Scores
from buddy.text.batches import split_by_tokens
from buddy.text.tokenizer import Codec, Tokens


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen from its probabilities.

    Attributes:
        temperature: below 1 likely tokens become likelier; 0 always takes the likeliest.
        top_p: only the likeliest tokens that together have this probability can be drawn.
        top_k: only so many of the likeliest tokens can be drawn; 0: all, 1: always the likeliest.
        max_tokens: where an answer that does not end is cut.
        repetition_penalty: above 1 tokens of the answer so far become less likely.
        no_repeat_ngram: no sequence of so many tokens occurs twice in an answer; 0: any may.
        seed: the same seed draws the same answers to the same contexts in the same order; ``None``: others every time.

    Both rules against repetition look at the answer alone: taking up a word of the question is no fault.
    """

    temperature: float = 0.8
    top_p: float = 0.9
    top_k: int = 64
    max_tokens: int = 48
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 4
    seed: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no engine can do; some would go on with other values.

        Raises:
            ValueError: a value is out of range.
        """
        allowed = {
            "temperature": self.temperature >= 0,
            "top_p": 0 < self.top_p <= 1,
            "top_k": self.top_k >= 0,
            "max_tokens": self.max_tokens >= 1,
            "repetition_penalty": self.repetition_penalty > 0,
            "no_repeat_ngram": self.no_repeat_ngram >= 0,
            "seed": self.seed is None or 0 <= self.seed < 2**31,
        }
        for name, is_allowed in allowed.items():
            if not is_allowed:
                raise ValueError(f"{name} cannot be {getattr(self, name)}")

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token is always taken, so that nothing is left to chance."""
        return self.temperature == 0 or self.top_k == 1


class Engine(Protocol):
    """A causal language model in evaluation mode. Any number of threads may ask one engine at the same time."""

    @property
    def codec(self) -> Codec:
        """The model's tokenizer."""

    def score_labels(self, questions: Sequence[Tokens], trie: LabelTrie) -> Scores:
        """Score every label for every text.

        Args:
            questions: rendered texts that end in ``<EMOTION_TYPE>``.
            trie: of the labels.

        Returns:
            (N, E) log-probabilities of whole labels, given that the answer is one of them. A row does not depend on
            the other questions.
        """

    def score_tokens(self, documents: Sequence[Tokens]) -> list[Scores]:
        """Tell how well the model expects each document.

        Returns:
            For each document (T - 1,) the natural-log probability of every token but the first, given those
            before it.
        """

    def generate(self, prefixes: Sequence[Tokens], sampling: Sampling, stop_ids: Collection[int]) -> list[list[int]]:
        """Go on with each prefix until a stop or the most tokens.

        Args:
            prefixes: each with ``sampling.max_tokens`` fewer tokens than the model can read, or less.
            sampling: how to choose.
            stop_ids: the tokens that end an answer; no other special token is ever chosen.

        Returns:
            The chosen tokens, without the stop. As many as ``sampling.max_tokens`` mean that no stop came.
        """

    def write(
        self, prefix: Tokens, count: int, sampling: Sampling, stop_ids: Collection[int], end: int
    ) -> "list[Written]":
        """Write some answers to one prefix, and tell how well the model expects each of them.

        Args:
            prefix: as for ``generate``.
            count: how many answers.
            sampling: how to choose.
            stop_ids: the tokens that end an answer.
            end: the token that stands behind an answer where that is scored, whatever ended it.
        """

    def stream(self, prefix: Tokens, sampling: Sampling, stop_ids: Collection[int]) -> Iterator[int]:
        """Go on with one prefix, giving each token as soon as it is chosen; otherwise as ``generate``."""


@dataclass(frozen=True)
class Written:
    """An answer, and how well the model expects it.

    Attributes:
        ids: its T tokens, without the stop.
        log_probabilities: (T + 1,) of them, and of the end behind them, given the prefix.
    """

    ids: Sequence[int]
    log_probabilities: Scores


def score_answers(engine: Engine, prefix: Tokens, answers: Sequence[Sequence[int]], end: int) -> list[Written]:
    """Tell how well a model expects answers to a prefix, each with ``end`` behind it."""
    documents = [np.array([*prefix.ids, *ids, end]) for ids in answers]
    scores = engine.score_tokens([Tokens(ids, np.zeros(len(ids), np.float32)) for ids in documents])
    return [Written(ids, found[len(prefix) - 1 :]) for ids, found in zip(answers, scores, strict=True)]


def split_by_length(documents: Sequence[Tokens], max_tokens: int, appended: int = 0) -> Iterator[list[int]]:
    """Cut documents into passes of similar length.

    Args:
        documents: in any order.
        max_tokens: in one pass, padding included.
        appended: so many tokens are added to each.

    Returns:
        For each pass the indices of its documents, the longest first.

    Example:
        >>> import numpy as np
        >>> some = [Tokens(np.zeros(n, np.int64), np.zeros(n, np.float32)) for n in (1, 5, 4)]
        >>> list(split_by_length(some, max_tokens=10))
        [[1, 2], [0]]
    """
    lengths = [len(document) + appended for document in documents]
    return split_by_tokens(sorted(range(len(documents)), key=lambda i: -lengths[i]), lengths, max_tokens)


def silent_ids(codec: Codec, vocabulary: int, stop_ids: Collection[int]) -> list[int]:
    """Name the tokens that may not be chosen: special ones that are no stop, and rows that are no token at all.

    Args:
        codec: the tokenizer.
        vocabulary: V, the rows of the output layer; some models have more of them than tokens.
        stop_ids: the special tokens that may be chosen.
    """
    tokens = set(codec.backend.get_vocab(with_added_tokens=True).values())
    special = {number for number, token in codec.backend.get_added_tokens_decoder().items() if token.special}
    silent = special | set(codec.special_ids.values()) | (set(range(vocabulary)) - tokens)
    return sorted(number for number in silent - set(stop_ids) if number < vocabulary)
