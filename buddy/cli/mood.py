"""`buddy mood`: how somebody has felt, over messages and days."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import ConfigOption, app
from buddy.cli.chat import NOT_REMEMBERED, what_is_remembered
from buddy.errors import EnvironmentFault, UserMistake, quote

if TYPE_CHECKING:
    from buddy.companion.affect import Affect
    from buddy.companion.conversation import Turn
    from buddy.companion.mood import MoodPoint, Stretch

EXAMPLES = """Examples:

  buddy mood

  buddy mood --days 7 --figure week.png

  buddy mood --conversation last

  buddy mood --plain

  buddy mood --json > mood.json
"""

LAST = "last"
EMOTIONS_WRITTEN = 3


@app.command(epilog=EXAMPLES)
def mood(
    *,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this one: its id, or last.", show_default="all of them")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Only the last so many days, today included.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Also draw it into this file, which ends in .png, .svg or .pdf.")
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="Draw the figure for a dark page.")] = False,
    memory_url: Annotated[
        str | None,
        typer.Option(
            "--memory-url",
            metavar="URL",
            help="Where conversations are kept: a database's URL.",
            show_default="a file in your data folder",
        ),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Sentences in place of bars: for a screen reader.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Show how the mood has been in the conversations that are remembered.

    Bars show how pleasant each message, day or week was and how excited, beside its likeliest emotions; below stands
    what it comes to. It is what a small model took your messages for, and no diagnosis.
    """
    from buddy.companion.conversation import now
    from buddy.companion.mood import course, latest_days
    from buddy.companion.mood_summary import NOTHING, nothing_lately

    turns = _remembered(memory_url, conversation)
    points, nothing = course(turns), NOTHING
    if days:
        today = now().astimezone().date()
        points, nothing = latest_days(points, days, today), nothing_lately(points, days, today)
    by_message = conversation is not None
    if figure:
        _draw(points, figure, dark, by_message)
    if as_json:
        print(json.dumps(_as_json(points, by_message, nothing), indent=2, ensure_ascii=False))
    elif turns:
        _show(points, plain, by_message, nothing)


def _remembered(url: str | None, conversation: str | None) -> "list[Turn]":
    """Give the turns of all conversations, or of one.

    Raises:
        UserMistake: there is no such conversation.
        EnvironmentFault: the library that memories need is missing.
    """
    memory = what_is_remembered(url)
    if memory is None:
        return []
    with memory:
        stored = sorted(memory.conversations(), key=lambda one: one.last_at)
        if not stored:
            print(NOT_REMEMBERED, file=sys.stderr)
            return []
        chosen = [one.id for one in stored]
        if conversation:
            chosen = chosen[-1:] if conversation == LAST else [name for name in chosen if name == conversation]
        if not chosen:
            raise UserMistake(
                f"No conversation {quote(str(conversation))} is remembered; `{LAST}` names the latest one."
            )
        return [turn for name in chosen for turn in memory.turns(name)]


def _show(points: "Sequence[MoodPoint]", plain: bool, by_message: bool, nothing: str) -> None:
    from buddy.companion.mood_chart import chart
    from buddy.companion.mood_summary import summary
    from buddy.serving.screen import make_screen

    screen = make_screen(plain)
    if points:
        print(chart(points, screen.width or 80, plain, blocks=screen.blocks, per="message" if by_message else None))
        print()
    for line in summary(points, nothing=nothing).splitlines():
        screen.say(line)


def _draw(points: "Sequence[MoodPoint]", path: Path, dark: bool, by_message: bool) -> None:
    try:
        from buddy.companion.mood_figure import draw
        from buddy.evaluation.figures import DARK, LIGHT
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"A figure needs {error.name}: pip install matplotlib.") from error
    if not any(point.emotions for point in points):
        typer.echo("There is nothing to draw.", err=True)
        return
    draw(points, path, per="message" if by_message else None, theme=DARK if dark else LIGHT)
    typer.echo(f"Figure: {path}", err=True)


def _as_json(points: "Sequence[MoodPoint]", by_message: bool, nothing: str) -> Mapping[str, object]:
    from buddy.companion.mood import stretches
    from buddy.companion.mood_summary import summary

    return {
        "summary": summary(points, nothing=nothing),
        "messages": [
            {
                "said_at": point.said_at.isoformat(),
                **_place(point.affect),
                "emotions": _likeliest(point.emotions),
                "crisis": point.crisis,
            }
            for point in points
        ],
        "course": [_stretch(one) for one in stretches(points, "message" if by_message else None)],
    }


def _stretch(stretch: "Stretch") -> Mapping[str, object]:
    return {
        "time": stretch.spoken,
        "per": stretch.per,
        "messages": stretch.messages,
        **_place(stretch.affect),
        "emotions": _likeliest(stretch.emotions),
        "crises": stretch.crises,
    }


def _place(affect: "Affect | None") -> Mapping[str, float | None]:
    valence, arousal = affect or (None, None)
    return {"valence": valence, "arousal": arousal}


def _likeliest(emotions: Mapping[str, float]) -> Mapping[str, float]:
    return dict(list(emotions.items())[:EMOTIONS_WRITTEN])
