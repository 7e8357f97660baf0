"""`/v1/conversations`: talks that are remembered; each can be seen by whoever began it and by nobody else."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from buddy.companion.buddy import Answer
from buddy.companion.conversation import Turn
from buddy.companion.memory import Memory, Stored, UnknownConversation
from buddy.companion.memory_database import TracesRemain
from buddy.companion.mood import course, mean_affect, mean_emotions
from buddy.companion.mood_summary import summary
from buddy.companion.talk import Talk
from buddy.serving.chat_api import CRISIS_SECONDS, STREAMED, Asked, answer, require_replies
from buddy.serving.gate import add_session_cookie, without_words
from buddy.serving.problems import Refused, errors, with_number
from buddy.serving.queues import Desk
from buddy.serving.service import Service

log = logging.getLogger("buddy.service")

ID = "^[0-9a-f]{32}$"
Id = Annotated[str, Path(pattern=ID, description="The id that the conversation got when it was begun.")]


class Said(Asked):
    """The next message of a conversation."""

    content: Annotated[str, Field(min_length=1, max_length=10_000)]


class Conversation(BaseModel):
    """A conversation in a list."""

    id: str
    begun_at: str
    last_at: str
    turns: int


class Conversations(BaseModel):
    """Conversations of whoever asks, the newest first."""

    object: str = "list"
    data: list[Conversation]
    first_id: str | None
    last_id: str | None
    has_more: bool


TRACES: dict[int | str, dict[str, Any]] = {
    202: {"description": "Erased, but for traces in the files of the database; they go with the next that is erased."}
}


def conversation_routes(service: Service, memory: Memory) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["conversations"])
    _add_routes_of_all(routes, memory, service.desk)
    _add_routes_of_one(routes, memory, service.desk)
    _add_route_of_messages(routes, service, memory)
    return routes


def _add_routes_of_all(routes: APIRouter, memory: Memory, desk: Desk) -> None:
    @routes.post("/v1/conversations", status_code=201, response_model=Conversation, responses=errors(503))
    async def begin(request: Request) -> Response:
        """Begin a conversation."""
        made = await desk.do(partial(memory.begin, _owner(request)))
        response = JSONResponse(_as_json(made), 201)
        add_session_cookie(request.scope, response)
        return response

    @routes.get("/v1/conversations", responses=errors(404, 422, 503))
    async def list_some(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100, description="So many of them.")] = 20,
        after: Annotated[str | None, Query(pattern=ID, description="The last one that is known already.")] = None,
    ) -> Conversations:
        """List one's conversations, the newest first."""
        found = await desk.do(partial(memory.conversations, _owner(request), limit + 1, after))
        data = [Conversation(**_as_json(one)) for one in found[:limit]]
        first, last = (data[0].id, data[-1].id) if data else (None, None)
        return Conversations(data=data, first_id=first, last_id=last, has_more=len(found) > limit)

    @routes.delete("/v1/conversations", response_model=dict[str, int], responses={**TRACES, **errors(503)})
    async def erase_all(request: Request) -> Response:
        """Erase all of one's conversations."""
        try:
            return JSONResponse({"erased": await desk.do(partial(memory.erase_all, _owner(request)))})
        except TracesRemain as traces:
            return _erased_but(traces)

    @routes.get("/v1/export", responses=errors(503))
    async def export_all(request: Request) -> dict[str, Any]:
        """Give everything that is remembered of whoever asks."""
        return await desk.do(partial(memory.export, _owner(request)))


def _add_routes_of_one(routes: APIRouter, memory: Memory, desk: Desk) -> None:
    @routes.get("/v1/conversations/{conversation}", responses=errors(404, 422, 503))
    async def export(conversation: Id, request: Request) -> dict[str, Any]:
        """Give what was said, with what it expresses."""
        return await desk.do(partial(memory.export, _owner(request), conversation))

    @routes.delete("/v1/conversations/{conversation}", status_code=204, responses={**TRACES, **errors(404, 422, 503)})
    async def erase(conversation: Id, request: Request) -> Response:
        """Erase a conversation."""
        try:
            await desk.do(partial(memory.erase, conversation, _owner(request)))
        except TracesRemain as traces:
            return _erased_but(traces)
        return Response(status_code=204)

    @routes.get("/v1/conversations/{conversation}/mood", responses=errors(400, 404, 422, 503))
    async def mood(
        conversation: Id,
        request: Request,
        timezone: Annotated[
            str | None, Query(max_length=64, description="Whose days and evenings, `Europe/Berlin`, say.")
        ] = None,
    ) -> dict[str, Any]:
        """Tell how the mood has gone, message by message and in words."""
        zone = _find_zone(timezone) if timezone is not None else None
        return await desk.do(lambda: _mood(memory.turns(conversation, _owner(request)), zone))


