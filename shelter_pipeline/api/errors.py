"""Every way a request can fail, as one JSON shape: a slug for programs and a sentence for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from shelter_pipeline.api.pages import POLICY, trouble_page, wants_html
from shelter_pipeline.api.public_url import base_of
from shelter_pipeline.api.schema_trouble import trouble_with
from shelter_pipeline.domain.errors import CatalogAwayError, ShelterError, TransientError

_log = logging.getLogger(__name__)
RETRY_SECONDS = 2
CKAN_PATHS = ("/api/3/", "/api/action/")
_MOST_PROBLEMS = 20
_UNAUTHORIZED = (
    "unauthorized",
    "this needs a token that is good for it: send it as Authorization: Bearer shelter_…",
)
_INTERNAL = ("internal", "something is wrong on our side; it has been noted")


class Problem(BaseModel):
    """What was wrong with one part of a request."""

    where: str
    problem: str


class Failure(BaseModel):
    """The body of every answer that is not what was asked for."""

    error: str
    message: str
    problems: list[Problem] = []


class CkanFailure(BaseModel):
    """The same at a path of CKAN's API, in the envelope that CKAN's clients read."""

    help: str
    success: Literal[False]
    error: dict[str, Any]


class ApiError(Exception):
    """An answer other than what was asked for; `reason` is the slug that programs read."""

    def __init__(
        self, status: int, reason: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = headers or {}


def not_found(message: str) -> ApiError:
    """404 for a thing that is not there, or is not the caller's to see."""
    return ApiError(404, "not-found", message)


def unauthorized() -> ApiError:
    """401, in the same words whatever is wrong with the token."""
    return ApiError(401, *_UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: these statuses with the common body.

    What any request may get (400, 401, 408, 429, 503, and for bodies 403, 409, 413, 415, 422) is documented already.
    """
    return {status: {"model": Failure, "description": HTTPStatus(status).phrase} for status in statuses}


def handle_errors(app: FastAPI) -> None:
    """Turn whatever is raised in a route into the common body; `api.guard` does so with what nobody foresaw."""

    @app.exception_handler(ApiError)
    async def _of_ours(_request: Request, error: ApiError) -> JSONResponse:
        return answer(error.status, error.reason, error.message, headers=error.headers)

    @app.exception_handler(CatalogAwayError)
    def _away(
        request: Request, error: CatalogAwayError
    ) -> JSONResponse:  # in a thread: it may ask the catalog
        _log.warning("%s", error)
        return unavailable(*trouble_with(request, error))

    @app.exception_handler(TransientError)
    async def _transient(_request: Request, error: TransientError) -> JSONResponse:
        return unavailable(error.reason, str(error), error.retry_after_seconds)

    @app.exception_handler(ShelterError)
    async def _shelter(_request: Request, error: ShelterError) -> JSONResponse:
        return answer(_OF_NAMES.get(error.reason, 422), error.reason, str(error))

    @app.exception_handler(UnicodeEncodeError)
    async def _half_characters(_request: Request, _error: UnicodeEncodeError) -> JSONResponse:
        return answer(422, "bad-request", "the request has text that is no Unicode: lone surrogates")

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            {"where": _printable(".".join(map(str, one["loc"]))), "problem": _printable(str(one["msg"]))}
            for one in error.errors()[:_MOST_PROBLEMS]
        ]
        if all(one["loc"][0] == "path" for one in error.errors()):
            message = "there is nothing at this path: the name or number in it is none"
            return answer(404, "not-found", message, problems=problems)
        return answer(422, "bad-request", "the request is not as documented", problems=problems)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code in _OF_THE_FRAMEWORK:
            return answer(error.status_code, *_OF_THE_FRAMEWORK[error.status_code], headers=headers)
        reason = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return answer(error.status_code, reason, str(error.detail), headers=headers)


# What is well said and names what is not there: a page, an organization, an address.
_OF_NAMES = {"bad-cursor": 404, "unknown-name": 404, "bad-url": 404}
_OF_THE_FRAMEWORK = {
    400: ("bad-request", "the body is no JSON that we can read"),
    404: ("not-found", "there is nothing at this path; /docs shows what there is"),
    405: ("method-not-allowed", "this path does not know that method; /docs shows which it knows"),
    413: ("too-large", "the body is larger than this API takes"),
}


def method_not_allowed(methods: Iterable[str]) -> JSONResponse:
    """405, and the methods that the path knows."""
    return answer(405, *_OF_THE_FRAMEWORK[405], headers={"Allow": ", ".join(methods)})


def internal() -> JSONResponse:
    """500, saying nothing of what happened."""
    return answer(500, *_INTERNAL)


def unavailable(reason: str, message: str, seconds: float | None = None) -> JSONResponse:
    """503, and when to come again."""
    return answer(503, reason, message, headers={"Retry-After": str(max(1, round(seconds or RETRY_SECONDS)))})


def failure_body(reason: str, message: str) -> bytes:
    """The common body, for whoever answers without the application."""
    return bytes(JSONResponse({"error": reason, "message": message, "problems": []}).body)


def unauthorized_body() -> bytes:
    """The body of every 401."""
    return failure_body(*_UNAUTHORIZED)


def answer(
    status: int,
    reason: str,
    message: str,
    *,
    problems: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An answer in the common shape, and at CKAN's paths in CKAN's."""
    body = {"error": reason, "message": _printable(message), "problems": problems or []}
    return _Refusal(body, status, headers)


class _Refusal(JSONResponse):
    """The common body, put as the clients of its path read it, and as a page where a person waits for one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(CKAN_PATHS):
            said = json.loads(bytes(self.body))
            kind = _OF_CKAN.get(self.status_code, f"{HTTPStatus(self.status_code).phrase} Error")
            name = quote(scope["path"].rpartition("/")[2])
            self.body = self.render(
                {
                    "help": f"{base_of(Request(scope))}/api/3/action/help_show?name={name}",
                    "success": False,
                    "error": {"__type": kind, "message": said["message"], "reason": said["error"]},
                }
            )
            self.headers["Content-Length"] = str(len(self.body))
        elif wants_html(scope):
            said = json.loads(bytes(self.body))
            self.body = trouble_page(self.status_code, said["error"], said["message"], said["problems"])
            self.headers["Content-Length"] = str(len(self.body))
            self.headers["Content-Type"] = "text/html; charset=utf-8"
            self.headers["Content-Security-Policy"] = POLICY
        await super().__call__(scope, receive, send)


# The types that CKAN's clients know; a status that CKAN has none for is named by its own words.
_OF_CKAN = {
    401: "Authorization Error",
    403: "Authorization Error",
    404: "Not Found Error",
    409: "Validation Error",
    503: "Search Index Error",
}


def _printable(text: str) -> str:
    # A message may quote what was sent, half characters included.
    return text.encode(errors="replace").decode()[:1000]
