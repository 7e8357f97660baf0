"""What MkDocs does while it builds the site: the help of every command goes into docs/cli.md.

So the page cannot say anything else than the program does.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from buddy.cli import commands  # noqa: F401  (registers the commands with `app`)
from buddy.cli.app import app

MARK = "<!-- help of every command -->"
WIDTH = "80"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the help in the place of its mark; other pages stay as they are."""
    return markdown.replace(MARK, all_help()) if MARK in markdown else markdown


def all_help() -> str:
    """Write a section for every command, with its help as it is shown on a terminal of 80 columns."""
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in help_texts())


def help_texts() -> Iterator[tuple[str, str]]:
    """Give the name and the help of each command, ``buddy`` itself first; groups give their own and their members'."""
    with _plain_terminal():
        yield from _help_of(typer.main.get_command(app), "buddy", parent=None)


def _help_of(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.make_context(name.rsplit(maxsplit=1)[-1], [], parent=parent, resilient_parsing=True)
    yield name, "\n".join(line.rstrip() for line in context.get_help().splitlines())
    for word, below in sorted(getattr(command, "commands", {}).items()):
        yield from _help_of(below, f"{name} {word}", context)


@contextmanager
def _plain_terminal() -> Iterator[None]:
    """Let nobody's terminal decide what the page looks like."""
    wanted = {"COLUMNS": WIDTH, "TERM": "dumb", "NO_COLOR": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
