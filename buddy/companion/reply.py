"""The next turn of a conversation: a few candidates are written at once, bad ones are dropped, the best is taken.

A reply is bad if it says nothing, runs in circles, or is nearly what somebody just said. Of the others the best is
the one that the model finds likeliest, token by token; a longer one has no disadvantage.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

import numpy as np

from buddy.inference.classifier import Classifier
from buddy.inference.engine import Sampling
from buddy.text.render import render_reply_question
from buddy.text.tokenizer import Codec, Tokens

TRIES = 2
AT_A_LOSS = "I'm listening. Would you like to tell me more about it?"
"""What is said when no candidate will do: it fits after anything, and pretends nothing."""

TOO_ALIKE = 0.75
"""Two turns of which so large a share of the words are the same, in the same order, say the same."""

WORDS = re.compile(r"\w+(?:['’]\w+)*")
SENTENCE = re.compile(r".*[.!?…][\"'”’)]*", re.DOTALL)
HALF_A_LETTER = "\N{REPLACEMENT CHARACTER}"
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What moves a cursor or rings a bell: a model that writes bytes can write it, and nobody wants to read it."""


@dataclass(frozen=True)
class Replies:
    """How replies are made: how words are chosen, and how many candidates there are."""

    sampling: Sampling = field(default_factory=Sampling)
    candidates: int = 4

    def __post_init__(self) -> None:
        """Refuse to choose from nothing.

        Raises:
            ValueError: there would be no candidate.
        """
        if self.candidates < 1:
            raise ValueError(f"candidates cannot be {self.candidates}")


def best_reply(model: Classifier, turns: Sequence[str], replies: Replies) -> str:
    """Write candidates and take the best.

    Args:
        model: a companion model.
        turns: of the conversation so far, the speaker's first and last.
        replies: how to make them.

    Returns:
        One line, never empty and without special tokens.
    """
    prefix, sampling = _prefix(model, turns, replies.sampling)
    for attempt in range(TRIES):
        again = sampling if sampling.seed is None else replace(sampling, seed=(sampling.seed + attempt) % 2**31)
        count = 1 if again.is_greedy else replies.candidates
        written = model.engine.generate([prefix] * count, again, model.codec.reply_ends)
        spelled = {_in_whole_sentences(model.codec, ids, sampling.max_tokens): ids for ids in written}
        good = {text: ids for text, ids in spelled.items() if is_good(text, turns)}
        if good:
            return _likeliest(model, prefix, good)
    return AT_A_LOSS


def as_it_comes(model: Classifier, turns: Sequence[str], replies: Replies) -> Iterator[str]:
    """Give the reply in pieces: with one candidate while it is written, else as soon as one is chosen."""
    if replies.candidates > 1:
        yield from re.findall(r"\S+\s*", best_reply(model, turns, replies))
        return
    prefix, sampling = _prefix(model, turns, replies.sampling)
    said = False
    for piece in _spoken(model.codec, model.engine.stream(prefix, sampling, model.codec.reply_ends)):
        said = True
        yield piece
    if not said:
        yield AT_A_LOSS


def is_good(reply: str, turns: Sequence[str]) -> bool:
    """Tell whether a reply may be given.

    Args:
        reply: the candidate.
        turns: of the conversation so far; a good reply repeats neither the last one nor an earlier reply.

    Example:
        >>> [is_good(reply, ["I lost my cat."]) for reply in ("Oh no! Since when?", "I lost my cat!", "so so so", "…")]
        [True, False, False, False]
    """
    words = _words(reply)
    heard = [turns[-1], *turns[1::2]]
    return bool(words) and not runs_in_circles(words) and not any(_is_nearly(words, _words(turn)) for turn in heard)


def runs_in_circles(words: Sequence[str]) -> bool:
    """Tell whether three words occur twice in the same order, or one three times on end.

    Example:
        >>> runs_in_circles("it is so sad it is so sad".split()), runs_in_circles("it was very very sad".split())
        (True, False)
    """
    threes = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(threes)) < len(threes) or any(len(set(three)) == 1 for three in threes)


def _is_nearly(words: Sequence[str], others: Sequence[str]) -> bool:
    return SequenceMatcher(None, words, others, autojunk=False).ratio() >= TOO_ALIKE


def _words(text: str) -> list[str]:
    return WORDS.findall(text.lower())


def _prefix(model: Classifier, turns: Sequence[str], sampling: Sampling) -> tuple[Tokens, Sampling]:
    """Lay out the conversation up to the reply; at most half of what the model can read is kept free for that."""
    room = min(sampling.max_tokens, model.max_tokens // 2)
    question = model.codec.encode([render_reply_question(turns)], model.max_tokens - room)[0]
    return question, replace(sampling, max_tokens=room)


def _in_whole_sentences(codec: Codec, ids: Sequence[int], most: int) -> str:
    """Spell a reply; one that did not come to its end loses the sentence that was cut."""
    text = CONTROLS.sub("", " ".join(codec.decode(ids).replace(HALF_A_LETTER, "").split()))
    if len(ids) < most:
        return text
    whole = SENTENCE.match(text)
    return whole[0] if whole else ""


def _likeliest(model: Classifier, prefix: Tokens, candidates: Mapping[str, Sequence[int]]) -> str:
    """Give the candidate with the highest mean log-probability of its tokens."""
    if len(candidates) == 1:
        return next(iter(candidates))
    whole = [np.array([*prefix.ids, *ids]) for ids in candidates.values()]
    scored = model.engine.score_tokens([Tokens(ids, np.zeros(len(ids), np.float32)) for ids in whole])
    means = [float(scores[len(prefix) - 1 :].mean()) for scores in scored]
    return list(candidates)[int(np.argmax(means))]


def _spoken(codec: Codec, ids: Iterable[int]) -> Iterator[str]:
    """Spell tokens as they come; a letter of which a part is still missing waits for the rest."""
    seen: list[int] = []
    shown = ""
    for number in ids:
        seen.append(number)
        text = CONTROLS.sub("", re.sub(r"\s", " ", codec.decode(seen))).lstrip()
        if len(text) > len(shown) and not text.endswith(HALF_A_LETTER):
            yield text[len(shown) :]
            shown = text
