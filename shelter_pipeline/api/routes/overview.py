"""The front page: the whole rescue at a glance, and for programs where to read on."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.pages import page, wants_html
from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.services import services_of
from shelter_pipeline.api.upkeep import upkeep_of
from shelter_pipeline.operations.overview import read_live, read_overview
from shelter_pipeline.presentation.live import activity_entries, live_figures
from shelter_pipeline.presentation.overview import overview_values

router = APIRouter(tags=["system"])
_SECONDS = 60
_FIRST_COUNT_SECONDS = 3.0  # how long whoever comes first waits for the first counts
_ACTIVITY = 12


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
        return _front_page(request)
    index = Index(
        name=request.app.title,
        summary=request.app.summary,
        version=request.app.version,
        docs="/docs",
        openapi="/openapi.json",
        health="/health",
        metrics="/metrics",
    )
    answered = answer(request, index.model_dump(), seconds=_SECONDS)
    answered.headers["Vary"] = "Accept"  # or who keeps it would show it to people, too
    return answered


def _front_page(request: Request) -> Response:
    workplace, counts = services_of(request).workplace, upkeep_of(request).counts
    counts.ask(wait_seconds=0)
    whole = remembered(request, "overview", lambda: read_overview(workplace))
    if whole is None:
        counts.ask(wait_seconds=_FIRST_COUNT_SECONDS, for_others=True)
        whole = read_overview(workplace)
    if whole is None:
        return page(request, "overview-counting.html", title="Overview", here="/", seconds=0)
    if not whole["datasets"]:
        return page(request, "overview-empty.html", title="Overview", here="/", seconds=0)
    live = remembered(request, "front", lambda: read_live(workplace, captures=_ACTIVITY))
    return page(
        request,
        "overview.html",
        title="Overview",
        here="/",
        live=live_figures(live.figures),
        entries=activity_entries(live.activity),
        **overview_values(whole),
    )
