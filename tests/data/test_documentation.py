import doctest
import re
from pathlib import Path

from buddy.cli.prepare import prepare

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_examples_of_the_page_run():
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 8
    assert result.failed == 0


def test_options_of_the_page_exist():
    known = {f"--{name.replace('_', '-')}" for name in prepare.__annotations__}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE.read_text("utf-8"))) - {"--data"}
    assert named >= {"--archive", "--text-column"}
    assert named <= known
