from collections import Counter
from pathlib import Path

import buddy
from buddy.data.builtin import read_builtin
from buddy.data.normalise import comparison_key

ED_LABELS = (
    "afraid angry annoyed anticipating anxious apprehensive ashamed caring confident content devastated disappointed "
    "disgusted embarrassed excited faithful furious grateful guilty hopeful impressed jealous joyful lonely nostalgic "
    "prepared proud sad sentimental surprised terrified trusting"
)


def test_every_line_is_an_example():
    source = read_builtin()
    examples = source.examples["all"]
    folder = Path(buddy.__file__).parent / "data" / "builtin" / "situations"
    lines = [line for file in folder.glob("*.txt") for line in file.read_text("utf-8").split("\n") if line.strip()]
    assert len(lines) == len(examples) == source.rows_read["all"]
    assert len({row.id for row in examples}) == len(examples)
    first = examples[0]
    assert first.id == f"{first.label}-001"
    assert (folder / f"{first.label}.txt").read_text("utf-8").startswith(first.text[:20])


def test_the_built_in_set_is_fit_to_learn_from():
    examples = read_builtin().examples["all"]
    per_label = Counter(row.label for row in examples)
    assert sorted(per_label) == ED_LABELS.split()
    assert min(per_label.values()) >= 20
    repeated = [key for key, count in Counter(comparison_key(row.text) for row in examples).items() if count > 1]
    assert repeated == []
    lengths = [len(row.text.split()) for row in examples]
    assert min(lengths) >= 3
    assert max(lengths) <= 120
