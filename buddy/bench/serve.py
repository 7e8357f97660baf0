"""What the service bears: many clients at once, with batches and without, more replies than it can write, and streams.

The service runs in a process of its own, as `buddy serve` starts it; the clients share another one on the same machine
and take the processor from it, if little: a request of theirs is bytes made once.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from buddy.errors import EnvironmentFault
from buddy.inference.ctranslate2_engine import cores
from buddy.progress import progress

START_SECONDS = 60.0
HEALTHY_SECONDS = 60.0
"""So long after the overload a reply is waited for."""

OVERLOAD = 10
"""So many times as many replies are asked for as can be written."""

SAMPLE_SECONDS = 0.5
MESSAGES = "I finally told my sister what happened. She cried, and then we laughed about it until midnight."


@dataclass(frozen=True)
class Load:
    """What clients met.

    Attributes:
        seconds: how long they asked.
        milliseconds: of each answered request, sorted.
        statuses: how many responses had which status.
        refused_milliseconds: of each request that was sent away, sorted.
    """

    seconds: float
    milliseconds: Sequence[float]
    statuses: dict[int, int]
    refused_milliseconds: Sequence[float] = ()

    @property
    def requests_per_second(self) -> float:
        """Answered ones."""
        return len(self.milliseconds) / self.seconds

    def quantile(self, share: float) -> float:
        """Give the milliseconds that so large a share of the answered requests did not exceed."""
        return _quantile(self.milliseconds, share)


@dataclass(frozen=True)
class ServeSpeed:
    """What was measured.

    Attributes:
        start_seconds: from the command to the first answer.
        idle_megabytes: resident memory then.
        batched: clients that each ask for one text's emotion on end.
        alone: the same with batching switched off.
        overload: ten times as many replies asked for as can be written.
        overload_megabytes: resident memory from the first half of the overload to the second.
        healthy_seconds: from the end of the overload until a reply comes as usual.
        first_word_milliseconds: of replies streamed at the same time, sorted.
        streams_finished: how many of them ended as they should.
    """

    start_seconds: float
    idle_megabytes: float
    batched: Load
    alone: Load
    overload: Load
    overload_megabytes: tuple[float, float]
    healthy_seconds: float
    first_word_milliseconds: Sequence[float]
    streams_finished: int

    @property
    def batching_ratio(self) -> float:
        """How many times as many requests are answered with batches."""
        return self.batched.requests_per_second / self.alone.requests_per_second

    def to_json(self) -> dict[str, object]:
        """Give everything measured, for a file."""
        return asdict(self)


def bench_serve(
    model: str | None, texts: Sequence[str], clients: int, seconds: float, overload_seconds: float, streams: int
) -> ServeSpeed:
    """Start the service and load it.

    Args:
        model: which; ``None`` for the one that comes with buddy.
        texts: to classify.
        clients: at once.
        seconds: for each of both ways of classifying.
        overload_seconds: for the overload.
        streams: replies streamed at once.

    Raises:
        EnvironmentFault: the service does not start, or does not reply any more after the overload.
    """
    bodies = [json.dumps({"input": text}).encode() for text in texts]
    emotions = [_request("/v1/emotions", body) for body in bodies]
    with progress("measuring", 4, "kinds") as bar:
        with _service(model) as service:
            idle = service.megabytes()
            batched = asyncio.run(_ask_on_end(service.port, emotions, clients, seconds))
            bar.advance(1, note="batches")
            first_words, finished = asyncio.run(_stream_at_once(service.port, streams))
            bar.advance(1, note="streams")
            overload, memory, healthy = asyncio.run(_overload(service, overload_seconds))
            bar.advance(1, note="overload")
            start = service.start_seconds
        with _service(model, "--no-batching") as service:
            alone = asyncio.run(_ask_on_end(service.port, emotions, clients, seconds))
            bar.advance(1, note="alone")
    return ServeSpeed(start, idle, batched, alone, overload, memory, healthy, first_words, finished)


class _Service:
    """`buddy serve` in a process of its own."""

    def __init__(self, model: str | None, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        named = ["--model", model] if model else []
        started = time.perf_counter()
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "buddy", "serve", "--port", str(self.port), *named, *options],
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != "BUDDY_API_KEYS"},
        )
        while not self._is_ready():
            if self.process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                self.stop()
                raise EnvironmentFault("The service does not start; `buddy serve` tells why.")
            time.sleep(0.01)
        self.start_seconds = time.perf_counter() - started

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(_request("/ready"))
            return b" 200 " in connection.recv(100)
        return False

    def megabytes(self) -> float:
        """Give the resident memory now (of Linux's books)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise EnvironmentFault("This machine does not tell how much memory a process has.")

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()


@contextlib.contextmanager
def _service(model: str | None, *options: str) -> Iterator[_Service]:
    service = _Service(model, *options)
    try:
        yield service
    finally:
        service.stop()


class _Client:
    """A connection that stays open; it knows just enough of HTTP for our own service."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "_Client":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, request: bytes) -> tuple[int, float]:
        """Send a request and read the response; gives its status and the milliseconds that it took."""
        started = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
        return int(head[9:12]), (time.perf_counter() - started) * 1000

    async def stream(self, request: bytes) -> tuple[float, bool]:
        """Read a stream to its end; gives the milliseconds to the first word, and whether the end came."""
        started = time.perf_counter()
        self._writer.write(request)
        seen = b""
        first = None
        while b"data: [DONE]" not in seen:
            piece = await self._reader.read(65_536)
            if not piece:
                return first or float("inf"), False
            seen += piece
            if first is None and b'"delta":{"content":' in seen:
                first = (time.perf_counter() - started) * 1000
        return first or float("inf"), True


async def _ask_on_end(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Let each client ask as soon as it has its answer."""
    statuses: Counter[int] = Counter()
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def one(number: int) -> None:
        async with _Client(port) as client:
            while time.perf_counter() < until:
                status, milliseconds = await client.ask(requests[number % len(requests)])
                number += clients
                statuses[status] += 1
                if status == 200:
                    took.append(milliseconds)

    await asyncio.gather(*map(one, range(clients)))
    return Load(seconds, sorted(took), dict(statuses))


async def _stream_at_once(port: int, streams: int) -> tuple[list[float], int]:
    async def one() -> tuple[float, bool]:
        async with _Client(port) as client:
            return await client.stream(_chat(stream=True))

    found = await asyncio.gather(*(one() for _ in range(streams)))
    return sorted(first for first, _ in found), sum(ended for _, ended in found)


async def _overload(service: _Service, seconds: float) -> tuple[Load, tuple[float, float], float]:
    """Ask for ten times as many replies as can be written, however long the answers take."""
    async with _Client(service.port) as client:
        times = [(await client.ask(_chat()))[1] for _ in range(20)]
    per_second = OVERLOAD * cores() * 1000 / statistics.median(times)  # the service writes as many at once
    statuses: Counter[int] = Counter()
    answered: list[float] = []
    refused: list[float] = []

    async def one() -> None:
        try:
            async with _Client(service.port) as client:
                status, milliseconds = await client.ask(_chat())
        except (OSError, asyncio.IncompleteReadError):
            statuses[0] += 1
            return
        statuses[status] += 1
        (answered if status == 200 else refused).append(milliseconds)

    with _watched_memory(service) as memory:
        started = time.perf_counter()
        tasks = []
        for number in range(round(per_second * seconds)):
            tasks.append(asyncio.create_task(one()))
            await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
        ended = time.perf_counter()
        healthy = await _until_healthy(service.port)
        await asyncio.gather(*tasks)
    half = len(memory) // 2
    return (
        Load(ended - started, sorted(answered), dict(statuses), sorted(refused)),
        (max(memory[:half] or [0.0]), max(memory[half:] or [0.0])),
        healthy,
    )


@contextlib.contextmanager
def _watched_memory(service: _Service) -> Iterator[list[float]]:
    """Note the service's resident memory while the block lasts."""
    memory: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            memory.append(service.megabytes())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield memory
    finally:
        stop.set()
        watching.join()


async def _until_healthy(port: int) -> float:
    """Give the seconds until a reply comes again.

    Raises:
        EnvironmentFault: none comes in ``HEALTHY_SECONDS``.
    """
    started = time.perf_counter()
    try:
        await asyncio.wait_for(_reply(port), HEALTHY_SECONDS)
    except asyncio.TimeoutError as error:
        raise EnvironmentFault(f"The service does not reply {HEALTHY_SECONDS:g} seconds after the overload.") from error
    return time.perf_counter() - started


async def _reply(port: int) -> None:
    """Ask until a reply comes."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with _Client(port) as client:
                status, _ = await client.ask(_chat())
            if status == 200:
                return
        await asyncio.sleep(0.05)


def _request(path: str, body: bytes | None = None) -> bytes:
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def _chat(stream: bool = False) -> bytes:
    message = {"role": "user", "content": MESSAGES}
    return _request(
        "/v1/chat/completions", json.dumps({"model": "buddy", "messages": [message], "stream": stream}).encode()
    )


def _quantile(ranked: Sequence[float], share: float) -> float:
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")
