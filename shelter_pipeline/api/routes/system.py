"""Whether the system is well, and how much it has done."""

from __future__ import annotations

from fastapi import APIRouter

from shelter_pipeline.api.errors import failures
from shelter_pipeline.api.services import Serving

router = APIRouter()


@router.get("/health", responses=failures(503))
def health(serving: Serving) -> dict[str, str]:
    """Whether the API and its catalog answer."""
    serving.workplace.catalog.rows("totals")
    return {"status": "healthy"}
