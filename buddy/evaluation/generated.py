"""What the model says by itself: is it varied, does it loop, does it parrot, is it near what a person said?

A good reply need not look like the one that was given, so BLEU and chrF are low for every system and small
differences mean nothing. The other figures find faults, and people have some share of each: the same figures of
the real replies in the same places stand beside them.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from buddy.data.normalise import comparison_key
from buddy.text.render import SPECIAL_TOKENS

LOOP_WORDS = 4
"""A reply that says so many words in a row twice loops: "i am so sorry i am so sorry"."""

ECHO_WORDS = 5
"""So many words in a row from what the speaker said are an echo; shorter runs ("that was a") are just English."""


@dataclass(frozen=True)
class ReplyTraits:
    """What a set of replies is like; all but the length are shares between 0 and 1.

    Words are compared without case, and punctuation marks are none.

    Attributes:
        distinct_1: different words among all words; falls with the size of the set, so compare equal sizes only.
        distinct_2: different pairs of words among all pairs.
        words: mean length.
        empty: say nothing, or nothing but punctuation.
        loops: say the same ``LOOP_WORDS`` words in a row twice.
        repeated: are also given in another place of the set, case and punctuation aside.
        echoes: have ``ECHO_WORDS`` words in a row, or all of their two to four, from the turn that they answer.
        special_tokens: hold a special token, which no person ever said.
    """

    distinct_1: float
    distinct_2: float
    words: float
    empty: float
    loops: float
    repeated: float
    echoes: float
    special_tokens: float


@dataclass(frozen=True)
class Likeness:
    """How near replies are to those that a person gave in the same places; 0 to 100.

    Attributes:
        bleu_4: words in common, in runs of up to four.
        chrf: runs of letters in common.
        bleu_signature: which version and settings made the figure, as sacreBLEU names them.
        chrf_signature: the same for the other.
    """

    bleu_4: float
    chrf: float
    bleu_signature: str
    chrf_signature: str


def describe_replies(replies: Sequence[str], answered: Sequence[str]) -> ReplyTraits:
    """Tell what replies are like.

    Args:
        replies: at least one.
        answered: for each the speaker's turn that it answers.

    Raises:
        ValueError: there are no replies.

    Source:
        distinct-1 and -2: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models".

    Example:
        >>> found = describe_replies(["Oh no!", "oh no", "", "You lost your dog?"], ["Hi."] * 4)
        >>> found.repeated, found.empty, found.distinct_1, found.words
        (0.5, 0.25, 0.75, 2.0)
    """
    if not replies:
        raise ValueError("there are no replies to describe")
    keys = [_words_of(reply) for reply in replies]
    times_said = Counter(map(tuple, keys))

    def share(marks: Iterator[bool]) -> float:
        return sum(marks) / len(replies)

    return ReplyTraits(
        distinct_1=distinct(keys, 1),
        distinct_2=distinct(keys, 2),
        words=sum(map(len, keys)) / len(replies),
        empty=share(not words for words in keys),
        loops=share(_loops(words) for words in keys),
        repeated=share(bool(words) and times_said[tuple(words)] > 1 for words in keys),
        echoes=share(echoes(words, _words_of(turn)) for words, turn in zip(keys, answered, strict=True)),
        special_tokens=share(any(token in reply for token in SPECIAL_TOKENS) for reply in replies),
    )


def distinct(texts: Sequence[Sequence[str]], n: int) -> float:
    """Tell how many of the runs of ``n`` words in all texts are different ones; 0 when there are none.

    Example:
        >>> distinct([["so", "so", "sad"], ["so", "glad"]], 1), distinct([["so", "so", "sad"], ["so", "glad"]], 2)
        (0.6, 1.0)
    """
    all_runs = [run for words in texts for run in _runs(words, n)]
    return len(set(all_runs)) / len(all_runs) if all_runs else 0.0


def compare_with_references(replies: Sequence[str], references: Sequence[str]) -> Likeness:
    """Tell how near replies are to what people said, with sacreBLEU's own settings.

    Args:
        replies: one for each place.
        references: what was said there.

    Source:
        Papineni et al. 2002 (BLEU), Popović 2015 (chrF), Post 2018, "A Call for Clarity in Reporting BLEU Scores".
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    bleu, chrf = BLEU(), CHRF()
    return Likeness(
        bleu_4=float(bleu.corpus_score(list(replies), [list(references)]).score),
        chrf=float(chrf.corpus_score(list(replies), [list(references)]).score),
        bleu_signature=str(bleu.get_signature()),
        chrf_signature=str(chrf.get_signature()),
    )


def _words_of(text: str) -> list[str]:
    """Give the words as they are compared; none if there are only punctuation marks, which are their own key."""
    says_something = any(unicodedata.category(character)[0] in "LNS" for character in text)  # letters, digits, emoji
    return comparison_key(text).split() if says_something else []


def _runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _loops(words: Sequence[str]) -> bool:
    runs = _runs(words, LOOP_WORDS)
    return len(set(runs)) < len(runs)


def echoes(words: Sequence[str], turn: Sequence[str]) -> bool:
    """Tell whether a reply takes up so many words in a row of the turn that it answers, or is a short part of it.

    Example:
        >>> turn = "i think you lost your old cat".split()
        >>> [echoes(reply.split(), turn) for reply in ("so you lost your old cat", "old cat", "cat")]
        [True, True, False]
    """
    size = min(ECHO_WORDS, len(words))
    return size > 1 and not set(_runs(words, size)).isdisjoint(_runs(turn, size))
