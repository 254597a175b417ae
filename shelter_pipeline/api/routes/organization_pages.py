"""Pages of organizations: all of them in any order, and one with everything about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.addresses import Address
from shelter_pipeline.api.errors import not_found
from shelter_pipeline.api.page_questions import OrganizationsPageAsked
from shelter_pipeline.api.pages import page
from shelter_pipeline.api.parameters import PathName
from shelter_pipeline.api.routes.organizations import counting
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.upkeep import Upkept
from shelter_pipeline.catalog.browsing import OrganizationSearch
from shelter_pipeline.domain.verdict_words import VERDICTS
from shelter_pipeline.operations.ledger import portal_keys
from shelter_pipeline.operations.loss_lists import with_evidence
from shelter_pipeline.operations.organization_lists import (
    organization_whole,
    organizations_page,
)
from shelter_pipeline.operations.pages import Page
from shelter_pipeline.operations.read_datasets import DatasetQuestion, list_datasets
from shelter_pipeline.operations.statistics import overview

router = APIRouter(include_in_schema=False)
_HERE = "/browse/organizations"
_DATASETS = Page(limit=12)


@router.get(_HERE)
def organizations(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[OrganizationsPageAsked, Query()]
) -> Response:
    """Organizations by any column, filtered by words, verdict and portal."""
    whole = counting(upkeep, lambda: overview(serving.workplace))
    sort = asked.sort or "-datasets"
    search = OrganizationSearch(
        asked.words,
        asked.verdict,
        asked.portal,
        sort.removeprefix("-"),  # type: ignore[arg-type] # one of the columns, by its type
        sort.startswith("-"),
        tuple(VERDICTS),
    )
    found = organizations_page(serving.workplace, search, asked.page)
    return page(
        request,
        f"organizations{'-results' if asked.part else ''}.html",
        here=_HERE,
        title="Organizations",
        asked=asked,
        sort=sort,
        address=Address(_HERE, asked.told),
        whole=whole,
        verdicts=[word for word in VERDICTS if word in whole["organizations_by_verdict"]],
        portals=sorted(portal_keys(serving.workplace)),
        **found,
    )


@router.get(f"{_HERE}/{{key}}")
def organization(request: Request, serving: Serving, upkeep: Upkept, key: PathName) -> Response:
    """One organization: how far its rescue is, what failed and why, its losses, batches and datasets."""
    counting(upkeep, lambda: overview(serving.workplace))
    found = organization_whole(serving.workplace, key)
    if found is None:
        raise not_found(
            f"There is no organization {key!r}. The page Organizations lists those that there are."
        )
    datasets = list_datasets(serving.workplace, DatasetQuestion(organization=key), _DATASETS)
    return page(
        request,
        "organization.html",
        here=_HERE,
        title=found["name"],
        organization=found,
        datasets=datasets["items"],
        more_datasets=datasets["next"] is not None,
        losses=with_evidence(found["losses"]),
    )
