"""The service on a Ray cluster: doors that take requests, and companions, each with a model, that answer them.

A door is the gate of the service in front of nothing: it checks a request, hands it to a companion and passes the
answer on. A companion is the rest of the service. Ray Serve starts more companions when many requests wait, fewer when
few do, and puts new ones in the place of those that die; a door asks another one then, unless a part of the answer is
out already.

    buddy serve --engine ray           as long as the command runs
    serve deploy deploy/ray-serve.yaml  on a cluster, until something else is deployed
"""

import asyncio
import contextlib
import inspect
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import ray
from pydantic import TypeAdapter, ValidationError
from ray import serve
from ray.exceptions import RayActorError
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from buddy.companion.helplines import find_country
from buddy.errors import EnvironmentFault, UserMistake
from buddy.serving.app import make_api
from buddy.serving.gate import Gate, route_of, without_words
from buddy.serving.metrics import Metrics
from buddy.serving.problems import try_again, with_number
from buddy.serving.ray_metrics import start_publishing
from buddy.serving.service_settings import (
    RATE_WITH_KEYS,
    Limits,
    ServiceSettings,
    read_keys,
    refuse_file_memory,
    refuse_open_door,
)

log = logging.getLogger("buddy.service")

NAME = "buddy"

TRIES = 5
"""So many companions are asked before a request is given back; each has died of it, or by chance just then."""

PASSED_ON = (
    "type",
    "http_version",
    "method",
    "scheme",
    "path",
    "raw_path",
    "query_string",
    "root_path",
    "headers",
    "client",
    "server",
    "state",
)
"""What a companion is told of a request, beside its body."""

WRITES = ("POST", "DELETE", "PATCH", "PUT")

ELSEWHERE = {"host": "in http_options", "port": "in http_options", "keys": "in the variable BUDDY_API_KEYS"}
"""What a configuration file says in another place than buddy's arguments."""

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Replicas:
    """How many companions there are.

    Attributes:
        least: so many always.
        most: Ray starts up to so many when requests wait.
        requests: that each of them should have at a time; with more of them Ray starts another one.
    """

    least: int = 1
    most: int = 1
    requests: int = 8


class Companion:
    """The service behind the door, with a model of its own."""

    async def __init__(self, settings: ServiceSettings) -> None:  # type: ignore[misc]  # Ray waits for it
        """Load the model."""
        metrics = Metrics()
        start_publishing(metrics.registry)
        self._api = make_api(settings, metrics)
        self._running = contextlib.AsyncExitStack()
        await self._running.enter_async_context(self._api.router.lifespan_context(self._api))

    async def __del__(self) -> None:
        """End when the last request has ended."""
        await self._running.aclose()

    async def answer(self, scope: dict[str, Any], body: bytes) -> AsyncIterator[Message]:
        """Give what the service sends in answer to a request, piece by piece; the first names the route, too."""
        pieces: asyncio.Queue[Message | None] = asyncio.Queue()
        gone = asyncio.Event()
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if unread:
                return unread.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        scope["state"]["started"] = time.perf_counter()  # the door's clock is another one
        answering = asyncio.ensure_future(self._api(scope, receive, pieces.put))
        answering.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                if piece["type"] == "http.response.start":
                    piece["route"] = route_of(scope)
                yield piece
            await answering
        except Exception as error:
            log.error("request %s failed: %s", scope["state"]["request_id"], without_words(error))
        finally:
            gone.set()


class Door:
    """The gate, on whichever node a request arrives."""

    def __init__(self, settings: ServiceSettings, companions: "DeploymentHandle[Any]") -> None:
        """Stand before the companions."""
        self._settings, self._metrics = settings, Metrics()
        self._companions = companions.options(method_name="answer", stream=True)

    def __serve_build_asgi_app__(self) -> Gate:  # Ray's name for it
        """Give what answers HTTP requests, from now on."""
        start_publishing(self._metrics.registry)
        return Gate(self._pass_on, self._settings, self._metrics)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = {name: scope[name] for name in PASSED_ON if name in scope}
            problem = await self._ask(asked, await _read(receive), send)
            if problem:
                await problem(scope, receive, send)

    async def _ask(self, asked: dict[str, Any], body: bytes, send: Send) -> Response | None:
        """Ask companions until one has answered; or give what is to be said instead."""
        for _ in range(TRIES):
            answer = _Answer(send)
            try:
                async for piece in self._companions.remote(asked, body):  # type: ignore[union-attr]  # a stream
                    await answer.add(piece)
            except BackPressureError:
                return self._try_again("All places are taken; try again.", "busy")
            except RayActorError:
                if answer.is_out:
                    raise
                if _must_not_be_repeated(asked):
                    break
            else:
                return None
        return self._try_again("Who was to answer has failed; try again.", "failed")

    def _try_again(self, message: str, code: str) -> Response:
        self._metrics.refused.labels(code).inc()
        return try_again(with_number(self._settings.country, message), code)


