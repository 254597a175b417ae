"""The front page: the whole rescue at a glance, and for programs where to read on."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.pages import page, wants_html

router = APIRouter(tags=["system"])
_SECONDS = 60


class Index(BaseModel):
    """Where to go from here."""

    name: str
    summary: str
    version: str
    docs: str
    openapi: str
    health: str
    metrics: str


@router.get(
    "/",
    response_model=Index,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def overview(request: Request) -> Response:
    """The rescue at a glance as a page; as JSON, for who asks for that, what this is and where to read on."""
    if wants_html(request.scope):
        return page(request, "overview.html", title="Overview", here="/")
    index = Index(
        name=request.app.title,
        summary=request.app.summary,
        version=request.app.version,
        docs="/docs",
        openapi="/openapi.json",
        health="/health",
        metrics="/metrics",
    )
    return answer(request, index.model_dump(), seconds=_SECONDS)
