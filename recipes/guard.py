"""Make the second reader of the crisis guard: a sentence encoder that learns to tell danger from what sounds like it.

    python -m recipes.guard MINILM data/empathetic-dialogues models/guard diaries.jsonl.xz@0.27 talks.jsonl.xz@0.2 …

MINILM is a folder with MiniLM-L6-v2. The messages (`recipes/danger_messages.jsonl`) were written for this, as were
those that the rules were mended with, and ordinary turns. Texts of EmpatheticDialogues and of other corpora in which
no rule of the guard finds anything stand for everyday talk: after a first round those that are mistaken for danger are
learned, too. Each message is seen in other spellings from time to time, as people type. The second round is run
several times from where the first ended, in other orders, and the weights are averaged (Wortsman et al. 2022, "Model
soups"). Messages of seven hands that wrote nothing else of it (`recipes/choosing_messages.jsonl`), and some everyday
talk, are kept for choosing from which probability on the alarm is raised.

Tried without success: more everyday talk in place of what was mistaken, and messages joined to long ones.
"""

import json
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ctranslate2.converters import TransformersConverter
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from buddy.companion.safety import Level, assess
from buddy.data.corpus import Passage, parse_corpus_file, read_passages
from buddy.data.prepared import read_prepared
from buddy.records import Dialogue

CATEGORIES = ("harmless", "suicide", "self-harm", "violence", "abuse", "medical")
MESSAGES = Path(__file__).with_name("danger_messages.jsonl")
CHOOSING = Path(__file__).with_name("choosing_messages.jsonl")
TESTS = Path(__file__).parents[1] / "tests" / "companion"
EVERYDAY, SEARCHED, MISTAKEN = 1500, 9000, 900
OTHERS_KEPT, OTHERS_MISTAKEN = 2000, 2000
DARKEST = 60
"""Of what is mistaken in other corpora so many are passed over: some diaries are as dark as they are taken for."""

SENTENCES = re.compile(r"(?<=[.!?…])\s+")
WORDS = (15, 170)
"""Words of a piece of prose, about."""

SHORTEST = 5
"""Words of a turn that says anything."""

SEEDS = (0, 1)
EPOCHS = (2, 3)
ROWS, RATE, HEAD_RATE, LONGEST = 16, 6e-5, 1e-3, 256
SMOOTHING = 0.02
POOL = 20 * ROWS
TYPING = 0.15
"""So many messages get slips of the finger."""

STRESSED = 0.3
STRESSES = ("!", "!!", "!!!", ".", "...", "")
"""So many messages end their sentences in another way: who wrote them used "!" for fun, and seldom in danger."""

LONG, CUT = 60, 0.4
"""So many of the harmless messages of more words are cut: of a long one the second reader reads a window at a time."""

Row = tuple[str, int]


