"""The page of what was lost: gone from its portal, and whether we have it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.addresses import Address
from shelter_pipeline.api.page_questions import LossesPageAsked
from shelter_pipeline.api.pages import page
from shelter_pipeline.api.routes.organizations import counting
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.upkeep import Upkept
from shelter_pipeline.catalog.browsing import LossSearch
from shelter_pipeline.domain.losses import KINDS, STATES
from shelter_pipeline.operations.ledger import portal_keys
from shelter_pipeline.operations.loss_lists import loss_figures, losses_listed

router = APIRouter(include_in_schema=False)
_HERE = "/browse/losses"


@router.get(_HERE)
def losses(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[LossesPageAsked, Query()]
) -> Response:
    """Losses with their evidence, newest first."""
    figures = counting(upkeep, lambda: loss_figures(serving.workplace))
    search = LossSearch(asked.states, asked.kind, asked.portal, asked.organization, asked.held)
    found = losses_listed(serving.workplace, search, before=asked.before)
    return page(
        request,
        f"losses{'-results' if asked.part else ''}.html",
        here=_HERE,
        title="What was lost",
        asked=asked,
        address=Address(_HERE, asked.told),
        figures=figures,
        states=STATES,
        kinds=KINDS,
        portals=sorted(portal_keys(serving.workplace)),
        **found,
    )
