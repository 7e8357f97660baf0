"""`POST /v1/emotions`: what one text or up to 1,024 express, with the probability of every emotion."""

import json
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from buddy.serving.client import unless_gone
from buddy.serving.problems import errors
from buddy.serving.service import NAME, Service

Text = Annotated[str, Field(max_length=10_000)]


class EmotionsRequest(BaseModel):
    """One text or many."""

    model_config = ConfigDict(strict=True)
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=1024)]


class EmotionOfText(BaseModel):
    """What one text expresses; nothing if it is not ``readable``: empty, or of letters that the model never learned."""

    index: int
    readable: bool
    label: str
    probability: float
    probabilities: dict[str, float]


class EmotionsResponse(BaseModel):
    """The emotion of each text, in order."""

    object: str = "list"
    model: str
    data: list[EmotionOfText]


def emotion_routes(service: Service) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["emotions"])

    @routes.post("/v1/emotions", responses={200: {"model": EmotionsResponse}, **errors(400, 413, 422, 503)})
    async def emotions(asked: EmotionsRequest, request: Request) -> Response:
        """Tell what texts express: calibrated probabilities of all emotions, the likeliest first."""
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        found = await unless_gone(request, service.batches.ask(texts))
        data = [
            {
                "index": number,
                "readable": readable,
                "label": one.label,
                "probability": one.probability,
                "probabilities": one.probabilities,
            }
            for number, (one, readable) in enumerate(found)
        ]
        body = json.dumps({"object": "list", "model": NAME, "data": data}, separators=(",", ":"))
        return Response(body, media_type="application/json")

    return routes
