"""`buddy chat`: a conversation in the terminal."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import ConfigOption, app, refuse_options, warnings_told
from buddy.errors import EnvironmentFault, UserMistake, install
from buddy.files import write_json

if TYPE_CHECKING:
    from buddy.companion.memory import Memory
    from buddy.companion.safety import Guard

EXAMPLES = """Examples:

  buddy chat

  buddy chat --country GB --no-memory

  buddy chat --conversation last

  buddy chat --export everything.json

  buddy chat --model runs/companion --seed 1

  echo "I lost my cat." | buddy chat
"""

REMEMBERING = (
    "I remember our conversations, on this machine only, in {path}. "
    "/forget erases one, and with --no-memory I keep nothing."
)
NOT_REMEMBERED = "Nothing is remembered yet. `buddy chat` remembers conversations unless you say --no-memory."
NO_LIBRARY = "A memory needs {}, which is not installed: " + install("chat") + "."
NO_MEMORY = f"I keep nothing of what you write; to remember, I need: {install('chat')}."


@app.command(epilog=EXAMPLES)
def chat(
    context: typer.Context,
    *,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A companion run, a checkpoint of one, or an exported model.",
            show_default="companion, which comes with buddy",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same replies.")
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            envvar="BUDDY_COUNTRY",
            help="Whose helplines are given in a crisis: two letters, such as GB.",
            show_default="that of the locale",
        ),
    ] = None,
    memory: Annotated[
        bool, typer.Option("--memory/--no-memory", help="Keep conversations on this machine, or nothing.")
    ] = True,
    memory_url: Annotated[
        str | None,
        typer.Option(help="Where they are kept: a database's URL.", show_default="a file in your data folder"),
    ] = None,
    forget_after: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, metavar="DAYS", help="First erase conversations that ended so long ago."),
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(help="Go on with a remembered one: its id, or last.", show_default="a new one")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write everything that is remembered to a JSON file, and leave."),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="No bars, no colours, no streaming: for a screen reader.")
    ] = False,
    guard: Annotated[
        bool, typer.Option("--guard/--no-guard", help="Let fixed words and helplines answer in a crisis, or the model.")
    ] = True,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Talk with a companion model.

    After each message stands what the model takes you to feel, and how sure it is. Conversations are kept on this
    machine unless you say --no-memory.
    """
    if export:
        others = set(context.params) - {"export", "memory_url", "config"}
        refuse_options(context, others, "does nothing beside --export")
        _export(memory_url, export)
        return
    if not memory:
        refuse_options(context, ("memory_url", "forget_after"), "is about a memory; leave out --no-memory")

    from buddy.companion.buddy import Buddy
    from buddy.companion.talk import Talk
    from buddy.serving.screen import make_reader, make_screen
    from buddy.serving.terminal import COMMANDS, GREETING, Terminal

    with warnings_told():
        buddy = Buddy(model, seed=seed, guard=_guard(country) if guard else None)
    buddy.require_replies()
    screen = make_screen(plain)
    screen.say(GREETING)
    store = _open_memory(memory_url) if memory else None
    try:
        if store and forget_after:
            _forget(store, forget_after)
        talk = Talk(buddy, store, _remembered(store, conversation))
        reader = make_reader(list(COMMANDS), plain)
        Terminal(buddy, screen, store, talk, reader.forget).converse(reader.line)
    finally:
        if store:
            store.close()


def _remembered(store: "Memory | None", conversation: str | None) -> str | None:
    """Give the id of the conversation to go on with; ``None`` for a new one.

    Raises:
        UserMistake: nothing is remembered, so that there is none to go on with.
    """
    if conversation and not store:
        raise UserMistake("Without a memory there is no conversation to go on with.")
    if conversation != "last" or not store:
        return conversation
    known = store.conversations()
    return known[0].id if known else None


def _guard(country: str | None) -> "Guard":
    from buddy.companion.helplines import country_from_locale, find_country
    from buddy.companion.safety import Guard

    return Guard(find_country(country).code if country else country_from_locale(os.environ))


def _export(url: str | None, file: Path) -> None:
    """Write everything that is remembered to a file."""
    store = what_is_remembered(url)
    if store is None:
        return
    with store:
        found = store.export()
    write_json(file, found, private=True)
    print(f"Everything that I remember is in {file}.", file=sys.stderr)


def what_is_remembered(url: str | None) -> "Memory | None":
    """Open the memory; say so if there is none.

    Raises:
        EnvironmentFault: the library that memories need is missing.
    """
    try:
        from buddy.companion.memory import open_existing_memory
    except ModuleNotFoundError as error:
        raise EnvironmentFault(NO_LIBRARY.format(error.name)) from error
    with warnings_told():
        store = open_existing_memory(url)
    if store is None:
        print(NOT_REMEMBERED, file=sys.stderr)
    return store


def _open_memory(url: str | None) -> "Memory | None":
    """Open the memory, and tell about it where it begins."""
    try:
        from buddy.companion.memory import default_path, open_memory
    except ModuleNotFoundError:
        print(NO_MEMORY, file=sys.stderr)
        return None
    is_new = url is None and not default_path().exists()
    with warnings_told():
        store = open_memory(url)
    if is_new:
        print(REMEMBERING.format(path=default_path()), file=sys.stderr)
    return store


def _forget(store: "Memory", days: int) -> None:
    """Erase what is old; traces that cannot be wiped yet are told, and keep nobody from talking."""
    from buddy.companion.memory_database import TracesRemain

    try:
        store.forget_older_than(days)
    except TracesRemain as traces:
        print(f"Warning: {traces}", file=sys.stderr)
