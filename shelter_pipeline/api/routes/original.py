"""The documented requests of the original system, as they stand: allocate, release, update-ckan."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
