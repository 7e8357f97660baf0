"""`/v1/conversations`: talks that are remembered; each can be seen by whoever began it and by nobody else."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from buddy.companion.buddy import Answer
from buddy.companion.conversation import Turn
from buddy.companion.memory import Memory, Stored
from buddy.companion.mood import course, mean_affect, mean_emotions
from buddy.companion.mood_summary import summary
from buddy.companion.talk import Talk
from buddy.serving.chat_api import STREAMED, Asked, answer
from buddy.serving.gate import add_session_cookie
from buddy.serving.problems import Refused, errors
from buddy.serving.service import Service

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The id that the conversation got when it was begun.")]


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
    """All conversations of whoever asks, the newest first."""

    object: str = "list"
    data: list[Conversation]


def conversation_routes(service: Service, memory: Memory) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["conversations"])
    _add_routes_of_all(routes, memory)
    _add_routes_of_one(routes, memory)
    _add_route_of_messages(routes, service, memory)
    return routes


def _add_routes_of_all(routes: APIRouter, memory: Memory) -> None:
    @routes.post("/v1/conversations", status_code=201, response_model=Conversation, responses=errors(503))
    async def begin(request: Request) -> Response:
        """Begin a conversation."""
        owner = _owner(request)
        made = await run_in_threadpool(memory.begin, owner)
        found = next(one for one in await run_in_threadpool(memory.conversations, owner) if one.id == made)
        response = JSONResponse(_as_json(found), 201)
        add_session_cookie(request.scope, response)
        return response

    @routes.get("/v1/conversations", responses=errors(503))
    async def list_all(request: Request) -> Conversations:
        """List one's conversations."""
        found = await run_in_threadpool(memory.conversations, _owner(request))
        return Conversations(data=[Conversation(**_as_json(one)) for one in found])

    @routes.delete("/v1/conversations", responses=errors(503))
    async def erase_all(request: Request) -> dict[str, int]:
        """Erase all of one's conversations."""
        return {"erased": await run_in_threadpool(memory.erase_all, _owner(request))}

    @routes.get("/v1/export", responses=errors(503))
    async def export_all(request: Request) -> dict[str, Any]:
        """Give everything that is remembered of whoever asks."""
        return await run_in_threadpool(memory.export, _owner(request))


def _add_routes_of_one(routes: APIRouter, memory: Memory) -> None:
    @routes.get("/v1/conversations/{conversation}", responses=errors(404, 422, 503))
    async def export(conversation: Id, request: Request) -> dict[str, Any]:
        """Give what was said, with what it expresses."""
        return await run_in_threadpool(memory.export, _owner(request), conversation)

    @routes.delete("/v1/conversations/{conversation}", status_code=204, responses=errors(404, 422, 503))
    async def erase(conversation: Id, request: Request) -> None:
        """Erase a conversation."""
        await run_in_threadpool(memory.erase, conversation, _owner(request))

    @routes.get("/v1/conversations/{conversation}/mood", responses=errors(404, 422, 503))
    async def mood(conversation: Id, request: Request) -> dict[str, Any]:
        """Tell how the mood has gone, message by message and in words."""
        return _mood(await run_in_threadpool(memory.turns, conversation, _owner(request)))


def _add_route_of_messages(routes: APIRouter, service: Service, memory: Memory) -> None:
    writing: set[str] = set()

    @routes.post(
        "/v1/conversations/{conversation}/messages", responses={**STREAMED, **errors(400, 404, 409, 413, 422, 503)}
    )
    async def say(conversation: Id, asked: Said, request: Request) -> Response:
        """Go on with a conversation: the answer has the form of `/v1/chat/completions`."""
        service.buddy.require_replies()
        if conversation in writing:
            raise Refused(409, "Another request is writing in this conversation.", "conflict")

        def begin_answer(_: int) -> Answer:
            talk = Talk(service.buddy, memory, conversation, _owner(request))
            return talk.say(asked.content, asked.replies(service.candidates(asked.seed), 0))

        writing.add(conversation)
        tokens = service.buddy.count_tokens(asked.content)
        return await answer(
            service, request, asked, begin_answer, tokens, when_done=lambda: writing.discard(conversation)
        )


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


def _mood(turns: Sequence[Turn]) -> dict[str, Any]:
    points = course(turns)
    mean = mean_affect(points)
    return {
        "summary": summary(points),
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
