"""Answers for people: HTML that nothing in it can make do anything, and trouble told on a page of the same kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.types import Scope

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.public_url import dagster_of
from shelter_pipeline.presentation.rendering import render

BROWSE = "/browse/"
# Only what we serve ourselves; nothing inline, so that text which slipped through every other net does nothing.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_KEPT_SECONDS = 5
_RETRY_SECONDS = 10
_HEADINGS = {
    404: "There is nothing here",
    408: "That took too long to ask",
    422: "That cannot be asked",
    429: "That was a lot at once",
    500: "This page could not be made",
    503: "Shelter cannot answer at the moment",
}
_OF_REASONS = {
    "catalog-away": "The catalog does not answer",
    "catalog-migrating": "The catalog is being brought up to date",
    "catalog-outdated": "The catalog waits to be brought up to date",
    "catalog-mismatch": "The catalog is not what was expected",
    "catalog-newer": "This program is older than its catalog",
    "store-away": "The store does not answer",
    "too-broad": "That would take too long to find out",
    "bad-cursor": "This page of the list is not there any more",
}
_OTHERWISE = "That did not work"


def page(
    request: Request, template: str, *, here: str = "", seconds: int = _KEPT_SECONDS, **values: Any
) -> Response:
    """The page of this template, or 304; it may be kept for so many seconds. `here` is its place in the navigation."""
    html = render(template, here=here, dagster=dagster_of(request), **values)
    answered = answer(request, html, seconds=seconds, media_type="text/html; charset=utf-8")
    answered.headers["Content-Security-Policy"] = POLICY
    answered.headers["Vary"] = "Accept"
    return answered


def wants_html(scope: Scope) -> bool:
    """Whether a person waits for the answer: at a page, or with a browser that goes to an address by itself."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    accepted = Headers(scope=scope).get("accept", "")
    if scope["path"].startswith(BROWSE) or scope["path"] == "/":
        return "application/json" not in accepted or "text/html" in accepted
    return "text/html" in accepted


def trouble_page(status: int, reason: str, message: str, problems: Sequence[Mapping[str, str]] = ()) -> bytes:
    """A page that says what is going on, without anything of the catalog's; a 503 asks again by itself."""
    heading = _OF_REASONS.get(reason) or _HEADINGS.get(status, _OTHERWISE)
    return render(
        "trouble.html",
        title=heading,
        here="",
        dagster=None,
        heading=heading,
        message=message,
        problems=problems,
        status=status,
        retry_seconds=_RETRY_SECONDS if status == 503 else None,  # noqa: PLR2004 - RFC 9110, 15.6.4
    ).encode()
