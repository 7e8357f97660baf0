"""`pytest --nbmake lessons` runs the notebooks; the scripts they are made from are not imported."""

from pathlib import Path

import pytest

collect_ignore_glob = ["*.py"]

SECONDS = 1200
"""A notebook that trains a model takes longer than any other test may."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS))
