"""What flows through the pipeline: plain, frozen records that every part understands."""

from collections.abc import Sequence
from dataclasses import dataclass

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class Example:
    """One text and the emotion (or any other label) that it expresses."""

    id: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation about one situation: the speaker has turns 0, 2, 4, the listener turns 1, 3, 5."""

    id: str
    emotion: str
    situation: str
    turns: Sequence[str]
