"""Pieces to token ids and back, with a tokenizer from the hub or one trained on our own text.

Only the small `tokenizers` library is needed here, so that a finished model can be used without
transformers and torch.

Shapes: `T` tokens of one document.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from buddy.data.normalise import encodable
from buddy.errors import UserMistake, counted
from buddy.text.render import EMOTION_TYPE, END, LISTENER, SPEAKER, SPECIAL_TOKENS, Piece, label_text

# Longer than any word, and what it is cut into.
ENDLESS_WORD = re.compile(r"\S{400}")
PIECES = re.compile(r"\s*\S{1,200}|\s+")


@dataclass(frozen=True, slots=True)
class SoftLabel:
    """What a teacher says about the label of a document: the token at one place, as probabilities of all labels."""

    at: int  # the place of the label's token in the document
    probabilities: npt.NDArray[np.float32]  # (E,)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One document as the model sees it."""

    ids: npt.NDArray[np.int64]  # (T,)
    weights: npt.NDArray[np.float32]  # (T,) how strongly each token is learned; 0: only read
    soft_label: SoftLabel | None = None  # learned besides, with weight 1

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Codec:
    """A tokenizer that knows our special tokens and never finds one in what a person wrote.

    Attributes:
        backend: the tokenizer; it treats the spelling of a special token inside ordinary text as plain letters.
        special_ids: the id of each of ``SPECIAL_TOKENS``. The end of text is the tokenizer's own if it has one.
        start_ids: what the tokenizer puts before every text (``<s>`` for Llama, nothing for GPT-2).
    """

    backend: Tokenizer
    special_ids: Mapping[str, int]
    start_ids: tuple[int, ...] = ()

    def encode(self, documents: Sequence[Sequence[Piece]], max_tokens: int | None = None) -> list[Tokens]:
        """Turn rendered texts into tokens.

        Args:
            documents: rendered texts.
            max_tokens: longer documents lose their *oldest* part: whole pieces up to the start of a turn, then the
                first words of the remaining text. What stands right before a question is always kept, and so is a
                label, however long.
        """
        texts = [encodable(piece.text) for pieces in documents for piece in pieces if not piece.special]
        encodings = iter(self.backend.encode_batch_fast(texts, add_special_tokens=False))
        return [self._assemble(pieces, encodings, max_tokens) for pieces in documents]

    @property
    def reply_ends(self) -> frozenset[int]:
        """The tokens that end a reply: the speaker's turn, or the end."""
        return frozenset((self.special_ids[SPEAKER], self.special_ids[END]))

    def encode_label(self, label: str) -> tuple[int, ...]:
        """Give the tokens of a label as they stand after ``<EMOTION_TYPE>``."""
        return tuple(self.backend.encode(label_text(label), add_special_tokens=False).ids)

    def encode_words(self, text: str) -> list[int]:
        """Turn a text into ids, with nothing before and after it."""
        ids: list[int] = self.backend.encode(encodable(text), add_special_tokens=False).ids
        return ids

    def can_read(self, text: str) -> bool:
        """Tell whether the tokenizer has words or letters for a text, and does not spell it byte by byte.

        A tokenizer that learned English alone needs two tokens or more for a Cyrillic letter or an emoji, and a
        model has learned nothing about them. If there are letters they decide, whatever emoji stand beside them.
        Another language in the same letters is not noticed.
        """
        letters = "".join(letter if letter.isalpha() else " " for letter in text)
        judged = letters if letters.strip() else text
        return len(self.encode_words(judged)) <= len(judged)

    def is_inside_word(self, token: int) -> bool:
        """Tell whether a token goes on with the word before it: "up" in " hair" + "up", not " up"."""
        first = (self.backend.id_to_token(token) or "")[:1]
        return first.isascii() and first.isalpha()

    def decode(self, ids: Sequence[int]) -> str:
        """Turn ids back into text, special tokens included."""
        return self.backend.decode(list(ids), skip_special_tokens=False)

    def _assemble(self, pieces: Sequence[Piece], encodings: Iterator[Any], max_tokens: int | None) -> Tokens:
        ids = [[self.special_ids[p.text]] if p.special else next(encodings).ids for p in pieces]
        weights = [piece.weight for piece in pieces]
        if max_tokens is not None:
            first = _first_kept_piece(pieces, ids, max_tokens - len(self.start_ids))
            ids, weights = ids[first:], weights[first:]
            excess = sum(map(len, ids)) + len(self.start_ids) - max_tokens
            if excess > 0:
                longest = max(_texts_in(pieces[first:]), key=lambda i: len(ids[i]))
                ids[longest] = ids[longest][excess:]
        flat = [*self.start_ids, *(token for piece in ids for token in piece)]
        each = [0.0] * len(self.start_ids) + [w for piece, w in zip(ids, weights, strict=True) for _ in piece]
        return Tokens(np.array(flat, np.int64), np.array(each, np.float32))


