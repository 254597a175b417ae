"""Pages of datasets: the search, a dataset whole, a file with all its captures."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
