"""Every way a request can fail, as one JSON shape: a slug for programs and a sentence for people."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shelter_pipeline.domain.errors import CatalogAwayError, ShelterError

_log = logging.getLogger(__name__)
RETRY_SECONDS = 2


class Problem(BaseModel):
    """What was wrong with one part of a request."""

    where: str
    problem: str


class Failure(BaseModel):
    """The body of every answer that is not what was asked for."""

    error: str
    message: str
    problems: list[Problem] = []


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


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: these statuses with the common body."""
    return {status: {"model": Failure} for status in statuses}


def handle_errors(app: FastAPI) -> None:
    """Turn whatever is raised in a route into the common body."""

    @app.exception_handler(ApiError)
    def _of_ours(_request: Request, error: ApiError) -> JSONResponse:
        return _answer(error.status, error.reason, error.message, headers=error.headers)

    @app.exception_handler(CatalogAwayError)
    def _away(_request: Request, _error: CatalogAwayError) -> JSONResponse:
        return _answer(
            503,
            "catalog-away",
            "the catalog does not answer at the moment; try again soon",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )

    @app.exception_handler(ShelterError)
    def _shelter(_request: Request, error: ShelterError) -> JSONResponse:
        return _answer(422, error.reason, str(error))

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            {"where": ".".join(map(str, one["loc"])), "problem": str(one["msg"])} for one in error.errors()
        ]
        return _answer(422, "bad-request", "the request is not as documented", problems=problems)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, "http", str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    def _ours(_request: Request, error: Exception) -> JSONResponse:
        _log.error("a request failed", exc_info=error)
        return _answer(500, "internal", "something is wrong on our side; it has been noted")


def _answer(
    status: int,
    reason: str,
    message: str,
    *,
    problems: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    body = {"error": reason, "message": message, "problems": problems or []}
    return JSONResponse(body, status, headers)
