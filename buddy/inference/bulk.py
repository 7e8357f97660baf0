"""A whole file of texts: each row gets its label, in little memory, and what was done is never done again.

It takes two passes. The first reads texts and writes the probabilities of every label into a plain file beside the
output, a record of one size for each row; so the size of that file says how far one has come, and an interrupted run
goes on there. The second reads the rows again and writes them with their answers, all or nothing.

    OUTPUT.unfinished/answers.f32   for each row the probability of every label; NaN where there is no text
    OUTPUT.unfinished/about.json    of which file, column and model they are

Shapes: `N` rows, `E` labels.
"""

import json
import os
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from buddy.data.parquet import open_parquet
from buddy.data.row_files import ADVICE, CSV_KINDS, Row, column_names, is_text, kind_of, read_rows, write_rows
from buddy.errors import UserMistake, quote
from buddy.files import held, write_json
from buddy.inference.labels import Scores
from buddy.progress import Progress, progress
from buddy.text.batches import FloatArray

ROWS_AT_ONCE = 2048
"""So many rows are read while the model is busy with those before: two seconds' work for a small model."""

PROBLEMS_TOLD = 20


class Labeller(Protocol):
    """What is asked of a model: see ``Classifier``."""

    @property
    def labels(self) -> Sequence[str]: ...

    def probabilities(self, texts: Sequence[str], /) -> Scores: ...


@dataclass(frozen=True)
class BulkSettings:
    """What shall be classified.

    Attributes:
        input: a CSV, TSV, JSON-lines or Parquet file.
        output: the file to make, of the same kind.
        text_column: where the texts stand.
        all_probabilities: also write a column for every label.
        prefix: goes before the names of the new columns.
        strict: a row that cannot be read ends the work, instead of being told and passed over.
        resume: go on where an earlier run was interrupted.
    """

    input: Path
    output: Path
    text_column: str
    all_probabilities: bool = False
    prefix: str = ""
    strict: bool = False
    resume: bool = False


@dataclass(frozen=True)
class BulkResult:
    """How many rows got a label, how many have no text (they stay, without one), and how many could not be read."""

    labelled: int
    without_text: int
    unreadable: int


def classify_file(classifier: Labeller, model: str, settings: BulkSettings) -> BulkResult:
    """Classify the texts of a file.

    Args:
        classifier: the model.
        model: its ``model_digest``, by which a later run knows whether the answers so far are its own.
        settings: which file, and how.

    Returns:
        How it went. ``output`` has the rows of ``input`` in their order, with ``label`` and ``probability`` behind
        their columns.

    Raises:
        UserMistake: a file or column is not there, the output or a new column is, another process is at work on the
            same output, the file changes meanwhile, or ``strict`` and a row cannot be read.
    """
    _check(settings)
    facts = _facts(settings)
    columns = new_columns(classifier.labels, settings.prefix, settings.all_probabilities)
    check_columns(str(settings.input), column_names(settings.input), settings.text_column, columns)
    rows = count_rows(settings.input, str(settings.input), columns)
    work = settings.output.with_name(f"{settings.output.name}.unfinished")
    with held(work / ".lock"):
        _check(settings)  # another process may have ended meanwhile
        _begin(work, settings, {"model": model, "labels": list(classifier.labels), **facts})
        file, labels = work / "answers.f32", classifier.labels
        with _of_one_input(settings, facts, work):
            _answer(classifier, settings, file, rows.all)
            write_answers(settings.output, settings.input, _answers(file, len(labels)), labels, columns)
        labelled = sum(not np.isnan(answer[0]) for answer in _answers(file, len(labels)))
    shutil.rmtree(work)
    return BulkResult(labelled, rows.all - rows.unreadable - labelled, rows.unreadable)


@dataclass(frozen=True)
class RowCounts:
    """How many rows a file has, and how many of them cannot be read."""

    all: int
    unreadable: int


