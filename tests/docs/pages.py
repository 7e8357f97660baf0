"""The pages of the documentation, what stands in their blocks and tables, and the programs in and beside them."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.parent.name != "decisions")
HISTORY = {DOCS / "decisions.md", DOCS / "lab-log.md"}
GUIDE = [page for page in PAGES if page not in HISTORY]
"""Pages about the code as it is; decisions and the lab log also speak of what is no more."""
README = REPOSITORY / "README.md"
WITH_README = [*GUIDE, README, REPOSITORY / "lessons" / "README.md"]


def name_of(page: Path) -> str:
    """Name a page as a link does: ``tutorials/lora``; pages that are not on the site, by their place."""
    return page.relative_to(DOCS if DOCS in page.parents else REPOSITORY).with_suffix("").as_posix()


def load_program(name: str) -> ModuleType:
    """Load a program that stands beside the pages, which are no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run_program(code: str, name: str = "page") -> dict[str, object]:
    """Run a program as `python` does; gives the names that it has defined."""
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(code, name, "exec"), names)
    return names


def blocks(page: Path, language: str) -> list[str]:
    """Give the code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def typed_commands(page: Path) -> list[str]:
    """Give the lines that a reader is shown with a ``$`` before them, without their comments."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line.removeprefix("$ ")).strip() for line in lines if line.startswith("$ ")]


def sections(page: Path) -> dict[str, str]:
    """Give what stands below each heading, up to the next heading of any level."""
    parts = re.split(r"^#+ (.*)\n", page.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(text: str) -> dict[str, str]:
    """Give the rows of all tables, by their first cell, without bold type and continuation dots."""
    plain = text.replace("**", "")
    return {
        cells[0].strip(" …"): "|".join(cell.strip() for cell in cells[1:])
        for cells in (line.strip("|").split("|") for line in plain.splitlines() if re.match(r"\| \S", line))
    }


def first_cells(section: str) -> list[str]:
    """Give what is named in the first column of a section's tables: ``| `best/` | …``."""
    return [
        name
        for row in re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    ]
