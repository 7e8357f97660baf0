"""Files of texts on a Ray cluster: cut into parts, and each part classified by whichever worker is free.

    OUTPUT/part-00007.csv          a shard: the rows of a part with their labels, as `buddy classify` writes them
    OUTPUT/_work/plan.json         which parts there are, of which files, for which model
    OUTPUT/_work/model             that model, for the workers to read
    OUTPUT/_work/begun/00007       a note of every worker that began this part, so that it is not begun for ever
    OUTPUT/_work/part-00007.json   how a part went, written behind its shard: with it the part is done
    OUTPUT/_manifest.json          all of that together, when the last part is done; `_work` is gone then

A part is a task of Ray Data. Ray gives it to another worker when one is lost; because a shard appears whole or not at
all and always under the same name, a part that was begun twice is there once.

A worker tells what went wrong as an answer: Ray would wrap an error in pages, and lose what it was.
"""

import hashlib
import json
import os
import platform
import re
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from buddy.data.row_files import KINDS, column_names, kind_of, read_rows
from buddy.errors import EnvironmentFault, UserMistake
from buddy.inference.bulk import (
    PROBLEMS_TOLD,
    BulkResult,
    Problems,
    answer_rows,
    check_columns,
    count_rows,
    new_columns,
    write_answers,
)
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.folder import model_digest, model_files, read_facts
from buddy.inference.parts import Part, cut, take
from buddy.inference.places import (
    absolute,
    files_at,
    names_at,
    put_bytes,
    put_file,
    read_place,
    remove_place,
    version_of,
)
from buddy.inference.ray_cluster import joined_cluster, reason_of
from buddy.progress import progress

WORK, MANIFEST = "_work", "_manifest.json"
MODEL, PLAN, BEGUN = "model", "plan.json", "begun"

HALF_A_SHARD = re.compile(r"\.part-\d+\.\w+\.\d+\.tmp")
"""What a worker leaves that is killed while it writes; see ``atomic_file``."""

SHARD_ROWS = 10_000

GO_ON = "What is done is kept, and --resume goes on."

ATTEMPTS = 5
"""So many workers may be lost over a part; then it is taken to be what kills them. Ray's own count of retries would
not do: while a node goes down it asks in vain for the same worker many times a second."""

COUNTS = ("labelled", "without_text", "unreadable")

Report = dict[str, Any]
"""How a part went: the shard's name and digest, where the rows came from, how many there are of which kind."""


@dataclass(frozen=True)
class RayBulkSettings:
    """What shall be classified, and where.

    Attributes:
        input: a file, a folder or a pattern, here or in the cloud (``s3://…``, ``gs://…``).
        output: the folder to make, here or in the cloud.
        text_column: where the texts stand.
        all_probabilities: also write a column for every label.
        prefix: goes before the names of the new columns.
        strict: a row that cannot be read ends the work, instead of being told and passed over.
        resume: go on where an earlier run was interrupted.
        address: of the cluster; ``None``: one on this machine, for as long as the work takes.
        workers: each with a core and a model of its own; 0: as many as the cluster has cores.
        shard_rows: rows of a part; ``None``: as many as the run has that is gone on with, and in a new one 10,000.
    """

    input: str
    output: str
    text_column: str
    all_probabilities: bool = False
    prefix: str = ""
    strict: bool = False
    resume: bool = False
    address: str | None = None
    workers: int = 0
    shard_rows: int | None = None


