"""A stand-in for a model that replies: what it expects and says is a simple function of the tokens before."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from buddy.evaluation.metrics import Floats
from buddy.inference.engine import Sampling, Written
from buddy.inference.labels import LabelTrie, Scores
from buddy.records import Dialogue
from buddy.text.tokenizer import Codec, Tokens, make_codec, train_tokenizer

SAYS = ("Oh no, I am so sorry!", "That is great. How did it happen?", "", "I see. I see.")


def expected(before: Sequence[int], token: int) -> float:
    """The log-probability of a token: it depends on how much stands before it, on the last token and on itself."""
    return -1.0 - (7 * len(before) + 3 * before[-1] + token) % 11 / 10


@dataclass
class FakeEngine:
    """An engine that knows its own mind; it notes what it was asked."""

    codec: Codec
    longest: int = 1000
    read: list[Tokens] = field(default_factory=list)
    prefixes: list[Tokens] = field(default_factory=list)
    samplings: list[Sampling] = field(default_factory=list)

    def score_tokens(self, documents: Sequence[Tokens]) -> list[Scores]:
        self.read += documents
        assert all(1 < len(document) <= self.longest for document in documents)
        ids = [document.ids.tolist() for document in documents]
        return [np.array([expected(row[:t], row[t]) for t in range(1, len(row))]) for row in ids]

    def generate(self, prefixes: Sequence[Tokens], sampling: Sampling, stop_ids: Collection[int]) -> list[list[int]]:
        assert all(len(prefix) + sampling.max_tokens <= self.longest for prefix in prefixes)
        assert len(set(stop_ids)) == 2
        self.prefixes += prefixes
        self.samplings.append(sampling)
        return [self._says(prefix) for prefix in prefixes]

    def write(
        self, prefix: Tokens, count: int, sampling: Sampling, stop_ids: Collection[int], end: int
    ) -> list[Written]:
        raise NotImplementedError

    def stream(self, prefix: Tokens, sampling: Sampling, stop_ids: Collection[int]) -> Iterator[int]:
        raise NotImplementedError

    def _says(self, prefix: Tokens) -> list[int]:
        words = SAYS[int(prefix.ids.sum()) % len(SAYS)]
        return list(self.codec.backend.encode(f" {words}", add_special_tokens=False).ids)

    def score_labels(self, questions: Sequence[Tokens], trie: LabelTrie) -> Scores:
        raise NotImplementedError


@dataclass
class FakeCompanion:
    """A companion that finds an emotion only when it is named in the last turn."""

    engine: FakeEngine
    labels: tuple[str, ...]
    max_tokens: int = 1000
    conversations: list[Sequence[str]] = field(default_factory=list)

    def conversation_probabilities(self, conversations: Sequence[Sequence[str]]) -> Floats:
        self.conversations += conversations
        return name_the_emotion(conversations, self.labels)


def name_the_emotion(conversations: Sequence[Sequence[str]], labels: Sequence[str]) -> Floats:
    """Give probabilities that are right only where the emotion is named in the last turn."""
    scores = np.array([[1.0 + 8.0 * (label in turns[-1]) for label in labels] for turns in conversations])
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def speaking_codec() -> Codec:
    """The smallest tokenizer that there is: it spells in bytes."""
    return make_codec(train_tokenizer([], [], 300))


def make_dialogues(labels: Sequence[str], count: int) -> list[Dialogue]:
    """Conversations of two to seven turns, in which a last turn of the speaker names the emotion."""
    dialogues = []
    for i in range(count):
        emotion = labels[i % len(labels)]
        turns = [f"turn {turn} of talk {i}" for turn in range(2 + i % 6)]
        last = len(turns) - 1 - (len(turns) - 1) % 2
        turns[last] = f"I'm {emotion}, you know" if last else turns[0]
        dialogues.append(Dialogue(f"talk-{i}", emotion, f"situation {i}", tuple(turns)))
    return dialogues
