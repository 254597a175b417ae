"""Where the catalog shows that something is wrong; read from small tables and indexes, at every look."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.connection import Catalog


def failed_harvests(catalog: Catalog) -> list[dict[str, Any]]:
    """Nightly portals whose last harvest is no good: `{portal, verdict, message, started_at, trouble}`."""
    return [dict(row) for row in catalog.rows("failed_harvests")]


def failed_batches(catalog: Catalog) -> list[dict[str, Any]]:
    """Organizations with batches that wait for a person: `{organization, batches, first}`."""
    return [dict(row) for row in catalog.rows("failed_batches")]


def stuck_queue(catalog: Catalog, *, hours: float) -> dict[str, Any] | None:
    """`{batches, since}` if batches are due for so many hours and nothing moved in that time."""
    return next((dict(row) for row in catalog.rows("stuck_queue", seconds=hours * 3600)), None)


def silent_workers(catalog: Catalog, *, silent_seconds: float) -> list[dict[str, Any]]:
    """Workers that fell silent without a word: `{name, host, beat_at, silent_seconds}`."""
    return [dict(row) for row in catalog.rows("silent_workers", silent_seconds=silent_seconds)]
