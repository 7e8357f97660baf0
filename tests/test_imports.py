"""What is light stays light: each module is imported in a fresh process, and what it drags along is looked at."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "transformers",
    "matplotlib",
    "fastapi",
    "datasets",
    "sklearn",
    "pandas",
    "pyarrow",
    "accelerate",
    "peft",
}


def loaded_by(statement: str) -> set[str]:
    """Name the top-level modules that are loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "module",
    ["buddy", "buddy.cli.commands", "buddy.records", "buddy.files", "buddy.progress", "buddy.data.prepared"],
)
def test_importing_is_light(module):
    assert not loaded_by(f"import {module}") & (HEAVY | {"numpy", "tokenizers"})


def test_text_needs_no_more_than_tokenizers():
    """A finished model can be asked without torch and transformers."""
    loaded = loaded_by("import buddy.text.render, buddy.text.tokenizer, buddy.text.batches, buddy.text.show")
    assert {"tokenizers", "numpy"} <= loaded
    assert not loaded & HEAVY


def test_help_is_light():
    ask = "import sys, contextlib; from buddy.cli import main; sys.argv = ['buddy', '--help']"
    ask += "\nwith contextlib.suppress(SystemExit): main()"
    assert not loaded_by(ask) & (HEAVY | {"numpy", "tokenizers"})


def test_import_warns_of_nothing_and_says_nothing():
    done = subprocess.run([sys.executable, "-W", "error", "-c", "import buddy"], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
