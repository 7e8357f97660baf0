"""What a run learns from, as documents: prepared examples and conversations, or rows of plain text.

Shapes: `E` labels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from buddy.data.prepared import ADVICE, PreparedData
from buddy.data.teacher import SINGLE_TEXT, Teacher, read_teacher
from buddy.errors import UserMistake
from buddy.records import Dialogue, Example
from buddy.text.batches import Batch, keep_apart, pack, pad
from buddy.text.render import EMOTION_TYPE, END, Piece, render_dialogue, render_example
from buddy.text.rows import TextCorpus
from buddy.text.tokenizer import Codec, SoftLabel, Tokens
from buddy.training.settings import TrainSettings

ENCODED_AT_ONCE = 4096
"""What the tokenizer gives takes ten times the memory of what is kept of it."""

ORDER_OF_BLOCKS = 0xB10C
"""Sets the random numbers that order blocks apart from those that order documents."""

SHARE_OF_DIALOGUES_WITH_EMOTION = 0.6
"""In so many conversations the emotion is named after one of the speaker's turns, in every epoch after another one:
a model then answers both questions at any place, and replies with and without knowing the emotion."""

SHARE_OF_DIALOGUES_BEHIND_ANOTHER = 0.3
"""So many conversations follow the beginning of another one, in every epoch of another one. In one of
EmpatheticDialogues the emotion never changes, and a model that has seen nothing else hardly ever leaves the first one
(decision 0013)."""

ORDER_OF_OTHERS = 0x07E5
"""Sets the random numbers that choose the other conversation apart from those that choose a turn."""


@dataclass(frozen=True)
class Lessons:
    """The documents of a run.

    Attributes:
        documents: gives the training documents of an epoch's chapter.
        chapters: how many documents each chapter has, in every epoch; what fits into memory is one chapter.
        valid: the validation documents.
        judged: gives training documents that are laid out as those of ``valid`` are, so that both curves measure the
            same: without a teacher, and without what a conversation may follow. Of several chapters it gives one.
        collate: makes a batch of some documents.
        asked: examples of ``train`` and ``valid`` whose label the model is asked for; none when it learns text.
        valid_bytes_per_token: bytes of text for each learned token of ``valid``; ``None`` unless text is learned.
    """

    documents: Callable[[int, int], Sequence[Tokens]]
    chapters: Sequence[int]
    valid: Sequence[Tokens]
    judged: Callable[[], Sequence[Tokens]]
    collate: Callable[[Sequence[Tokens]], Batch]
    asked: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    valid_bytes_per_token: float | None = None

    @property
    def per_epoch(self) -> int:
        """How many training documents an epoch has."""
        return sum(self.chapters)


def text_lessons(corpus: TextCorpus) -> Lessons:
    """Learn to continue text: rows of whole passages that do not see each other."""
    rows = corpus.rows("train")
    collate = partial(keep_apart, end_id=corpus.codec.special_ids[END])
    bytes_per_token = corpus.bytes_per_token()
    valid = corpus.rows("valid")
    return Lessons(lambda _epoch, _chapter: rows, [len(rows)], valid, lambda: rows, collate, {}, bytes_per_token)


def labelled_lessons(settings: TrainSettings, data: PreparedData, codec: Codec) -> Lessons:
    """Learn the labels of examples and, as a companion, the replies of conversations.

    Raises:
        UserMistake: there is a teacher, and two labels begin alike in this tokenizer.
    """
    companion = settings.task == "companion"
    talks = data.dialogues("train") if companion else []
    teacher = _read_teacher(settings, data, talks)
    label_ids = _first_tokens(codec, data.labels) if teacher else ()
    examples = data.examples("train")
    plain = _encode(examples, settings, codec)
    fixed = [
        _taught(document, (example.id, SINGLE_TEXT), codec, teacher, settings)
        for document, example in zip(plain, examples, strict=True)
    ]
    others = _other_documents(settings, data.labels, codec, teacher)
    some_others = min(len(others), settings.other_texts_per_epoch or len(others))

    def documents(epoch: int, _chapter: int = 0) -> Sequence[Tokens]:
        chosen = [others[(epoch * some_others + i) % len(others)] for i in range(some_others)]
        return [*fixed, *chosen, *_dialogue_documents(settings, talks, codec, teacher, epoch)]

    def judged() -> Sequence[Tokens]:
        return [*plain, *_plain_dialogues(settings, talks, codec)]

    valid = _valid_documents(settings, data, codec)
    collate = (
        partial(pack, width=settings.max_tokens, label_ids=label_ids)
        if companion
        else partial(pad, label_ids=label_ids)
    )
    asked = {"train": examples, "valid": data.examples("valid")}
    return Lessons(documents, [len(fixed) + some_others + len(talks)], valid, judged, collate, asked)


def streamed_lessons(settings: TrainSettings, data: PreparedData, codec: Codec) -> Lessons:
    """Learn the labels of more examples than memory holds: a chapter of blocks at a time, in another order each epoch.

    Within a chapter the documents are shuffled as always. So a document meets others of some random blocks, and not
    of all; a run that goes on finds its chapter by counting steps, as it finds its place within one.

    Raises:
        UserMistake: the task needs all documents at once, or the folder was not written in blocks.
    """
    if settings.task != "emotion" or settings.teacher:
        raise UserMistake(
            f"{data.folder} has more documents than {settings.documents_in_memory:,}; a companion, or a teacher, needs "
            "all of them in memory: raise --documents-in-memory."
        )
    *whole, last = data.blocks("train")
    if set(whole) - {max(whole, default=last)} or last > max(whole, default=last):
        raise UserMistake(f"The blocks of {data.folder} are not of one size; {ADVICE}.")
    at_once = max(1, settings.documents_in_memory // max([*whole, last]))
    sizes = [*whole, last]
    starts = range(0, len(sizes), at_once)

    def examples(epoch: int, chapter: int) -> list[Example]:
        random = np.random.default_rng((settings.seed, epoch, ORDER_OF_BLOCKS))
        order = [*random.permutation(len(whole)).tolist(), len(whole)]  # the last block, which is smaller, stays last
        return data.examples_of_blocks("train", order[starts[chapter] : starts[chapter] + at_once])

    def documents(epoch: int, chapter: int) -> Sequence[Tokens]:
        return _encode(examples(epoch, chapter), settings, codec)

    chapters = [sum(sizes[start : start + at_once]) for start in starts]
    asked = {"train": data.examples_of_blocks("train", [0]), "valid": data.examples("valid")}
    valid = _valid_documents(settings, data, codec)
    return Lessons(documents, chapters, valid, lambda: documents(0, 0), pad, asked)


def _encode(examples: Sequence[Example], settings: TrainSettings, codec: Codec) -> list[Tokens]:
    documents: list[Tokens] = []
    for start in range(0, len(examples), ENCODED_AT_ONCE):
        some = examples[start : start + ENCODED_AT_ONCE]
        rendered = [render_example(example.text, example.label, settings.text_weight) for example in some]
        documents += codec.encode(rendered, settings.max_tokens)
    return documents


def training_texts(data: PreparedData, task: str) -> Iterator[str]:
    """Give the training texts, with the labels as they stand in the layout, for a tokenizer to learn from."""
    for block in range(len(data.blocks("train"))):
        for example in data.examples_of_blocks("train", [block]):
            yield f" {example.text} {example.label}"
    if task == "companion":
        for dialogue in data.dialogues("train"):
            yield from (f" {turn}" for turn in dialogue.turns)


def _read_teacher(settings: TrainSettings, data: PreparedData, talks: Sequence[Dialogue]) -> Teacher | None:
    if not settings.teacher:
        return None
    known = {example.id for example in data.examples("train")} | {talk.id for talk in talks}
    ids, texts = set[str](), set[str]()
    for split in data.splits():
        if split != "train":
            examples = data.examples(split)
            dialogues = data.dialogues(split) if data.has_dialogues(split) else []
            ids |= {example.id for example in examples} | {talk.id for talk in dialogues}
            texts |= {example.text for example in examples} | {talk.situation for talk in dialogues}
    return read_teacher(Path(settings.teacher), data.labels, known, ids, texts)


def _first_tokens(codec: Codec, labels: Sequence[str]) -> tuple[int, ...]:
    first = tuple(codec.encode_label(label)[0] for label in labels)
    if len(set(first)) < len(first):
        raise UserMistake("Two labels begin with the same token, so that a teacher cannot be learned; rename one.")
    return first


def _other_documents(
    settings: TrainSettings, labels: Sequence[str], codec: Codec, teacher: Teacher | None
) -> list[Tokens]:
    """Lay out texts that have no label but the teacher's, in a seeded order."""
    if teacher is None or not teacher.others:
        return []
    order = np.random.default_rng(settings.seed).permutation(len(teacher.others))
    texts = [teacher.others[i] for i in order]
    likeliest = [labels[int(teacher.probabilities[row].argmax())] for _, row in texts]
    rendered = [
        render_example(text, label, settings.text_weight) for (text, _), label in zip(texts, likeliest, strict=True)
    ]
    documents = codec.encode(rendered, settings.max_tokens)
    return [
        _with_soft_label(document, teacher.probabilities[row], 0.0, codec)
        for document, (_, row) in zip(documents, texts, strict=True)
    ]


