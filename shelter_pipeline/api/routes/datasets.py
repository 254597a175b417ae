"""Datasets: lists, search, and one with all that is known of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.errors import failures, not_found
from shelter_pipeline.api.parameters import Id
from shelter_pipeline.api.public_url import base_of
from shelter_pipeline.api.questions import ByOrganizationAsked, DatasetsAsked, SearchAsked
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.shapes import Dataset, Found, Listed, WholeDataset
from shelter_pipeline.api.standings import Organization
from shelter_pipeline.api.upkeep import UPKEEP_SECONDS, Upkept
from shelter_pipeline.operations.read_datasets import (
    DatasetQuestion,
    list_datasets,
    portal_record,
    read_dataset,
    search_datasets,
)
from shelter_pipeline.operations.statistics import list_organizations

router = APIRouter(tags=["datasets"])
_LIST_SECONDS, _ONE_SECONDS = 30, 60


@router.get("/datasets", response_model=Listed[Dataset], responses=failures(404, 422))
def datasets(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[DatasetsAsked, Query()]
) -> Response:
    """Datasets by filter, or by words, each with how much of it is held."""
    if asked.q is not None:
        upkeep.words.ask(wait_seconds=UPKEEP_SECONDS)
    question = DatasetQuestion(**asked.model_dump(exclude={"limit", "after"}))
    return answer(request, list_datasets(serving.workplace, question, asked.page), seconds=_LIST_SECONDS)


@router.get("/datasets/search", response_model=Found, responses=failures(404, 422))
def search(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[SearchAsked, Query()]
) -> Response:
    """Datasets by their words, the most relevant first, with the words marked. Links and identifiers work too."""
    upkeep.words.ask(wait_seconds=UPKEEP_SECONDS)
    question = DatasetQuestion(**asked.model_dump(exclude={"limit", "after", "q"}))
    found = search_datasets(serving.workplace, asked.q, question, asked.page)
    return answer(request, found, seconds=_LIST_SECONDS)


@router.get(
    "/datasets/by-organization",
    response_model=Listed[Organization] | Listed[Dataset],
    responses=failures(404, 422),
)
def by_organization(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[ByOrganizationAsked, Query()]
) -> Response:
    """How many datasets each organization has and what of them is held; or the datasets of one organization."""
    if asked.organization is not None:
        question = DatasetQuestion(organization=asked.organization)
        return answer(request, list_datasets(serving.workplace, question, asked.page), seconds=_LIST_SECONDS)
    upkeep.counts.ask(wait_seconds=UPKEEP_SECONDS)
    return answer(request, list_organizations(serving.workplace, None, asked.page), seconds=_LIST_SECONDS)


@router.get("/datasets/{dataset_id}", response_model=WholeDataset, responses=failures(404, 422))
def dataset(request: Request, serving: Serving, dataset_id: Id) -> Response:
    """One dataset with its links, its files and their hashes, its losses and its older versions."""
    found = read_dataset(serving.workplace, dataset_id)
    if found is None:
        raise not_found(
            f"there is no dataset {dataset_id}; /datasets?slug= and /datasets/search?q= find them by name"
        )
    answered = answer(request, found, seconds=_ONE_SECONDS)
    beside = f"{base_of(request)}/browse/datasets/{dataset_id}"
    answered.headers["Link"] = f'<{beside}>; rel="alternate"; type="text/html"'
    return answered


@router.get(
    "/datasets/{dataset_id}/record",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {}}, "description": "JSON of the portal, whatever it has."},
        **failures(404, 422),
    },
)
def record(request: Request, serving: Serving, dataset_id: Id) -> Response:
    """The portal's own record of a dataset, as canonical JSON; `record_hash` changes when it says something else."""
    found = portal_record(serving.workplace, dataset_id)
    if found is None:
        raise not_found(f"there is no dataset {dataset_id}")
    return answer(request, found, seconds=_ONE_SECONDS)
