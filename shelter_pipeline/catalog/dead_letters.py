"""Files that were given up because they ended every worker that tried, and people's word that brings them back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shelter_pipeline.catalog.connection import Catalog


def list_dead_letters(
    catalog: Catalog, *, limit: int, after: tuple[datetime, int] | None = None
) -> list[dict[str, Any]]:
    """Files that were given up, the latest first: why, when, and who held them when they ended; a page at a time."""
    when, asset_id = after or (None, None)
    return [dict(row) for row in catalog.rows("list_dead_letters", limit=limit, when=when, asset_id=asset_id)]


def revive(catalog: Catalog, urls: list[str] | None, *, who: str, why: str) -> list[int]:
    """Want these files again, or all that were given up; returns those that were. The decision is kept."""
    return [row["asset_id"] for row in catalog.rows("revive", urls=urls, who=who, why=why)]
