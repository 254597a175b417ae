"""Pages of lists: organizations, what is at risk, what was lost, the queue, volunteers, what goes on."""

from __future__ import annotations

from fastapi import APIRouter

from shelter_pipeline.api.routes import loss_pages, organization_pages, work_pages

router = APIRouter(include_in_schema=False)
for _pages in (organization_pages, loss_pages, work_pages):
    router.include_router(_pages.router)
