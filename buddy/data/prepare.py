"""From any source to a prepared folder: read, split, compare, count, write."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import urlsplit

from buddy.data import empathetic_dialogues
from buddy.data.archive import read_members
from buddy.data.audit import Findings, compare_texts, describe_split, find_leaks
from buddy.data.builtin import read_builtin
from buddy.data.card import write_card
from buddy.data.download import RemoteFile, download, sha256_of
from buddy.data.hub import read_hub
from buddy.data.normalise import comparison_key, encodable
from buddy.data.own_data import read_own_data
from buddy.data.prepared import (
    AUDIT_FILE,
    CARD_FILE,
    DIALOGUES_FOLDER,
    LABELS_FILE,
    PreparedData,
    read_prepared,
    write_prepared,
)
from buddy.data.report import Audit, find_warnings
from buddy.data.source import MOVED_TO_VALID, UNSPLIT, Source, Tally, check_usable
from buddy.data.split import check_fractions, split_rows
from buddy.data.stream import Wanted, audit_stream, files_of, stream_into
from buddy.errors import EnvironmentFault, UserMistake, explain
from buddy.files import atomic_folder, write_json
from buddy.records import SPLITS, Dialogue, Example

EMPATHETIC_DIALOGUES = "empathetic-dialogues"
BUILTIN = "builtin"
HUB_PREFIX = "hf:"

PARENT_FOLDER = Path("data")
DOWNLOADS_FOLDER = "downloads"

Row = TypeVar("Row", Example, Dialogue)

OWN_FILES = frozenset({*(f"{split}.parquet" for split in SPLITS), DIALOGUES_FOLDER, LABELS_FILE, AUDIT_FILE, CARD_FILE})


@dataclass(frozen=True)
class PrepareSettings:
    """What shall be prepared, and how.

    Args:
        source: ``empathetic-dialogues``, ``builtin``, ``hf:NAME``, or the path of a file or folder.
        out: the prepared folder; None for ``data/NAME``.
        archive: a copy of the ED archive, so that nothing is downloaded.
        url: where the ED archive is downloaded from.
        text_column: for one's own data; None to guess, as with the label.
        label_column: the column of the labels.
        group_column: rows with the same value in it stay in one split.
        valid_fraction: share of the rows for valid, where the source has no splits.
        test_fraction: share of the rows for test, where the source has no splits.
        seed: of that division.
        drop_leaks: take texts out of train that stand, or nearly stand, in valid or test.
        stream: read one's own data row by row, for a table larger than memory.
    """

    source: str = EMPATHETIC_DIALOGUES
    out: Path | None = None
    archive: Path | None = None
    url: str = empathetic_dialogues.OFFICIAL.url
    text_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None
    valid_fraction: float = 0.1
    test_fraction: float = 0.1
    seed: int = 13
    drop_leaks: bool = False
    stream: bool = False


def prepare(
    settings: PrepareSettings, official: RemoteFile = empathetic_dialogues.OFFICIAL
) -> tuple[PreparedData, Audit]:
    """Make a prepared folder; it appears under its name only when it is complete.

    Args:
        settings: what and how.
        official: the ED archive that counts as the right one; only tests have another.

    Returns:
        The folder, opened, and what was found in the data.

    Raises:
        UserMistake: the source cannot be read or learned from, or ``out`` holds something else or the source itself.
        EnvironmentFault: the download failed, the folder cannot be written (nothing is left behind), or a file of a
            stream cannot be read.
    """
    out = settings.out or default_folder(settings.source)
    _check_outside_source(out, settings.source)
    _check_replaceable(out)
    if settings.stream:
        return _prepare_stream(settings, out)
    source = _read_source(settings, out.resolve().parent / DOWNLOADS_FOLDER, official)
    _announce_columns(settings, source)
    check_usable(source)
    source = divide(source, {"test": settings.test_fraction, "valid": settings.valid_fraction}, settings.seed)
    findings = compare_texts(source.examples)
    kept = without_leaks(source, findings) if settings.drop_leaks else source
    check_usable(kept)
    audit = _audit(settings, source, kept, findings)
    reports = {AUDIT_FILE: audit.to_json(), CARD_FILE: write_card(audit, kept.examples["train"])}
    with _new_folder(out) as folder:
        write_prepared(folder, kept.examples, kept.dialogues, reports)
    return read_prepared(out), audit


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    try:
        with atomic_folder(out.resolve()) as folder:
            yield folder
    except OSError as error:
        raise EnvironmentFault(f"{out} could not be written, and nothing was changed: {explain(error)}.") from error


def _prepare_stream(settings: PrepareSettings, out: Path) -> tuple[PreparedData, Audit]:
    """Do the same for a table larger than memory; what needs all texts at once is left out."""
    path, tally = Path(settings.source), Tally()
    if settings.source in (EMPATHETIC_DIALOGUES, BUILTIN) or _is_hub(settings.source) or settings.archive:
        raise UserMistake("--stream is for a file or folder of your own; the other sources fit into memory.")
    if settings.drop_leaks:
        raise UserMistake("--drop-leaks needs all texts at once and does not go with --stream.")
    if not path.exists():
        raise UserMistake(f"There is no file or folder {settings.source!r}.")
    fractions = {"test": settings.test_fraction, "valid": settings.valid_fraction}
    check_fractions(fractions)
    wanted = Wanted(settings.text_column, settings.label_column, settings.group_column, fractions, settings.seed)
    files = files_of(path)
    with _new_folder(out) as folder:
        found = stream_into(folder, files, path.stem, wanted, tally)
        audit = audit_stream(found, path, _used_settings(settings, asdict(found.columns)), tally)
        write_json(folder / LABELS_FILE, audit.labels)
        (folder / AUDIT_FILE).write_text(audit.to_json(), "utf-8")
        (folder / CARD_FILE).write_text(write_card(audit, found.first), "utf-8")
    return read_prepared(out), audit


def default_folder(source: str) -> Path:
    """Name the folder for a source whose user named none.

    Example:
        >>> default_folder("hf:dair-ai/emotion").as_posix(), default_folder("tables/moods.csv").as_posix()
        ('data/emotion', 'data/moods')
    """
    path = PurePosixPath(source.removeprefix(HUB_PREFIX).partition(":")[0]) if _is_hub(source) else Path(source)
    return PARENT_FOLDER / (path.stem if path.stem not in ("", "..") else "own")


def divide(source: Source, fractions: Mapping[str, float], seed: int) -> Source:
    """Split a source that has no splits, and cut a valid split from train where only that is missing.

    Rows of one group stay together; without groups, rows with the same text do. Conversations are divided by the
    same rule, and one about a text that stands among the rows goes where that row went.

    Args:
        source: as it was read.
        fractions: share of the rows by split, train excluded.
        seed: of the division.
    """
    if UNSPLIT in source.examples:
        examples = _divide_rows(source, source.examples[UNSPLIT], fractions, seed)
        dialogues = _divide_dialogues(source.dialogues.get(UNSPLIT, ()), examples, fractions, seed)
        return replace(source, examples=examples, dialogues=dialogues)
    if "valid" in source.examples or source.dialogues or not fractions.get("valid"):
        return source
    cut = _divide_rows(source, source.examples["train"], {"valid": fractions["valid"]}, seed)
    source.tally.notes[MOVED_TO_VALID] += len(cut["valid"])
    return replace(source, examples=_in_order({**source.examples, **cut}))


def without_leaks(source: Source, findings: Findings) -> Source:
    """Take out of train every text, and every conversation about one, that valid or test has too or nearly has."""
    leaks = find_leaks(source.examples, findings.neighbours)
    examples = [row for row in source.examples["train"] if comparison_key(row.text) not in leaks]
    dialogues = [one for one in source.dialogues.get("train", ()) if comparison_key(one.situation) not in leaks]
    kept_dialogues = {**source.dialogues, "train": dialogues} if source.dialogues else source.dialogues
    return replace(source, examples={**source.examples, "train": examples}, dialogues=kept_dialogues)


def _announce_columns(settings: PrepareSettings, source: Source) -> None:
    text, label = source.details.get("text_column"), source.details.get("label_column")
    if text and label and not (settings.text_column and settings.label_column):
        _say(f"Taking the texts from column {text!r} and the labels from column {label!r}.")


def _is_hub(source: str) -> bool:
    return source.startswith(HUB_PREFIX)


def _check_outside_source(out: Path, source: str) -> None:
    """Refuse to put a folder in the place of what it is made from."""
    if source in (EMPATHETIC_DIALOGUES, BUILTIN) or _is_hub(source):
        return
    place, own = out.resolve(), Path(source).resolve()
    if place == own or place in own.parents:
        raise UserMistake(f"{out} would take the place of the source {source}; name another folder with --out.")


def _check_replaceable(out: Path) -> None:
    """Refuse to put a folder in the place of something that buddy did not write."""
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UserMistake(f"{place} is a file; --out names a folder.")
    names = {entry.name for entry in out.iterdir()} if out.exists() else set()
    strangers = names - OWN_FILES if {LABELS_FILE, AUDIT_FILE} <= names else names
    if strangers:
        raise UserMistake(f"{out} holds other files ({min(strangers)}); give a new or a prepared folder with --out.")


def _read_source(settings: PrepareSettings, downloads: Path, official: RemoteFile) -> Source:
    source = settings.source
    if source == EMPATHETIC_DIALOGUES:
        return _read_empathetic_dialogues(settings, downloads, official)
    if settings.archive is not None:
        raise UserMistake(f"--archive is for --source {EMPATHETIC_DIALOGUES}, not for {source!r}.")
    if source == BUILTIN:
        return read_builtin()
    columns = settings.text_column, settings.label_column, settings.group_column
    if _is_hub(source):
        return read_hub(source.removeprefix(HUB_PREFIX), *columns)
    if not Path(source).exists():
        raise UserMistake(
            f"There is no file or folder {source!r}; --source is {EMPATHETIC_DIALOGUES}, {BUILTIN}, a path, or hf:NAME."
        )
    return read_own_data(Path(source), *columns)


def _read_empathetic_dialogues(settings: PrepareSettings, downloads: Path, official: RemoteFile) -> Source:
    archive = settings.archive or _download(settings.url, downloads, official)
    members = read_members(archive, empathetic_dialogues.MEMBERS)
    sha256 = sha256_of(archive)
    if sha256 != official.sha256:
        _say(f"{archive} is not the official file (its SHA-256 differs); going on with it.")
    files = {split: members[name] for name, split in empathetic_dialogues.MEMBERS.items() if name in members}
    if "train" not in files:
        raise UserMistake(f"{archive} has no train.csv in it; it is no EmpatheticDialogues archive.")
    return replace(empathetic_dialogues.read_source(files, str(archive)), details={"archive_sha256": sha256})


def _download(url: str, downloads: Path, official: RemoteFile) -> Path:
    remote = official if url == official.url else RemoteFile(url)
    try:
        name = PurePosixPath(urlsplit(url).path).name or "archive.tar.gz"
    except ValueError as error:
        raise UserMistake(f"{url!r} is not an http or https address; give another one with --url.") from error
    return download(remote, downloads / name)


def _divide_rows(
    source: Source, rows: Sequence[Example], fractions: Mapping[str, float], seed: int
) -> dict[str, list[Example]]:
    groups = [source.groups.get(row.id) or comparison_key(row.text) for row in rows]
    names = split_rows([row.label for row in rows], groups, fractions, seed)
    divided: dict[str, list[Example]] = {}
    for name, row in zip(names, rows, strict=True):
        divided.setdefault(name, []).append(row)
    return _in_order(divided)


def _divide_dialogues(
    dialogues: Sequence[Dialogue], examples: Mapping[str, Sequence[Example]], fractions: Mapping[str, float], seed: int
) -> dict[str, list[Dialogue]]:
    split_of = {comparison_key(row.text): split for split, rows in examples.items() for row in rows}
    situations = [comparison_key(one.situation) for one in dialogues]
    names = split_rows([one.emotion for one in dialogues], situations, fractions, seed)
    divided: dict[str, list[Dialogue]] = {}
    for name, situation, one in zip(names, situations, dialogues, strict=True):
        divided.setdefault(split_of.get(situation, name), []).append(one)
    return _in_order(divided)


def _in_order(rows: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    return {split: list(rows[split]) for split in SPLITS if split in rows}


def _audit(settings: PrepareSettings, source: Source, kept: Source, findings: Findings) -> Audit:
    audit = Audit(
        source=source.name,
        origin=source.origin,
        licence=source.licence,
        settings=_used_settings(settings, source.details),
        rows_read=source.rows_read,
        dropped=dict(source.tally.dropped.most_common()),
        notes=dict(source.tally.notes.most_common()),
        labels=kept.labels(),
        splits={
            split: describe_split(rows, kept.dialogues.get(split, ()), source.spoken_turns)
            for split, rows in kept.examples.items()
        },
        exact_duplicates=findings.exact_duplicates,
        near_duplicates=findings.near_duplicates,
        conflicting_labels=findings.conflicting_labels,
        overlap=findings.overlap,
        leaks_dropped={
            "examples": _rows_in(source.examples) - _rows_in(kept.examples),
            "dialogues": _rows_in(source.dialogues) - _rows_in(kept.dialogues),
        },
    )
    return replace(audit, warnings=find_warnings(audit))


def _used_settings(settings: PrepareSettings, details: Mapping[str, object]) -> dict[str, object]:
    """List the settings that shaped the result, with what was settled in their place where they were left open."""
    downloaded = settings.source == EMPATHETIC_DIALOGUES and settings.archive is None
    values = {**asdict(settings), "url": settings.url if downloaded else None, **details}
    return {
        name: encodable(str(value)) if isinstance(value, (str, Path)) else value
        for name, value in values.items()
        if value is not None
    }


def _rows_in(splits: Mapping[str, Sequence[Example]] | Mapping[str, Sequence[Dialogue]]) -> int:
    return sum(map(len, splits.values()))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
