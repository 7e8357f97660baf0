"""`buddy prepare`: from any source of labelled texts to a folder that has been checked and split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import CONTROL_CHARACTERS, ConfigOption, app
from buddy.errors import counted

if TYPE_CHECKING:
    from buddy.data.report import Audit

EXAMPLES = """Examples:

  buddy prepare

  buddy prepare --archive empatheticdialogues.tar.gz --drop-leaks

  buddy prepare --source moods.csv --text-column message --label-column mood --out data/moods

  buddy prepare --source shards --stream --valid-fraction 0.001 --test-fraction 0.001
"""


@app.command(epilog=EXAMPLES)
def prepare(
    *,
    source: Annotated[
        str, typer.Option(help="empathetic-dialogues, builtin, hf:NAME, or a file or folder of your own.")
    ] = "empathetic-dialogues",
    archive: Annotated[
        Path | None, typer.Option(help="A copy of the EmpatheticDialogues archive: no download.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Another address of that archive.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to make; data/NAME if not given.")] = None,
    text_column: Annotated[str | None, typer.Option(help="Own data: the column of the texts.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Own data: the column of the labels.")] = None,
    group_column: Annotated[
        str | None, typer.Option(help="Own data: rows with the same value here stay in one split.")
    ] = None,
    valid_fraction: Annotated[float, typer.Option(help="Share for valid, if the source has no splits.")] = 0.1,
    test_fraction: Annotated[float, typer.Option(help="Share for test, if the source has no splits.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Another seed divides the rows otherwise.")] = 13,
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Take texts out of train that also stand in valid or test.")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Own data: read row by row, for tables larger than memory.")
    ] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Read labelled texts, check and split them, and write them as one folder.

    The folder holds train, valid and test, a data card to read (data_card.md) and the same in numbers (audit.json).
    """
    from buddy.data.empathetic_dialogues import OFFICIAL
    from buddy.data.prepare import PrepareSettings
    from buddy.data.prepare import prepare as prepare_folder

    settings = PrepareSettings(
        source=source,
        out=out,
        archive=archive,
        url=url or OFFICIAL.url,
        text_column=text_column,
        label_column=label_column,
        group_column=group_column,
        valid_fraction=valid_fraction,
        test_fraction=test_fraction,
        seed=seed,
        drop_leaks=drop_leaks,
        stream=stream,
    )
    data, audit = prepare_folder(settings)
    print(summarise(audit, data.folder))


def summarise(audit: "Audit", folder: Path) -> str:
    """Say in a few lines what was prepared, what to know about it, and what comes next."""
    lines = [f"{audit.source}: {len(audit.labels)} labels", "", *_sizes(audit), ""]
    read, dropped = sum(audit.rows_read.values()), sum(audit.dropped.values())
    lines.append(f"{counted(read, 'row')} read, {dropped:,} dropped.")
    if any(audit.leaks_dropped.values()):
        texts = counted(audit.leaks_dropped["examples"], "text")
        conversations = counted(audit.leaks_dropped["dialogues"], "conversation")
        lines.append(f"Taken out of train because valid or test has them: {texts}, {conversations}.")
    if audit.warnings:
        lines += ["", "Worth knowing:", *(f"  - {CONTROL_CHARACTERS.sub(' ', warning)}" for warning in audit.warnings)]
    return "\n".join([*lines, "", f"Data card: {folder / 'data_card.md'}", f"Next:      buddy train --data {folder}"])


def _sizes(audit: "Audit") -> list[str]:
    with_dialogues = any(facts.conversations for facts in audit.splits.values())
    head = ("split", "texts", "conversations", "turns") if with_dialogues else ("split", "texts")
    rows = [
        (split, f"{facts.rows:,}", f"{facts.conversations:,}", f"{facts.turns:,}")[: len(head)]
        for split, facts in audit.splits.items()
    ]
    return ["  ".join([f"  {first:<5}", *(f"{cell:>13}" for cell in rest)]) for first, *rest in (head, *rows)]
