"""How nodes prove what they hold: uploads and challenges."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
