"""Draw a real conversation of `buddy chat` as a picture of a terminal: docs/images/chat.svg.

python docs/chat_picture.py
"""

import io
import sys
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.text import Text

from buddy.cli import main

MESSAGES = ("I lost my cat last week.", "She was fourteen. The house is so quiet now.", "bye")
OUT = Path(__file__).parent / "images" / "chat.svg"
SEED = 3
WIDTH = 84

FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<rect fill="#292929" width="100%" height="100%" rx="8"/>
<g transform="translate(14, 10)" class="{unique_id}-matrix">{matrix}</g>
</svg>
"""


def transcript() -> str:
    """Have the conversation; what is typed stands behind the prompt."""
    waiting = iter(MESSAGES)

    def typed(_: str) -> str:
        message = next(waiting)
        print(f"> {message}")
        return message

    out = io.StringIO()
    command = ["buddy", "chat", "--seed", str(SEED), "--no-memory"]
    with patch("sys.argv", command), patch("builtins.input", typed), redirect_stdout(out):
        try:
            main()
        except SystemExit as leaving:
            if leaving.code:
                raise
    return out.getvalue()


def draw(said: str) -> str:
    """Give the picture: the user's lines bright, asides dim."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ buddy chat --seed {SEED}", style="bold green"))
    for line in said.splitlines():
        style = "bold" if line.startswith("> ") else "dim" if line.startswith("  ") else "cyan"
        console.print(Text(line, style=style))
    return console.export_svg(code_format=FRAME, unique_id="chat")


if __name__ == "__main__":
    OUT.write_text(draw(transcript()), "utf-8")
    print(f"{OUT.name}: {OUT.stat().st_size} bytes", file=sys.stderr)
