"""HTTP connections that neither last nor grow for ever, whatever their client does or leaves undone.

What runs before a key is seen is limited here: how long somebody may be silent, how much may come as headers, how many
requests wait behind the first one, how many connections there are, and how long an end may take.
"""

import asyncio
import socket
import struct
from typing import Any

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from buddy.serving.problems import problem

HEADER_SECONDS = 10.0
"""For a connection without a running request to send the headers of the next one, from its first byte on."""

CLOSE_SECONDS = 30.0
"""For a client to take what was written before its connection was closed."""

HEADER_BYTES = 32_768
"""Of one request that are no body; what is over the limit is noticed after each read."""

WAITING_REQUESTS = 16
"""So many may be sent on a connection before the first is answered."""

MOST_CONNECTIONS = 800
"""Of a process, which may often open 1,024 files; one more is reset."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: the system keeps nothing for a client that takes nothing."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits; its own are for the time between two requests."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*arguments, **named)
        self._patience: asyncio.TimerHandle | None = None
        self._header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        self._closing = _Closing(transport, self.loop)
        super().connection_made(self._closing)  # type: ignore[arg-type]  # it has all methods of a transport
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what has come, if it is not too much."""
        self._header_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._header_bytes > HEADER_BYTES:
            self._refuse()
        elif self._nobody_waits():
            self._wait()

    def on_message_begin(self) -> None:
        """Wait for the headers of the next request, of which the first bytes are here."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._stop_waiting()
        self._header_bytes = 0
        super().on_headers_complete()
        if len(self.pipeline) > WAITING_REQUESTS:
            raise HttpParserError("Too many requests wait.")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; what comes after the last one are headers again."""
        self._header_bytes = 0
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer: there is nobody to wait for."""
        self._stop_waiting()
        self._closing.lost()
        super().connection_lost(exc)

    def _nobody_waits(self) -> bool:
        """Tell whether nothing would end the connection: what came was no request, and has ended uvicorn's waiting."""
        is_idle = self.cycle is None or self.cycle.response_complete
        return is_idle and self._patience is None and self.timeout_keep_alive_task is None

    def _wait(self) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _refuse(self) -> None:
        message = f"The headers of a request may have {HEADER_BYTES:,} bytes."
        refusal = problem(431, message, "too_long", headers={"Connection": "close"})
        headers = b"".join(b"%b: %b\r\n" % pair for pair in refusal.raw_headers)
        self.transport.write(STATUS_LINE[431] + headers + b"\r\n" + bytes(refusal.body))
        self.transport.close()


class _Closing:
    """A transport whose end has a limit: ``close`` alone waits until its client has taken everything."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._end: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """Send what is written, and end."""
        if not self._transport.is_closing():
            self._transport.close()
            self._end = self._loop.call_later(CLOSE_SECONDS, self._reset)

    def lost(self) -> None:
        """Take note that it has ended."""
        if self._end:
            self._end.cancel()

    def _reset(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()