def classify_on_ray(folder: Path, settings: RayBulkSettings) -> BulkResult:
    """Classify the texts of files on a cluster.

    Args:
        folder: the model's; its files are sent to the workers.
        settings: which files, where to, and on how many workers.

    Returns:
        How it went. The shards in the order of their numbers have the rows that ``classify_file`` would give.

    Raises:
        UserMistake: there is no such file, column or cluster, ``output`` is taken, a file changes meanwhile, or
            ``strict`` and a row cannot be read.
        EnvironmentFault: a worker or the cluster fails.
    """
    settings = replace(settings, input=absolute(settings.input), output=absolute(settings.output))
    labels = read_facts(folder).labels
    columns = new_columns(labels, settings.prefix, settings.all_probabilities)
    sources = [place for place in files_at(settings.input, KINDS) if not place.startswith(f"{settings.output}/")]
    if not sources:
        raise UserMistake(f"There is nothing at {settings.input} but what lies in {settings.output}.")
    _check_alike(sources)
    versions = [version_of(source) for source in sources]
    facts = {
        "model": model_digest(folder),
        "labels": labels,
        "text_column": settings.text_column,
        "columns": columns,
        "sources": versions,
    }
    begun = _read_plan(settings, facts)
    with joined_cluster(settings.address, GO_ON) as ray:
        ray.data.DataContext.get_current().enable_progress_bars = False
        parts = begun if begun is not None else _make_plan(ray, folder, settings, sources, facts)
        reports = _classify_parts(ray, settings, parts, facts)
    _require_unchanged(versions, settings.output)
    manifest = {**facts, "shards": [reports[number] for number in range(len(parts))]}
    put_bytes(_as_json(manifest), f"{settings.output}/{MANIFEST}")
    for name in names_at(settings.output):
        if name == WORK or HALF_A_SHARD.fullmatch(name):
            remove_place(f"{settings.output}/{name}")
    counts = {name: sum(report[name] for report in reports.values()) for name in COUNTS}
    return BulkResult(**counts)


def _check_alike(sources: Sequence[str]) -> None:
    kinds = {kind_of(Path(source)) for source in sources}
    if len(kinds) > 1:
        raise UserMistake(f"The files are of different kinds ({', '.join(sorted(kinds))}); name those of one: '*.csv'.")


def _require_unchanged(sources: Sequence[Mapping[str, Any]], output: str) -> None:
    for source in sources:
        if version_of(source["place"]) != source:
            raise UserMistake(f"{source['place']} was changed while it was read; remove {output}, and classify a copy.")


def _read_plan(settings: RayBulkSettings, facts: Mapping[str, Any]) -> list[Part] | None:
    """Give the parts of the run to go on with; ``None`` if this is a new one."""
    output = settings.output
    names = names_at(output)
    if MANIFEST in names:
        raise UserMistake(f"{output} is complete already; name another --output.")
    plan = _read_json(f"{output}/{WORK}/{PLAN}") if WORK in names else {}
    if not plan:
        if names - {WORK}:
            raise UserMistake(f"{output} holds other files ({min(names)}); name a new folder with --output.")
        return None
    if not settings.resume:
        raise UserMistake(f"{output} is of a run that was interrupted; --resume goes on with it, or remove it.")
    parts, shard_rows = [Part(**part) for part in plan.pop("parts")], plan.pop("shard_rows", settings.shard_rows)
    if plan != json.loads(_as_json(facts)):
        raise UserMistake(f"{output} belongs to other files, columns or another model; name another --output.")
    if settings.shard_rows not in (None, shard_rows):
        raise UserMistake(f"{output} was begun with --shard-rows {shard_rows}, and goes on with that; leave it out.")
    return parts


def _make_plan(
    ray: Any, folder: Path, settings: RayBulkSettings, sources: Sequence[str], facts: Mapping[str, Any]
) -> list[Part]:
    """Cut the files, each on a worker; put the model where the workers find it, and write down what there is to do."""
    cut_there = ray.remote(_check_and_cut)
    waiting = [cut_there.remote(source, settings, facts["columns"]) for source in sources]
    parts: list[Part] = []
    with progress("counting", len(sources), "files") as bar:
        for one in waiting:
            found = ray.get(one)
            if isinstance(found, str):
                raise UserMistake(found)
            parts += found
            bar.advance()
    remove_place(f"{settings.output}/{WORK}")  # of a run that was interrupted before it had a plan
    for file in model_files(folder):
        put_file(file, f"{settings.output}/{WORK}/{MODEL}/{file.name}")
    plan = {**facts, "shard_rows": _shard_rows(settings), "parts": [asdict(part) for part in parts]}
    put_bytes(_as_json(plan), f"{settings.output}/{WORK}/{PLAN}")
    return parts


