"""Errors in the form of the OpenAI API, and their description for the documentation.

None of them holds a word of what was sent.
"""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from buddy.companion.helplines import find_country

MEANINGS = {
    400: "The request cannot be understood.",
    401: "An API key is needed.",
    403: "The request comes from another page.",
    404: "There is none of this name.",
    408: "The request arrived too slowly.",
    409: "Another request is writing in this conversation.",
    413: "The request is too long.",
    421: "The service has no such name.",
    422: "A value is of the wrong kind, or beyond its limit.",
    429: "Too many requests from this key.",
    503: "All places are taken; `Retry-After` says when to try again.",
}
EVERYWHERE = (401, 403, 408, 421, 429)
"""What the gate can answer to any request."""

RETRY_SECONDS = 1

SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


class Refused(HTTPException):
    """A request that gets no further."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None,
        headers: Mapping[str, str] | None = None,
        param: str | None = None,
    ) -> None:
        """Say why, in words that hold nothing of the request's."""
        super().__init__(status, message, headers)
        self.code = code
        self.param = param

    def response(self) -> JSONResponse:
        """Give the response, in the form of the OpenAI API."""
        return problem(self.status_code, self.detail, self.code, self.param, self.headers)


def problem(
    status: int, message: str, code: str | None, param: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Give an error in the form of the OpenAI API."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, kind)
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers=headers)


def too_long(most: int) -> Refused:
    """Refuse a body."""
    return Refused(413, f"A request may have {most:,} bytes.", "too_long")


def try_again(message: str, code: str) -> JSONResponse:
    """Say that it is not the request's fault, and when to come again."""
    return problem(503, message, code, headers={"Retry-After": str(RETRY_SECONDS)})


def emergency_number(country: str) -> str:
    """Give the number to call where a life is in danger.

    Example:
        >>> emergency_number("GB")
        '999'
    """
    return " or ".join(find_country(country).emergency)


def with_number(country: str, message: str) -> str:
    """Give nobody a refusal without the number that helps at once.

    Example:
        >>> with_number("US", "Try again.")
        'Try again. If a life is in danger, call 911 now.'
    """
    return f"{message} If a life is in danger, call {emergency_number(country)} now."


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe errors for the documentation."""
    content = {"application/json": {"schema": SCHEMA}}
    return {status: {"description": MEANINGS[status], "content": content} for status in (*EVERYWHERE, *statuses)}
