"""The companion as a web service: an API that clients of OpenAI can use, and a page that a person can use.

``create_app`` wires it: the gate (``gate``) stands before the routes (``chat_api``, ``emotions_api``,
``conversations_api``, and here what tells how the service is), and behind them work waits its turn (``queues``).
"""

import asyncio
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

from buddy import __version__
from buddy.companion.affect import AFFECTS
from buddy.companion.buddy import Buddy, Emotion
from buddy.companion.conversation import ConversationMoved
from buddy.companion.safety import Guard
from buddy.errors import BuddyError
from buddy.inference.ctranslate2_engine import cores
from buddy.serving.chat_api import chat_routes
from buddy.serving.client import ClientGone
from buddy.serving.emotions_api import emotion_routes
from buddy.serving.gate import GONE, Gate, defect, without_words
from buddy.serving.metrics import Metrics
from buddy.serving.problems import Refused, emergency_number, problem, try_again, with_number
from buddy.serving.queues import Batches, Busy, Desk, Turnstile
from buddy.serving.service import NAME, Service
from buddy.serving.service_settings import ServiceSettings

if TYPE_CHECKING:
    from buddy.companion.memory import Memory

PAGE = Path(__file__).with_name("page")
DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
COMPUTING_NICENESS = 5
NO_JSON = "The body must be a JSON object, under the header Content-Type: application/json."
IS_NAME = re.compile(r"(?!str$)[a-z_]+|\d+")
"""A part of an error's place that a caller knows; the others name one of several forms that a value can have."""

log = logging.getLogger("buddy.service")


def create_app(settings: ServiceSettings) -> Gate:
    """Make the application, with its model loaded.

    Raises:
        UserMistake: there is no such model, or no such memory.
        EnvironmentFault: the memory cannot be used.
    """
    metrics = Metrics()
    return Gate(make_api(settings, metrics), settings, metrics)


def make_api(settings: ServiceSettings, metrics: Metrics) -> FastAPI:
    """Make what stands behind the gate; see ``create_app``."""
    service = _make_service(settings, metrics)
    app = FastAPIOffline(
        title=NAME,
        version=__version__,
        description="What a person feels, and an empathetic reply. Compatible with clients of the OpenAI API.",
        lifespan=_lifespan(service),
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs/static",
    )
    _add_routes(app, service)
    _add_refusal_handlers(app, service)
    _add_fault_handlers(app, service)
    return app


def _make_service(settings: ServiceSettings, metrics: Metrics) -> Service:
    limits = settings.limits
    guard = Guard(settings.country) if settings.guard else None
    if guard:
        guard.get_ready()  # in a thread that does not give way: danger is read before replies are written
    with ThreadPoolExecutor(1, initializer=_give_way) as maker:
        buddy = maker.submit(_make_buddy, settings, guard).result()

    def count_batch(texts: int, waited_seconds: float) -> None:
        metrics.batch_texts.observe(texts)
        metrics.batch_wait.observe(waited_seconds)
        metrics.waiting_texts.set(batches.waiting)

    def read(texts: Sequence[str]) -> list[tuple[Emotion, bool]]:
        readable = [bool(text.strip()) and buddy.can_read(text) for text in texts]
        return list(zip(buddy.emotions(texts), readable, strict=True))

    batches = Batches(read, limits.batch, limits.batch_wait_seconds, limits.waiting_texts, cores(), count_batch)
    turnstile = Turnstile(cores(), limits.waiting_replies, limits.reply_patience_seconds)
    desk = Desk(limits.memory_at_once, limits.waiting_for_memory)
    return Service(settings, buddy, _open_memory(settings.memory), metrics, batches, turnstile, desk)


def _make_buddy(settings: ServiceSettings, guard: Guard | None) -> Buddy:
    buddy = Buddy(settings.model, candidates=settings.candidates, guard=guard)
    buddy.get_ready()
    return buddy


def _give_way() -> None:
    """Let the threads that compute, which CTranslate2 starts for this one, wait for those that answer (on Linux).

    Where all cores compute, a request that is sent away or asks for the health would otherwise wait its turn, too.
    """
    if sys.platform == "linux":  # elsewhere all threads of a process have one priority
        os.nice(COMPUTING_NICENESS)


def _open_memory(url: str | None) -> "Memory | None":
    if url is None:
        return None
    from buddy.companion.memory import open_memory

    return open_memory(url)


