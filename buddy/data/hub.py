"""Data sets of the Hugging Face hub: the one source besides the ED download that goes on the network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from buddy.data.columns import choose_columns
from buddy.data.own_data import SPLIT_NAMES, from_tables
from buddy.data.source import UNSPLIT, Source, Tally
from buddy.data.tables import Table, with_class_names
from buddy.errors import EnvironmentFault, UserMistake
from buddy.records import SPLITS

if TYPE_CHECKING:
    from datasets import Dataset


def read_hub(name: str, text: str | None, label: str | None, group: str | None) -> Source:
    """Read a data set of the hub (or of the mirror that HF_ENDPOINT names) with its own splits.

    Args:
        name: ``OWNER/NAME``, or ``OWNER/NAME:CONFIGURATION`` where a data set has several.
        text: the column of the texts; None to guess.
        label: the column of the labels; None to guess. Numbered classes become their names.
        group: the column whose equal values must stay in one split; None for none.

    Raises:
        UserMistake: the hub has no such data set, or its splits or columns cannot be settled.
        EnvironmentFault: the hub cannot be reached.
    """
    if not _path(name):
        raise UserMistake("hf: must be followed by the name of a data set of the hub, such as hf:dair-ai/emotion.")
    tally = Tally()
    tables = {split: _to_table(name, data) for split, data in _load(name).items()}
    columns = choose_columns(next(iter(tables.values())), text, label, group)
    labelled = {split: table for split, table in tables.items() if any(table.columns.get(columns.label, ()))}
    if len(labelled) < len(tables):
        tally.notes["split left out: its labels are kept secret"] += len(tables) - len(labelled)
    path = _path(name)
    licence = f"See https://huggingface.co/datasets/{path}."
    short_name = path.rsplit("/", maxsplit=1)[-1]
    return from_tables(short_name, f"hub data set {name}", licence, labelled or tables, columns, tally)


def _path(name: str) -> str:
    return name.partition(":")[0]


def _load(name: str) -> "dict[str, Dataset]":
    from datasets import DatasetDict, load_dataset
    from datasets.exceptions import DatasetsError

    configuration = name.partition(":")[2] or None
    try:
        loaded = load_dataset(_path(name), configuration)
    except ConnectionError as error:
        raise EnvironmentFault(
            f"Could not reach the data set {name!r}: {_first_line(error)}; check the network and the name."
        ) from error
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:  # not there, ambiguous, unreadable
        if isinstance(error, OSError) and error.errno is not None:  # only the machine's own errors have a number
            raise
        raise UserMistake(
            f"Could not load the data set {name!r}: {_first_line(error)}; check the name (hf:NAME:CONFIGURATION where "
            "there are several)."
        ) from error
    if not isinstance(loaded, DatasetDict):
        raise UserMistake(f"{name!r} is no data set with splits.")
    return _known_splits(name, dict(loaded))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _known_splits(name: str, loaded: "Mapping[str, Dataset]") -> "dict[str, Dataset]":
    if len(loaded) == 1:
        return {UNSPLIT: next(iter(loaded.values()))}
    found: dict[str, Dataset] = {}
    for own_name, data in loaded.items():
        found.setdefault(SPLIT_NAMES.get(own_name.lower(), ""), data)
    if "train" not in found:
        raise UserMistake(f"The data set {name!r} has no train split; it has {', '.join(map(str, loaded))}.")
    return {split: found[split] for split in SPLITS if split in found}


def _to_table(name: str, data: "Dataset") -> Table:
    from datasets import ClassLabel

    columns = {}
    for column, kind in data.features.items():
        values = list(data[column])
        columns[column] = with_class_names(values, kind.names) if isinstance(kind, ClassLabel) else values
    return Table(f"the data set {name}", columns, len(data))
