"""Make the data that recipes are chosen on: ED's training split without a slice, and the slice as its ``valid``.

    python -m recipes.slice_of_train data/empathetic-dialogues data/ed-recipe

The official validation split stays untouched until a recipe is settled.
"""

import sys
from pathlib import Path

from buddy.data.prepared import read_prepared, write_prepared
from buddy.files import atomic_folder

EVERY = 20
"""Each 20th conversation goes to the slice: a thousand, which tell recipes 3 points apart."""


def main(source: Path, out: Path) -> None:
    """Split the training conversations; an example has its conversation's id, so both go the same way."""
    data = read_prepared(source)
    dialogues = data.dialogues("train")
    held_out = {dialogue.id for dialogue in dialogues[::EVERY]}
    both = ("train", "valid")
    with atomic_folder(out) as folder:
        write_prepared(
            folder,
            {s: [e for e in data.examples("train") if (e.id in held_out) == (s == "valid")] for s in both},
            {s: [d for d in dialogues if (d.id in held_out) == (s == "valid")] for s in both},
        )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
