"""The second reader of the crisis guard: it finds what no rule thought of, and may lower a rule's alarm.

Rules find what somebody has thought of. Danger is told in as many ways as there are people, so a sentence encoder,
fine-tuned on messages written for it, reads every message as well. It is as fixed as the rules: the same message always
gets the same probabilities. How it was made, and what it adds: decision 0014.

Shapes: `T` tokens, `D` width, `C` categories.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from buddy.data.normalise import encodable
from buddy.models import find_model

FILE = "head.json"
WHOLE = 254
"""A message of so many tokens is read at once; it has learned from messages as long as that."""

WINDOW = 46
"""Of a longer message whole sentences of so many tokens are read at a time; in more of them a dark one would drown."""

WINDOWS = 64
"""Of a longer message the first and the last windows are read, half each."""

ENDS = frozenset(".!?;…")
"""Tokens with which a sentence ends."""


class SecondReader:
    """Tells how likely a message is of each kind of danger. Any number of threads may ask it at the same time."""

    def __init__(self, folder: Path) -> None:
        """Load it.

        Args:
            folder: with an encoder of CTranslate2, its tokenizer, and the categories with their weights.
        """
        from ctranslate2 import Encoder

        head = json.loads((folder / FILE).read_text("utf-8"))
        self.categories: tuple[str, ...] = tuple(head["categories"])
        self._harmless = self.categories.index("harmless")
        self._weights = np.array(head["weights"], np.float32)  # (C, D)
        self._bias = np.array(head["bias"], np.float32)  # (C,)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._encoder = Encoder(str(folder), device="cpu", inter_threads=1, intra_threads=1)

    def read(self, text: str) -> dict[str, float]:
        """Give the probability of each category; of a long message those of its most dangerous part.

        Example:
            >>> reader = second_reader()
            >>> found = reader.read("someone has a gun in our school")
            >>> max(found, key=found.get)
            'violence'
        """
        parts = [self._read(ids) for ids in self._windows(text)]
        worst = min(parts, key=lambda part: float(part[self._harmless]))
        return dict(zip(self.categories, worst.tolist(), strict=True))

    def _windows(self, text: str) -> list[list[int]]:
        encoded = self._tokenizer.encode(encodable(text))
        first, *inside, last = encoded.ids
        words, start = encoded.tokens, 0
        windows: list[list[int]] = []
        size = WINDOW if len(inside) > WHOLE else WHOLE
        while start < len(inside) or not windows:
            stop = min(start + size, len(inside))
            if stop < len(inside):
                ends = (end for end in range(stop, start, -1) if words[end] in ENDS)
                stop = next(ends, stop)
            windows.append(inside[start:stop])
            start = stop
        if len(windows) > WINDOWS:
            windows = windows[: WINDOWS // 2] + windows[-WINDOWS // 2 :]
        return [[first, *window, last] for window in windows]

    def _read(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Give the (C,) probabilities of one window; alone, because padded rows get other numbers in int8."""
        vectors = np.array(self._encoder.forward_batch([list(ids)]).last_hidden_state)[0]  # (T, D)
        logits = self._weights @ vectors.mean(axis=0) + self._bias
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum(), np.float32)


@cache
def second_reader() -> SecondReader:
    """Give the reader that comes with buddy, loaded once."""
    folder = find_model("guard")
    assert folder is not None  # noqa: S101  (a name of ours)
    return SecondReader(folder)
