"""How well the crisis guard does on messages whose truth is known."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from buddy.companion.safety import Guard, Level
from buddy.errors import UserMistake


@dataclass(frozen=True)
class Message:
    """A message and what is true of it.

    Attributes:
        text: the message.
        crisis: whether the guard should answer it.
        category: of crisis, or any other word for a kind of message; may be empty.
    """

    text: str
    crisis: bool
    category: str = ""


@dataclass(frozen=True)
class SafetyReport:
    """What the guard found.

    Attributes:
        n: messages.
        crisis: of them crises.
        recall: share of the crises that raise the alarm.
        precision: share of the alarms that are crises; 1 if there was no alarm.
        recall_by_category: recall in each category that has a crisis.
        missed: crises without an alarm.
        false_alarms: alarms without a crisis.
    """

    n: int
    crisis: int
    recall: float
    precision: float
    recall_by_category: dict[str, float] = field(default_factory=dict)
    missed: Sequence[str] = ()
    false_alarms: Sequence[str] = ()

    def to_json(self) -> dict[str, object]:
        """Give all of it, for a file."""
        return asdict(self)


def evaluate_safety(messages: Sequence[Message], guard: Guard = Guard()) -> SafetyReport:  # noqa: B008  (it is frozen)
    """Let the guard judge messages, at the level of the alarm.

    Args:
        messages: at least one of them a crisis.
        guard: with its settings.

    Raises:
        ValueError: none is a crisis, so that there is no recall.

    Example:
        >>> some = [Message("I want to die", True), Message("My phone died", False), Message("Please help", True)]
        >>> found = evaluate_safety(some)
        >>> found.recall, found.precision, found.missed
        (0.5, 1.0, ['Please help'])
    """
    crises = [one for one in messages if one.crisis]
    if not crises:
        raise ValueError("recall needs a message that is a crisis")
    alarms = {one for one in messages if guard.check([one.text]).level == Level.ALARM}
    kinds = dict.fromkeys(one.category for one in crises if one.category)
    return SafetyReport(
        n=len(messages),
        crisis=len(crises),
        recall=_share(one in alarms for one in crises),
        precision=_share(one.crisis for one in messages if one in alarms),
        recall_by_category={kind: _share(one in alarms for one in crises if one.category == kind) for kind in kinds},
        missed=[one.text for one in crises if one not in alarms],
        false_alarms=[one.text for one in messages if one in alarms and not one.crisis],
    )


def read_messages(path: Path) -> list[Message]:
    """Read messages from JSON lines with the fields ``text`` and ``crisis``, and ``category`` if there is one.

    Raises:
        UserMistake: a line is none of that kind, or no message is a crisis.
    """
    messages = []
    try:
        lines = path.read_text("utf-8").split("\n")  # splitlines would cut at U+2028, which may stand in a message
    except UnicodeDecodeError as error:
        raise UserMistake(f"{path} is not UTF-8.") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            messages.append(_message(line, f"{path}, line {number}"))
    if not any(one.crisis for one in messages):
        raise UserMistake(f'{path} has no message with "crisis": true, so that there is no recall.')
    return messages


def _message(line: str, where: str) -> Message:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserMistake(f"{where} is no JSON object.") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("crisis"), bool):
        raise UserMistake(f'{where} needs "text", a text, and "crisis", true or false.')
    return Message(row["text"], row["crisis"], str(row.get("category") or ""))


def _share(marks: Iterable[bool]) -> float:
    found = list(marks)
    return sum(found) / len(found) if found else 1.0
