"""``buddy evaluate``: from a run and a split to everything that is known about how good the model is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from buddy.data.prepared import PreparedData, read_prepared
from buddy.errors import UserMistake, quote
from buddy.evaluation.baselines import BASELINES, baseline_probabilities
from buddy.evaluation.bootstrap import LEVEL, Resampled, differ, interval, resample_scores, score_intervals
from buddy.evaluation.calibration import cross_fitted, fit_temperature, is_at_the_end, temper
from buddy.evaluation.companion import Companion, CompanionScores, judge_companion
from buddy.evaluation.metrics import (
    Floats,
    Integers,
    Scores,
    expected_calibration_error,
    negative_log_likelihood,
    per_label_scores,
    reliability,
    score,
)
from buddy.evaluation.predictions import PREDICTIONS_FILE, Predictions, write_predictions
from buddy.evaluation.results import (
    Baseline,
    Bootstrap,
    DataFacts,
    Evaluation,
    Gain,
    Reliability,
    Uncalibrated,
    write_evaluation,
)
from buddy.evaluation.run_folder import Run, find_run, write_judged_model
from buddy.progress import progress
from buddy.records import Dialogue, Example

COMPANION = "companion"  # the task of a model that has learned to reply
TEXTS_AT_ONCE = 512
FITTED_HERE = (
    "The temperature was fitted on this same split. The calibration figures and the NLL are therefore cross-fitted: "
    "each example was calibrated with a temperature fitted on the others."
)
NOT_FITTED = (
    "The stored temperature is 1, so the probabilities are the model's raw ones; if none has been fitted yet, "
    "`buddy evaluate {run}` does it on the valid split."
)
NOTHING_TO_FIT = "Every answer is right, so nothing says how sure is too sure: the temperature stays 1."
AT_THE_END = (
    "The fitted temperature is as extreme as it may be: the model has learned too little, or there are too few "
    "examples, for its confidence to mean anything."
)
NO_CONVERSATIONS = "The model has learned to reply, but these data hold no conversations to judge its replies by."
OTHER_DATA = "This is not the data that the run was trained on, so the stored temperature was used and left as it is."
REPLACED = (
    "Training has put another model in the place of the one that was judged, so the temperature was not stored; "
    "`buddy evaluate {run}` judges the new one."
)
WITHOUT_RUN = "The model was judged without the run that made it: its stored temperature was used and left as it is."


class Classifier(Companion, Protocol):
    """What is needed of a model: label log-probabilities, row-wise log-softmaxed, before temperature.

    What a companion can be asked beyond that is only asked where the task is ``companion``.
    """

    @property
    def temperature(self) -> float: ...

    @property
    def task(self) -> str: ...

    def log_scores(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True)
class EvaluateSettings:
    """What to evaluate and how.

    Args:
        run: the run directory, or the folder of a model without one.
        data: a prepared folder; the one that the run was trained on when absent.
        split: ``"valid"`` or ``"test"``.
        baselines: whether to judge the simple systems on the same examples, too.
        bootstrap: how many resamples the intervals are made from.
        seed: of the resamples, the folds of cross-fitting, the shown examples and the replies.
        replies: in how many conversations a model that has learned to reply is made to do so; 0 for none.
        out: where the results of a model without a run go; a run keeps its own.
    """

    run: Path
    data: Path | None = None
    split: str = "valid"
    baselines: bool = False
    bootstrap: int = 1000
    seed: int = 13
    replies: int = 200
    out: Path | None = None


@dataclass(frozen=True)
class _Question:
    """Everything that stands before the model has said a word: N examples, E labels."""

    run: Run
    model: Path
    weights: list[tuple[str, int, int]]  # what tells them apart from those that training may put in their place
    data: PreparedData
    fingerprint: str
    is_own_data: bool
    classifier: Classifier
    examples: list[Example]
    truth: Integers  # (N,) columns of the true labels
    dialogues: list[Dialogue]  # none for a model that has not learned to reply

    @property
    def labels(self) -> tuple[str, ...]:
        return self.classifier.labels

    @property
    def texts(self) -> list[str]:
        return [example.text for example in self.examples]


@dataclass(frozen=True)
class _Answers:
    """Probabilities (N, E) before and after temperature.

    ``stated`` is what the model says from now on; ``judged`` is what it is fair to score, which differs from it
    where the temperature was fitted on these very examples.
    """

    temperature: float
    fitted_here: bool
    raw: Floats
    stated: Floats
    judged: Floats


def evaluate_run(settings: EvaluateSettings) -> Evaluation:
    """Judge a run's best checkpoint and write ``metrics.json`` and ``predictions.parquet`` into the run.

    The results of a model without a run go to ``settings.out``, and its temperature is left as it is.

    The temperature is fitted on ``valid`` and stored with the checkpoint; ``test`` uses what is stored. Figures
    and the page are made from these files by ``buddy.evaluation.report.write_report``.

    Args:
        settings: what to evaluate.

    Returns:
        What was found, as it was written.

    Raises:
        UserMistake: the run or the data is not there, the split is empty, or it has labels that the model lacks.
    """
    question = _ask(settings)
    answers = _calibrate(question, _judge(question), settings)
    evaluation = _summarise(question, answers, settings)
    if answers.fitted_here and not _store_temperature(question, answers.temperature):
        evaluation = replace(evaluation, notes=(*evaluation.notes, REPLACED.format(run=question.run.folder)))
    _write(question, answers, evaluation)
    return evaluation


def _ask(settings: EvaluateSettings) -> _Question:
    run = find_run(settings.run, settings.out)
    model = run.best  # once: a run that goes on may move it
    if not model.is_dir():
        raise UserMistake(f"{run.folder} has no checkpoint yet; `buddy train` writes {model} when it evaluates.")
    weights = _stamps(model)  # before they are read
    data = read_prepared(settings.data or _data_folder(run))
    fingerprint = data.fingerprint()
    examples = data.examples(settings.split)
    classifier = _load_classifier(model)
    return _Question(
        run=run,
        model=model,
        weights=weights,
        data=data,
        fingerprint=fingerprint,
        is_own_data=run.model is None and run.data_fingerprint in (None, fingerprint),
        classifier=classifier,
        examples=examples,
        truth=_columns(examples, classifier.labels, settings.split),
        dialogues=_dialogues(data, settings.split) if classifier.task == COMPANION else [],
    )


def _dialogues(data: PreparedData, split: str) -> list[Dialogue]:
    """Read the conversations in which somebody listens, if there are any."""
    return [one for one in data.dialogues(split) if len(one.turns) > 1] if data.has_dialogues(split) else []


def _load_classifier(model: Path) -> Classifier:
    from buddy.inference.classifier import load_classifier

    return load_classifier(model)


def _stamps(model: Path) -> list[tuple[str, int, int]]:
    """Give name, size and time of the files with the weights; training writes new ones and never changes one."""
    files = ((file.name, file.stat()) for file in model.glob("*.safetensors"))
    return sorted((name, status.st_size, status.st_mtime_ns) for name, status in files)


def _data_folder(run: Run) -> Path:
    folder = run.settings.get("data")
    if not isinstance(folder, str):
        raise UserMistake(
            f"{run.model or run.folder} does not say which data it was trained on; name a prepared folder with --data."
        )
    if not Path(folder).is_dir():
        raise UserMistake(f"The data of this run, {folder}, is not there any more; name a prepared folder with --data.")
    return Path(folder)


def _columns(examples: Sequence[Example], labels: Sequence[str], split: str) -> Integers:
    """Number the true labels as the model numbers them."""
    column = {label: i for i, label in enumerate(labels)}
    unknown = sorted({example.label for example in examples} - set(column))
    if unknown:
        listed = ", ".join(map(quote, unknown[:5])) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
        raise UserMistake(
            f"The {split} split has labels that the model does not know: {listed}; name other data with --data."
        )
    return np.array([column[example.label] for example in examples], dtype=np.int64)


def _judge(question: _Question) -> Floats:
    """Ask the model about every text, with a progress bar: (N, E) log-scores."""
    texts = question.texts
    parts = []
    with progress("classifying", total=len(texts), unit="texts") as bar:
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            parts.append(question.classifier.log_scores(texts[start : start + TEXTS_AT_ONCE]))
            bar.advance(len(parts[-1]))
    return np.concatenate(parts)


def _calibrate(question: _Question, log_scores: Floats, settings: EvaluateSettings) -> _Answers:
    """Fit the temperature on the run's own valid split; anywhere else use the one that is stored."""
    fits = settings.split == "valid" and question.is_own_data
    temperature = fit_temperature(log_scores, question.truth) if fits else question.classifier.temperature
    stated = temper(log_scores, temperature)
    return _Answers(
        temperature=temperature,
        fitted_here=fits,
        raw=temper(log_scores, 1.0),
        stated=stated,
        judged=cross_fitted(log_scores, question.truth, seed=settings.seed) if fits else stated,
    )


