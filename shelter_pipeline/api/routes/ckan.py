"""The Action API of CKAN over the rescued catalog, for whoever has tools for it."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