@dataclass
class Reader:
    """The encoder with its tokenizer, and a layer of categories on the mean of its vectors."""

    tokenizer: Any
    encoder: nn.Module
    head: nn.Linear

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Give logits, one row for each text."""
        inputs = self.tokenizer(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        vectors = self.encoder(**inputs).last_hidden_state  # (B, T, D)
        mask = inputs["attention_mask"][..., None]
        return self.head((vectors * mask).sum(1) / mask.sum(1))  # type: ignore[no-any-return]

    def state(self) -> dict[str, Tensor]:
        """Give all weights."""
        return nn.ModuleList([self.encoder, self.head]).state_dict()


def main(minilm: Path, everyday: Path, out: Path, *corpora: str) -> None:
    """Learn, measure on what was kept, export in int8."""
    torch.manual_seed(0)
    chance = random.Random(0)  # noqa: S311
    talk = read_everyday(everyday, chance)
    learned = [*read_messages(), *talk[:EVERYDAY]]
    encoder = AutoModel.from_pretrained(minilm, attention_probs_dropout_prob=0.0)  # a fifth of the time otherwise
    head = nn.Linear(encoder.config.hidden_size, len(CATEGORIES))
    reader = Reader(AutoTokenizer.from_pretrained(minilm), encoder, head)
    learn(reader, learned, EPOCHS[0], chance)
    others = read_others(corpora)
    mistaken = most_mistaken(reader, talk[EVERYDAY:])[:MISTAKEN]
    mistaken += most_mistaken(reader, others[OTHERS_KEPT:])[DARKEST : DARKEST + OTHERS_MISTAKEN]
    with ProcessPoolExecutor(len(SEEDS), get_context("spawn")) as processes:
        weights = list(processes.map(learn_more, repeat(reader), repeat(learned + mistaken), SEEDS))
    for name, weight in reader.state().items():
        weight.copy_(torch.tensor(np.mean([some[name] for some in weights], axis=0)))
    print_scores(reader, _rows(CHOOSING), others[:OTHERS_KEPT])
    export(reader, out)


def read_messages() -> list[Row]:
    """Read the messages that were written for this."""
    mended = _lines(TESTS / "safety_messages.jsonl")
    turns = [name for file in ("ordinary_turns.txt", "feeling_questions.txt") for name in _texts(TESTS / file)]
    return [
        *_rows(MESSAGES),
        *((line["text"], _category(line)) for line in mended),
        *((text, 0) for text in turns),
    ]


def _rows(path: Path) -> list[Row]:
    return [(line["text"], CATEGORIES.index(line["category"])) for line in _lines(path)]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _texts(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def _category(line: dict[str, Any]) -> int:
    """Give the category of a message that the rules were mended with; they tell fewer kinds apart."""
    return CATEGORIES.index(line["category"]) if line["crisis"] else 0


def read_everyday(prepared: Path, chance: random.Random) -> list[Row]:
    """Take everyday texts and turns of conversations in which no rule finds anything."""
    data = read_prepared(prepared)
    texts = [example.text for example in data.examples("train")]
    turns = [turn for dialogue in data.dialogues("train") for turn in dialogue.turns[::2]]
    drawn = chance.sample(texts, SEARCHED // 3) + chance.sample(turns, SEARCHED - SEARCHED // 3)
    chance.shuffle(drawn)
    return [(text, 0) for text in drawn if assess(text).level == Level.NONE]


def read_others(corpora: Sequence[str]) -> list[Row]:
    """Take a turn of each conversation, and some sentences of each text, in which no rule finds anything."""
    chance = random.Random(1)  # noqa: S311
    pieces = [
        piece
        for corpus in corpora
        for passage in read_passages(parse_corpus_file(corpus), seed=0)
        if (piece := _piece_of(passage, chance)) and assess(piece).level == Level.NONE
    ]
    chance.shuffle(pieces)
    return [(piece, 0) for piece in pieces]


def _piece_of(passage: Passage, chance: random.Random) -> str:
    """Give what might be a message; nothing if the passage is too short."""
    if isinstance(passage, Dialogue):
        turns = [turn for turn in passage.turns if len(turn.split()) >= SHORTEST]
        return chance.choice(turns) if turns else ""
    sentences = SENTENCES.split(passage if isinstance(passage, str) else passage.text)
    words, piece = chance.randint(*WORDS), ""
    for sentence in sentences[chance.randrange(len(sentences)) :]:
        piece = f"{piece} {sentence}".strip()
        if len(piece.split()) >= words:
            break
    return piece if len(piece.split()) >= SHORTEST else ""


def most_mistaken(reader: Reader, rows: Sequence[Row]) -> list[Row]:
    """Order everyday talk by how dangerous it is taken to be."""
    danger = danger_of(reader, [text for text, _ in rows])
    return [rows[place] for place in np.argsort(-danger)]


def learn_more(reader: Reader, rows: list[Row], seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Learn on, in a process of one's own on a core of one's own, and give the weights."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    learn(reader, rows, EPOCHS[1], random.Random(100 + seed))  # noqa: S311
    return {name: weight.numpy() for name, weight in reader.state().items()}


def learn(reader: Reader, rows: list[Row], epochs: int, chance: random.Random) -> None:
    """Go through the messages some times, each time in other spellings."""
    optimizer = torch.optim.AdamW(
        [{"params": reader.encoder.parameters(), "lr": RATE}, {"params": reader.head.parameters(), "lr": HEAD_RATE}],
        fused=True,
    )
    steps = epochs * (len(rows) // ROWS + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [RATE, HEAD_RATE], total_steps=steps, pct_start=0.1, anneal_strategy="linear"
    )
    reader.encoder.train()
    for epoch in range(epochs):
        for some in batches(rows, chance):
            with torch.autocast("cpu", torch.bfloat16):
                logits = reader([as_typed(as_read(row, chance), chance) for row in some])
            truth = torch.tensor([category for _, category in some])
            loss = functional.cross_entropy(logits.float(), truth, label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(reader.encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {epochs}, last loss {loss.item():.3f}", flush=True)
    reader.encoder.eval()


def batches(rows: list[Row], chance: random.Random) -> list[list[Row]]:
    """Draw batches of texts of similar length, in any order."""
    chance.shuffle(rows)
    pools = [sorted(rows[start : start + POOL], key=lambda row: len(row[0])) for start in range(0, len(rows), POOL)]
    found = [pool[start : start + ROWS] for pool in pools for start in range(0, len(pool), ROWS)]
    whole = [batch for batch in found if len(batch) == ROWS]
    chance.shuffle(whole)
    return whole


def as_read(row: Row, chance: random.Random) -> str:
    """Cut a stretch out of a long message, if there is no danger in it; else nobody knows where the danger is."""
    text, category = row
    words = text.split(" ")
    if category > 0 or len(words) < LONG or chance.random() > CUT:
        return text
    start = chance.randrange(len(words) - LONG // 2)
    return " ".join(words[start : start + chance.randint(LONG // 2, len(words))])


def as_typed(text: str, chance: random.Random) -> str:
    """Write a message as somebody in a hurry might: other letters, other stops or none, slips of the finger."""
    if chance.random() < STRESSED:
        stress = chance.choice(STRESSES)
        text = re.sub(r"[.!]+(?=\s|$)", stress, text) + (stress if text[-1].isalnum() else "")
    form = chance.random()
    if form < 0.25:
        text = text.lower()
    if form < 0.12:
        text = "".join(letter for letter in text if letter.isalnum() or letter == " ")
    if 0.25 < form < 0.33:
        text = text.upper()
    if chance.random() < TYPING and len(text) > 8:
        for _ in range(1 + len(text) // 40):
            place = chance.randrange(1, len(text) - 2)
            before, here, following, rest = text[:place], text[place], text[place + 1], text[place + 2 :]
            text = before + chance.choice([following, following + here, here + here + following]) + rest
    return text


@torch.inference_mode()
def danger_of(reader: Reader, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Give the probability that a text tells of any danger."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    danger = np.empty(len(texts), np.float32)
    for start in range(0, len(order), 64):
        some = order[start : start + 64]
        with torch.autocast("cpu", torch.bfloat16):
            logits = reader([texts[number] for number in some])
        danger[some] = 1 - logits.float().softmax(1)[:, 0].numpy()
    return danger


def print_scores(reader: Reader, rows: Sequence[Row], others: Sequence[Row]) -> None:
    """Print how the alarm does on messages, and on everyday talk, that nothing was learned from."""
    danger = danger_of(reader, [text for text, _ in rows])
    truth = np.array([category > 0 for _, category in rows])
    false = danger_of(reader, [text for text, _ in others])
    for least in (0.03, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 0.8):
        alarm = danger >= least
        found, right = alarm[truth].mean(), truth[alarm].mean()
        print(
            f"from {least}: recall {found:.1%}, precision {right:.1%}; {(false >= least).mean():.2%} of everyday talk"
        )


def export(reader: Reader, out: Path) -> None:
    """Write the encoder in int8, the tokenizer, and the head."""
    with tempfile.TemporaryDirectory() as folder:
        reader.encoder.save_pretrained(folder)  # type: ignore[operator]
        reader.tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
        TransformersConverter(folder).convert(str(out), quantization="int8", force=True)
        shutil.copy(Path(folder) / "tokenizer.json", out)
    head = {
        "categories": CATEGORIES,
        "weights": [[round(value, 6) for value in row] for row in reader.head.weight.tolist()],
        "bias": reader.head.bias.tolist(),
    }
    (out / "head.json").write_text(json.dumps(head))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *sys.argv[4:])
