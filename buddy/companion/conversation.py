"""What was said: the turns of a conversation, with what they express, and the file that they can be kept in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, get_args

from buddy.errors import UserMistake
from buddy.files import write_json

Role = Literal["speaker", "listener"]
Kind = Literal["talk", "feeling", "crisis", "unreadable"]


class ConversationMoved(UserMistake):
    """Somebody else has gone on with the conversation meanwhile."""


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Turn:
    """One message of a conversation.

    Attributes:
        role: who says it: ``"speaker"`` is the person, ``"listener"`` is buddy.
        text: what is said.
        said_at: when, with its time zone.
        emotions: of a speaker's turn the probability of every label, the likeliest first.
        kind: what the turn is about: ``"talk"``, a question after one's own ``"feeling"``, a ``"crisis"``, or letters
            that are ``"unreadable"``; a listener's turn is of the kind that it answers.
        safety: what the crisis guard found in a speaker's turn, such as ``"self-harm: alarm"``; empty for nothing.
    """

    role: Role
    text: str
    said_at: datetime = field(default_factory=now)
    emotions: Mapping[str, float] = field(default_factory=dict)
    kind: Kind = "talk"
    safety: str = ""


def save_turns(turns: Sequence[Turn], path: Path) -> None:
    """Write a conversation to a JSON file that only its owner can read."""
    write_json(path, {"turns": [turn_as_json(turn) for turn in turns]}, private=True)


def turn_as_json(turn: Turn) -> dict[str, object]:
    """Give a turn in a form for a JSON file."""
    return {**asdict(turn), "said_at": turn.said_at.isoformat()}


def load_turns(path: Path) -> list[Turn]:
    """Read what ``save_turns`` wrote.

    Raises:
        UserMistake: the file holds no conversation: a speaker and a listener in turn, the speaker first.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))["turns"]
        turns = [_turn(**row) for row in rows]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UserMistake(f"{path} holds no conversation of buddy's.") from error
    if [turn.role for turn in turns] != ["speaker", "listener"] * (len(turns) // 2):
        raise UserMistake(f"{path} holds no conversation: speaker and listener must take turns, the speaker first.")
    return turns


def _turn(
    role: Role,
    text: str,
    said_at: str,
    emotions: Mapping[str, float] | None = None,
    kind: Kind = "talk",
    safety: str = "",
) -> Turn:
    """Make a turn of what stands in a file.

    Raises:
        ValueError: a value is none that a turn can have.
    """
    scores = dict(emotions or {})
    said = datetime.fromisoformat(said_at)
    said.astimezone(timezone.utc)  # raises for a time before the first or after the last year
    fits = (
        role in get_args(Role)
        and kind in get_args(Kind)
        and isinstance(text, str)
        and isinstance(safety, str)
        and said.tzinfo is not None
        and all(isinstance(score, float | int) and 0 <= score <= 1 for score in scores.values())
    )
    if not fits:
        raise ValueError("no turn of a conversation")
    return Turn(role, text, said, scores, kind, safety)
