"""Which organizations changed since their last report, and when a person asked for one."""

from __future__ import annotations

from shelter_pipeline.catalog.connection import Catalog


def due_reports(catalog: Catalog, *, rest_seconds: float, most: int) -> list[str]:
    """Partition keys of organizations whose last report is no longer true, those that waited longest first.

    One under way is due `rest_seconds` after its last report at the soonest; one of which
    nothing runs any more, and one that a person has just asked for, at once.
    """
    return [row["key"] for row in catalog.rows("due_reports", rest_seconds=rest_seconds, most=most)]


def note_report(catalog: Catalog, organization_id: int) -> None:
    """Say that a report is being made: to be called before the numbers are read, so that no change is missed."""
    catalog.count("note_report", organization_id=organization_id)


def note_asked(catalog: Catalog, organization_id: int) -> None:
    """Say that a person asks for this organization."""
    catalog.count("note_asked", organization_id=organization_id)
