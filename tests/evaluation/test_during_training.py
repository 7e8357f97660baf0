"""The two curves of a run measure the same."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from buddy.data.prepared import read_prepared, write_prepared
from buddy.data.teacher import SINGLE_TEXT
from buddy.evaluation.during_training import make_evaluate
from buddy.records import Dialogue, Example
from buddy.training.lessons import labelled_lessons
from buddy.training.settings import TrainSettings
from tests.conftest import tiny_gpt2

LABELS = ("furious", "glad", "sad", "tired")
EXAMPLES = [Example(f"e{i}", f"We won the game {'again ' * i}", LABELS[i % 4]) for i in range(12)]
TALKS = [
    Dialogue(f"t{i}", LABELS[i % 4], "We won.", ("We won the game", "It rained", "Nobody called")) for i in range(20)
]


@pytest.fixture
def teacher(tmp_path: Path) -> str:
    """Sure of a wrong label for every example, and of one other text."""
    rows = [*EXAMPLES, Example("other", "She moved away", LABELS[0])]
    answers = {f"p_{label}": np.array([row.label != label for row in rows], np.float32) / 3 for label in LABELS}
    columns = {"id": [row.id for row in rows], "turn": [SINGLE_TEXT] * len(rows), "text": [row.text for row in rows]}
    pq.write_table(pa.table({**columns, **answers}), tmp_path / "teacher.parquet")
    return str(tmp_path / "teacher.parquet")


@pytest.mark.parametrize("task", ["emotion", "companion"])
def test_of_equal_splits_the_curves_are_equal_with_a_teacher_too(tmp_path, codec, cpu, teacher, task):
    (tmp_path / "data").mkdir()
    both = ("train", "valid")
    write_prepared(tmp_path / "data", dict.fromkeys(both, EXAMPLES), dict.fromkeys(both, TALKS))
    data = read_prepared(tmp_path / "data")
    settings = TrainSettings(data=data.folder, out=tmp_path, task=task, teacher=teacher, text_weight=0.1, device="cpu")
    lessons = labelled_lessons(settings, data, codec)
    evaluate = make_evaluate(settings, data.labels, codec, lessons, cpu)
    model = tiny_gpt2(codec.backend.get_vocab_size())
    with torch.no_grad():
        train, valid = (evaluate(model, split, 0, 1) for split in both)
    assert train.weight == pytest.approx(valid.weight)
    assert train.mean_loss == pytest.approx(valid.mean_loss)
    assert train.accuracy == valid.accuracy
