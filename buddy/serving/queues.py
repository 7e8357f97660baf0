"""Work that waits its turn: texts that are classified together, and replies that share the processor.

The server's loop leaves to threads what takes long, and waits. Whatever waits is bounded; who comes when all
places are taken hears so at once (``Busy``) instead of waiting for an answer that comes too late. Who leaves gives the
place back.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Busy(Exception):
    """All places are taken; a retry may find one."""


@dataclass
class _Asked(Generic[Item, Result]):
    items: Sequence[Item]
    answer: "asyncio.Future[Sequence[Result]]"
    since: float = field(default_factory=time.perf_counter)


class Batches(Generic[Item, Result]):
    """What arrives together is worked on together: ten texts in one pass cost less than ten passes.

    While batches are computed the next one gathers. A request of many items takes part in batch after batch, so that
    others get in between.

    Attributes:
        waiting: how many items wait now.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        most: int,
        wait_seconds: float,
        room: int,
        at_once: int,
        on_batch: Callable[[int, float], None] = lambda items, seconds: None,  # noqa: ARG005
    ) -> None:
        """Take work.

        Args:
            work: gives a result for each item, in order.
            most: items in a batch; with 1 nothing is gathered.
            wait_seconds: how long a batch that is not full waits for more.
            room: so many items may wait.
            at_once: so many batches are worked on, each in a thread.
            on_batch: is told the size of each batch, and how long its oldest item waited.
        """
        self._work = work
        self._most = most
        self._wait_seconds = wait_seconds
        self._room = room
        self._on_batch = on_batch
        self._asked: deque[_Asked[Item, Result]] = deque()
        self._arrived = asyncio.Event()
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(at_once, "batches")
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether the next request would be sent away."""
        return self.waiting >= self._room

    async def ask(self, items: Sequence[Item]) -> list[Result]:
        """Give the result of each item.

        Raises:
            Busy: too many items wait already.
        """
        if self.is_full:
            raise Busy
        results: list[Result] = []
        for start in range(0, len(items), self._most):
            results += await self._ask(items[start : start + self._most])
        return results

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await asyncio.gather(*(self._work_on() for _ in range(self._at_once)))
        finally:
            self._threads.shutdown(wait=False)

    async def _work_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            if self.waiting < self._most > 1:
                await asyncio.sleep(self._wait_seconds)
            batch = self._next_batch()
            if not batch:
                continue
            items = [item for one in batch for item in one.items]
            self._on_batch(len(items), time.perf_counter() - batch[0].since)
            try:
                results = await loop.run_in_executor(self._threads, self._work, items)
            except Exception as error:  # whatever it is, those who asked have to hear of it
                _fail(batch, error)
            else:
                _deliver(batch, results)

    async def _ask(self, items: Sequence[Item]) -> Sequence[Result]:
        asked = _Asked[Item, Result](items, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        self.waiting += len(items)
        self._arrived.set()
        return await asked.answer

    def _next_batch(self) -> list[_Asked[Item, Result]]:
        """Take what fits; who has left meanwhile is passed over."""
        batch: list[_Asked[Item, Result]] = []
        size = 0
        while self._asked and (not batch or size + len(self._asked[0].items) <= self._most):
            one = self._asked.popleft()
            self.waiting -= len(one.items)
            if not one.answer.done():
                batch.append(one)
                size += len(one.items)
        if not self._asked:
            self._arrived.clear()
        return batch


def _deliver(batch: Sequence[_Asked[Item, Result]], results: Sequence[Result]) -> None:
    start = 0
    for one in batch:
        if not one.answer.done():
            one.answer.set_result(results[start : start + len(one.items)])
        start += len(one.items)


def _fail(batch: Sequence[_Asked[Item, Result]], error: Exception) -> None:
    for one in batch:
        if not one.answer.done():
            one.answer.set_exception(error)


class Turnstile:
    """Lets as many work at a time as there are cores; the others wait in the order in which they came.

    Attributes:
        inside: how many work or wait.
    """

    def __init__(self, at_once: int, room: int, patience_seconds: float) -> None:
        """Open it.

        Args:
            at_once: so many work.
            room: so many more may wait.
            patience_seconds: who has waited so long is sent away.
        """
        self._places = asyncio.Semaphore(at_once)
        self._most = at_once + room
        self._patience_seconds = patience_seconds
        self._threads = ThreadPoolExecutor(at_once, "replies")
        self._lookers = ThreadPoolExecutor(at_once, "looks")
        self.inside = 0

    @property
    def is_full(self) -> bool:
        """Whether the next one would be sent away."""
        return self.inside >= self._most

    @contextlib.contextmanager
    def ticket(self) -> Iterator[None]:
        """Be counted as one who waits or works.

        Raises:
            Busy: there is no room.
        """
        if self.is_full:
            raise Busy
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def look(self, work: Callable[[], Result]) -> Result:
        """Do in a thread what is short: it waits for nobody who writes, only for others who look."""
        return await asyncio.get_running_loop().run_in_executor(self._lookers, work)

    async def pieces(self, made: Iterator[str]) -> AsyncGenerator[str]:
        """Wait for one's turn, then give in pieces what an iterator makes in a thread.

        The place is free again when the iterator has ended, however slowly the pieces are read. When nobody reads them
        any more the iterator is closed at the next piece.

        Raises:
            Busy: the turn did not come in time.
        """
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(self._places.acquire(), self._patience_seconds)
        except asyncio.TimeoutError:
            raise Busy from None
        ready: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        left = threading.Event()

        def put(piece: str | Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left who would read it
                loop.call_soon_threadsafe(ready.put_nowait, piece)

        def make() -> None:
            try:
                for piece in made:
                    if left.is_set():
                        break
                    put(piece)
                close_iterator(made)
            except Exception as error:
                put(error)
            put(None)

        working = loop.run_in_executor(self._threads, make)
        working.add_done_callback(lambda _: self._places.release())
        try:
            while (piece := await ready.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            left.set()

    def close(self) -> None:
        """Take no more work."""
        self._threads.shutdown(wait=False)
        self._lookers.shutdown(wait=False)


class Desk:
    """Threads of their own for work that waits for something else, such as a database: only its like waits with it."""

    def __init__(self, at_once: int, room: int) -> None:
        """Open it.

        Args:
            at_once: so many are served.
            room: so many more may wait.
        """
        self._threads = ThreadPoolExecutor(at_once, "desk")
        self._most = at_once + room
        self._inside = 0

    async def do(self, work: Callable[[], Result]) -> Result:
        """Give the result of some work.

        Raises:
            Busy: there is no room.
        """
        if self._inside >= self._most:
            raise Busy
        return await self.finish(work)

    async def finish(self, work: Callable[[], Result]) -> Result:
        """Do what belongs to something that was begun; there is always room for it."""
        self._inside += 1
        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        working.add_done_callback(self._leave)
        return await asyncio.shield(working)  # who waits may leave; the thread is taken until it is done

    def _leave(self, _: "asyncio.Future[Result]") -> None:
        self._inside -= 1


def close_iterator(iterator: Iterator[str]) -> None:
    """Tell a generator that nobody reads on; what is no generator needs not be told."""
    close = getattr(iterator, "close", None)
    if close:
        close()
