"""What nodes say of themselves and of their work: registration, heartbeats, completion, sign-off."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
