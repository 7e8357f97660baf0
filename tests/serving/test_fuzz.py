"""What a machine finds that asks for everything that the description of the API allows, and does not allow."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.conftest import KEYS

pytest.importorskip("schemathesis")

TAKES_ERASED_FOR_LOST = "ensure_resource_availability"
"""This check asks again for what a request between (DELETE of all) has rightly erased."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_api_keeps_to_its_description(keyed_service, tmp_path):
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
        *("run", f"{keyed_service.url}/openapi.json"),
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
