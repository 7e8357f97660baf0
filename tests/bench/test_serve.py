"""The service's benchmark loads a real service; that it comes to an end is tried with a stub that is never well."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator

import pytest

from buddy.bench import serve
from buddy.bench.serve import Load, ServeSpeed, _overload, _Service, _until_healthy, bench_serve
from buddy.errors import EnvironmentFault


class Stub(_Service):
    """What stands in for the service, without a process."""

    def __init__(self, port: int) -> None:
        self.port = port

    def megabytes(self) -> float:
        return 100.0


@contextlib.asynccontextmanager
async def stub(status: int | None = 200, seconds: float = 0.0) -> AsyncIterator[Stub]:
    """Serve one and the same response on end, or none at all; the port is closed when the block is left."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]))
                await asyncio.sleep(seconds)
                if status:
                    writer.write(f"HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield Stub(server.sockets[0].getsockname()[1])
    finally:
        server.close()


class TestOverload:
    def test_is_ten_times_what_all_cores_can_write(self, monkeypatch):
        monkeypatch.setattr(serve, "cores", lambda: 16)

        async def go() -> Load:
            async with stub(seconds=0.02) as service:
                load, _, _ = await _overload(service, 0.05)
            return load

        asked = sum(asyncio.run(go()).statuses.values())
        assert 50 < asked <= 400  # 16 replies in 20 ms, times ten; 50 would be two cores'

    def test_that_fails_leaves_no_thread_behind(self, monkeypatch):
        monkeypatch.setattr(serve, "HEALTHY_SECONDS", 0.2)

        async def go() -> None:
            async with stub(503, 0.01) as service:
                await _overload(service, 0.01)

        before = threading.active_count()
        with pytest.raises(EnvironmentFault):
            asyncio.run(go())
        assert threading.active_count() == before


class TestWaitingForAReply:
    @pytest.mark.parametrize("status", [503, None], ids=["sent-away", "silent"])
    def test_has_an_end(self, monkeypatch, status):
        monkeypatch.setattr(serve, "HEALTHY_SECONDS", 0.2)

        async def go() -> None:
            async with stub(status) as service:
                await _until_healthy(service.port)

        with pytest.raises(EnvironmentFault, match=r"does not reply 0\.2 seconds after the overload"):
            asyncio.run(go())

    def test_has_an_end_where_nobody_listens(self, monkeypatch):
        monkeypatch.setattr(serve, "HEALTHY_SECONDS", 0.2)

        async def go() -> None:
            async with stub() as service:
                pass
            await _until_healthy(service.port)

        with pytest.raises(EnvironmentFault, match="does not reply"):
            asyncio.run(go())


def test_a_service_is_loaded_in_every_way(companion_model, monkeypatch):
    monkeypatch.setattr(serve, "OVERLOAD", 2)
    measured = bench_serve(str(companion_model), ["I won", "I lost my cat"], 2, 0.3, 1.0, 2)
    assert measured.batched.statuses.keys() == measured.alone.statuses.keys() == {200}
    assert measured.batching_ratio > 0
    assert measured.overload.statuses.keys() <= {200, 503}
    assert measured.overload.statuses[200] == len(measured.overload.milliseconds)
    assert measured.streams_finished == len(measured.first_word_milliseconds) == 2
    assert min(measured.start_seconds, measured.idle_megabytes, measured.healthy_seconds) > 0
    assert json.loads(json.dumps(measured.to_json()))["streams_finished"] == 2


def test_the_ratio_is_of_answered_requests():
    batched, alone = Load(2.0, [1.0, 2.0, 3.0, 9.0], {200: 4, 503: 7}), Load(1.0, [5.0], {200: 1})
    assert ServeSpeed(1.0, 99.0, batched, alone, alone, (1.0, 1.0), 0.1, [], 0).batching_ratio == 2.0
    assert batched.quantile(0.5) == 3.0
