"""Connections whose client is slow, silent or greedy: they end, and none of them fills the memory."""

import contextlib
import select
import socket
import time
from dataclasses import replace

import httpx
import pytest

from buddy.serving.service_settings import Limits, ServiceSettings
from tests.serving.servers import served

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1/emotions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LARGE_FILE = b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def hasty_service():
    """The service with little patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("buddy.serving.patience.HEADER_SECONDS", 0.3)
        patch.setattr("buddy.serving.patience.CLOSE_SECONDS", 0.3)
        with served(ServiceSettings(limits=replace(Limits(), send_seconds=0.3))) as service:
            yield service


@pytest.fixture
def connect(hasty_service):
    """Makes connections, which end with the test."""
    host, port = hasty_service.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection((host, int(port)), timeout=5))


def answers(connection):
    """Give everything until the connection ends; one that does not end is a failure."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            found += piece
    return found


def trickle(connection):
    """Send a byte now and then, for so long that it should not be possible."""
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


class TestAConnectionEnds:
    @pytest.mark.parametrize("beginning", [b"", b"GET / HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
    def test_that_does_not_say_what_it_wants(self, connect, beginning):
        connection = connect()
        connection.sendall(beginning)
        answers(connection)  # a 400 may come first

    def test_that_says_nothing_more_than_an_empty_line_after_an_answer(self, connect):
        connection = connect()
        connection.sendall(HEALTH)
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(4096)
        connection.sendall(b"\r\n")
        answers(connection)

    def test_that_goes_on_with_a_body_which_nobody_reads(self, connect):
        connection = connect()
        connection.sendall(HEALTH[:-2] + b"Content-Length: 100000\r\n\r\n")
        assert b" 200 " in connection.recv(4096)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            trickle(connection)

    @pytest.mark.skipif(not hasattr(select, "poll"), reason="cannot see a reset without reading")
    def test_whose_client_takes_nothing(self, connect):
        connection = connect()
        connection.sendall(10 * LARGE_FILE)
        waiting = select.poll()
        waiting.register(connection, 0)
        assert waiting.poll(5000)  # reset, with the rest thrown away


class TestTheMemoryIsNotFilled:
    def test_by_headers(self, connect):
        connection = connect()
        connection.sendall(HEALTH[:-2])
        for _ in range(4):
            connection.sendall(b"X-More: " + b"x" * 10_000 + b"\r\n")
        found = answers(connection)
        assert b" 431 " in found
        assert b"32,768 bytes" in found

    def test_by_headers_after_a_body(self, connect):
        connection = connect()
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
        time.sleep(0.2)  # what follows is another read
        for _ in range(4):
            connection.sendall(b"X-More: " + b"x" * 10_000 + b"\r\n")
        assert b" 431 " in answers(connection)

    def test_by_requests_that_come_all_at_once(self, connect):
        few, many = connect(), connect()
        few.sendall(9 * HEALTH + HEALTH[:-2] + b"Connection: close\r\n\r\n")
        many.sendall(1000 * HEALTH)
        assert answers(few).count(b" 200 ") == 10
        found = answers(many)
        assert found.count(b" 200 ") < 20
        assert found.count(b" 400 ") == 1

    def test_by_connections(self, hasty_service, connect, monkeypatch):
        monkeypatch.setattr("buddy.serving.patience.HEADER_SECONDS", 5)
        monkeypatch.setattr("buddy.serving.patience.MOST_CONNECTIONS", 3)
        held = [connect() for _ in range(3)]
        assert _answers_health(hasty_service.url) is False
        for connection in held:
            connection.close()
        deadline = time.monotonic() + 5
        while not _answers_health(hasty_service.url):
            assert time.monotonic() < deadline

    def test_and_a_long_body_is_no_header(self, hasty_service):
        texts = ["a" * 9_000] * 20
        assert httpx.post(f"{hasty_service.url}/v1/emotions", json={"input": texts}, timeout=30).status_code == 200


def _answers_health(url):
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False