def count_rows(path: Path, source: str, new: Sequence[str], before: int = 0) -> RowCounts:
    """Count the rows of a file, and make sure that none has one of the new columns: each line of JSON has its own.

    Args:
        path: the file.
        source: what to call it.
        new: columns that shall be added.
        before: so many lines stand in ``source`` before those of the file.

    Raises:
        UserMistake: a row has a new column already, which would be lost.
    """
    if kind_of(path) == ".parquet":  # it says so itself, and has the same columns in each row
        with open_parquet(path, ADVICE) as file:
            return RowCounts(file.metadata.num_rows, unreadable=0)
    rows = unreadable = 0
    for row in read_rows(path):
        rows += 1
        if row.values is None:
            unreadable += 1
        else:
            _refuse_taken(f"{source}, line {before + row.place},", row.values, new)
    return RowCounts(rows, unreadable)


def new_columns(labels: Sequence[str], prefix: str, all_probabilities: bool) -> list[str]:
    """Name the columns that an answer adds to a row: for the label, its probability, and perhaps that of every label.

    Example:
        >>> new_columns(["sad", "proud"], "mood_", all_probabilities=True)
        ['mood_label', 'mood_probability', 'mood_probability_sad', 'mood_probability_proud']
    """
    every = [f"probability_{label}" for label in labels] if all_probabilities else []
    return [f"{prefix}{name}" for name in ("label", "probability", *every)]


def check_columns(source: str, names: Sequence[str], text_column: str, new: Sequence[str]) -> None:
    """Make sure that a file has the texts, none of the new columns, and a header that can be written again.

    Raises:
        UserMistake: it has no such column of texts, one of the new ones already, or a header that is not UTF-8.
    """
    if kind_of(Path(source)) in CSV_KINDS and not all(map(is_text, names)):
        raise UserMistake(f"The header of {source} is not UTF-8; save the file as UTF-8.")
    if text_column not in names:
        there = ", ".join(map(quote, names[:12])) or "none"
        raise UserMistake(f"{source} has no column {quote(text_column)}; it has {there}.")
    _refuse_taken(source, names, new)


def _refuse_taken(where: str, names: Container[str], new: Sequence[str]) -> None:
    taken = [name for name in new if name in names]
    if taken:
        raise UserMistake(f"{where} has a column {quote(taken[0])} already; --prefix gives the new ones others.")


def write_answers(
    output: Path, source: Path, answers: Iterable[FloatArray], labels: Sequence[str], columns: Sequence[str]
) -> None:
    """Write the rows of a file with their answers in new columns, all or nothing.

    Args:
        output: the file to make, of the kind of ``source``.
        source: the rows.
        answers: for each row (E,) the probability of every label; NaN where it has no text.
        labels: E of them.
        columns: as ``new_columns`` names them.
    """
    added = (_new_values(answer, labels, columns) for answer in answers)
    write_rows(output, source, added, {name: str if name == columns[0] else float for name in columns})


def _answers(file: Path, labels: int) -> Iterator[FloatArray]:
    """Give the probabilities of each row: (E,)."""
    with open(file, "rb") as stream:
        while some := stream.read(4 * labels * ROWS_AT_ONCE):
            yield from np.frombuffer(some, np.float32).reshape(-1, labels)


def _check(settings: BulkSettings) -> None:
    if kind_of(settings.output) != kind_of(settings.input):
        raise UserMistake(f"{settings.output} must end in {settings.input.suffix}, as {settings.input} does.")
    if settings.output.exists():
        raise UserMistake(f"{settings.output} exists already; remove it, or name another --output.")
    if not settings.input.is_file():
        raise UserMistake(f"There is no file {settings.input}.")


def _facts(settings: BulkSettings) -> dict[str, Any]:
    """Tell what the answers belong to; a file that was changed has another time or size."""
    status = settings.input.stat()
    return {
        "input": str(settings.input.absolute()),
        "bytes": status.st_size,
        "changed": status.st_mtime_ns,
        "text_column": settings.text_column,
    }


@contextmanager
def _of_one_input(settings: BulkSettings, facts: Mapping[str, Any], work: Path) -> Iterator[None]:
    """Say so if the input changes while the block reads it, whatever else came of that: labels stand at wrong rows."""
    try:
        yield
    finally:
        if _facts(settings) != facts:
            settings.output.unlink(missing_ok=True)
            raise UserMistake(f"{settings.input} was changed while it was read; remove {work}, and classify a copy.")


