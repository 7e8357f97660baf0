"""The built site: complete, without warnings, readable without a network; and its figures are what the code draws."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from buddy.cli.app import app
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
        assert found[f"buddy {command}"] == "\n".join(line.rstrip() for line in out.splitlines())
    assert all(len(line) <= 80 for text in found.values() for line in text.splitlines() if "|" not in line)


def test_figures_that_are_quick_to_draw_are_up_to_date(tmp_path):
    """The same picture, dot by dot but for how letters are smoothed on another machine."""
    from PIL import Image

    figures = load_program("figures")
    for name in ("layouts", "learned-mask", "early-stopping"):
        figures.save(figures.FIGURES[name](), tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as new, Image.open(DOCS / "images" / f"{name}.png") as kept:
            assert new.size == kept.size, name
            difference = np.abs(np.asarray(new.convert("L"), float) - np.asarray(kept.convert("L"), float))
        assert difference.mean() < 1, f"python docs/figures.py draws {name} anew"


def test_figures_are_small_and_each_stands_on_a_page():
    figures = load_program("figures")
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for name in figures.FIGURES:
        assert (DOCS / "images" / f"{name}.png").stat().st_size < 80_000
        assert re.search(rf"!\[[^\]]{{40,}}\]\((?:\.\./)?images/{name}\.png\)\n\n\*[A-Z]", text), name
