"""Pages of lists: organizations, what is at risk, what was lost, the queue, volunteers, what goes on."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