def _check_and_cut(source: str, settings: RayBulkSettings, columns: Sequence[str]) -> list[Part] | str:
    """Give the parts of a file, or what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / f"first{kind_of(Path(source))}"
        try:
            parts = cut(source, _shard_rows(settings))
            take(parts[0], first)
            check_columns(source, column_names(first), settings.text_column, columns)
        except UserMistake as mistake:
            return str(mistake).replace(str(first), source)
    return parts


def _classify_parts(
    ray: Any, settings: RayBulkSettings, parts: Sequence[Part], facts: Mapping[str, Any]
) -> dict[int, Report]:
    """Classify what is not done yet; give a report on every part by its number."""
    reports = _reports_so_far(settings, len(parts))
    left = [number for number in range(len(parts)) if number not in reports]
    if not left:
        return reports
    remove_place(f"{settings.output}/{WORK}/{BEGUN}")
    tasks = [{"number": number, "part": asdict(parts[number])} for number in left]
    workers = min(settings.workers or max(1, int(ray.cluster_resources().get("CPU", 0))), len(left))
    answers = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map(
        PartWorker,
        fn_constructor_args=(settings, facts["columns"], facts["model"]),
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    rows, rows_left = sum(part.rows for part in parts), sum(parts[number].rows for number in left)
    told = silent = 0
    # Closed before the cluster is: else Ray's threads end the process before it can tell what went wrong.
    with (
        progress("classifying", rows, "texts", rows - rows_left) as bar,
        closing(iter(answers.iter_rows())) as given,
    ):
        for answer in given:
            report = json.loads(answer["report"])
            if "mistake" in report:
                raise UserMistake(report["mistake"])
            if "fault" in report:
                raise EnvironmentFault(report["fault"]) from RuntimeError(report["trace"])
            some = report["problems"][: PROBLEMS_TOLD - told]
            for problem in some:
                bar.say(problem)
            told += len(some)
            silent += report["without_text"] + report["unreadable"] - len(some)
            reports[answer["number"]] = report
            bar.advance(parts[answer["number"]].rows)
        if silent:
            bar.say(f"… and {silent} more rows.")
    return reports


def _reports_so_far(settings: RayBulkSettings, parts: int) -> dict[int, Report]:
    """Read what is done. If the run is strict now and was not, a part with a row that cannot be read is done again."""
    there = names_at(f"{settings.output}/{WORK}")
    reports = {
        number: _read_json(f"{settings.output}/{WORK}/{_report_name(number)}")
        for number in range(parts)
        if _report_name(number) in there
    }
    return {
        number: report for number, report in reports.items() if report and not (settings.strict and report["problems"])
    }


class PartWorker:
    """A process of the cluster with a model of its own."""

    def __init__(self, settings: RayBulkSettings, columns: Sequence[str], digest: str) -> None:
        """Do nothing yet: what goes wrong here, Ray tells in pages."""
        self._settings, self._columns, self._digest = settings, columns, digest

    def __call__(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Classify a part, put its shard, and then the report on it; or tell what went wrong."""
        part, number = Part(**task["part"]), task["number"]
        try:
            report = self._work_on(part, number)
        except UserMistake as mistake:
            report = {"mistake": str(mistake)}
        except Exception as error:
            fault = f"{part.source} cannot be classified on {platform.node()}: {reason_of(error)}. {GO_ON}"
            fault = str(error) if isinstance(error, EnvironmentFault) else fault
            report = {"fault": fault, "trace": traceback.format_exc()}
        return {"number": number, "report": json.dumps(report)}

    @cached_property
    def _classifier(self) -> Classifier:
        return load_classifier(_model_here(f"{self._settings.output}/{WORK}/{MODEL}", self._digest))

    def _work_on(self, part: Part, number: int) -> Report:
        begun = f"{self._settings.output}/{WORK}/{BEGUN}/{number:05}"
        if len(names_at(begun)) >= ATTEMPTS:
            raise EnvironmentFault(_lost_over(part))
        put_bytes(b"begun", f"{begun}/{uuid4().hex}")
        report = self._classify(part, number)
        put_bytes(_as_json(report), f"{self._settings.output}/{WORK}/{_report_name(number)}")
        return report

    def _classify(self, part: Part, number: int) -> Report:
        labels, kind = self._classifier.labels, kind_of(Path(part.source))
        told: list[str] = []
        problems = Problems(part.source, self._settings.text_column, self._settings.strict, told.append, part.before)
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
            rows, shard = Path(folder) / f"rows{kind}", Path(folder) / f"shard{kind}"
            take(part, rows)
            counts = count_rows(rows, part.source, self._columns, part.before)
            some = list(answer_rows(self._classifier, read_rows(rows), problems, thread))
            answers = np.concatenate(some) if some else np.empty((0, len(labels)), np.float32)
            write_answers(shard, rows, answers, labels, self._columns)
            put_file(shard, f"{self._settings.output}/{_shard_name(number, kind)}")
            labelled = int(np.isfinite(answers[:, 0]).sum())
            return {
                "shard": _shard_name(number, kind),
                "source": part.source,
                "first_row": part.start if kind == ".parquet" else None,
                "labelled": labelled,
                "without_text": counts.all - counts.unreadable - labelled,
                "unreadable": counts.unreadable,
                "sha256": hashlib.sha256(shard.read_bytes()).hexdigest(),
                "problems": told,
            }


