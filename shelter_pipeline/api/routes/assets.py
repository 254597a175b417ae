"""Resources, files and captures: what each link led to, what became of each file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.errors import failures, not_found
from shelter_pipeline.api.parameters import Id
from shelter_pipeline.api.questions import AssetsAsked, Paging, ResourcesAsked
from shelter_pipeline.api.routes.organizations import counting
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.shapes import Capture, File, Listed, OwnedFile, Resource, WholeCapture
from shelter_pipeline.api.standings import KindCounts
from shelter_pipeline.api.upkeep import Upkept
from shelter_pipeline.operations.read_files import (
    AssetQuestion,
    ResourceQuestion,
    list_assets,
    list_captures,
    list_resources,
    read_asset,
    read_capture,
    read_resource,
)
from shelter_pipeline.operations.statistics import file_types

router = APIRouter(tags=["files"])
_LIST_SECONDS, _ONE_SECONDS, _CAPTURE_SECONDS = 30, 30, 86_400


@router.get("/resources", response_model=Listed[Resource], responses=failures(404, 422))
def resources(request: Request, serving: Serving, asked: Annotated[ResourcesAsked, Query()]) -> Response:
    """Links of datasets, each with what looking at it came to."""
    question = ResourceQuestion(**asked.model_dump(exclude={"limit", "after"}))
    return answer(request, list_resources(serving.workplace, question, asked.page), seconds=_LIST_SECONDS)


@router.get("/resources/{resource_id}", response_model=Resource, responses=failures(404, 422))
def resource(request: Request, serving: Serving, resource_id: Id) -> Response:
    """One link of a dataset; `/assets?resource=` lists the files it led to."""
    found = read_resource(serving.workplace, resource_id)
    if found is None:
        raise not_found(f"there is no resource {resource_id}")
    return answer(request, found, seconds=_ONE_SECONDS)


@router.get("/assets", response_model=Listed[File], responses=failures(404, 422))
def assets(request: Request, serving: Serving, asked: Annotated[AssetsAsked, Query()]) -> Response:
    """Files by filter: by their URL, dead or alive, by hash, host, state, size, dataset."""
    question = AssetQuestion(**asked.model_dump(exclude={"limit", "after"}))
    return answer(request, list_assets(serving.workplace, question, asked.page), seconds=_LIST_SECONDS)


@router.get("/assets/by-type", response_model=KindCounts, responses=failures(503))
def by_type(request: Request, serving: Serving, upkeep: Upkept) -> Response:
    """How many files there are of each kind, and how many of them are held."""
    found = counting(upkeep, lambda: file_types(serving.workplace))
    body = {"counted_at": found["counted_at"], "items": found["kinds"]}
    return answer(request, body, seconds=_LIST_SECONDS)


@router.get("/assets/{asset_id}", response_model=OwnedFile, responses=failures(404, 422))
def asset(request: Request, serving: Serving, asset_id: Id) -> Response:
    """One file: where it stands, in words too, and which datasets list it."""
    found = read_asset(serving.workplace, asset_id)
    if found is None:
        raise not_found(f"there is no asset {asset_id}; /assets?url= finds files by their URL")
    return answer(request, found, seconds=_ONE_SECONDS)


@router.get("/assets/{asset_id}/captures", response_model=Listed[Capture], responses=failures(404, 422))
def captures(request: Request, serving: Serving, asset_id: Id, asked: Annotated[Paging, Query()]) -> Response:
    """Every attempt at a file, newest first."""
    found = list_captures(serving.workplace, asset_id, asked.page)
    if found is None:
        raise not_found(f"there is no asset {asset_id}")
    return answer(request, found, seconds=_ONE_SECONDS)


@router.get("/captures/{capture_id}", response_model=WholeCapture, responses=failures(404, 422))
def capture(request: Request, serving: Serving, capture_id: Id) -> Response:
    """One attempt with the heads of its requests and replies: where bytes came from, and when."""
    found = read_capture(serving.workplace, capture_id)
    if found is None:
        raise not_found(f"there is no capture {capture_id}")
    return answer(request, found, seconds=_CAPTURE_SECONDS)
