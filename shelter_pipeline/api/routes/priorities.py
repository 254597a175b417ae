"""Why a file or a dataset comes when it does, in words."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.errors import failures, not_found
from shelter_pipeline.api.parameters import Id
from shelter_pipeline.api.services import Serving
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.explain import explain
from shelter_pipeline.operations.workplace import Workplace

router = APIRouter(tags=["priorities"])
_SECONDS = 60


@router.get("/assets/{asset_id}/priority", response_model=dict[str, Any], responses=failures(404, 422))
def asset_priority(request: Request, serving: Serving, asset_id: Id) -> Response:
    """The score of a file: its level from 1 to 10, ten first, and each part of it with the facts behind."""
    return answer(
        request, _explained(serving.workplace, str(asset_id), f"asset {asset_id}"), seconds=_SECONDS
    )


@router.get("/datasets/{dataset_id}/priority", response_model=dict[str, Any], responses=failures(404, 422))
def dataset_priority(request: Request, serving: Serving, dataset_id: Id) -> Response:
    """The scores of a dataset's files, and why the first of them comes when it does."""
    named = f"dataset:{dataset_id}"
    return answer(request, _explained(serving.workplace, named, f"dataset {dataset_id}"), seconds=_SECONDS)


def _explained(workplace: Workplace, named: str, thing: str) -> dict[str, Any]:
    try:
        return explain(workplace, named)
    except SetupError:
        raise not_found(f"there is no {thing}") from None