def _model_here(place: str, digest: str) -> Path:
    """Give a copy of the model on this node: one for all its workers, so that those that are killed leave no others.

    It stays there for the next run.

    Raises:
        EnvironmentFault: what stands there, or comes from the place, is damaged, or is another user's.
    """
    folder = Path(tempfile.gettempdir()) / f"buddy-model-{os.getuid()}-{digest}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(prefix="buddy-model-") as new:
            copy = Path(new) / "copy"
            copy.mkdir(mode=0o700)
            for name in names_at(place):
                (copy / name).write_bytes(read_place(f"{place}/{name}") or b"")
            if model_digest(copy) != digest:
                raise EnvironmentFault(f"The model at {place} is not whole. {GO_ON}")
            with suppress(OSError):  # another worker was quicker
                copy.rename(folder)
    if folder.lstat().st_uid != os.getuid() or model_digest(folder) != digest:
        raise EnvironmentFault(f"{folder} on {platform.node()} is no copy of the model; remove it. {GO_ON}")
    return folder


def _lost_over(part: Part) -> str:
    where = "row" if kind_of(Path(part.source)) == ".parquet" else "byte"
    return (
        f"{ATTEMPTS} workers were lost over the same {part.rows:,} rows of {part.source}, from {where} {part.start:,} "
        f"on. If memory is short: fewer --workers on a machine. {GO_ON}"
    )


def _shard_rows(settings: RayBulkSettings) -> int:
    return settings.shard_rows or SHARD_ROWS


def _read_json(place: str) -> dict[str, Any]:
    """Read what was noted; nothing if it is not there, or its writer was killed on the way (see ``put_file``)."""
    with suppress(ValueError):
        return dict(json.loads(read_place(place) or b"{}"))
    return {}


def _shard_name(number: int, kind: str) -> str:
    return f"part-{number:05}{kind}"


def _report_name(number: int) -> str:
    return f"part-{number:05}.json"


def _as_json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace")