def _dialogue_documents(
    settings: TrainSettings, talks: Sequence[Dialogue], codec: Codec, teacher: Teacher | None, epoch: int
) -> list[Tokens]:
    forms = [_emotion_after(talk, settings.seed, epoch) for talk in talks]
    rendered: list[tuple[Piece, ...]] = []
    for talk, turn in zip(talks, forms, strict=True):
        before = _turns_before(talk, talks, settings.seed, epoch)
        longer = replace(talk, turns=[*before, *talk.turns])
        rendered.append(_render_dialogue(longer, None if turn is None else len(before) + turn, settings))
    documents = codec.encode(rendered, settings.max_tokens)
    return [
        document if turn is None else _taught(document, (talk.id, turn), codec, teacher, settings)
        for document, talk, turn in zip(documents, talks, forms, strict=True)
    ]


def _valid_documents(settings: TrainSettings, data: PreparedData, codec: Codec) -> list[Tokens]:
    talks = data.dialogues("valid") if settings.task == "companion" else []
    return [*_encode(data.examples("valid"), settings, codec), *_plain_dialogues(settings, talks, codec)]


def _plain_dialogues(settings: TrainSettings, talks: Sequence[Dialogue], codec: Codec) -> list[Tokens]:
    """Lay conversations out one by one, each with its own label, in the form that they have in the first epoch."""
    rendered = [_render_dialogue(talk, _emotion_after(talk, settings.seed, epoch=0), settings) for talk in talks]
    return codec.encode(rendered, settings.max_tokens)


