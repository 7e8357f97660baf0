"""Text of any amount to rows of tokens on the disk, from which pre-training reads as if they were in memory.

    FOLDER/train.tokens  valid.tokens     token ids one behind the other, two or four bytes each
    FOLDER/train.rows.npy  valid.rows.npy where each row ends
    FOLDER/tokenizer.json                 the tokenizer that made them
    FOLDER/corpus.json                    files, counts, labels

A row holds whole passages one behind the other, each with its end mark; a passage longer than a row is cut into
several. Reading goes through the text once and keeps a few megabytes of it in memory.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from buddy.data.corpus import CorpusFile, Passage, read_passages
from buddy.errors import UserMistake
from buddy.files import atomic_folder, write_json
from buddy.progress import Progress, progress
from buddy.records import Dialogue, Example
from buddy.text.batches import first_fit
from buddy.text.render import END, render_passage
from buddy.text.tokenizer import Codec, Tokens, make_codec

PASSAGES_PACKED_TOGETHER = 2000
VALID_EVERY = 100
"""One passage of a hundred is held out; which ones is decided by their text, so that no copy is on both sides."""


@dataclass(frozen=True)
class TextRows(Sequence[Tokens]):
    """The rows of one split, read from the disk when they are asked for."""

    tokens: npt.NDArray[np.unsignedinteger[Any]]
    ends: npt.NDArray[np.int64]  # (rows,)
    end_id: int

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> Tokens: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tokens]: ...
    def __getitem__(self, index: int | slice) -> Tokens | Sequence[Tokens]:
        """Read a row; the first token of a passage is not learned, for nothing stands before it."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        ids = self.tokens[self.ends[index - 1] if index else 0 : self.ends[index]].astype(np.int64)
        weights = np.ones(len(ids), np.float32)
        weights[0] = 0.0
        weights[1:][ids[:-1] == self.end_id] = 0.0
        return Tokens(ids, weights)


@dataclass(frozen=True)
class TextCorpus:
    """A folder of rows."""

    folder: Path
    labels: tuple[str, ...]
    width: int
    codec: Codec
    facts: dict[str, Any]

    def rows(self, split: str) -> TextRows:
        """Open the rows of ``train`` or ``valid``."""
        kind = _number_kind(self.codec)
        tokens = np.memmap(self.folder / f"{split}.tokens", kind, "r")
        return TextRows(tokens, np.load(self.folder / f"{split}.rows.npy"), self.codec.special_ids[END])

    def tokenizer(self) -> Tokenizer:
        """Read the tokenizer that made the rows."""
        return Tokenizer.from_str((self.folder / "tokenizer.json").read_text("utf-8"))

    def bytes_per_token(self) -> float:
        """Bytes for each learned token of ``valid``: what turns nats per token into bits per byte.

        Only the bytes of learned tokens count, and a mark counts one, as the end of a reply does in an evaluation.
        """
        marks = list(self.codec.special_ids.values())
        learned, size = 0, 0
        for row in self.rows("valid"):
            ids = row.ids[row.weights > 0]
            is_mark = np.isin(ids, marks)
            learned += len(ids)
            size += len(self.codec.decode(ids[~is_mark].tolist()).encode()) + int(is_mark.sum())
        return size / max(learned, 1)

    def fingerprint(self) -> str:
        """Tell whether two folders hold the same tokens."""
        return str(self.facts["fingerprint"])


def corpus_texts(files: Sequence[CorpusFile], seed: int) -> Iterator[str]:
    """Give all text of a corpus, for a tokenizer to learn from."""
    for file in files:
        for passage in read_passages(file, seed):
            yield from (f" {text}" for text in _texts_of(passage))


