"""What every request passes before it is answered, and every response on its way out.

In this order: it gets a number, is counted, must come to a name that is ours and from no other page, must have a key
where keys are needed, must not come too often, and must not be too long or too slow. A defect of ours ends here as a
500 without a word of what was said, in the response and in the log.
"""

import asyncio
import contextlib
import hmac
import logging
import re
import secrets
import time
import traceback

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from buddy.serving.metrics import Metrics
from buddy.serving.problems import Refused, problem, too_long, with_number
from buddy.serving.service_settings import ServiceSettings, digest

log = logging.getLogger("buddy.service")

OPEN = ("/", "/health", "/ready", "/docs", "/openapi.json")
OPEN_FOLDERS = ("/page/", "/docs/")
"""What anybody may see: the page, which is empty without a key, and descriptions."""

GONE = 499
"""The status under which a request is counted whose client has left; nobody gets it."""

SESSION = "buddy_session"
YEAR_SECONDS = 31_536_000
READ_AWAY = 10
"""Of a body that is too long so many times the limit is read and thrown away before it is refused."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Gate:
    """The ASGI application around the others."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, metrics: Metrics) -> None:
        """Stand before an application."""
        self._app = app
        self._settings = settings
        self._metrics = metrics
        per_worker = max(1, settings.requests_per_minute // settings.workers)
        self._rate = RateLimitItemPerMinute(per_worker) if settings.requests_per_minute else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        number = _request_id(headers)
        scope.setdefault("state", {}).update(started=started, request_id=number)
        status = GONE  # unless a response begins
        route = None

        async def send_out(message: Message) -> None:
            nonlocal status, route
            if message["type"] == "http.response.start":
                status = message["status"]
                route = message.pop("route", None)  # of a companion on Ray, which finds it in a process of its own
                _dress(message, scope["path"], number)
            await asyncio.wait_for(send(message), self._settings.limits.send_seconds)

        self._metrics.running.inc()
        try:
            await self._let_in(scope, headers, _Bounded(receive, self._settings).receive, send_out)
        except Exception as error:
            log.error("request %s failed: %s", number, without_words(error))
            if status == GONE:
                with contextlib.suppress(asyncio.TimeoutError):  # in a log it would quote the first error
                    await defect(number)(scope, receive, send_out)
        finally:
            self._metrics.running.dec()
            route = route or route_of(scope)
            self._metrics.requests.labels(route, status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)

    async def _let_in(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        try:
            self._check_place(headers)
            path = scope["path"]
            if path not in OPEN and not path.startswith(OPEN_FOLDERS):
                scope["state"]["owner"], scope["state"]["new_session"] = self._owner(headers)
                self._check_rate(scope)
            await self._app(scope, receive, send)
        except Refused as refused:
            self._metrics.refused.labels(refused.code).inc()
            await refused.response()(scope, receive, send)

    def _check_place(self, headers: Headers) -> None:
        """Let no other page use a browser that can reach us, neither openly nor under a name of its own for us."""
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise Refused(403, "Requests of other pages are not answered.", "other_origin")
        parts = HOST.fullmatch(host)
        name = parts[1].strip("[]").lower() if parts else None
        if not self._settings.keys and self._settings.is_local and name not in (
            "localhost", "127.0.0.1", "::1", self._settings.host,
        ):  # fmt: skip
            raise Refused(421, "This service answers under localhost only.", "unknown_host")

    def _owner(self, headers: Headers) -> tuple[str, str | None]:
        """Tell who asks, and the new session's name if there was none.

        Raises:
            Refused: a key is needed, and this is none.
        """
        if not self._settings.keys:
            session = _session(headers)
            new = None if session else secrets.token_urlsafe(32)
            return f"session:{digest(session or new or '')}", new
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = digest(key.strip()) if scheme.lower() == "bearer" else ""
        fits = [hmac.compare_digest(given, known) for known in self._settings.keys]  # all of them, whichever fits
        if not any(fits):
            raise Refused(
                401,
                "An API key is needed: `Authorization: Bearer KEY`.",
                "invalid_api_key",
                {"WWW-Authenticate": "Bearer"},
            )
        return f"key:{given}", None

    def _check_rate(self, scope: Scope) -> None:
        if self._rate is None:
            return
        owner = scope["state"]["owner"] if self._settings.keys else (scope.get("client") or ("",))[0]
        if not self._limiter.hit(self._rate, owner):
            reset = self._limiter.get_window_stats(self._rate, owner).reset_time
            pause = str(max(1, round(reset - time.time())))
            message = f"No more than {self._rate.amount} requests a minute are answered; wait {pause} s."
            message = with_number(self._settings.country, message)
            raise Refused(429, message, "rate_limited", {"Retry-After": pause})


class _Bounded:
    """The body of a request, as long as it is neither too long nor too slow."""

    def __init__(self, receive: Receive, settings: ServiceSettings) -> None:
        self._receive = receive
        self._limits = settings.limits
        self._bytes = 0
        self._until = time.monotonic() + settings.limits.body_seconds
        self._whole = False

    async def receive(self) -> Message:
        """Give the next piece.

        Raises:
            Refused: there is too much of it, or it took too long.
        """
        if self._whole:
            return await self._receive()
        message = await self._next()
        if self._bytes > self._limits.body_bytes:
            while not self._whole and self._bytes < READ_AWAY * self._limits.body_bytes:
                await self._next()  # a client that is still sending would not hear the answer
            raise too_long(self._limits.body_bytes)
        return message

    async def _next(self) -> Message:
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._until - time.monotonic()))
        except asyncio.TimeoutError:
            raise Refused(
                408,
                f"The request did not arrive within {self._limits.body_seconds:.0f} s.",
                "too_slow",
                {"Connection": "close"},
            ) from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        return message


def add_session_cookie(scope: Scope, response: Response) -> None:
    """Let a browser keep the session that has just begun, if one has: only with it the conversation can be read."""
    session = scope["state"]["new_session"]
    if session:
        response.set_cookie(SESSION, session, max_age=YEAR_SECONDS, httponly=True, samesite="strict")


def _dress(start: Message, path: str, number: str) -> None:
    """Add the headers that every response has."""
    headers = MutableHeaders(scope=start)
    headers["X-Request-ID"] = number
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    headers["Content-Security-Policy"] = DOCS_POLICY if path.startswith("/docs") else PAGE_POLICY
    headers.setdefault("Cache-Control", "no-cache" if path.startswith(OPEN_FOLDERS) else "no-store")


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _session(headers: Headers) -> str | None:
    session = cookie_parser(headers.get("cookie", "")).get(SESSION, "")  # http.cookies stops at others' odd cookies
    return session if len(session) >= 32 else None


def route_of(scope: Scope) -> str:
    """Name the route that a request came to, under which it is counted."""
    return str(getattr(scope.get("route"), "path", "other"))


def defect(number: str) -> Response:
    """Answer a request that failed through no fault of its own."""
    return problem(500, f"buddy has a defect; its log says more at request {number}.", "internal_error")


def without_words(error: BaseException) -> str:
    """Name an error and where it arose: its own text can quote what somebody said."""
    places = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{place.filename}:{place.lineno} {place.name}" for place in reversed(places[-6:]))
    return f"{type(error).__name__} at {where}"
