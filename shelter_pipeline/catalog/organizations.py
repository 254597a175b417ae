"""Which organizations changed: what the orchestration needs to keep their reports fresh."""

from __future__ import annotations

from shelter_pipeline.catalog.connection import Catalog


def settled_organizations(catalog: Catalog, *, since: str | None) -> list[tuple[str, str]]:
    """Organizations all of whose batches have ended, the newest of them after `since`.

    Each with the ISO time at which its last batch ended, oldest first; times are the
    database's.
    """
    rows = catalog.rows("settled_organizations", since=since)
    return [(row["key"], row["ended_at"]) for row in rows]
