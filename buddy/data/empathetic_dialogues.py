"""Reading EmpatheticDialogues, whose files look like CSV and are not.

    conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags
    hit:0_conv:1,1,sentimental,I miss her_comma_ a lot.,1,I went to the fireworks.,5|5|5_2|2|5,

A comma inside a text is written ``_comma_``; quotation marks mean nothing, and a CSV reader that honours them
swallows thousands of rows without a word. So a line is a row, and every comma ends a field. ``context`` is the
emotion and ``prompt`` the situation. Valid and test lines may carry a ninth field of candidate replies.
Nothing after the sixth field is used.

Source:
    Rashkin et al. 2019, "Towards Empathetic Open-domain Conversation Models", arXiv 1811.00207.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from buddy.data.download import RemoteFile
from buddy.data.normalise import clean
from buddy.data.source import Source, Tally
from buddy.errors import UserMistake
from buddy.records import SPLITS, Dialogue, Example

NAME = "EmpatheticDialogues"
LICENCE = "CC BY-NC 4.0 (Rashkin et al. 2019, facebookresearch/EmpatheticDialogues): no commercial use."

OFFICIAL = RemoteFile(
    url="https://dl.fbaipublicfiles.com/parlai/empatheticdialogues/empatheticdialogues.tar.gz",
    size=28_022_709,
    sha256="56f234d77b7dd1f005fd365bb17769cfe346c3c84295b69bc069c8ccb83be03d",
)

MEMBERS = {f"{split}.csv": split for split in SPLITS}
"""The files of the archive, by name, and the splits that they hold."""

HEADER = "conv_id,"
COMMA = "_comma_"
USED_FIELDS = 6
USUAL_FIELDS = (8, 9)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what one person said in a conversation, and what the conversation is about."""

    conversation: str
    number: int
    emotion: str
    situation: str
    person: str
    utterance: str


class MalformedLineError(ValueError):
    """A line that cannot be a row; its text is the reason, in words fit for a report."""


def parse_line(line: str) -> Row:
    """Read one line of the file.

    Args:
        line: without its line break.

    Raises:
        MalformedLineError: fewer than six fields, no conversation, no emotion, nothing said, or an utterance
            number that is none: the fields are then not what their place says they are.

    Example:
        >>> row = parse_line("hit:0_conv:1,2,sad,My dog_comma_ Rex_comma_  died.,7, So sorry!,,")
        >>> row.situation, row.utterance, row.number
        ('My dog, Rex, died.', 'So sorry!', 2)
    """
    fields = line.split(",")
    if len(fields) < USED_FIELDS:
        raise MalformedLineError("blank line" if not line.strip() else "fewer than six fields")
    conversation, number, emotion, situation, person, utterance = (_plain(field) for field in fields[:USED_FIELDS])
    if not number.isdecimal():
        raise MalformedLineError("the utterance number is not a number")
    for value, name in ((conversation, "conversation id"), (emotion, "emotion"), (utterance, "utterance")):
        if not value:
            raise MalformedLineError(f"empty {name}")
    return Row(conversation, int(number), emotion, situation, person, utterance)


def read_source(files: Mapping[str, bytes], origin: str) -> Source:
    """Turn the files of the archive into records.

    Args:
        files: split → content of its file.
        origin: where they came from, for messages and the data card.

    Raises:
        UserMistake: a file is empty, binary, or has no line in this layout.
    """
    tally = Tally()
    dialogues: dict[str, list[Dialogue]] = {}
    spoken_turns: dict[str, int] = {}
    rows_read: dict[str, int] = {}
    for split, content in files.items():
        lines = list(_lines(content, f"{split}.csv in {origin}", tally))
        rows_read[split] = len(lines)
        conversations = _conversations(_rows(lines, tally))
        if not conversations:
            raise UserMistake(f"No line of {split}.csv in {origin} has the layout conv_id,utterance_idx,context,…")
        spoken_turns.update({rows[0].conversation: len(rows) for rows in conversations})
        dialogues[split] = [_to_dialogue(rows, tally) for rows in conversations]
    examples = {split: _situations(conversations, tally) for split, conversations in dialogues.items()}
    return Source(NAME, origin, LICENCE, examples, tally, rows_read, dialogues, spoken_turns)


def _plain(field: str) -> str:
    return clean(field.replace(COMMA, ","))


def _lines(content: bytes, where: str, tally: Tally) -> Iterator[str]:
    """Cut at line feeds only: ``str.splitlines`` would also cut at characters that occur inside texts."""
    if not content.strip():
        raise UserMistake(f"{where} is empty.")
    if b"\0" in content:
        raise UserMistake(f"{where} is a binary file, not text.")
    for number, raw in enumerate(content.removesuffix(b"\n").split(b"\n")):
        line = raw.decode("utf-8", "replace")
        if "\ufffd" in line and "\ufffd".encode() not in raw:
            tally.notes["line with bytes that are not UTF-8 (replaced)"] += 1
        if number > 0 or not line.removeprefix("\ufeff").startswith(HEADER):
            yield line


def _rows(lines: Iterable[str], tally: Tally) -> Iterator[Row]:
    for line in lines:
        try:
            row = parse_line(line)
        except MalformedLineError as reason:
            tally.dropped[str(reason)] += 1
            continue
        if line.count(",") + 1 not in USUAL_FIELDS:
            tally.notes["row with an unusual number of fields (kept, six are used)"] += 1
        yield row


def _conversations(rows: Iterable[Row]) -> list[list[Row]]:
    """Gather rows by conversation, in the order of the file; turns go by their number."""
    conversations: dict[str, list[Row]] = {}
    for row in rows:
        conversations.setdefault(row.conversation, []).append(row)
    return [sorted(turns, key=lambda row: row.number) for turns in conversations.values()]


def _to_dialogue(rows: Sequence[Row], tally: Tally) -> Dialogue:
    """Make turns alternate: whoever speaks first is the speaker, anybody else the listener."""
    first = rows[0]
    runs = [list(run) for _, run in groupby(rows, key=lambda row: row.person == first.person)]
    merged = len(rows) - len(runs)
    if merged:
        tally.notes["turn merged with the one before, by the same person"] += merged
    if len({(row.emotion, row.situation) for row in rows}) > 1:
        tally.notes["conversation whose rows disagree on emotion or situation (the first counts)"] += 1
    turns = tuple(" ".join(row.utterance for row in run) for run in runs)
    return Dialogue(first.conversation, first.emotion, first.situation, turns)


def _situations(dialogues: Iterable[Dialogue], tally: Tally) -> list[Example]:
    """Take each situation once per emotion: several conversations of a split may be about the same."""
    examples: dict[tuple[str, str], Example] = {}
    for dialogue in dialogues:
        if not dialogue.situation:
            tally.notes["conversation without a situation (no example made of it)"] += 1
        elif (dialogue.situation, dialogue.emotion) in examples:
            tally.notes["repeated situation (kept once as an example)"] += 1
        else:
            example = Example(dialogue.id, dialogue.situation, dialogue.emotion)
            examples[dialogue.situation, dialogue.emotion] = example
    return list(examples.values())