class _Answer:
    """The pieces of an answer; the head waits for what follows, so that an answer in one piece is out as a whole."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._head: MutableMapping[str, Any] | None = None
        self.is_out = False

    async def add(self, piece: Message) -> None:
        if self._head is None:
            self._head = piece
            return
        if not self.is_out:
            self.is_out = True
            await self._send(self._head)
        await self._send(piece)


async def _read(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _must_not_be_repeated(asked: Mapping[str, Any]) -> bool:
    """Tell whether a request may have changed what is remembered, before its companion died."""
    return asked["method"] in WRITES and "/conversations" in asked["path"]


def make_application(settings: ServiceSettings, replicas: Replicas) -> serve.Application:
    """Describe the doors and companions to Ray Serve.

    Raises:
        UserMistake: the memory is a file of one node.
    """
    refuse_file_memory(settings)
    requests = replicas.requests
    companions = serve.deployment(
        name="Companion",
        ray_actor_options={"num_cpus": 1},
        max_ongoing_requests=4 * requests,
        max_queued_requests=4 * requests * replicas.most,
        graceful_shutdown_timeout_s=settings.grace_seconds,
        autoscaling_config={
            "min_replicas": replicas.least,
            "max_replicas": replicas.most,
            "target_ongoing_requests": requests,
        },
    )(Companion)
    doors = serve.deployment(
        name="Door",
        num_replicas=settings.workers,
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=1000,
        graceful_shutdown_timeout_s=settings.grace_seconds,
    )(serve.ingress()(Door))
    return doors.bind(settings, companions.bind(settings))


def application(arguments: Mapping[str, Any]) -> serve.Application:
    """Build what a configuration file of Ray Serve names; the API keys are in BUDDY_API_KEYS.

    Args:
        arguments: fields of ``ServiceSettings`` but for host, port and keys; ``replicas`` with fields of ``Replicas``;
            and ``without_keys`` if everybody may use it.

    Raises:
        UserMistake: a field is not known or holds what it cannot, the memory is a file of one node, or there are no
            keys and not everybody may use it.
    """
    given = dict(arguments)
    for name in ELSEWHERE.keys() & given.keys():
        raise UserMistake(f"{name} is no argument of buddy here; it stands {ELSEWHERE[name]}.")
    replicas, limits = _settings_of(Replicas, given.pop("replicas", {})), _settings_of(Limits, given.pop("limits", {}))
    without_keys, keys = given.pop("without_keys", False), read_keys(os.environ, None)
    defaults = {"host": "0.0.0.0", "requests_per_minute": RATE_WITH_KEYS if keys else 0}  # noqa: S104
    settings = _settings_of(ServiceSettings, {**defaults, **given, "keys": keys, "limits": limits})
    if settings.country:
        settings = replace(settings, country=find_country(settings.country).code)
    refuse_open_door(settings, without_keys is True)
    return make_application(settings, replicas)


def _settings_of(kind: type[Settings], values: object) -> Settings:
    """Make settings of what stands in a configuration file."""
    known = list(inspect.signature(kind).parameters)
    unknown = sorted(values.keys() - set(known)) if isinstance(values, Mapping) else []
    if unknown:
        raise UserMistake(f"{kind.__name__} has no field {unknown[0]!r}; it has {', '.join(known)}.")
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or kind.__name__
        raise UserMistake(f"{name} cannot be {first['input']!r}: {first['msg']}.") from error


def run_on_ray(settings: ServiceSettings, replicas: Replicas, wait: Callable[[], None]) -> None:
    """Serve on the cluster that this process has joined; what is running at the end may end in peace.

    Args:
        settings: of the service; it has ``workers`` doors.
        replicas: of the companions.
        wait: is called when the service answers; when it returns, the service ends.

    Raises:
        UserMistake: Ray Serve runs there already: it would listen at its own address, and end with all its services.
            Or there is no such memory.
        EnvironmentFault: the memory cannot be used, or the doors or companions did not start.
    """
    if _is_serving():
        raise UserMistake(
            "Ray Serve runs on this cluster already; add buddy to it with serve deploy (docs/serving.md)."
        )
    application = make_application(settings, replicas)
    if settings.memory:
        from buddy.companion.memory import open_memory

        open_memory(settings.memory).close()  # a mistake in it is told here, and not by a companion
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        _start(application, settings)
        wait()
    finally:
        serve.shutdown()  # type: ignore[no-untyped-call]


def _start(application: serve.Application, settings: ServiceSettings) -> None:
    http_options = {"host": settings.host, "port": settings.port}
    try:
        serve.start(http_options=http_options, logging_config={"log_level": "WARNING"})
        serve.run(application, name=NAME, route_prefix="/")
    except RuntimeError as error:
        raise EnvironmentFault(f"The service did not start on the cluster: {_reason(error)}") from error


def _reason(error: RuntimeError) -> str:
    """Give the last line of what a door or a companion died of: Ray's error says only that one did."""
    ours = serve.status().applications.get(NAME)
    told = [deployment.message.strip() for deployment in ours.deployments.values()] if ours else []
    return (next(filter(None, told), "") or str(error)).splitlines()[-1]


def _is_serving() -> bool:
    try:
        ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
    except ValueError:
        return False
    return True
