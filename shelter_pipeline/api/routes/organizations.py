"""Organizations, and the rescue in numbers, as last counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.errors import ApiError, failures, not_found
from shelter_pipeline.api.parameters import PathName
from shelter_pipeline.api.questions import LargestAsked, OrganizationsAsked
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.shapes import Listed
from shelter_pipeline.api.standings import FileTypes, Organization, OrganizationStatistics, Overview
from shelter_pipeline.api.upkeep import Upkeeps, Upkept
from shelter_pipeline.operations.statistics import (
    file_types,
    list_organizations,
    organization_statistics,
    overview,
    read_organization,
)

router = APIRouter(tags=["organizations and statistics"])
_SECONDS = 30
_FIRST_COUNT_SECONDS = 4.0  # how long the very first request waits for counts
_COUNT_AGAIN_SECONDS = 15


def counting(upkeep: Upkeeps, read: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    """What was counted last; a count that is due is begun, and waited for only if there is none yet.

    Raises ApiError 503 if the first count takes its time.
    """
    upkeep.counts.ask(wait_seconds=0)
    found = read()
    if found is None:
        upkeep.counts.ask(wait_seconds=_FIRST_COUNT_SECONDS, for_others=True)
        found = read()
    if found is None:
        raise ApiError(
            503,
            "counting",
            "the catalog is being counted for the first time; ask again in a while",
            headers={"Retry-After": str(_COUNT_AGAIN_SECONDS)},
        )
    return found


@router.get("/organizations", response_model=Listed[Organization], responses=failures(404, 422))
def organizations(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[OrganizationsAsked, Query()]
) -> Response:
    """Organizations, each as its rescue stood when it was last counted."""
    upkeep.counts.ask(wait_seconds=0)
    return answer(request, list_organizations(serving.workplace, asked.portal, asked.page), seconds=_SECONDS)


@router.get("/organizations/{key}", response_model=Organization, responses=failures(404, 422))
def organization(request: Request, serving: Serving, upkeep: Upkept, key: PathName) -> Response:
    """One organization as its rescue stood when it was last counted."""
    upkeep.counts.ask(wait_seconds=0)
    found = read_organization(serving.workplace, key)
    if found is None:
        raise not_found(f"there is no organization {key!r}; /organizations lists them")
    return answer(request, found, seconds=_SECONDS)


@router.get("/stats/overview", response_model=Overview, responses=failures(503))
def stats_overview(request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """The whole rescue in numbers."""
    return answer(request, counting(upkeep, lambda: overview(serving.workplace)), seconds=_SECONDS)


@router.get("/stats/organizations", response_model=OrganizationStatistics, responses=failures(422, 503))
def stats_organizations(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[LargestAsked, Query()]
) -> Response:
    """How the rescues of organizations stand, those with most datasets first."""
    found = counting(upkeep, lambda: organization_statistics(serving.workplace, limit=asked.limit))
    return answer(request, found, seconds=_SECONDS)


@router.get("/stats/file-types", response_model=FileTypes, responses=failures(503))
def stats_file_types(request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """Files by kind and by format: how many, and how many of them are held."""
    return answer(request, counting(upkeep, lambda: file_types(serving.workplace)), seconds=_SECONDS)
