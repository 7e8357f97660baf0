"""`buddy evaluate-safety`: how well the crisis guard does on messages of your own."""

import json
from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app

EXAMPLES = """Examples:

  buddy evaluate-safety --input tests/companion/safety_messages.jsonl

  buddy evaluate-safety --input messages.jsonl --json > safety.json
"""


@app.command("evaluate-safety", epilog=EXAMPLES)
def evaluate_safety_command(
    *,
    input_file: Annotated[
        Path,
        typer.Option("--input", exists=True, dir_okay=False, help="JSON lines with text and crisis (true or false)."),
    ],
    rules_only: Annotated[bool, typer.Option("--rules-only", help="Do not ask the second reader.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Judge the crisis guard: its recall, its precision, and the messages that it gets wrong."""
    from buddy.companion.safety import Guard
    from buddy.companion.safety_evaluation import evaluate_safety, read_messages

    report = evaluate_safety(read_messages(input_file), Guard(reads_twice=not rules_only))
    if as_json:
        print(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
        return
    print(f"{report.n} messages, {report.crisis} of them crises")
    print(f"recall     {report.recall:6.1%}   of the crises raise the alarm")
    print(f"precision  {report.precision:6.1%}   of the alarms are crises")
    for category, recall in report.recall_by_category.items():
        print(f"  {category:10} recall {recall:.1%}")
    for title, texts in (("Missed", report.missed), ("False alarms", report.false_alarms)):
        print(f"{title}: {len(texts)}")
        for text in texts:
            print(f"  {text}")
