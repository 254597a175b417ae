"""Organizations as people look through them: any column sorts, words and verdicts filter, one is shown whole."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog import browsing, summaries
from shelter_pipeline.catalog.browsing import OrganizationSearch
from shelter_pipeline.catalog.reading import Rows, TooBroadError
from shelter_pipeline.domain.counts import most_first
from shelter_pipeline.operations.workplace import Workplace

PAGE_ROWS = 50
_BATCHES = 12
_LOSSES = 6
_LOOKING_SECONDS = 1.0  # for losses of one among many: a page is whole without them
_ANNOUNCED = ("suspected", "confirmed")


def organizations_page(workplace: Workplace, search: OrganizationSearch, number: int) -> dict[str, Any]:
    """`{items, total, page, pages}`: the organizations of one page, and how many fit; pages are numbered from 1."""
    items, total = browsing.find_organizations(
        workplace.catalog, search, skip=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS
    )
    pages = max(1, -(-total // PAGE_ROWS))
    return {"items": [_told(item) for item in items], "total": total, "page": number, "pages": pages}


def organization_whole(workplace: Workplace, key: str) -> dict[str, Any] | None:
    """One organization with its latest batches and the losses that stand; None if there is none of this key.

    `more_losses` without any says that nobody could tell in time.
    """
    found = summaries.read_organization(workplace.catalog, key)
    if found is None:
        return None
    losses = _newest_losses(workplace, key)
    return {
        **_told(found),
        "batches": browsing.latest_batches(workplace.catalog, found["id"], limit=_BATCHES),
        "losses": (losses or [])[:_LOSSES],
        "more_losses": losses is None or len(losses) > _LOSSES,
    }


def _newest_losses(workplace: Workplace, key: str) -> Rows | None:
    """Some of its standing losses; None where so much was lost elsewhere that they are not found in time."""
    search = browsing.LossSearch(_ANNOUNCED, organization=key)
    try:
        return browsing.find_losses(
            workplace.catalog, search, before=None, limit=_LOSSES + 1, seconds=_LOOKING_SECONDS
        )
    except TooBroadError:
        return None


def _told(item: dict[str, Any]) -> dict[str, Any]:
    failed = most_first(item["failed"])
    # A file that rests is counted by its reason as well.
    lacking = item["expected_files"] - item["held_files"] - item["waiting_files"] - item["resting_files"]
    return {
        **item,
        "failed": failed,
        "failed_files": sum(count for _, count in failed),
        "lacking_files": max(lacking, 0),
        "not_files": most_first(item["not_files"]),
    }
