"""Whether the system is well, what it counts, and what may be asked of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from shelter_pipeline.api.docs_page import DOCS_POLICY, docs_page
from shelter_pipeline.api.services import Serving

router = APIRouter(tags=["system"])


class Health(BaseModel):
    """All is well; otherwise the answer is a 503."""

    status: str
    version: str


@router.get("/health")
def health(request: Request, serving: Serving) -> Health:
    """Whether the API and its catalog answer: 200 if so, 503 if not."""
    serving.pulse.check()
    return Health(status="healthy", version=request.app.version)


@router.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
def metrics(serving: Serving) -> Response:
    """Everything Prometheus wants to know, whether or not the catalog answers."""
    return Response(serving.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Everything that may be asked, for people."""
    page = docs_page(request.app.openapi(), str(request.base_url).rstrip("/"))
    return HTMLResponse(page, headers={"Content-Security-Policy": DOCS_POLICY})
