"""A figure that stands in two places is the same in both, row by row."""

import json
import re

import pytest

from tests.docs.pages import DOCS, README, rows, sections

PAGE = DOCS / "measured.md"
MEASURED = PAGE.read_text("utf-8")
OF_README = README.read_text("utf-8").split("## Measured")[1].split("\n## ")[0]
OF_CARD = (DOCS / "model-card.md").read_text("utf-8").split("## Measured")[1].split("F1 by label")[0]
LOG = (DOCS / "lab-log.md").read_text("utf-8")


def figures(text: str) -> list[str]:
    """Give the decimal numbers of a text: 54.7 holds no 4.7."""
    return re.findall(r"(?<![\d.,])\d+\.\d+(?!\d)", text)


def intervals(text: str) -> dict[str, str]:
    """Give the intervals that stand behind figures: ``56.2 (54.4 – 58.0)``."""
    return dict(re.findall(r"(\d+\.\d+)%? \((\d+\.\d+ – \d+\.\d+)\)", text.replace("**", "")))


def test_only_whole_figures_count():
    assert figures("54.7% (52.7 – 56.6), 5,736 texts, 2.5 times; **4.7**.") == ["54.7", "52.7", "56.6", "2.5", "4.7"]
    assert intervals("**54.7** (52.7 – 56.6), 43.1% (37.3 – 48.5)") == {"54.7": "52.7 – 56.6", "43.1": "37.3 – 48.5"}


def test_rows_of_the_readme_stand_on_the_page():
    here, readme = rows(MEASURED), rows(OF_README)
    assert len(readme) >= 8
    assert {name: here.get(name) for name in readme} == readme


@pytest.mark.parametrize(
    ("begins", "section"),
    [
        ("**The base model", "The base"),
        ("**From random weights**", "From random weights"),
        ("At 8 texts a step", "Training speed"),
    ],
)
def test_sentences_of_the_readme_have_the_figures_of_the_page(begins, section):
    (said,) = [paragraph for paragraph in OF_README.split("\n\n") if paragraph.startswith(begins)]
    here = sections(PAGE)[section]
    assert len(figures(said)) >= 2
    assert [figure for figure in figures(said) if figure not in figures(here)] == []
    assert intervals(said).items() <= intervals(here).items()


ROWS_OF_CARD = {
    "emotion from the situation": ["accuracy from the situation"],
    "macro F1, top-3 accuracy": ["macro F1", "top-3"],
    "calibration error": ["calibration error, points (temperature fitted"],
    "emotion after the first turn": ["accuracy from the conversation"],
    "perplexity of replies per word": ["perplexity of replies", "averaged by reply"],
    "per word between spaces": ["averaged by reply"],
    "single sampled replies": ["distinct-1 / distinct-2"],
    "loops, said elsewhere": ["loops, said elsewhere"],
    "BLEU-4": ["BLEU-4"],
    "bits per byte": ["bits per byte"],
    "fine-tuned on the built-in situations": ["accuracy on 320 built-in situations"],
}
"""How the rows of the model card begin, and those of the page that say the same."""


def test_rows_of_the_model_card_have_the_figures_of_the_page():
    card, here = rows(OF_CARD), rows(MEASURED)
    in_fp32 = "the same in fp32"
    assert len(card) == len(ROWS_OF_CARD) + 2  # that row, and the heading of the second table
    for begins, names in ROWS_OF_CARD.items():
        (of_card,) = [cells for name, cells in card.items() if name.startswith(begins)]
        of_page = " ".join(cells for name, cells in here.items() for start in names if name.startswith(start))
        shown = figures(re.sub(r"\([^)]*\)", "", of_card))
        assert shown
        assert [figure for figure in shown if figure not in figures(of_page)] == []
        same = intervals(of_card).keys() & intervals(of_page).keys()
        assert {figure: intervals(of_card)[figure] for figure in same} == {
            figure: intervals(of_page)[figure] for figure in same
        }
    (of_card,) = [cells for name, cells in card.items() if name.startswith(in_fp32)]
    (sentence,) = re.findall(r"^In fp32, before the export: (.*?\d)\. ", MEASURED, flags=re.MULTILINE)
    assert figures(of_card.split("|")[0]) == figures(sentence)


def test_baselines_are_those_of_evaluation():
    here, there = rows(MEASURED), rows((DOCS / "evaluation.md").read_text("utf-8"))
    for system in ("most frequent label", "TF-IDF + logistic regression"):
        assert there[system].startswith(here[system])


def recorded(name: str, field: str) -> list[float]:
    """Give one field of the lines of a recorded history."""
    lines = (DOCS / "images" / f"{name}-history.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)[field] for line in lines]


def test_curve_of_the_page_is_the_recorded_one():
    losses = recorded("early-stopping", "valid_loss")
    row = rows(MEASURED)["loss, nats per learned token"]
    assert row == f"{min(losses):.3f}|{losses[-1]:.3f}"


def test_curve_of_the_companion_is_that_of_the_lab_log():
    (valid, train) = [
        ", ".join(f"{100 * share:.1f}" for share in recorded("companion", f"{split}_accuracy"))
        for split in ("valid", "train")
    ]
    assert f"Accuracy on the slice at each epoch: {valid}; on train {train}." in LOG
    assert recorded("companion", "epoch") == [1.0, 2.0, 3.0, 3.5]
    assert "--epochs 3.5 " in LOG.replace("\n", " ")


def test_bits_per_byte_of_the_curve_are_those_of_the_lab_log():
    steps, bits = recorded("reading", "step"), recorded("reading", "valid_bits_per_byte")
    said = "; ".join(f"{step}: {value:.3f}" for step, value in zip(steps, bits, strict=True))
    assert f"Held-out bits per byte at steps {said}; " in LOG.replace("\n", " ")
    assert f"bits per byte of held-out text of its own mixture (128 rows) | {bits[-1]:.3f}" in MEASURED
