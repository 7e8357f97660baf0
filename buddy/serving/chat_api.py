"""`POST /v1/chat/completions` and `GET /v1/models`, as clients of the OpenAI API know them.

Beside what they know stands a field ``buddy`` in every completion and in the first chunk of every stream: who answered
(the model, the classifier, the crisis guard), the emotion of the message, and the safety outcome with whom to call.

What an instruction-following model would take and this one cannot is refused where an answer without it would mislead
(tools, response formats, images), and passed over where it would not (system messages, penalties, user names).
"""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from buddy.companion.buddy import Answer, Emotion
from buddy.companion.crisis_words import lines_for
from buddy.companion.helplines import find_country
from buddy.companion.reply import TO_CHOOSE_FROM, Replies
from buddy.companion.safety import Assessment
from buddy.companion.talk import UNSAID
from buddy.inference.engine import Sampling
from buddy.serving.client import unless_gone
from buddy.serving.gate import without_words
from buddy.serving.problems import Refused, emergency_number, errors, with_number
from buddy.serving.queues import Busy, close_iterator
from buddy.serving.service import NAME, Service

log = logging.getLogger("buddy.service")

NOT_OURS = "this model cannot; leave it out"

CRISIS_SECONDS = 1.0
"""So long the answer to a crisis waits for the memory at most."""

LEAST = 0.001
"""A temperature or a top-p below it can only mean the likeliest word, and is too small a number for some engines."""

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One object, or events.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}}
            }
        },
    }
}


class Part(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(strict=True)
    type: Literal["text"]
    text: Annotated[str, Field(max_length=10_000)]


class Message(BaseModel):
    """What was said."""

    model_config = ConfigDict(strict=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=10_000)] | Annotated[list[Part], Field(max_length=64)]

    def text(self) -> str:
        """Give the message as one text."""
        return self.content if isinstance(self.content, str) else " ".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream tells beside its words."""

    model_config = ConfigDict(strict=True)
    include_usage: bool = False


class ResponseFormat(BaseModel):
    """The form of a reply; it is always text."""

    model_config = ConfigDict(strict=True)
    type: Literal["text"]


def _whole(value: object) -> object:
    """Take 2.0 for 2: in JSON both are whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
Stop = Annotated[str, Field(min_length=1, max_length=100)]


