"""Pages of the work: what is at risk, what comes next, who helps, what goes on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.addresses import Address
from shelter_pipeline.api.page_questions import ActivityPageAsked, NodesPageAsked
from shelter_pipeline.api.pages import page
from shelter_pipeline.api.public_url import base_of
from shelter_pipeline.api.remembered import remembered
from shelter_pipeline.api.routes.organizations import counting
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.upkeep import Upkept
from shelter_pipeline.operations.activity import captures_page, goings_on
from shelter_pipeline.operations.statistics import overview
from shelter_pipeline.operations.watch_lists import at_risk, queue, volunteers

router = APIRouter(include_in_schema=False)
_ACTIVITY, _NODES = "/browse/activity", "/browse/nodes"


def _counted(serving: Serving, upkeep: Upkept) -> None:
    """Wait for the first counts beside all others who do: what is remembered is found out by one after the other."""
    counting(upkeep, lambda: overview(serving.workplace))


@router.get("/browse/at-risk")
def risks(request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """What is not safe yet, and why."""
    # Why each file comes first is some forty short reads: they are made now and then, not for every visitor.
    _counted(serving, upkeep)
    found = remembered(request, "page at-risk", lambda: counting(upkeep, lambda: at_risk(serving.workplace)))
    return page(request, "at-risk.html", here="/browse/at-risk", title="At risk", **found)


@router.get("/browse/queue")
def waiting(request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """What is fetched next and why, what is under way, what waits for a person."""
    _counted(serving, upkeep)
    found = remembered(request, "page queue", lambda: counting(upkeep, lambda: queue(serving.workplace)))
    return page(request, "queue.html", here="/browse/queue", title="The queue", **found)


@router.get(_NODES)
def nodes(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[NodesPageAsked, Query()]
) -> Response:
    """Volunteers by what they gave, and how to become one."""
    _counted(serving, upkeep)

    def find() -> dict[str, Any]:
        return counting(upkeep, lambda: volunteers(serving.workplace, asked.page))

    # The first page is what nearly everybody asks for; further ones are not all kept in mind.
    found = remembered(request, "page nodes", find) if asked.page == 1 else find()
    return page(
        request,
        "nodes.html",
        here=_NODES,
        title="Volunteers",
        address=Address(_NODES, asked.told),
        base=base_of(request),
        **found,
    )


@router.get(_ACTIVITY)
def activity(request: Request, serving: Serving, asked: Annotated[ActivityPageAsked, Query()]) -> Response:
    """What goes on just now, and what was fetched, back in time."""
    return page(
        request,
        "activity.html",
        here=_ACTIVITY,
        title="Activity",
        before=asked.before,
        address=Address(_ACTIVITY, asked.told),
        now=goings_on(serving.workplace) if asked.before is None else None,
        **captures_page(serving.workplace, before=asked.before),
    )
