"""Portals as people look at them: what each has, how its last harvest ended, which are to be continued."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.connection import Catalog


def portal_overview(catalog: Catalog) -> list[dict[str, Any]]:
    """Every portal, oldest first; of headers only the names."""
    return [dict(row) for row in catalog.rows("portal_overview")]


def broken_off_harvests(catalog: Catalog, *, resume_hours: float) -> list[str]:
    """Slugs of the nightly portals whose newest harvest can be continued where it was broken off."""
    return [row["slug"] for row in catalog.rows("broken_off_harvests", resume_hours=resume_hours)]
