"""Which texts say nearly the same: MinHash proposes pairs, the exact Jaccard similarity decides.

Two texts are compared by the word pairs that they share. Comparing all 22,000 situations of
EmpatheticDialogues with each other would take 240 million comparisons; locality-sensitive hashing
proposes the few that are worth a look, in a few seconds.

Where a script puts no spaces between words (Chinese, Japanese, Thai), each character counts as a word.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, product
from typing import TYPE_CHECKING

from buddy.progress import progress

if TYPE_CHECKING:
    import numpy as np

NEAR_DUPLICATE_JACCARD = 0.7
"""Share of common word pairs from which two texts count as the same one retold.

Read off random samples of ED: at 0.7 to 0.8 it is one sentence with a word or two exchanged ("my birthday is
tomorrow i am so happy / so hyped"), at 0.5 to 0.6 two people's own stories begin ("i can't wait for the weekend").
"""

SHINGLE_WORDS = 2

WITHOUT_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Japanese syllables
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
"""The characters of scripts that put no spaces between words."""

WORD = re.compile(rf"[{WITHOUT_SPACES}]|[^\s{WITHOUT_SPACES}]+")

BANDS, ROWS_PER_BAND = 21, 3
"""A pair is looked at when a whole band of hashes agrees; at the threshold the chance is 1 - (1 - 0.7³)²¹ = 0.9999."""

Neighbours = Mapping[str, Mapping[str, str]]
"""For a text's key: the places in which a near duplicate of it stands, each with the key of one of them."""


def shingles(key: str) -> frozenset[str]:
    """Cut a comparison key into its overlapping word pairs; a single word is its own.

    A character of a script without spaces counts as a word.

    Example:
        >>> sorted(shingles("i lost my keys"))
        ['i lost', 'lost my', 'my keys']
        >>> shingles("help")
        frozenset({'help'})
        >>> sorted(shingles("我很累"))
        ['很 累', '我 很']
    """
    words = WORD.findall(key)
    starts = range(max(1, len(words) - SHINGLE_WORDS + 1))
    return frozenset(" ".join(words[start : start + SHINGLE_WORDS]) for start in starts)


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Tell how much two sets share: 1 for equal ones, 0 for strangers (and for two empty ones).

    Example:
        >>> jaccard(frozenset("abc"), frozenset("bcd"))
        0.5
    """
    union = len(first | second)
    return len(first & second) / union if union else 0.0


def near_neighbours(places: Mapping[str, Collection[str]]) -> Neighbours:
    """Find, for every text, a nearly equal but not equal one in each place where there is one.

    One neighbour per place is enough to count rows and to show examples, and it keeps a source of ten
    thousand form letters from costing fifty million comparisons.

    Args:
        places: comparison key of each distinct text → the names of the splits that hold it.

    Returns:
        Only the keys that have a neighbour; which of several is named depends on nothing but the input.

    Source:
        Leskovec, Rajaraman, Ullman 2020, "Mining of Massive Datasets", chapter 3.

    Example:
        >>> found = near_neighbours({
        ...     "a dog bit my brother in the park today": {"train"},
        ...     "a dog bit my brother in the park": {"valid"},
        ...     "we won": {"train"},
        ... })
        >>> {key: dict(where) for key, where in found.items()}["a dog bit my brother in the park"]
        {'train': 'a dog bit my brother in the park today'}
    """
    cut = {key: shingles(key) for key in places}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for key, place, candidates in _candidates(cut, places):
        for candidate in candidates:
            if jaccard(cut[key], cut[candidate]) >= NEAR_DUPLICATE_JACCARD:
                found[key][place] = candidate
                break
    return dict(found)


def _candidates(
    cut: Mapping[str, frozenset[str]], places: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str, Iterator[str]]]:
    """Give each key with those of each place that share a band with it, lazily: for the caller one of them may do.

    The library's own index answers with the whole set at once, which took 218 s for 20,000 form letters.
    """
    everywhere = sorted({place for names in places.values() for place in names})
    buckets: dict[tuple[int, bytes, str], list[str]] = defaultdict(list)
    bands_of: dict[str, list[tuple[int, bytes]]] = {}
    with progress("looking for near duplicates", total=len(cut), unit="texts") as bar:
        for key, hashes in zip(cut, _min_hashes(cut.values()), strict=True):
            bands_of[key] = [(band, row.tobytes()) for band, row in enumerate(hashes.reshape(BANDS, -1))]
            for band, place in product(bands_of[key], places[key]):
                buckets[(*band, place)].append(key)
            bar.advance()
    for (key, bands), place in product(bands_of.items(), everywhere):
        yield key, place, _others(key, [buckets.get((*band, place), ()) for band in bands])


def _min_hashes(sets: Iterable[frozenset[str]]) -> Iterator["np.ndarray"]:
    from datasketch import MinHash

    as_bytes = ([piece.encode() for piece in pieces] for pieces in sets)
    for hashed in MinHash.generator(as_bytes, num_perm=BANDS * ROWS_PER_BAND):
        yield hashed.hashvalues


def _others(key: str, buckets: Iterable[Sequence[str]]) -> Iterator[str]:
    seen = {key}
    for other in chain.from_iterable(buckets):
        if other not in seen:
            seen.add(other)
            yield other
