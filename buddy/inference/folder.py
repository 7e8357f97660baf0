"""What stands in a model folder beside the weights: the facts of ``buddy.json``.

RUN/best         model.safetensors, Hugging Face's files, buddy.json        written by `buddy train`
an exported one  model.bin, CTranslate2's files, tokenizer.json, buddy.json  written by `buddy export`
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from buddy.errors import UserMistake
from buddy.files import whole_folder, write_json
from buddy.models import find_model
from buddy.text.render import LAYOUT_VERSION, SPECIAL_TOKENS

FACTS_FILE = "buddy.json"
EXPORTED_WEIGHTS = "model.bin"

BLOCK = 1 << 20

Quantization = Literal[
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]
"""How an export stores the numbers of the matrices, and after the underscore those of the rest."""


@dataclass(frozen=True)
class Facts:
    """What must be known to ask a model.

    Attributes:
        labels: in the order of the columns of every answer.
        special_tokens: the id of each of ``SPECIAL_TOKENS``.
        max_tokens: of a longer text only the end is read.
        task: what it was trained for; only a ``companion`` has learned to reply.
        temperature: fitted on validation data.
    """

    labels: tuple[str, ...]
    special_tokens: Mapping[str, int]
    max_tokens: int
    task: str
    temperature: float


def find_model_folder(path: Path) -> Path:
    """Give the folder of a model: of a run its best checkpoint, and any other folder as it is.

    What is no folder of buddy's may be the name of a model that comes with buddy: ``base`` or ``companion``.

    Example:
        >>> import tempfile
        >>> run = Path(tempfile.mkdtemp())
        >>> (run / "best").mkdir(); _ = (run / "best" / "buddy.json").write_text("{}")
        >>> find_model_folder(run) == run / "best" == find_model_folder(run / "best")
        True
    """
    for folder in (whole_folder(path), whole_folder(path / "best")):
        if (folder / FACTS_FILE).exists():
            return folder
    return find_model(str(path)) or path


def is_exported(folder: Path) -> bool:
    """Say whether a model folder was written by `buddy export`."""
    return (folder / EXPORTED_WEIGHTS).exists()


def read_facts(folder: Path) -> Facts:
    """Read the facts of a model folder.

    Raises:
        UserMistake: the folder is none of buddy's, or of another layout: its model would answer nonsense.
    """
    record = read_record(folder)
    return Facts(
        tuple(record["labels"]),
        {token: record["special_tokens"][token] for token in SPECIAL_TOKENS},
        record["max_tokens"],
        str(record.get("task", "emotion")),
        float(record["temperature"]),
    )


def read_record(folder: Path) -> dict[str, Any]:
    """Read all of ``buddy.json``, checked as for ``read_facts``."""
    file = folder / FACTS_FILE
    if not folder.exists():
        raise UserMistake(f"There is no model {folder}; `buddy train` makes one, and `companion` names buddy's own.")
    try:
        facts = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError) as error:
        raise UserMistake(
            f"{folder} is no checkpoint of buddy's (no readable {FACTS_FILE}); `buddy train` makes one."
        ) from error
    if not isinstance(facts, dict) or facts.get("layout_version") != LAYOUT_VERSION:
        raise UserMistake(f"{folder} was trained on another text layout; train it again with this version.")
    if not _are_sound(facts):
        raise UserMistake(f"{file} is damaged; train the model again.")
    return facts


def model_files(folder: Path) -> list[Path]:
    """Name the files that make up a model."""
    return sorted(file for file in folder.iterdir() if file.is_file())


def model_digest(folder: Path) -> str:
    """Tell a model from every other by what its files hold: trained again it keeps its folder, not its digest.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "model.bin").write_bytes(b"01"); first = model_digest(folder)
        >>> _ = (folder / "model.bin").write_bytes(b"10"); first == model_digest(folder)
        False
    """
    digest = hashlib.sha256()
    for file in model_files(folder):
        digest.update(f"{file.name} {file.stat().st_size} ".encode())
        with open(file, "rb") as stream:
            while some := stream.read(BLOCK):
                digest.update(some)
    return digest.hexdigest()


def save_temperature(folder: Path, temperature: float) -> None:
    """Write a fitted temperature into a model folder."""
    write_json(folder / FACTS_FILE, {**read_record(folder), "temperature": temperature})


def _are_sound(facts: dict[str, Any]) -> bool:
    """Tell whether facts are of their kinds: wrong ones would give answers, and nonsense."""
    labels, temperature, max_tokens = (facts.get(name) for name in ("labels", "temperature", "max_tokens"))
    return (
        isinstance(labels, list)
        and all(isinstance(label, str) for label in labels)
        and len(labels) == len(set(labels)) > 1
        and isinstance(temperature, int | float)
        and 0 < temperature < math.inf
        and isinstance(max_tokens, int)
        and max_tokens >= 16
        and _are_ids(facts.get("special_tokens"))
    )


def _are_ids(special_tokens: object) -> bool:
    if not isinstance(special_tokens, dict):
        return False
    ids = [special_tokens.get(token) for token in SPECIAL_TOKENS]
    return all(isinstance(number, int) and number >= 0 for number in ids)