def _first_kept_piece(pieces: Sequence[Piece], ids: Sequence[Sequence[int]], room: int) -> int:
    """Find the oldest turn from which on everything fits; the last turn (or the only text) always stays.

    A mark at the very end begins no turn: it asks for one.
    """
    starts = [i for i, piece in enumerate(pieces[:-1]) if piece.special and piece.text in (SPEAKER, LISTENER)]
    tokens_from = list(accumulate(reversed([len(piece) for piece in ids])))[::-1]
    fitting = [start for start in (0, *starts) if tokens_from[start] <= room]
    return min(fitting) if fitting else max(starts, default=0)


def _texts_in(pieces: Sequence[Piece]) -> list[int]:
    """Give the places of what may be shortened: neither a mark nor a label, which would be learned as another one."""
    before = [None, *(piece.text if piece.special else None for piece in pieces)]
    return [i for i, piece in enumerate(pieces) if not piece.special and before[i] != EMOTION_TYPE]


def make_codec(backend: Tokenizer, special_ids: Mapping[str, int] | None = None) -> Codec:
    """Build a codec over a tokenizer that holds all our special tokens already.

    Raises:
        UserMistake: a special token is missing: the model was not made by buddy.
    """
    backend = Tokenizer.from_str(backend.to_str())
    backend.no_padding()
    backend.no_truncation()
    found = special_ids or {token: _special_id(backend, token) for token in SPECIAL_TOKENS}
    start_ids = _start_ids(backend)
    backend.encode_special_tokens = True
    return Codec(backend, dict(found), start_ids)


def _special_id(backend: Tokenizer, token: str) -> int:
    number: int | None = backend.token_to_id(token)
    if number is None:
        raise UserMistake(f"The tokenizer has no {token} token; choose a model that buddy trained.")
    return number


def _start_ids(backend: Tokenizer) -> tuple[int, ...]:
    bare = backend.encode("a", add_special_tokens=False).ids
    full = backend.encode("a", add_special_tokens=True).ids
    return tuple(full[: full.index(bare[0])]) if bare else ()


def train_tokenizer(texts: Iterable[str], labels: Sequence[str], vocabulary_size: int = 8192) -> Tokenizer:
    """Train a cased byte-level BPE in which every word of a label, with its leading space, is one token.

    Byte level means that no text is unknown: whatever has no token of its own is spelled in bytes.

    Args:
        texts: the text to learn frequent letter sequences from.
        labels: their words become one token each, however rare they are in the texts.
        vocabulary_size: upper limit, special tokens and labels included. GPT-2 has 50,257; a small model
            cannot afford that many embedding rows.

    Raises:
        UserMistake: the single bytes, the special tokens and the words of the labels alone are more than that.

    Source:
        Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.

    Example:
        >>> tokenizer = train_tokenizer(["I was sad.", "So sad, so sad."], ["sad", "nostalgic"], 300)
        >>> len(tokenizer.encode(" nostalgic").ids)
        1
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    whole = _label_words(tokenizer, labels)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    needed = len(alphabet) + len(special) + len(whole)
    if needed > vocabulary_size:
        raise UserMistake(
            f"The labels have {counted(len(whole), 'different word')}, a token each; they need --vocabulary-size "
            f"{needed} or more, not {vocabulary_size}."
        )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - len(whole),
        special_tokens=special,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_without_endless_words(texts), trainer)
    return _with_whole_words(tokenizer, whole)


def _without_endless_words(texts: Iterable[str]) -> Iterator[str]:
    """Cut what goes on for long without a space; finding the merges of one word takes the square of its length."""
    for text in texts:
        yield from PIECES.findall(text) if ENDLESS_WORD.search(text) else (text,)


def _label_words(tokenizer: Tokenizer, labels: Sequence[str]) -> list[str]:
    """Give the words of all labels as the tokenizer cuts them, each once: ``["Ġsad", "Ġand", "Ġtired"]``."""
    cut = tokenizer.pre_tokenizer.pre_tokenize_str
    return list(dict.fromkeys(word for label in labels for word, _ in cut(label_text(label))))


def _with_whole_words(tokenizer: Tokenizer, words: Sequence[str]) -> Tokenizer:
    """Make each word one token, without merges that would also change how other words are spelled."""
    state = json.loads(tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    for word in words:
        vocabulary.setdefault(word, len(vocabulary))
    state["model"]["ignore_merges"] = True  # a word that stands in the vocabulary as a whole is not cut
    return Tokenizer.from_str(json.dumps(state))
