"""The rescue in numbers, as last counted: organizations, and the whole by state and by type of file."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog import summaries
from shelter_pipeline.operations.pages import Page, by_id, portal_named
from shelter_pipeline.operations.workplace import Workplace


def overview(workplace: Workplace) -> dict[str, Any] | None:
    """The whole in counts, with `counted_at`; None if it was never counted."""
    return _told(summaries.read_summary(workplace.catalog, "overview"))


def file_types(workplace: Workplace) -> dict[str, Any] | None:
    """`{kinds, formats, counted_at}`, most files first; None if they were never counted."""
    return _told(summaries.read_summary(workplace.catalog, "file-types"))


def organization_statistics(workplace: Workplace, *, limit: int) -> dict[str, Any] | None:
    """`{counted_at, organizations, by_verdict, items}`, most datasets first; None if they were never counted."""
    whole = overview(workplace)
    if whole is None:
        return None
    return {
        "counted_at": whole["counted_at"],
        "organizations": whole["organizations"],
        "by_verdict": whole["organizations_by_verdict"],
        "items": summaries.largest_organizations(workplace.catalog, limit=limit),
    }


def list_organizations(workplace: Workplace, portal: str | None, page: Page) -> dict[str, Any]:
    """`{items, next}`: organizations by id. BadCursorError, UnknownNameError."""
    asked = {"organizations_of": portal}
    rows = summaries.list_organizations(
        workplace.catalog,
        portal_id=portal_named(workplace, portal),
        after=page.begins_after_id(asked),
        limit=page.rows,
    )
    return page.of(rows, asked, by_id)


def read_organization(workplace: Workplace, key: str) -> dict[str, Any] | None:
    """One organization as it stood when it was last counted; None if there is none of this key."""
    return summaries.read_organization(workplace.catalog, key)


def _told(counted: summaries.Counted | None) -> dict[str, Any] | None:
    return None if counted is None else {**counted.body, "counted_at": counted.counted_at}