def _summarise(question: _Question, answers: _Answers, settings: EvaluateSettings) -> Evaluation:
    truth, raw, judged = question.truth, answers.raw, answers.judged
    scores = score(judged, truth)
    resampled = resample_scores(judged, truth, settings.bootstrap, settings.seed)
    return Evaluation(
        split=settings.split,
        n=len(truth),
        scores=scores,
        intervals=score_intervals(scores, resampled, len(truth)),
        bootstrap=Bootstrap(settings.bootstrap, settings.seed, LEVEL),
        temperature=answers.temperature,
        temperature_fitted_here=answers.fitted_here,
        uncalibrated=Uncalibrated(negative_log_likelihood(raw, truth), expected_calibration_error(raw, truth)),
        per_label=per_label_scores(judged, truth, question.labels),
        reliability=Reliability(reliability(raw, truth), reliability(judged, truth)),
        data=_facts(question),
        baselines=_judge_baselines(question, scores, resampled, settings) if settings.baselines else {},
        notes=_notes(question, answers),
        companion=_judge_companion(question, settings),
    )


def _facts(question: _Question) -> DataFacts:
    data = question.data
    counts = {split: sum(data.blocks(split)) for split in data.splits()}
    return DataFacts(str(data.folder), question.fingerprint, counts)


