"""The next turn of a conversation: a few candidates are written at once, bad ones are dropped, the best is taken.

A reply is bad if it says nothing, runs in circles, or says what somebody has just said. Of the others the best is the
one that answers this conversation and not any: the model finds it much likelier after what was said than after nothing.

    score = (log p(reply | conversation) - log p(reply)) / sqrt(tokens) + log p(reply | conversation) / tokens

"I am so sorry to hear that" is likely anywhere and gets little for it. The first term as a sum would prefer long
replies, as a mean short ones; the root stands between. The second keeps out what hardly anybody would say. Words that
the model itself finds unlikely from one piece to the next ("hairup") are made up, and a reply without them goes first.
How all this was chosen: decision 0012.

Source: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models" (the gain).
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from buddy.evaluation.generated import echoes
from buddy.inference.classifier import Classifier
from buddy.inference.engine import Sampling, Written, score_answers
from buddy.inference.labels import Scores
from buddy.text.render import LISTENER, SPEAKER, Piece, render_reply_question
from buddy.text.tokenizer import Codec, Tokens

TO_CHOOSE_FROM = Sampling(temperature=1.0)
"""Where a choice follows, candidates may differ more than a single reply should (decision 0012)."""

TRIES = 2
AT_A_LOSS = "I'm listening. Would you like to tell me more about it?"
"""What is said when no candidate will do: it fits after anything, and pretends nothing."""

TOO_ALIKE = 0.75
"""Two turns of which so large a share of the words are the same, in the same order, say the same."""

WORDS = re.compile(r"\w+(?:['’]\w+)*")

MADE_UP = -2.5
"""Log-probability of a piece inside a word: in words that exist it is hardly ever below."""

SENTENCE = re.compile(r".*[.!?…][\"'”’)]*", re.DOTALL)
HALF_A_LETTER = "\N{REPLACEMENT CHARACTER}"
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What moves a cursor or rings a bell: a model that writes bytes can write it, and nobody wants to read it."""


@dataclass(frozen=True)
class Replies:
    """How replies are made: how words are chosen, and how many candidates there are."""

    sampling: Sampling = TO_CHOOSE_FROM
    candidates: int = 8

    def __post_init__(self) -> None:
        """Refuse to choose from nothing.

        Raises:
            ValueError: there would be no candidate.
        """
        if self.candidates < 1:
            raise ValueError(f"candidates cannot be {self.candidates}")


@dataclass(frozen=True)
class Candidate:
    """A reply that could be given.

    Attributes:
        text: one line; empty if the model wrote nothing.
        tokens: how many, with the one that ends it.
        answering: log-probability of all of them after this conversation.
        alone: the same where nothing was said before.
        made_up: whether a word is in it that the model itself finds unlikely from one piece to the next.
    """

    text: str
    tokens: int
    answering: float
    alone: float
    made_up: bool

    @property
    def score(self) -> float:
        """How well it answers; see the top of this file."""
        gain = self.answering - self.alone
        return gain / math.sqrt(self.tokens) + self.answering / self.tokens


def best_reply(model: Classifier, turns: Sequence[str], replies: Replies) -> str:
    """Write candidates and take the best.

    Args:
        model: a companion model.
        turns: of the conversation so far, the speaker's first and last.
        replies: how to make them.

    Returns:
        One line, never empty and without special tokens.
    """
    for attempt in range(TRIES):
        seed = replies.sampling.seed
        sampling = replace(replies.sampling, seed=None if seed is None else (seed + attempt) % 2**31)
        written = write_candidates(model, turns, replace(replies, sampling=sampling))
        good = [one for one in written if is_good(one.text, turns)]
        if good:
            return max(good, key=lambda one: (not one.made_up, one.score)).text
    return AT_A_LOSS


def write_candidates(model: Classifier, turns: Sequence[str], replies: Replies) -> list[Candidate]:
    """Write candidates at once, and judge all of them.

    Args:
        model: a companion model.
        turns: of the conversation so far, the speaker's first and last.
        replies: how to make them.

    Returns:
        As many as were asked for, good ones and others.
    """
    prefix, sampling = _prefix(model, turns, replies.sampling)
    count = 1 if sampling.is_greedy else replies.candidates
    end = model.codec.special_ids[SPEAKER]
    return judge(model, model.engine.write(prefix, count, sampling, model.codec.reply_ends, end), sampling.max_tokens)


def judge(model: Classifier, written: Sequence[Written], most: int) -> list[Candidate]:
    """Tell how likely replies are after a conversation, and after nothing.

    Args:
        model: a companion model.
        written: replies, with how well the model expects them after the conversation.
        most: so many tokens mean that a reply was cut.
    """
    nothing = model.codec.encode([(Piece(LISTENER, special=True),)])[0]
    alone = score_answers(model.engine, nothing, [one.ids for one in written], model.codec.special_ids[SPEAKER])
    return [
        Candidate(
            text=_in_whole_sentences(model.codec, one.ids, most),
            tokens=len(one.ids) + 1,
            answering=float(one.log_probabilities.sum()),
            alone=float(after_nothing.log_probabilities.sum()),
            made_up=_has_made_up_word(model.codec, one.ids, one.log_probabilities),
        )
        for one, after_nothing in zip(written, alone, strict=True)
    ]


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
    repeats = any(_is_nearly(words, _words(turn)) for turn in heard) or echoes(words, _words(turns[-1]))
    return bool(words) and not runs_in_circles(words) and not repeats


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


def _has_made_up_word(codec: Codec, ids: Sequence[int], log_probabilities: Scores) -> bool:
    pairs = zip(ids, log_probabilities, strict=False)  # the last score is that of the end
    return any(score < MADE_UP and codec.is_inside_word(token) for token, score in pairs)


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
