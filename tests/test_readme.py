"""The README shows what is: its commands, its tree, its pictures, and figures that stand elsewhere, too."""

import re
from pathlib import Path

import pytest

from tests.test_documentation import options_by_command

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")


def test_the_first_minute_prints_what_it_shows(buddy):
    command, *expected = re.search(r"\$ buddy classify (.*?)\n\$ buddy chat", README, flags=re.DOTALL)[1].splitlines()  # type: ignore[index]
    code, out, _ = buddy("classify", *re.findall(r'"(.*?)"', command))
    assert code == 0
    assert [shares(line) for line in out.splitlines()] == [pytest.approx(shares(line), abs=1.5) for line in expected]


def shares(line: str) -> dict[str, float]:
    """The labels of a line and their percentages; another processor may round them otherwise."""
    return {label: float(share) for label, share in re.findall(r"(\w+) +(\d+)%", line)}


def test_the_program_runs(capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(program, "README", "exec"), names)
    assert names["buddy"].emotion("I finally got the job!").label == "joyful"  # type: ignore[attr-defined]


def test_commands_have_the_options():
    known = options_by_command()
    names = "|".join(sorted(known, key=len, reverse=True))
    typed = re.findall(rf"\bbuddy ({names})\b([^`#\n|]*)", README)
    assert len(typed) > 10
    for command, rest in typed:
        assert set(re.findall(r"(?<!\S)--[a-z][a-z-]+", rest)) <= known[command], f"buddy {command}{rest}"


def test_make_has_the_targets():
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`)make ([a-z-]+)", README))
    assert {"demo", "lesson", "test", "check"} <= named <= targets


def test_the_tree_is_that_of_the_repository():
    (tree,) = re.findall(r"```text\n(buddy/\n.*?)```", README, flags=re.DOTALL)
    packages = re.findall(r"^  (\w+)/", tree, flags=re.MULTILINE)
    folders = re.findall(r"^(\w+)/", tree, flags=re.MULTILINE)
    assert sorted(packages) == sorted(folder.parent.name for folder in (REPOSITORY / "buddy").glob("*/__init__.py"))
    assert all((REPOSITORY / folder).is_dir() for folder in folders)
    assert {"buddy", "lessons", "recipes", "docs", "tests"} == set(folders)


def test_links_and_pictures_are_there():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert len(targets) > 10
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []


def test_figures_of_the_models_are_those_of_the_card():
    """The table of the README in bold, word for word in the model card."""
    card = (REPOSITORY / "docs" / "model-card.md").read_text("utf-8")
    (table,) = re.findall(r"\| \| companion, 14M int8 \|.*?\n\n", README, flags=re.DOTALL)
    figures = [figure for row in table.strip().splitlines()[2:] for figure in re.findall(r"\d+\.\d", row.split("|")[2])]
    assert len(figures) >= 8
    assert [figure for figure in figures if figure not in card] == []
