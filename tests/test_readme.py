"""The README shows what is: its tree, its targets, its links.

Its commands and its program are run, and its figures compared, by tests/docs.
"""

import re

import pytest

from tests.docs.pages import README, REPOSITORY, WITH_README, name_of

TEXT = README.read_text("utf-8")
OF_TOOLS = re.findall(r"^/?([\w.*-]+)/$", (REPOSITORY / ".gitignore").read_text("utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", WITH_README, ids=name_of)
def test_make_has_the_targets(page):
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`)make ([a-z-]+)", page.read_text("utf-8")))
    assert named <= targets
    assert page != README or {"demo", "lesson", "test", "check"} <= named


def test_the_tree_is_that_of_the_repository():
    (tree,) = re.findall(r"```text\n(buddy/\n.*?)```", TEXT, flags=re.DOTALL)
    packages = re.findall(r"^  (\w+)/", tree, flags=re.MULTILINE)
    folders = re.findall(r"^(\w+)/", tree, flags=re.MULTILINE)
    assert sorted(packages) == sorted(folder.parent.name for folder in (REPOSITORY / "buddy").glob("*/__init__.py"))
    assert sorted(folders) == sorted({*folders_with_code(), "docs"})


def folders_with_code() -> list[str]:
    """Name the folders of the repository in which there is Python or a notebook, but for what tools leave there."""
    there = [folder for folder in REPOSITORY.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    own = [folder for folder in there if not any(folder.match(pattern) for pattern in OF_TOOLS)]
    return [folder.name for folder in own if any(folder.rglob("*.py")) or any(folder.rglob("*.ipynb"))]


def test_links_and_pictures_are_there():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert len(targets) > 10
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []
