"""Put a finished model into the package: half-precision weights for ``base``, the exported form for ``companion``.

Usage: ``python -m recipes.ship base runs/base/last``, ``python -m recipes.ship companion runs/export``.
"""

import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from buddy.files import atomic_folder
from buddy.models import find_model

MEGABYTE = 1_000_000
MOST_MEGABYTES = {"base": 30, "companion": 16}


def main(name: str, source: Path) -> None:
    """Copy a model, and refuse one that is too large to come with buddy."""
    folder = find_model(name)
    if folder is None:
        sys.exit(f"There is no place for a model named {name}.")
    with atomic_folder(folder) as temporary:
        for file in source.iterdir():
            if file.is_file() and file.suffix != ".safetensors":
                shutil.copy(file, temporary)
        if name == "base":
            AutoModelForCausalLM.from_pretrained(source, dtype=torch.float16).save_pretrained(temporary)
        size = sum(file.stat().st_size for file in temporary.iterdir()) / MEGABYTE
        if size > MOST_MEGABYTES[name]:
            sys.exit(f"{size:.1f} MB are too many.")
    print(f"{folder}: {size:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
