"""The situations that come with buddy: written for it, free to use, small enough to try everything offline.

``builtin/situations/LABEL.txt`` holds one situation per line.
"""

from importlib.resources import files

from buddy.data.normalise import clean
from buddy.data.source import UNSPLIT, Source, Tally
from buddy.records import Example

NAME = "buddy's built-in situations"
LICENCE = "MIT, as buddy itself; written for it."


def read_builtin() -> Source:
    """Read the built-in situations; their ids are the label and the line, such as ``afraid-001``."""
    folder = files("buddy") / "data" / "builtin" / "situations"
    examples: list[Example] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        label, ending = file.name.rsplit(".", 1)
        if ending == "txt":
            lines = filter(None, map(clean, file.read_text("utf-8").split("\n")))
            examples += [Example(f"{label}-{number:03}", line, label) for number, line in enumerate(lines, start=1)]
    return Source(NAME, "buddy/data/builtin", LICENCE, {UNSPLIT: examples}, Tally(), {UNSPLIT: len(examples)})
