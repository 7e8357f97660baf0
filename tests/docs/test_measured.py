"""A figure that stands in two places is the same in both."""

import re

from tests.docs.pages import DOCS, REPOSITORY

MEASURED = (DOCS / "measured.md").read_text("utf-8")


def rows(text: str) -> dict[str, str]:
    """Give the rows of all tables, by their first cell, without bold type and continuation dots."""
    plain = text.replace("**", "")
    return {
        cells[0].strip(" …"): "|".join(cell.strip() for cell in cells[1:])
        for cells in (line.strip("|").split("|") for line in plain.splitlines() if re.match(r"\| \S", line))
    }


def test_rows_of_the_readme_stand_on_the_page():
    here, readme = rows(MEASURED), rows((REPOSITORY / "README.md").read_text("utf-8").split("## Measured")[1])
    assert len(readme) >= 8
    assert {name: here.get(name) for name in readme} == readme


def test_figures_of_the_model_card_stand_on_the_page():
    card = (DOCS / "model-card.md").read_text("utf-8").split("## Measured")[1].split("F1 by label")[0]
    figures = set(re.findall(r"\d+\.\d+", card))
    interval = set(re.findall(r"\(\d+\.\d – \d+\.\d\)", card))
    assert len(figures) > 30
    within = {number for one in interval for number in re.findall(r"\d+\.\d", one)}
    assert sorted(figures - within - set(re.findall(r"\d+\.\d+", MEASURED))) == []


def test_baselines_are_those_of_evaluation():
    here, there = rows(MEASURED), rows((DOCS / "evaluation.md").read_text("utf-8"))
    for system in ("most frequent label", "TF-IDF + logistic regression"):
        assert there[system].startswith(here[system])


def test_curve_of_the_page_is_the_recorded_one():
    import json

    lines = (DOCS / "images" / "early-stopping-history.jsonl").read_text().splitlines()
    losses = [json.loads(line)["valid_loss"] for line in lines]
    row = rows(MEASURED)["loss, nats per learned token"]
    assert row == f"{min(losses):.3f}|{losses[-1]:.3f}"
