"""What a machine finds that asks for everything that the description of the API allows, and does not allow."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from buddy.serving.service_settings import ServiceSettings, digest
from tests.serving.conftest import KEYS
from tests.serving.servers import served

pytestmark = pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is missing")

TAKES_ERASED_FOR_LOST = "ensure_resource_availability"
"""This check asks again for what a request between (DELETE of all) has rightly erased."""


@pytest.fixture
def service(tmp_path):
    """A service with keys and a memory that does not look long for its replies: up to 8 are asked for at once."""
    memory = f"sqlite:///{tmp_path / 'memory.sqlite3'}"
    settings = ServiceSettings(country="GB", keys=tuple(map(digest, KEYS)), memory=memory, candidates=2)
    with served(settings) as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_api_keeps_to_its_description(service, tmp_path):
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
        *("run", f"{service.url}/openapi.json"),
        *("--header", f"Authorization: Bearer {KEYS[1]}"),
        *(
            "--checks",
            "all",
            "--exclude-checks",
            TAKES_ERASED_FOR_LOST,
            "--max-examples",
            "10",
            "--seed",
            "7",
            "--request-timeout",
            "30",
            "--no-color",
        ),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path)
    found = "\n".join(line[:300] for line in done.stdout.splitlines()[-80:])
    assert done.returncode == 0, found
