"""Ask the teachers: soft labels of ED's training texts, and of texts that nobody has labelled.

    python -m recipes.soft_labels data/ed-recipe teachers/0 teachers/1 teachers/2 --out soft.parquet \
        --corpus isear.jsonl.xz --corpus diaries.jsonl.xz --most 30000

A text of ED is judged by the one teacher that has not learned from its conversation; any other text by all of them.
Of long texts a stretch of a few sentences is taken, of diaries only those that speak of the writer.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import AutoModel, AutoTokenizer

from buddy.data.corpus import CorpusFile, Passage, read_passages
from buddy.data.prepared import PreparedData, read_prepared
from buddy.data.teacher import SINGLE_TEXT
from buddy.progress import progress
from buddy.records import Dialogue, Example
from recipes.teachers import FOLDS, Teacher, context, fold_of

Floats = npt.NDArray[np.float32]
SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
OF_THE_WRITER = re.compile(r"\b(I|I'm|I've|my|me|we|our)\b")
WORDS = (7, 40)
TOKENS_AT_ONCE = 4096


def load_teacher(folder: Path, labels: int) -> tuple[Teacher, Any]:
    """Load what ``teachers.py`` saved."""
    teacher = Teacher(AutoModel.from_pretrained(folder, add_pooling_layer=False), labels)
    teacher.head.load_state_dict(torch.load(folder / "head.pt", weights_only=True))
    return teacher.eval(), AutoTokenizer.from_pretrained(folder)


def ask(folder: Path, texts: Sequence[str], labels: int) -> Floats:
    """Give a teacher's probabilities: (N, E)."""
    teacher, tokenizer = load_teacher(folder, labels)
    ids = tokenizer(list(texts), truncation=True)["input_ids"]
    by_length = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    answers = np.zeros((len(ids), labels), np.float32)
    with (
        progress(f"asking {folder.name}", len(ids), "texts") as bar,
        torch.inference_mode(),
        torch.autocast("cpu", torch.bfloat16),
    ):
        while by_length:
            some = by_length[-max(1, TOKENS_AT_ONCE // len(ids[by_length[-1]])) :]
            del by_length[-len(some) :]
            batch = tokenizer.pad({"input_ids": [ids[i] for i in some]}, return_tensors="pt")
            answers[some] = teacher(batch["input_ids"], batch["attention_mask"])[0].float().softmax(1).numpy()
            bar.advance(len(some))
    return answers


def ed_texts(data: PreparedData) -> Iterator[tuple[str, int, str]]:
    """Give (id, turn, text) of each situation, and of each conversation up to each of the speaker's turns."""
    for example in data.examples("train"):
        yield example.id, SINGLE_TEXT, example.text
    for dialogue in data.dialogues("train"):
        for turn in range(0, len(dialogue.turns), 2):
            yield dialogue.id, turn, context(dialogue.turns[: turn + 1])


def other_texts(file: CorpusFile, most: int) -> list[str]:
    """Give stretches of a corpus file, at most so many, evenly from all of it."""
    texts = [text for passage in read_passages(file, seed=13) for text in stretches(passage)]
    order = np.random.default_rng(13).permutation(len(texts))[:most]
    return [texts[i] for i in order]


def stretches(passage: Passage) -> Iterator[str]:
    """Cut prose into stretches of whole sentences; a conversation's turns are stretches by themselves."""
    if isinstance(passage, Dialogue):
        pieces: Sequence[str] = passage.turns
    else:
        pieces = sentences_together(passage.text if isinstance(passage, Example) else passage)
    return (p for p in pieces if WORDS[0] <= len(p.split()) <= WORDS[1] and OF_THE_WRITER.search(p))


def sentences_together(text: str) -> list[str]:
    """Join sentences until there are a dozen words."""
    found: list[str] = []
    for sentence in map(str.strip, SENTENCE.findall(text)):
        if found and len(found[-1].split()) < 12:
            found[-1] += " " + sentence
        else:
            found.append(sentence)
    return found


def main() -> None:
    """Read the command line, ask, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("teachers", type=Path, nargs="+", help="All of them, in the order of their folds.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, action="append", default=[])
    parser.add_argument("--most", type=int, default=30_000, help="Texts of each corpus file, at most.")
    given = parser.parse_args()
    if len(given.teachers) != FOLDS:
        parser.error(f"name the {FOLDS} teachers in the order of their folds")
    data = read_prepared(given.data)
    ours = list(ed_texts(data))
    others = [t for file in given.corpus for t in other_texts(CorpusFile(file), given.most)]
    folds = np.array([fold_of(id_) for id_, _, _ in ours])
    answers = np.zeros((len(ours) + len(others), len(data.labels)), np.float32)
    for fold, teacher in enumerate(given.teachers):
        mine = np.flatnonzero(folds == fold)
        found = ask(teacher, [*(ours[i][2] for i in mine), *others], len(data.labels))
        answers[mine] = found[: len(mine)]
        answers[len(ours) :] += found[len(mine) :] / len(given.teachers)
    emotion = {e.id: e.label for e in data.examples("train")}
    right = [
        data.labels[a.argmax()] == emotion[o[0]] for a, o in zip(answers, ours, strict=False) if o[1] == SINGLE_TEXT
    ]
    print(f"{len(ours):,} texts of ED (situations right: {np.mean(right):.1%}), {len(others):,} others")
    rows = [*ours, *((f"other-{i}", SINGLE_TEXT, text) for i, text in enumerate(others))]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(("id", "turn", "text"))}
    table = pa.table({**columns, **{f"p_{label}": answers[:, i] for i, label in enumerate(data.labels)}})
    pq.write_table(table, given.out, compression="zstd")


if __name__ == "__main__":
    main()