def _lifespan(service: Service) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(service.batches.run())]
        if service.memory and service.settings.forget_after_days:
            tasks.append(asyncio.create_task(_forget_daily(service.memory, service.settings.forget_after_days)))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        service.turnstile.close()
        if service.memory:
            service.memory.close()

    return lifespan


async def _forget_daily(memory: "Memory", days: int) -> None:
    """Forget every day, and an hour after it did not go well, whatever was wrong."""
    while True:
        pause = DAY_SECONDS
        try:
            await asyncio.to_thread(memory.forget_older_than, days)
        except Exception as error:
            log.error("Old conversations: %s", error if isinstance(error, BuddyError) else without_words(error))
            pause = HOUR_SECONDS
        await asyncio.sleep(pause)


def _add_routes(app: FastAPI, service: Service) -> None:
    app.include_router(chat_routes(service))
    app.include_router(emotion_routes(service))
    if service.memory:
        from buddy.serving.conversations_api import conversation_routes

        app.include_router(conversation_routes(service, service.memory))

    @app.get("/health", tags=["operation"])
    async def health() -> dict[str, str]:
        """Tell that the process runs."""
        return {"status": "ok", "version": __version__}

    @app.get("/ready", tags=["operation"], responses={503: {"description": "All places are taken."}})
    async def ready() -> Response:
        """Tell whether a request would be answered now."""
        if service.turnstile.is_full or service.batches.is_full:
            return try_again("All places are taken.", "busy")
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", tags=["operation"], response_class=Response)
    async def metrics() -> Response:
        """Give the counts, in the format of Prometheus."""
        return Response(service.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/page/settings.json", include_in_schema=False)
    async def page_settings() -> dict[str, object]:
        places = {label: {"valence": valence, "arousal": arousal} for label, (valence, arousal) in AFFECTS.items()}
        return {
            "name": NAME,
            "model": NAME,
            "key_needed": bool(service.settings.keys),
            "country": service.settings.country,
            "emergency": emergency_number(service.settings.country),
            "emotions": places,
        }

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=PAGE))


def _add_refusal_handlers(app: FastAPI, service: Service) -> None:
    """Give every error in the form of the OpenAI API, without a word of what was sent."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if isinstance(error, Refused):
            service.metrics.refused.labels(error.code).inc()
            return error.response()
        headers = {"Allow": _allowed(app, request)} if error.status_code == 405 else error.headers
        return problem(error.status_code, error.detail, None, headers=headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        first = next((one for one in found if not one["type"].endswith("_type")), found[0])  # a limit says more
        if first["loc"] == ("body",) or first["type"] == "json_invalid":
            return problem(400 if first["type"] == "json_invalid" else 422, NO_JSON, "invalid_request")
        where = ".".join(str(part) for part in first["loc"] if part != "body" and IS_NAME.fullmatch(str(part)))
        return problem(422, f"{where or 'The body'}: {first['msg']}", "invalid_request", where or None)


def _add_fault_handlers(app: FastAPI, service: Service) -> None:
    """Tell of what is not the request's fault."""
    country = service.settings.country

    @app.exception_handler(Busy)
    async def busy(_: Request, __: Busy) -> Response:
        service.metrics.refused.labels("busy").inc()
        return try_again(with_number(country, "All places are taken; try again."), "busy")

    @app.exception_handler(ClientGone)
    async def gone(_: Request, __: ClientGone) -> Response:
        return Response(status_code=GONE)

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> Response:
        return defect(request.scope["state"]["request_id"])

    @app.exception_handler(BuddyError)
    async def failed(_: Request, error: BuddyError) -> Response:
        if isinstance(error, LookupError):
            return problem(404, "There is no such conversation.", "not_found")
        if isinstance(error, ConversationMoved):
            return problem(409, with_number(country, str(error)), "conflict")
        log.error("%s", error)  # of the memory: whoever runs the service has to mend it
        return try_again(with_number(country, "The memory cannot be used now; try again."), "memory_unavailable")


def _allowed(app: FastAPI, request: Request) -> str:
    """Name the methods of all routes of a path; the framework names those of the first."""
    there = [route for route in app.routes if route.matches(request.scope)[0] != Match.NONE]
    return ", ".join(sorted({method for route in there for method in getattr(route, "methods", None) or ()}))
