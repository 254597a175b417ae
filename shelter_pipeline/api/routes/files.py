"""Held bytes by their SHA-256, with ranges."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
