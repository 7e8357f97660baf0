"""The texts that come with buddy: written for it, in the public domain, enough to try everything offline.

    builtin/situations/LABEL.txt    a situation in each line
    builtin/dialogues/LABEL.txt     conversations with an empty line between them: the situation, then the turns

    I eat standing up. The table feels too big for one.
    S: My wife always laid it. I can't bring myself to.
    L: So every supper starts with her not being there. How long has it been?

``S:`` is the speaker, who begins, and ``L:`` the listener. ``docs/data-card.md`` says how the texts came about.
"""

from collections.abc import Iterator
from importlib.resources import files

from buddy.data.normalise import clean
from buddy.data.source import UNSPLIT, Source, Tally
from buddy.records import Dialogue, Example

NAME = "buddy's built-in texts"
LICENCE = "CC0 1.0: written for buddy and given to the public domain."

SPEAKER_MARK, LISTENER_MARK = "S: ", "L: "


def read_builtin() -> Source:
    """Read the built-in situations and conversations.

    Ids are the label and a number: ``afraid-001`` for a situation, ``afraid-d01`` for a conversation.
    """
    examples = [
        Example(f"{label}-{number:03}", line, label)
        for label, text in _texts("situations")
        for number, line in enumerate(filter(None, map(clean, text.split("\n"))), start=1)
    ]
    dialogues = [one for label, text in _texts("dialogues") for one in parse_dialogues(text, label)]
    return Source(
        name=NAME,
        origin="buddy/data/builtin",
        licence=LICENCE,
        examples={UNSPLIT: examples},
        tally=Tally(),
        rows_read={UNSPLIT: len(examples) + len(dialogues)},
        dialogues={UNSPLIT: dialogues},
    )


def parse_dialogues(text: str, label: str) -> list[Dialogue]:
    r"""Read the conversations of one label.

    Args:
        text: a whole file.
        label: the emotion of the speaker in each of them.

    Raises:
        ValueError: a line does not belong where it stands. The texts are ours, so a slip in one is a defect to
            be repaired; a reader that guessed would teach a model to speak for the wrong side.

    Example:
        >>> parse_dialogues("I won.\nS: I won!\nL: Well done. What was it?\n", "proud")
        [Dialogue(id='proud-d01', emotion='proud', situation='I won.', turns=('I won!', 'Well done. What was it?'))]
    """
    return [
        Dialogue(f"{label}-d{number:02}", label, situation, turns)
        for number, (situation, turns) in enumerate(_conversations(text, f"{label}.txt"), start=1)
    ]


def _texts(folder: str) -> Iterator[tuple[str, str]]:
    """Give each label and its file, in the order of the labels."""
    for file in sorted((files("buddy") / "data" / "builtin" / folder).iterdir(), key=lambda file: file.name):
        label, ending = file.name.rsplit(".", 1)
        if ending == "txt":
            yield label, file.read_text("utf-8")


def _conversations(text: str, file: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give each situation and its turns; an empty line ends a conversation."""
    block: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            block.append(_checked(line, len(block), f"{file}, line {number}"))
        elif block:
            if len(block) < 3:
                raise ValueError(f"{file}, line {number}: a conversation is a situation and at least two turns")
            yield block[0], tuple(block[1:])
            block = []


def _checked(line: str, place: int, where: str) -> str:
    """Strip a line of its mark; line 0 of a conversation is the situation, and the speaker has the odd ones."""
    mark = "" if place == 0 else (LISTENER_MARK, SPEAKER_MARK)[place % 2]
    words = line.removeprefix(mark)
    if place == 0 and line.startswith((SPEAKER_MARK.strip(), LISTENER_MARK.strip())):
        raise ValueError(f"{where}: a turn stands where a situation is expected")
    if not line.startswith(mark):
        raise ValueError(f"{where}: expected {mark.strip()!r} and the words of the turn, not {line[:20]!r}")
    if words != clean(words) or not words:
        raise ValueError(f"{where}: white space at an end, or more than one space between words")
    return words
