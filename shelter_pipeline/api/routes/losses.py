"""The feed of what was lost."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