class Asked(BaseModel):
    """How a reply is asked for; what is not given is as in `buddy chat`."""

    model_config = ConfigDict(strict=True)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    seed: Annotated[int, BeforeValidator(_whole)] | None = None
    response_format: ResponseFormat | None = None

    def most_tokens(self) -> int | None:
        """Give where a reply is cut, if anywhere."""
        return self.max_completion_tokens or self.max_tokens

    def stops(self) -> list[str]:
        """Give before which words a reply ends."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    def replies(self, candidates: int, number: int) -> Replies:
        """Give how the model makes the reply of a choice."""
        sampling = TO_CHOOSE_FROM if candidates > 1 else Sampling()
        if self.temperature is not None:
            sampling = replace(sampling, temperature=self.temperature if self.temperature >= LEAST else 0)
        if self.top_p is not None:
            sampling = replace(sampling, top_p=max(self.top_p, LEAST))
        if self.seed is not None:
            sampling = replace(sampling, seed=(self.seed + number) % 2**31)
        return Replies(sampling, candidates)


class ChatRequest(Asked):
    """A conversation, and how it goes on."""

    model: Annotated[str, Field(max_length=200)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=512)]
    n: Annotated[int, Field(ge=1, le=8), BeforeValidator(_whole)] | None = 1
    tools: None = Field(default=None, description=NOT_OURS)
    functions: None = Field(default=None, description=NOT_OURS)
    logprobs: Literal[False] | None = Field(default=None, description=NOT_OURS)

    def conversation(self) -> list[str]:
        """Give the turns, the person's first and last; what one side says on end is one turn.

        Raises:
            Refused: the last message is not the person's.
        """
        turns: list[str] = []
        for message in self.messages:
            if message.role in ("system", "developer"):
                continue
            is_speaker = message.role == "user"
            if not turns and not is_speaker:
                continue  # a greeting
            if is_speaker == (len(turns) % 2 == 1):
                turns[-1] = f"{turns[-1]} {message.text()}"
            else:
                turns.append(message.text())
        if len(turns) % 2 == 0:
            raise Refused(400, "messages: the last one must be of the user.", "invalid_request", param="messages")
        return turns


def chat_routes(service: Service) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["OpenAI API"])
    loaded = int(time.time())

    @routes.post("/v1/chat/completions", responses={**STREAMED, **errors(400, 404, 413, 422, 503)})
    async def complete(asked: ChatRequest, request: Request) -> Response:
        """Answer the last message of a conversation, as one JSON object or as a stream of events."""
        _require_model(asked.model)
        turns = asked.conversation()
        letters = sum(map(len, turns))
        if letters > service.settings.limits.talk_letters:
            most = service.settings.limits.talk_letters
            raise Refused(
                413, f"messages: {most:,} letters may be sent; leave out the oldest.", "too_long", param="messages"
            )
        require_replies(service)

        def say(number: int) -> Answer:
            return service.buddy.answer(turns, asked.replies(service.candidates(asked.seed), number))

        def begin() -> Coroutine[Any, Any, Answer]:
            return service.turnstile.look(partial(say, 0))

        others = [partial(say, number) for number in range(1, asked.n or 1)]
        return await answer(service, request, asked, begin, turns, others)

    @routes.get("/v1/models", responses=errors())
    async def models() -> dict[str, Any]:
        """List the one model."""
        return {"object": "list", "data": [_model()]}

    @routes.get("/v1/models/{model}", responses=errors(404))
    async def one_model(model: str) -> dict[str, Any]:
        """Describe the model."""
        _require_model(model)
        return _model()

    def _model() -> dict[str, Any]:
        return {"id": NAME, "object": "model", "created": loaded, "owned_by": NAME}

    def _require_model(name: str) -> None:
        if name != NAME:
            raise Refused(404, f"There is no such model; the only one is {NAME!r}.", "model_not_found", param="model")

    return routes


def require_replies(service: Service) -> None:
    """Make sure that the model can reply.

    Raises:
        Refused: it cannot.
    """
    if not service.buddy.can_reply:
        raise Refused(400, "The model of this service names emotions and has not learned to reply.", "no_replies")


async def answer(
    service: Service,
    request: Request,
    asked: Asked,
    begin: Callable[[], Coroutine[Any, Any, Answer]],
    turns: Sequence[str],
    others: Sequence[Callable[[], Answer]] = (),
    end: "Callable[[str], asyncio.Future[None]] | None" = None,
) -> Response:
    """Give what buddy says, whole or as a stream.

    Args:
        service: who answers.
        request: what asked; when its client leaves, the work ends.
        asked: how.
        begin: gives the answer of the first choice.
        turns: of the conversation, for the usage counts.
        others: begin the answers of further choices; they are called in a thread.
        end: keeps as much of the reply as was said, nothing where none came, and is called however it ended; more than
            once, perhaps, and only the first time counts.

    Raises:
        Busy: too many wait.
    """
    with ExitStack() as held:
        choices: list[_Choice] = []
        if end:
            held.callback(lambda: end(choices[0].text if choices else ""))
        held.enter_context(service.turnstile.ticket())
        held.enter_context(service.metrics.replies_inside.track_inprogress())
        first = await unless_gone(request, begin())
        service.metrics.safety.labels(first.assessment.level.name.lower()).inc()
        choices += _choices(first, others, asked)
        completion = _Completion(service, asked, turns, request.scope["state"], end)
        if not asked.stream:
            return JSONResponse(await unless_gone(request, completion.whole(choices)))
        return _Stream(completion.stream(choices), held.pop_all())


class _Stream(StreamingResponse):
    """A stream that lets go of what it holds when it has ended, also where it could not begin."""

    def __init__(self, events: AsyncIterator[str], held: ExitStack) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


@dataclass
class _Choice:
    """One reply, as far as it has come."""

    number: int
    answer: Answer
    asked: Asked
    text: str = ""
    finish_reason: Literal["stop", "length"] = "stop"

    async def pieces(self, service: Service) -> AsyncIterator[str]:
        """Give the reply in pieces, up to where it was to end.

        What the crisis guard says is never cut, and waits for nobody.
        """
        if self.answer.kind != "talk":
            self.text = "".join(self.answer.pieces)
            yield self.text
            return
        async for piece in service.turnstile.pieces(_until(self, service)):
            self.text += piece
            yield piece


def _choices(first: Answer, others: Sequence[Callable[[], Answer]], asked: Asked) -> list[_Choice]:
    """Make the choices. Only the model has several replies; it makes the further ones when it is their turn."""
    made = [first.pieces, *map(_later, others)]
    if first.kind != "talk":
        text = "".join(first.pieces)
        made = [iter((text,)) for _ in made]
    return [_Choice(number, replace(first, pieces=pieces), asked) for number, pieces in enumerate(made)]


def _later(say: Callable[[], Answer]) -> Iterator[str]:
    yield from say().pieces


def _until(choice: _Choice, service: Service) -> Iterator[str]:
    """Give pieces until a stop word or the most tokens; what could begin a stop word is held back."""
    stops, most = choice.asked.stops(), choice.asked.most_tokens()
    said = held = ""
    try:
        for piece in choice.answer.pieces:
            held += piece
            found = [place for place in (held.find(stop) for stop in stops) if place >= 0]
            if found:
                held = held[: min(found)]
                break
            if most is not None and service.buddy.count_tokens(said + held) > most:
                held = service.buddy.first_tokens(said + held, most)[len(said) :]
                choice.finish_reason = "length"
                break
            keep = max((n for stop in stops for n in range(1, len(stop)) if held.endswith(stop[:n])), default=0)
            out, held = held[: len(held) - keep], held[len(held) - keep :]
            said += out
            if out:
                yield out
        if held:
            yield held
    finally:
        close_iterator(choice.answer.pieces)


@dataclass
class _Completion:
    """One response, in the words of the OpenAI API."""

    service: Service
    asked: Asked
    turns: Sequence[str]
    state: dict[str, Any]
    end: "Callable[[str], asyncio.Future[None]] | None"
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))
    has_begun: bool = False

    async def whole(self, choices: Sequence[_Choice]) -> dict[str, Any]:
        """Give everything at once."""
        for choice in choices:
            async for _ in choice.pieces(self.service):
                self._note_first_piece()
        await self._keep(choices[0])
        told = [
            {
                "index": choice.number,
                "message": {"role": "assistant", "content": choice.text, "refusal": None},
                "finish_reason": choice.finish_reason,
                "logprobs": None,
            }
            for choice in choices
        ]
        return {
            **self._head("chat.completion"),
            "choices": told,
            "usage": await self._count_tokens(choices),
            "buddy": about(self.service, choices[0].answer),
        }

    async def stream(self, choices: Sequence[_Choice]) -> AsyncIterator[str]:
        """Give events: first who speaks and what was felt, then words, then why they end."""
        with_usage = self.asked.stream_options is not None and self.asked.stream_options.include_usage
        usage = {"usage": None} if with_usage else {}
        for choice in choices:
            first = {"buddy": about(self.service, choice.answer)} if choice.number == 0 else {}
            yield self._chunk(choice.number, {"role": "assistant", "content": ""}, None, **usage, **first)
            try:
                async for piece in choice.pieces(self.service):
                    self._note_first_piece()
                    yield self._chunk(choice.number, {"content": piece}, None, **usage)
                await self._keep(choices[0])
            except Exception as error:
                yield _event({"error": self._broken_off(error)})
                return
            yield self._chunk(choice.number, {}, choice.finish_reason, **usage)
        total = await self._count_tokens(choices)
        if with_usage:
            yield _event({**self._head("chat.completion.chunk"), "choices": [], "usage": total})
        yield "data: [DONE]\n\n"

    async def _keep(self, choice: _Choice) -> None:
        """Wait until what was said is kept; in a crisis not for long, and whatever comes of it."""
        if self.end is None:
            return
        keeping = self.end(choice.text or UNSAID)  # a reply without words is one, too
        if choice.answer.kind == "crisis":
            await asyncio.wait({keeping}, timeout=CRISIS_SECONDS)
        else:
            await asyncio.shield(keeping)

    def _broken_off(self, error: Exception) -> dict[str, Any]:
        """Tell the client of an error whose status cannot be told any more, and the log."""
        self.service.metrics.broken_off.inc()
        if isinstance(error, Busy):
            message, code = "All places are taken; try again.", "busy"
        else:
            message, code = "The reply broke off.", "internal_error"
            log.error("request %s broke off: %s", self.state["request_id"], without_words(error))
        message = with_number(self.service.settings.country, message)
        return {"message": message, "type": "server_error", "param": None, "code": code}

    def _chunk(self, number: int, delta: dict[str, str], finish_reason: str | None, **more: object) -> str:
        choice = {"index": number, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return _event({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": NAME, "system_fingerprint": None}

    async def _count_tokens(self, choices: Sequence[_Choice]) -> dict[str, int]:
        """Count the tokens for the metrics, and give the counts; a long conversation takes a while, so in a thread."""
        usage = await asyncio.to_thread(self._usage, choices)
        self.service.metrics.tokens.labels("read").inc(usage["prompt_tokens"])
        self.service.metrics.tokens.labels("written").inc(usage["completion_tokens"])
        return usage

    def _usage(self, choices: Sequence[_Choice]) -> dict[str, int]:
        read = sum(map(self.service.buddy.count_tokens, self.turns))
        written = sum(self.service.buddy.count_tokens(choice.text) for choice in choices)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

    def _note_first_piece(self) -> None:
        if not self.has_begun:
            self.service.metrics.first_piece.observe(time.perf_counter() - self.state["started"])
            self.has_begun = True


def about(service: Service, answer: Answer) -> dict[str, Any]:
    """Tell who answered, what was felt, and whom to call."""
    return {
        "kind": "reply" if answer.kind == "talk" else answer.kind,
        "emotion": top_three(answer.emotion) if answer.emotion else None,
        "safety": safety(service, answer.assessment),
    }


def top_three(emotion: Emotion) -> dict[str, object]:
    """Give an emotion in short."""
    top: Sequence[tuple[str, float]] = list(emotion.probabilities.items())[:3]
    return {
        "label": emotion.label,
        "probability": emotion.probability,
        "top": [{"label": label, "probability": probability} for label, probability in top],
    }


def safety(service: Service, found: Assessment) -> dict[str, Any]:
    """Tell what the crisis guard found, and whom to call."""
    country = find_country(service.settings.country)
    lines = lines_for(country, found.category) if found.category else []
    return {
        "level": found.level.name.lower(),
        "category": found.category,
        "resources": [
            {"name": line.name, "number": line.phone, "text": line.text, "url": line.web, "hours": line.hours}
            for line in lines
        ],
        "emergency": emergency_number(service.settings.country),
    }


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"
