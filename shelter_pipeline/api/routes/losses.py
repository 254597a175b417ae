"""The feed of what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.errors import ApiError, failures
from shelter_pipeline.api.questions import FeedAsked, LossesAsked
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.shapes import Listed, Loss
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.losses import LossFilters, losses_page, losses_rss

router = APIRouter(tags=["losses"])
_SECONDS = 60
_RSS = "application/rss+xml"


@router.get("/losses", response_model=Listed[Loss], responses=failures(404, 422))
def losses(request: Request, serving: Serving, asked: Annotated[LossesAsked, Query()]) -> Response:
    """What is gone, newest first, how sure that is, and what of it is held here."""
    with _known_names():
        found = losses_page(serving.workplace, asked.page, _filters(asked))
    return answer(request, found, seconds=_SECONDS)


@router.get(
    "/losses.rss",
    response_class=Response,
    responses={200: {"content": {_RSS: {}}, "description": "RSS 2.0."}, **failures(404, 422)},
)
def feed(request: Request, serving: Serving, asked: Annotated[FeedAsked, Query()]) -> Response:
    """The losses as a feed for a reader of news, the latest change first."""
    wanted: LossFilters = {**_filters(asked), "limit": asked.limit}
    with _known_names():
        text = losses_rss(serving.workplace, **wanted)
    return answer(request, text, seconds=_SECONDS, media_type=_RSS)


def _filters(asked: Any) -> LossFilters:
    return {
        "states": None if asked.state is None else [asked.state],
        "kinds": None if asked.kind is None else [asked.kind],
        "organization": asked.organization,
        "portal": asked.portal,
        "since": asked.since,
    }


@contextmanager
def _known_names() -> Iterator[None]:
    """A portal or an organization that is not there is a 404."""
    try:
        yield
    except SetupError as error:
        raise ApiError(404, "unknown-name", str(error)) from error