def write_corpus(
    folder: Path, files: Sequence[CorpusFile], tokenizer: Tokenizer, labels: Sequence[str], width: int, seed: int
) -> None:
    """Read files and write them as rows of tokens, all or nothing.

    Args:
        folder: to be made.
        files: what to read.
        tokenizer: with our special tokens.
        labels: kept with the rows, for the checkpoints of a model that learns from them.
        width: tokens per row at most.
        seed: decides which conversations name their emotion, and which passages a share of a file keeps.

    Raises:
        UserMistake: the files hold too little text for a train and a valid split.
    """
    codec = make_codec(tokenizer)
    with atomic_folder(folder) as temporary:
        per_file = []
        with (
            open(temporary / "train.tokens", "wb") as train,
            open(temporary / "valid.tokens", "wb") as valid,
            progress("tokenizing", None, "passages") as bar,
        ):
            writers = {"train": _RowWriter(train, codec, width), "valid": _RowWriter(valid, codec, width)}
            for file in files:
                found = _write_file(file, writers, seed, bar)
                per_file.append({"name": file.path.name, "times": file.times, "passages": found})
        for split, writer in writers.items():
            if not writer.ends:
                raise UserMistake(
                    f"There is too little text: no passage is left for {split}; name more --corpus files."
                )
            np.save(temporary / f"{split}.rows.npy", np.array(writer.ends, np.int64))
        tokenizer.save(str(temporary / "tokenizer.json"))
        facts = {
            "labels": list(labels),
            "width": width,
            "files": per_file,
            **{split: writer.counts() for split, writer in writers.items()},
            "fingerprint": _digest(sorted(temporary.glob("*.tokens"))),
        }
        write_json(temporary / "corpus.json", facts)


def read_corpus(folder: Path) -> TextCorpus:
    """Open what ``write_corpus`` wrote.

    Raises:
        UserMistake: it is not there, or damaged.
    """
    try:
        facts = json.loads((folder / "corpus.json").read_text("utf-8"))
        codec = make_codec(Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8")))
        corpus = TextCorpus(folder, tuple(facts["labels"]), int(facts["width"]), codec, facts)
        for split in ("train", "valid"):
            rows = corpus.rows(split)
            if rows.ends[-1] != len(rows.tokens) or len(rows.tokens) != facts[split]["tokens"]:
                raise ValueError("the rows do not fit the tokens")
    except Exception as error:  # the tokenizer library raises a bare one
        raise UserMistake(f"{folder} holds no whole corpus; run `buddy pretrain` with another --out.") from error
    return corpus


class _RowWriter:
    """Packs passages into rows and writes their tokens."""

    def __init__(self, file: IO[bytes], codec: Codec, width: int) -> None:
        self.file, self.codec, self.width = file, codec, width
        self.kind = _number_kind(codec)
        self.ends: list[int] = []
        self.passages = self.bytes = 0

    def write(self, passages: Sequence[tuple[Passage, bool]]) -> None:
        """Write some passages, each with whether it names its emotion."""
        if not passages:
            return
        rendered = [render_passage(passage, with_emotion) for passage, with_emotion in passages]
        pieces = [
            document.ids[start : start + self.width]
            for document in self.codec.encode(rendered)
            for start in range(0, len(document), self.width)
        ]
        for row in first_fit([len(piece) for piece in pieces], self.width):
            ids = np.concatenate([pieces[i] for i in row])
            self.file.write(ids.astype(self.kind).tobytes())
            self.ends.append((self.ends[-1] if self.ends else 0) + len(ids))
        self.passages += len(passages)
        self.bytes += sum(len(piece.text.encode()) for pieces in rendered for piece in pieces if not piece.special)

    def counts(self) -> dict[str, int]:
        """Say what was written; bytes are those of the text alone, in UTF-8."""
        tokens = self.ends[-1] if self.ends else 0
        return {"passages": self.passages, "bytes": self.bytes, "tokens": tokens, "rows": len(self.ends)}


def _write_file(file: CorpusFile, writers: dict[str, _RowWriter], seed: int, bar: Progress) -> int:
    random = np.random.default_rng((seed, *file.path.name.encode()))
    passages = read_passages(file, seed)
    total = 0
    while chunk := list(islice(passages, PASSAGES_PACKED_TOGETHER)):
        shared: dict[str, list[tuple[Passage, bool]]] = {split: [] for split in writers}
        for passage in chunk:
            shared[_split_of(passage)].append((passage, bool(random.random() < 0.5)))
        for split, writer in writers.items():
            writer.write(shared[split])
        total += len(chunk)
        bar.advance(len(chunk), note=file.path.name)
    return total


def _split_of(passage: Passage) -> str:
    text = "\n".join(_texts_of(passage))
    return "train" if zlib.crc32(text.encode("utf-8", "replace")) % VALID_EVERY else "valid"


def _texts_of(passage: Passage) -> Iterable[str]:
    if isinstance(passage, Dialogue):
        return passage.turns
    return (passage.text if isinstance(passage, Example) else passage,)


def _number_kind(codec: Codec) -> type[np.uint16] | type[np.uint32]:
    return np.uint16 if codec.backend.get_vocab_size() <= 1 << 16 else np.uint32


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with open(file, "rb") as source:
            while block := source.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
