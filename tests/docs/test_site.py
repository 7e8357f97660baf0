"""The built site: complete, without warnings, readable without a network; and its figures are what the code draws."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from buddy.cli.app import app
from buddy.companion.reply import Replies, best_reply
from buddy.inference.engine import Sampling, Written, score_answers
from buddy.text.tokenizer import Tokens
from tests.cli.test_app import leaves
from tests.docs.pages import DOCS, PAGES, REPOSITORY, load_program, name_of


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    pytest.importorskip("mkdocs", reason="the extra 'docs' is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def loaded_by(page: Path) -> list[str]:
    """Give the addresses that a browser fetches with a page."""
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", page.read_text("utf-8"))
    return [address for tag in tags for address in re.findall(r"""(?:src|href)=["']?([^"'\s>]+)""", tag)]


@pytest.mark.slow
def test_has_every_page_and_needs_nothing_from_elsewhere(site):
    pages = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    assert {f"{name_of(page)}.html" for page in PAGES} <= set(pages)
    missing = [
        (name, address)
        for name, page in pages.items()
        for address in loaded_by(page)
        if name != "404.html" and not (page.parent / address.partition("#")[0]).exists()
    ]
    assert missing == []  # an address of another place is no file
    assert (site / "search" / "search_index.js").exists()
    assert "javascripts/iframe-worker.js" in loaded_by(pages["index.html"])


@pytest.mark.slow
def test_has_the_help_of_every_command_and_the_python_interface(site):
    page = (site / "cli.html").read_text("utf-8")
    assert load_program("hooks").MARK not in page
    for command in leaves(typer.main.get_command(app)):
        assert f"Usage: buddy {command} [OPTIONS]" in page
    page = (site / "reference.html").read_text("utf-8")
    for name in ("buddy.training.loop.train", "buddy.warmup.k_means.kmeans", "buddy.companion.buddy.Buddy"):
        assert f'id="{name}"' in page


def test_help_on_the_page_is_that_of_the_program(buddy, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    found = dict(load_program("hooks").help_texts())
    for command in ("train", "classify", "bench train"):
        code, out, _ = buddy(*command.split(), "--help")
        assert code == 0
        usage, _, rest = out.partition("[OPTIONS]")  # before it stands the name of the program that runs the tests
        assert "Usage: " in usage
        on_page = "\n".join(line.rstrip() for line in rest.splitlines())
        assert found[f"buddy {command}"] == f"Usage: buddy {command} [OPTIONS]{on_page}"
    assert all(len(line) <= 80 for text in found.values() for line in text.splitlines() if "|" not in line)


FIGURES = load_program("figures")
CONTENTS = json.loads(FIGURES.CONTENTS.read_text("utf-8"))


def without_figures(text: str) -> str:
    """Put a mark in the place of decimal numbers."""
    return re.sub(r"\d+\.\d+", "#", text)


def assert_same_content(new: dict[str, Any], kept: dict[str, Any]) -> None:
    """The same words, shapes and curves; what a model has computed may differ as between two processors."""
    assert [without_figures(text) for text in new["texts"]] == [without_figures(text) for text in kept["texts"]]
    both = [[float(number) for text in one["texts"] for number in re.findall(r"\d+\.\d+", text)] for one in (new, kept)]
    assert both[0] == pytest.approx(both[1], rel=0.03, abs=0.03)
    for kind in ("patches", "lines"):
        assert new[kind] == kept[kind]
    assert [len(x) for x, _ in new["curves"]] == [len(x) for x, _ in kept["curves"]]
    points = [[number for curve in one["curves"] for axis in curve for number in axis] for one in (new, kept)]
    assert points[0] == pytest.approx(points[1], rel=0.02, abs=0.02)
    assert new["images"] == pytest.approx(kept["images"], abs=0.01)


@pytest.mark.parametrize("name", FIGURES.FIGURES)
def test_figure_shows_what_the_code_draws(name):
    drawn = json.loads(json.dumps(FIGURES.content_of(FIGURES.FIGURES[name]())))
    assert_same_content(drawn, CONTENTS[name])


def test_the_program_prints_the_calibration_errors_of_the_page(capsys):
    FIGURES.print_calibration()
    errors = re.findall(r"\d+\.\d", capsys.readouterr().out)
    rows = re.findall(
        r"^\| (?:calibration error|… with one).*\| (\S+) \|$",
        (DOCS / "measured.md").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    assert errors == rows


def test_a_figure_with_another_word_number_or_colour_is_noticed():
    kept = CONTENTS["loss"]
    others: list[dict[str, Any]] = [
        {"texts": [text.replace("cat", "job") for text in kept["texts"]]},
        {"texts": [text.replace("0.61", "0.71") for text in kept["texts"]]},
        {"patches": {**kept["patches"], "#fbe6d9": 0}},
        {"lines": {}},
    ]
    for change in others:
        with pytest.raises(AssertionError):
            assert_same_content({**kept, **change}, kept)


def test_every_picture_is_one_that_is_drawn():
    drawn = {f"{name}.png" for name in FIGURES.FIGURES} | {"page.png"}  # that one by docs/page_picture.py
    assert {path.name for path in (DOCS / "images").glob("*.png")} == drawn
    assert set(CONTENTS) == set(FIGURES.FIGURES)


def test_figures_are_small_and_each_stands_on_a_page():
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for name in FIGURES.FIGURES:
        assert (DOCS / "images" / f"{name}.png").stat().st_size < 80_000
        assert re.search(rf"!\[[^\]]{{40,}}\]\((?:\.\./)?images/{name}\.png\)\n\n\*[A-Z]", text), name


def test_candidates_of_the_figure_are_those_of_the_companion():
    """The one that the figure says is said is the one that ``best_reply`` takes, were these the candidates."""
    kept = json.loads(FIGURES.WRITTEN.read_text("utf-8"))
    model = FIGURES.companion()

    class Wrote:
        """The engine, which has written these."""

        def __getattr__(self, name: str) -> Any:
            return getattr(model.engine, name)

        def write(self, prefix: Tokens, *options: Any) -> list[Written]:
            return score_answers(model.engine, prefix, kept["replies"], end=options[-1])

    said = best_reply(replace(model, engine=Wrote()), kept["turns"], Replies(Sampling(seed=kept["seed"])))
    texts = CONTENTS["candidates"]["texts"]
    (number,) = [place for place, text in enumerate(texts) if text == "said"]
    assert said in texts[number - 5 : number]  # its three figures stand between


def lines_of(svg: str) -> list[tuple[str, str]]:
    """Give the style and the text of each line of a terminal; of a reply, which chance decides, only that it is one."""
    found = re.findall(r'<text class="chat-(r\d)"[^>]*>([^<]*\S[^<]*)</text>', svg)
    lines: list[tuple[str, str]] = []
    for style, text in found:
        is_reply = bool(lines) and (lines[-1][1].startswith("&#160;&#160;") or lines[-1][1] == "a reply")
        is_reply = is_reply and not text.startswith("&gt;")
        if not (is_reply and lines[-1][1] == "a reply"):
            lines.append((style, "a reply" if is_reply else text))
    return lines


def test_picture_of_a_conversation_is_the_conversation():
    picture = load_program("chat_picture")
    new, kept = picture.draw(picture.transcript()), picture.OUT.read_text("utf-8")
    assert lines_of(new) == lines_of(kept)
    assert [text for _, text in lines_of(kept)].count("a reply") == len(picture.MESSAGES) - 1
    drawing = re.compile(r' viewBox="[^"]*"|<g .*</g>', flags=re.DOTALL)  # both depend on how long the replies are
    assert drawing.sub("", new) == drawing.sub("", kept)