def _notes(question: _Question, answers: _Answers) -> tuple[str, ...]:
    notes = []
    if not question.is_own_data:
        notes.append(OTHER_DATA if question.run.model is None else WITHOUT_RUN)
    if answers.fitted_here:
        notes.append(FITTED_HERE)
    if answers.fitted_here and is_at_the_end(answers.temperature):
        notes.append(AT_THE_END)
    if answers.temperature == 1.0 and question.run.model is None:
        notes.append(NOTHING_TO_FIT if answers.fitted_here else NOT_FITTED.format(run=question.run.folder))
    if question.classifier.task == COMPANION and not question.dialogues:
        notes.append(NO_CONVERSATIONS)
    return tuple(notes)


def _judge_companion(question: _Question, settings: EvaluateSettings) -> CompanionScores | None:
    """Judge the replies of a model that has learned to give some, where there are conversations."""
    if not question.dialogues:
        return None
    return judge_companion(question.classifier, question.dialogues, settings.replies, settings.bootstrap, settings.seed)


def _judge_baselines(
    question: _Question, scores: Scores, resampled: Resampled, settings: EvaluateSettings
) -> dict[str, Baseline]:
    """Fit the simple systems on the run's train split, without a run on that of the data, and judge them alike."""
    has_own = not question.is_own_data and question.run.model is None
    data = read_prepared(_data_folder(question.run)) if has_own else question.data
    train = data.examples("train")
    _columns(train, question.labels, "train")
    baselines = {}
    with progress("fitting", total=len(BASELINES), unit="baselines") as bar:
        for name in BASELINES:
            baselines[name] = _judge_baseline(name, train, question, (scores, resampled), settings)
            bar.advance()
    return baselines


def _judge_baseline(
    name: str,
    train: Sequence[Example],
    question: _Question,
    model: tuple[Scores, Resampled],
    settings: EvaluateSettings,
) -> Baseline:
    began = time.perf_counter()
    probabilities = baseline_probabilities(name, train, question.texts, question.labels)
    seconds = time.perf_counter() - began
    scores = score(probabilities, question.truth)
    resampled = resample_scores(probabilities, question.truth, settings.bootstrap, settings.seed)
    model_scores, model_resampled = model
    gain = model_scores.accuracy - scores.accuracy
    paired = model_resampled["accuracy"] - resampled["accuracy"]
    sure = Gain(gain, interval(gain, paired) if differ(paired) else None)
    return Baseline(scores, score_intervals(scores, resampled, len(question.truth)), sure, round(seconds, 1))


def _store_temperature(question: _Question, temperature: float) -> bool:
    """Store it beside the weights that it was fitted for; ``False``: training has put others in their place."""
    from buddy.inference.folder import save_temperature

    if _stamps(question.model) != question.weights:
        return False
    save_temperature(question.model, temperature)
    return True


def _write(question: _Question, answers: _Answers, evaluation: Evaluation) -> None:
    folder, examples = question.run.folder, question.examples
    predictions = Predictions(
        ids=tuple(example.id for example in examples),
        texts=tuple(question.texts),
        labels=question.labels,
        truth=question.truth,
        predicted=answers.stated.argmax(axis=1),
        probabilities=answers.stated,
    )
    if question.run.model is not None:
        write_judged_model(question.run)
    write_predictions(folder / PREDICTIONS_FILE, predictions)
    write_evaluation(folder, evaluation)
