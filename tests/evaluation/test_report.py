import base64
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from buddy.data.prepared import read_prepared, write_prepared
from buddy.errors import UserMistake
from buddy.evaluation.evaluate import EvaluateSettings, evaluate_run
from buddy.evaluation.report import write_report
from buddy.evaluation.results import Evaluation
from buddy.records import Dialogue, Example
from tests.evaluation.conftest import FakeRun, build_run

EMPTY_TAGS = {"meta", "img", "source", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would see: text, tags with their attributes, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == [], "tags left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in EMPTY_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@dataclass(frozen=True)
class Finished:
    """A run that was evaluated with baselines, and its page."""

    run: FakeRun
    evaluation: Evaluation
    html: str

    @property
    def page(self) -> Page:
        return Page(self.html)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One evaluated run for all tests that only look at its page."""
    with pytest.MonkeyPatch.context() as patch:
        run = build_run(tmp_path_factory.mktemp("finished"), patch)
        evaluation = evaluated(run, baselines=True)
        yield Finished(run, evaluation, write_report(run.folder).read_text("utf-8"))


@pytest.fixture
def undrawn(monkeypatch):
    """Reports without the drawing of their figures, for tests that read the text."""
    monkeypatch.setattr("buddy.evaluation.report.png", lambda _: b"a figure")


def report(run: FakeRun) -> Page:
    return Page(write_report(run.folder).read_text("utf-8"))


def evaluated(run: FakeRun, split: str = "valid", baselines: bool = False) -> Evaluation:
    return evaluate_run(EvaluateSettings(run.folder, None, split, baselines, bootstrap=30))


def test_the_page_says_how_good_the_model_is(finished):
    evaluation, text = finished.evaluation, finished.page.text
    assert f"Right {round(100 * evaluation.scores.accuracy)} times in 100" in text
    assert "Always giving the most frequent label would be right 25 times in 100" in text
    for value in (evaluation.scores.accuracy, evaluation.scores.macro_f1, evaluation.scores.ece):
        assert f"{100 * value:.1f}" in text
    assert f"{evaluation.scores.nll:.3f}" in text
    low, high = evaluation.intervals["accuracy"]
    assert f"{100 * low:.1f} – {100 * high:.1f}" in text
    assert "30 bootstrap resamples of the 120 texts (seed 13)" in text
    assert "TF-IDF + logistic regression 100.0%" in text
    assert f"temperature {evaluation.temperature:.2f}" in text
    assert "cross-fitted" in text


def test_the_page_shows_four_right_and_four_wrong_and_how_they_were_chosen(finished):
    page = finished.page
    kinds = [attributes["class"].split()[-1] for attributes in page.all("article")]
    assert kinds == ["right"] * 4 + ["wrong"] * 4
    assert "drawn uniformly at random" in page.text
    assert page.text.count("in truth") == 4


def test_the_page_loads_nothing_from_anywhere(finished):
    whole = finished.html
    html = re.sub(r"base64,[\w+/=]+", "", whole)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<iframe", html, re.IGNORECASE)
    page = Page(whole)
    sources = [image["src"] for image in page.all("img")] + [source["srcset"] for source in page.all("source")]
    assert len(sources) == 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert len(set(sources)) == 8  # four figures, each for light and for dark
    assert all(link["href"].startswith("#") for link in page.all("a"))


def test_the_page_can_be_read_without_eyes(finished):
    page = finished.page
    assert all(len(image["alt"]) > 40 for image in page.all("img"))
    assert all(header.get("scope") in {"col", "row"} for header in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"][1:] for link in page.all("a")} <= ids


@pytest.mark.usefixtures("undrawn")
def test_what_comes_from_data_stays_text(make_run):
    run = make_run(labels=["<b>sad</b>", "joyful & co"])
    data = read_prepared(run.data)
    poison = "<script>alert('x')</script> {{ 7 * 7 }}"
    rows = [Example(str(i), f"{poison} {i}", label) for i, label in enumerate(data.labels * 6)]
    write_prepared(run.data, {"train": rows, "valid": rows})
    evaluated(run)
    html = write_report(run.folder).read_text("utf-8")
    page = Page(html)
    assert "<script" not in html
    assert poison in page.text
    assert "<b>sad</b>" in page.text
    assert "49" not in "".join(word for word in page.words if "alert" in word)


def test_before_an_evaluation_there_are_curves_and_the_command_for_the_rest(run):
    page = report(run)
    assert f"buddy evaluate {run.folder} --baselines" in page.text
    assert len(page.all("img")) == 2
    assert "backbone base" in page.text
    assert "Scores" not in page.text
    assert sorted(file.name for file in run.file("figures").iterdir()) == ["accuracy.png", "loss.png"]


def test_figures_are_written_for_light_pages(finished):
    page = finished.page
    written = {file.name: file.read_bytes() for file in finished.run.file("figures").iterdir()}
    assert set(written) == {"loss.png", "accuracy.png", "confusion.png", "calibration.png"}
    embedded = {base64.b64decode(image["src"].split(",")[1]) for image in page.all("img")}
    assert embedded == set(written.values())


@pytest.mark.usefixtures("undrawn")
def test_no_model_is_needed_for_a_report(run, monkeypatch):
    evaluated(run)
    monkeypatch.setattr(run.model, "log_scores", pytest.fail)
    run.file("best").rename(run.file("gone"))
    assert "Right" in report(run).text


@pytest.mark.usefixtures("undrawn")
def test_the_report_of_two_labels_leaves_top_three_out(make_run):
    run = make_run(labels=["no", "yes"], evaluations=1)
    evaluated(run)
    text = report(run).text
    assert "top-3" not in text
    assert "picked one of 2 labels" in text


def test_the_report_of_a_hundred_labels_folds_the_long_table(make_run):
    run = make_run(labels=[f"mood {i:03}" for i in range(100)], valid=200)
    evaluated(run)
    page = report(run)
    assert page.text.count("mood 0") >= 100
    assert "The other 60 labels" in page.text
    assert "40 most confused of 100" not in page.text  # that stands in the figure


@pytest.mark.parametrize(
    ("history", "words", "images"),
    [
        ("", "no curves to show", 0),
        (json.dumps({"step": 7, "valid_loss": 2.5, "train_loss": 3.0}), "step 7", 1),
        (json.dumps({"step": 7, "epoch": 1, "valid_loss": 2.5, "valid_accuracy": 0.5}), "epoch 1 (step 7)", 2),
    ],
)
def test_short_histories_are_shown_as_far_as_they_go(run, history, words, images):
    run.file("history.jsonl").write_text(history)
    page = report(run)
    assert words in page.text
    assert len(page.all("img")) == images


@pytest.mark.usefixtures("undrawn")
def test_of_other_data_nothing_is_said_that_is_not_known(run, tmp_path):
    data = read_prepared(run.data)
    train, valid = data.examples("train"), data.examples("valid")
    (tmp_path / "again").mkdir()
    write_prepared(tmp_path / "again", {"train": [*train[50:], *valid], "valid": train[:50]})  # as with another seed
    evaluated(run, split="test")
    evaluate_run(EvaluateSettings(run.folder, tmp_path / "again", baselines=True, bootstrap=30))
    text = report(run).text
    assert "It is not known whether it learned from some of these texts." in text
    assert f"The baselines learned from the train split of {run.data}; their" in text
    assert "The checkpoint was chosen on this split" not in text
    assert "On the test split" not in text


def test_of_its_own_data_the_page_says_what_was_learned_from_and_chosen_on(finished):
    text = finished.page.text
    assert "It learned from the train split of the same data." in text
    assert "The baselines learned from the same train split as the model; their" in text
    assert "The checkpoint was chosen on this split" in text


@pytest.mark.usefixtures("undrawn")
def test_where_no_temperature_was_fitted_the_page_claims_none(run):
    evaluated(run, split="test")
    page = report(run)
    assert "With temperature" not in page.text
    assert page.text.count("No temperature was fitted") == 1
    assert sum("No temperature was fitted" in image["alt"] for image in page.all("img")) == 1


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_goes_on_is_not_said_to_have_found_nothing_better(run):
    assert "the best so far; the last evaluation was at step 40" in report(run).text
    config = run.file("config.yaml")
    config.write_text(config.read_text().replace("epochs: 8", "epochs: 8\n  patience: 2"))
    assert "went on to step 40 and found none better" in report(run).text


@pytest.mark.usefixtures("undrawn")
def test_the_other_split_is_mentioned(run):
    valid = evaluated(run)
    evaluated(run, split="test")
    text = report(run).text
    assert f"On the valid split (120 texts) accuracy was {100 * valid.scores.accuracy:.1f}%" in text
    assert "expect a little less" not in text  # that is for valid only


def test_the_commands_make_it_again(finished):
    run, text = finished.run, finished.page.text
    assert f"buddy train --data {run.data} --backbone base --epochs 8 --out {run.folder}" in text
    assert f"buddy evaluate {run.folder} --split valid --data {run.data} --baselines --bootstrap 30 --seed 13" in text


@pytest.mark.usefixtures("undrawn")
def test_without_predictions_the_scores_are_still_shown(run):
    evaluated(run)
    run.file("predictions.parquet").unlink()
    page = report(run)
    assert "Scores" in page.text
    assert page.all("article") == []
    assert "#examples" not in {link["href"] for link in page.all("a")}


def test_a_damaged_file_is_named(run):
    evaluated(run)
    run.file("metrics.json").write_text("{")
    with pytest.raises(UserMistake, match=r"metrics\.json is damaged"):
        write_report(run.folder)


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_companion_shows_its_replies_and_they_stay_text(make_run):
    run = make_run(task="companion")
    poison = "<b>well</b> {{ 7 * 7 }}"
    data = read_prepared(run.data)
    talks = [Dialogue(str(i), "sad", "", (f"{poison} {i}", "Oh <i>no</i>.")) for i in range(9)]
    write_prepared(run.data, {split: data.examples(split) for split in data.splits()}, {"valid": talks})
    evaluation = evaluated(run)
    page = report(run)
    assert evaluation.companion is not None
    assert f"{evaluation.companion.perplexity.per_word:.1f}" in page.text
    assert f"{poison} 0" in page.text
    assert "a person said Oh <i>no</i>." in page.text
    assert "#replies" in {link["href"] for link in page.all("a")}
    assert "9 replies in 9 conversations drawn at random (seed 13)" in page.text
    assert "Each is a single draw at temperature 0.8; buddy chat says the best of several." in page.text
    assert "--replies 9" in page.text


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_a_companion_that_wrote_nothing(make_run):
    run = make_run(task="companion")
    evaluate_run(EvaluateSettings(run.folder, bootstrap=0, replies=0))
    page = report(run)
    assert "perplexity per word" in page.text
    assert "drawn at random (seed" not in page.text
    assert "--replies 0" in page.text