def _emotion_after(talk: Dialogue, seed: int, epoch: int) -> int | None:
    """Choose the speaker's turn after which the emotion is named in this epoch, or none."""
    random = np.random.default_rng((seed, epoch, *talk.id.encode()))
    if random.random() >= SHARE_OF_DIALOGUES_WITH_EMOTION:
        return None
    return int(random.choice(range(0, len(talk.turns), 2)))


def _turns_before(talk: Dialogue, talks: Sequence[Dialogue], seed: int, epoch: int) -> Sequence[str]:
    """Choose what was talked about before, in this epoch: a few exchanges of another conversation, or nothing."""
    random = np.random.default_rng((seed, epoch, ORDER_OF_OTHERS, *talk.id.encode()))
    if random.random() >= SHARE_OF_DIALOGUES_BEHIND_ANOTHER:
        return ()
    other = talks[int(random.integers(len(talks)))]
    most = len(other.turns) // 2
    if other.id == talk.id or not most:
        return ()
    return other.turns[: 2 * int(random.integers(1, most + 1))]


def _render_dialogue(talk: Dialogue, turn: int | None, settings: TrainSettings) -> tuple[Piece, ...]:
    return render_dialogue(talk, () if turn is None else (turn,), settings.text_weight, settings.reply_weight)


def _taught(
    document: Tokens, key: tuple[str, int], codec: Codec, teacher: Teacher | None, settings: TrainSettings
) -> Tokens:
    """Add what the teacher says; the true label then counts ``label_weight``."""
    row = None if teacher is None else teacher.rows.get(key)
    if teacher is None or row is None:
        return document
    return _with_soft_label(document, teacher.probabilities[row], settings.label_weight, codec)


def _with_soft_label(document: Tokens, probabilities: npt.NDArray[np.float32], weight: float, codec: Codec) -> Tokens:
    marks = np.flatnonzero(document.ids == codec.special_ids[EMOTION_TYPE])
    if not len(marks):  # cut off with the oldest turns
        return document
    at = int(marks[0]) + 1
    weights = document.weights.copy()
    weights[at] = weight
    return replace(document, weights=weights, soft_label=SoftLabel(at, probabilities))
