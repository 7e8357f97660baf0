"""The documentation says what is true: its examples run, and the options, files, pages and packages it names are there.

The commands and programs on its pages are run by tests/docs. The READMEs are pages, too.
"""

import doctest
import re

import pytest
import typer
import yaml

from buddy.cli import commands  # noqa: F401  (registers the commands with `app`)
from buddy.cli.app import app
from tests.docs.pages import DOCS, HISTORY, PAGES, REPOSITORY, WITH_README, name_of

WITH_EXAMPLES = ("data", "label-scoring", "pretraining", "text", "training", "using")
WITHOUT_COMMANDS = {
    "how-it-works",
    "label-scoring",
    "lessons/README",
    "model-card",
    "reference",
    "ten-talks",
    "text",
    "tutorials/server",
}

guide = pytest.mark.parametrize("page", WITH_README, ids=name_of)


def options_by_command() -> dict[str, set[str]]:
    """The long options of every command; those of `bench train` under that name."""
    root = typer.main.get_command(app)
    found = {name: command for name, command in vars(root)["commands"].items() if name != "bench"}
    found |= {f"bench {name}": command for name, command in vars(vars(root)["commands"]["bench"])["commands"].items()}
    return {
        name: {
            "--help",
            *(option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)),
        }
        for name, command in found.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_run(page):
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted == len(re.findall(r"^>>> ", page.read_text("utf-8"), flags=re.MULTILINE))
    assert result.attempted > 0 or page.stem not in WITH_EXAMPLES


@guide
def test_typed_commands_have_the_options(page):
    known = options_by_command()
    names = "|".join(sorted(known, key=len, reverse=True))
    typed = re.findall(rf"\bbuddy ({names})\b([^`#|\n]*)", page.read_text("utf-8"))
    for command, rest in typed:
        assert set(re.findall(r"(?<!\S)--[a-z][a-z-]+", rest)) <= known[command], f"buddy {command}{rest}"
    assert typed or name_of(page) in WITHOUT_COMMANDS


@guide
def test_options_that_are_named_exist(page):
    known = set().union(*options_by_command().values(), {"--debug"})
    assert set(re.findall(r"`(--[a-z][a-z-]+)", page.read_text("utf-8"))) <= known


@guide
def test_files_that_are_named_exist(page):
    named = re.findall(r"\b(?:buddy|tests|recipes|docs|lessons)/[\w/]+\.\w+|\bbuddy/[\w/]+", page.read_text("utf-8"))
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_every_page_is_in_the_menu():
    shown = set(re.findall(r"[\w/-]+\.md", (REPOSITORY / "mkdocs.yml").read_text("utf-8")))
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert shown == there
    assert "offline" in yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text("utf-8"))["plugins"]


def test_every_decision_is_in_the_table():
    table = (DOCS / "decisions.md").read_text("utf-8")
    assert set(re.findall(r"\]\((decisions/[^)]+)\)", table)) == {
        path.relative_to(DOCS).as_posix() for path in (DOCS / "decisions").glob("*.md")
    }
    assert set(PAGES) >= HISTORY


def test_the_map_shows_every_package():
    folders = {f"buddy/{folder.parent.name}" for folder in (REPOSITORY / "buddy").glob("*/__init__.py")}
    rows = re.findall(r"^\| `(buddy/\w+)` \|", (DOCS / "how-it-works.md").read_text("utf-8"), flags=re.MULTILINE)
    assert set(rows) == folders
    assert len(rows) == len(folders)


def test_the_map_puts_a_package_below_those_that_it_uses():
    rows = re.findall(r"^\| `buddy/(\w+)` \|", (DOCS / "how-it-works.md").read_text("utf-8"), flags=re.MULTILINE)
    uses = {
        (package, used)
        for package in rows
        for file in (REPOSITORY / "buddy" / package).rglob("*.py")
        for used in re.findall(r"^ *(?:from|import) buddy\.(\w+)", file.read_text("utf-8"), flags=re.MULTILINE)
        if used in rows
    }
    assert len(uses) > 20
    assert [pair for pair in uses if rows.index(pair[1]) > rows.index(pair[0])] == []


def test_colours_of_the_page_are_those_that_buddy_shows():
    page = (DOCS / "text.md").read_text("utf-8")
    from buddy.text.show import show_in_notebook

    examples = doctest.DocTestParser().get_doctest(page, {}, "text.md", None, None)
    doctest.DocTestRunner(verbose=False).run(examples, clear_globs=False)
    assert show_in_notebook(examples.globs["tokens"], examples.globs["codec"]) in page
