"""The styles, scripts and pictures of pages, to be kept for ever: another version has another path."""

from __future__ import annotations

from fastapi import APIRouter, Response

from shelter_pipeline.api.errors import not_found
from shelter_pipeline.presentation.statics import PREFIX, static_file

router = APIRouter()


@router.get(f"{PREFIX}{{path:path}}", include_in_schema=False)
async def static(path: str) -> Response:
    """A file of this very version."""
    found = static_file(f"{PREFIX}{path}")
    if found is None:
        raise not_found("there is no such file, or not in this version")
    return Response(
        found.content,
        media_type=found.media_type,
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