def _begin(work: Path, settings: BulkSettings, facts: Mapping[str, Any]) -> None:
    about = work / "about.json"
    if settings.resume and about.exists():
        if json.loads(about.read_text("utf-8")) != facts:
            raise UserMistake(f"{work} belongs to another file, column or model; remove it to begin again.")
    elif _has_content(work / "answers.f32") and not settings.resume:
        raise UserMistake(f"{work} is of a run that was interrupted; --resume goes on with it, or remove it.")
    else:
        write_json(about, facts)


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _answer(classifier: Labeller, settings: BulkSettings, file: Path, total: int) -> None:
    """Write the probabilities of the rows that have none yet: a record of E floats for each."""
    size = 4 * len(classifier.labels)
    done = file.stat().st_size // size if file.exists() else 0
    with open(file, "ab") as out, progress("classifying", total, "texts", done) as bar, ThreadPoolExecutor(1) as worker:
        out.truncate(done * size)  # a record that was cut off
        problems = Problems(str(settings.input), settings.text_column, settings.strict, bar.say)
        rows = read_rows(settings.input)
        for row in islice(rows, done):
            if settings.strict:
                problems.text_of(row)  # the run that passed over it was not strict
        for answers in answer_rows(classifier, rows, problems, worker):
            _keep(out, answers, bar)
        problems.tell_the_rest()


def answer_rows(
    classifier: Labeller, rows: Iterable[Row], problems: "Problems", worker: Executor
) -> Iterator[FloatArray]:
    """Give the probabilities of rows, some at a time, in order: (N, E); the next are read while these are computed."""
    waiting = None
    for some in _chunks(rows):
        following = worker.submit(_probabilities, classifier, [problems.text_of(row) for row in some])
        if waiting is not None:
            yield waiting.result()
        waiting = following
    if waiting is not None:
        yield waiting.result()


def _keep(out: Any, answers: FloatArray, bar: Progress) -> None:
    out.write(answers.tobytes())
    out.flush()
    os.fsync(out.fileno())
    bar.advance(len(answers))


def _probabilities(classifier: Labeller, texts: Sequence[str]) -> FloatArray:
    """Give the probabilities of texts; NaN for one that is empty: (N, E)."""
    answers = np.full((len(texts), len(classifier.labels)), np.nan, np.float32)
    full = [i for i, text in enumerate(texts) if text]
    if full:
        answers[full] = classifier.probabilities([texts[i] for i in full])
    return answers


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while some := list(islice(waiting, ROWS_AT_ONCE)):
        yield some


@dataclass
class Problems:
    """Tells what is wrong with rows, the first of them one by one.

    Attributes:
        source: the file's name.
        text_column: where the texts stand.
        strict: whether a row without text ends the work.
        say: what to do with a sentence.
        before: so many lines or rows stand in the file before those that are read.
        count: of rows with something wrong, so far.
    """

    source: str
    text_column: str
    strict: bool
    say: Callable[[str], None]
    before: int = 0
    count: int = 0

    def text_of(self, row: Row) -> str:
        """Give the text of a row; of one without, the empty text, after a word about it.

        Raises:
            UserMistake: there is none, and ``strict``.
        """
        text = None if row.values is None else row.values.get(self.text_column)
        if isinstance(text, str) and text.strip():
            return text
        if row.values is None:
            self._tell(row, row.problem, "is left out")
        else:
            self._tell(row, "it has no text", "gets no label")
        return ""

    def _tell(self, row: Row, problem: str, what_follows: str) -> None:
        what = "row" if kind_of(Path(self.source)) == ".parquet" else "line"
        sentence = f"{self.source}, {what} {self.before + row.place}: {problem}"
        if self.strict:
            raise UserMistake(f"{sentence}. Without --strict such a row {what_follows}.")
        self.count += 1
        if self.count <= PROBLEMS_TOLD:
            self.say(f"{sentence}; the row {what_follows}.")

    def tell_the_rest(self) -> None:
        """Say how many more there were."""
        if self.count > PROBLEMS_TOLD:
            self.say(f"… and {self.count - PROBLEMS_TOLD} more rows.")


def _new_values(answers: FloatArray, labels: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
    """Fill the new columns of a row: label, its probability, and perhaps that of every label."""
    if np.isnan(answers[0]):
        return dict.fromkeys(columns)
    best = int(answers.argmax())
    shares = [round(float(share), 6) for share in answers]
    return dict(zip(columns, [labels[best], shares[best], *shares], strict=False))
