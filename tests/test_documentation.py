"""The documentation says what is true: its examples run, and the options, files and packages it names are there."""

import doctest
import re
from pathlib import Path

import pytest
import typer

from buddy.cli import commands  # noqa: F401  (registers the commands with `app`)
from buddy.cli.app import app
from tests.conftest import LABELS

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.glob("*.md"))
WITH_EXAMPLES = ("data", "label-scoring", "pretraining", "text", "training", "using")
GUIDE = [DOCS / f"{name}.md" for name in ("index", "evaluation", *WITH_EXAMPLES)]
"""Pages about the code as it is; decisions and the lab log also speak of what is no more."""

guide = pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.stem)


def options_by_command() -> dict[str, set[str]]:
    """The long options of every command; those of `bench train` under that name."""
    root = typer.main.get_command(app)
    found = {name: command for name, command in vars(root)["commands"].items() if name != "bench"}
    found |= {f"bench {name}": command for name, command in vars(vars(root)["commands"]["bench"])["commands"].items()}
    return {
        name: {"--help", *(option for parameter in command.params for option in parameter.opts)}
        for name, command in found.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page):
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted == len(re.findall(r"^>>> ", page.read_text("utf-8"), flags=re.MULTILINE))
    assert result.attempted > 0 or page.stem not in WITH_EXAMPLES


@guide
def test_typed_commands_have_the_options(page):
    known = options_by_command()
    names = "|".join(sorted(known, key=len, reverse=True))
    typed = re.findall(rf"\bbuddy ({names})\b([^`#\n]*)", page.read_text("utf-8"))
    for command, rest in typed:
        assert set(re.findall(r"(?<!\S)--[a-z][a-z-]+", rest)) <= known[command], f"buddy {command}{rest}"
    assert typed or page.stem in ("text", "label-scoring")


@guide
def test_options_that_are_named_exist(page):
    known = set().union(*options_by_command().values(), {"--debug"})
    assert set(re.findall(r"`(--[a-z][a-z-]+)", page.read_text("utf-8"))) <= known


@guide
def test_files_that_are_named_exist(page):
    named = re.findall(r"\bbuddy/[\w/]+(?:\.\w+)?", page.read_text("utf-8"))
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_map_shows_every_package():
    folders = {f"buddy/{folder.parent.name}" for folder in (REPOSITORY / "buddy").glob("*/__init__.py")}
    rows = re.findall(r"^\| `(buddy/\w+)` \|", (DOCS / "index.md").read_text("utf-8"), flags=re.MULTILINE)
    assert set(rows) == folders
    assert len(rows) == len(folders)


def test_colours_of_the_page_are_those_that_buddy_shows():
    page = (DOCS / "text.md").read_text("utf-8")
    from buddy.text.show import show_in_notebook

    examples = doctest.DocTestParser().get_doctest(page, {}, "text.md", None, None)
    doctest.DocTestRunner(verbose=False).run(examples, clear_globs=False)
    assert show_in_notebook(examples.globs["tokens"], examples.globs["codec"]) in page


@pytest.mark.parametrize("page", ["index", "reference"])
def test_program_of_the_page_runs(page, trained_run, moods, tmp_path, monkeypatch, capsys):
    """With a small data set and a small run under the names that the program has for its own."""
    for name, target in (("runs/emotion", trained_run), ("data/builtin", moods)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).symlink_to(target)
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(from .*?)```", (DOCS / f"{page}.md").read_text("utf-8"), flags=re.DOTALL)
    exec(compile(program, page, "exec"), {})
    assert capsys.readouterr().out.strip() in LABELS


def test_program_with_a_companion_runs(companion_checkpoint, tmp_path, monkeypatch, capsys):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "companion").symlink_to(companion_checkpoint.parent)
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(from .*?)```", (DOCS / "using.md").read_text("utf-8"), flags=re.DOTALL)
    exec(compile(program, "using", "exec"), {})
    first, emotion, *reply = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"({'|'.join(LABELS)}) \d+% \[.*\]", first)
    assert emotion in LABELS
    assert "".join(reply).strip()
