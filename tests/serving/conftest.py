import contextlib
from collections.abc import Iterator

import httpx
import openai
import pytest

from buddy.serving.service_settings import ServiceSettings, digest
from tests.serving.servers import Served, served

KEYS = ("the-key-of-one-client", "the-key-of-another-one")


@pytest.fixture(scope="session")
def open_service() -> Iterator[Served]:
    """The service without keys and memory, with the model that comes with buddy."""
    with served(ServiceSettings(country="US")) as service:
        yield service


@pytest.fixture(scope="session")
def keyed_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service with two keys and a memory."""
    file = tmp_path_factory.mktemp("memory") / "memory.sqlite3"
    settings = ServiceSettings(country="GB", keys=tuple(map(digest, KEYS)), memory=f"sqlite:///{file}")
    with served(settings) as service:
        yield service


@pytest.fixture
def client(open_service: Served) -> Iterator[openai.OpenAI]:
    """OpenAI's own client."""
    with openai.OpenAI(base_url=f"{open_service.url}/v1", api_key="unused", max_retries=0) as made:
        yield made


@pytest.fixture
def web(open_service: Served) -> Iterator[httpx.Client]:
    """A plain HTTP client."""
    with httpx.Client(base_url=open_service.url) as made:
        yield made


@pytest.fixture
def clients(keyed_service: Served) -> Iterator[list[httpx.Client]]:
    """A plain HTTP client for each key."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                httpx.Client(base_url=keyed_service.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
            )
            for key in KEYS
        ]