def _erased_but(traces: TracesRemain) -> Response:
    """Say that what was to be erased is deleted; why its traces are still there is for whoever runs the service."""
    log.error("%s", traces)
    return JSONResponse({"message": "It is deleted; traces of it stay in the database's files for a while."}, 202)


def _add_route_of_messages(routes: APIRouter, service: Service, memory: Memory) -> None:
    writing: set[tuple[str, str]] = set()

    @routes.post(
        "/v1/conversations/{conversation}/messages", responses={**STREAMED, **errors(400, 404, 409, 413, 422, 503)}
    )
    async def say(conversation: Id, asked: Said, request: Request) -> Response:
        """Go on with a conversation: the answer has the form of `/v1/chat/completions`."""
        require_replies(service)
        mine = (_owner(request), conversation)
        if mine in writing:
            return await answer(service, request, asked, partial(_refuse, service, asked.content), [asked.content])

        def hear() -> tuple[Talk, Answer]:
            talk = Talk(service.buddy, memory, conversation, _owner(request))
            return talk, talk.hear(asked.content, asked.replies(service.candidates(asked.seed), 0))

        exchange = _Exchange(service, hear, asked.content, lambda: writing.discard(mine))
        writing.add(mine)
        return await answer(service, request, asked, exchange.begin, [asked.content], end=exchange.end)


async def _refuse(service: Service, message: str) -> Answer:
    """Let a message wait for the one before it, unless it tells of a crisis: that is answered at once, and not kept."""
    crisis = await _answer_crisis(service, message)
    if crisis:
        return crisis
    reason = "Another request is writing in this conversation."
    raise Refused(409, with_number(service.settings.country, reason), "conflict")


async def _answer_crisis(service: Service, message: str) -> Answer | None:
    """Answer a message without the light of its conversation if it tells of a crisis."""
    buddy = service.buddy
    return await service.turnstile.look(lambda: buddy.answer([message]) if buddy.is_crisis(message) else None)


class _Exchange:
    """A message and its reply, which are kept. A crisis is answered also where the memory is slow, or gone.

    A message that got no reply, since it waited too long, say, stays without one: who sends it again goes on with it.
    """

    def __init__(
        self,
        service: Service,
        hear: Callable[[], tuple[Talk, Answer]],
        message: str,
        when_over: Callable[[], None],
    ) -> None:
        self._service = service
        self._hear, self._message, self._when_over = hear, message, when_over
        self._hearing: asyncio.Task[tuple[Talk, Answer]] | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def begin(self) -> Answer:
        """Answer the message in the light of the conversation; where there is none to be had, a crisis without it."""
        self._hearing = asyncio.create_task(self._service.desk.do(self._hear))
        await asyncio.wait({self._hearing}, timeout=CRISIS_SECONDS)
        if not self._hearing.done() or self._hearing.exception():
            crisis = await _answer_crisis(self._service, self._message)
            if crisis:
                return crisis
        try:
            return (await asyncio.shield(self._hearing))[1]
        except UnknownConversation:
            message = with_number(self._service.settings.country, "There is no such conversation.")
            raise Refused(404, message, "not_found") from None

    def end(self, said: str) -> "asyncio.Task[None]":
        """Keep as much of the reply as was said; it is told once."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(said))
            self._keeping.add_done_callback(lambda done: done.cancelled() or done.exception())  # if nobody else asks
        return self._keeping

    async def _keep(self, said: str) -> None:
        try:
            if self._hearing:
                talk, heard = await self._hearing
                if said or heard.kind == "crisis":  # which is kept with its reply only
                    await self._service.desk.finish(partial(talk.end_reply, said))
        except Exception as error:
            if said:
                log.error("A reply was not kept: %s", without_words(error))
            raise
        finally:
            self._when_over()


def _owner(request: Request) -> str:
    owner: str = request.scope["state"]["owner"]
    return owner


def _as_json(found: Stored) -> dict[str, Any]:
    return {
        "id": found.id,
        "begun_at": found.begun_at.isoformat(),
        "last_at": found.last_at.isoformat(),
        "turns": found.turns,
    }


def _find_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last two: a path out of the zones, a folder of zones
        message = "timezone: no time zone of this name is known here; names are such as Europe/Berlin."
        raise Refused(400, message, "invalid_request", param="timezone") from None


def _mood(turns: Sequence[Turn], zone: ZoneInfo | None) -> dict[str, Any]:
    points = course(turns)
    mean = mean_affect(points)
    return {
        "summary": summary(points, timezone=zone),
        "timezone": zone.key if zone else datetime.now().astimezone().tzname(),
        "emotions": mean_emotions(points),
        "valence": mean.valence if mean else None,
        "arousal": mean.arousal if mean else None,
        "messages": [
            {
                "said_at": point.said_at.isoformat(),
                "emotions": dict(point.emotions),
                "valence": point.affect.valence if point.affect else None,
                "arousal": point.affect.arousal if point.affect else None,
                "crisis": point.crisis,
            }
            for point in points
        ],
    }
