"""Losses as people read them: whether it is gone, whether we have it, and how that is known."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog import browsing, summaries
from shelter_pipeline.catalog.browsing import LossSearch
from shelter_pipeline.catalog.reading import Rows
from shelter_pipeline.domain.loss_words import evidence_told, headline
from shelter_pipeline.operations.workplace import Workplace

PAGE_ROWS = 25


def losses_listed(workplace: Workplace, search: LossSearch, *, before: int | None) -> dict[str, Any]:
    """`{items, next}`: a page of losses, newest first, and the id that the next one is `before`, or None.

    TooBroadError where what is asked for is so rare that a page of it is not found in seconds.
    """
    rows = browsing.find_losses(workplace.catalog, search, before=before, limit=PAGE_ROWS + 1)
    items = rows[:PAGE_ROWS]
    return {
        "items": with_evidence(items),
        "next": items[-1]["id"] if len(rows) > PAGE_ROWS else None,
    }


def with_evidence(losses: Rows) -> Rows:
    """Each with its `headline` and its `told` evidence."""
    return [{**loss, "headline": headline(loss), "told": evidence_told(loss)} for loss in losses]


def loss_figures(workplace: Workplace) -> dict[str, Any] | None:
    """`{counted_at, standing, states}`: losses that stand by what we hold, and all by state; None if never counted."""
    risks = summaries.read_summary(workplace.catalog, "at-risk")
    whole = summaries.read_summary(workplace.catalog, "overview")
    if risks is None or whole is None:
        return None
    return {
        "counted_at": risks.counted_at,
        "standing": by_holding(risks.body["losses"]),
        "states": {state: sum(kinds.values()) for state, kinds in whole.body["losses"].items()},
    }


def by_holding(counted: Rows) -> dict[str, dict[str, int]]:
    """`{confirmed, suspected}` by holding, datasets and links together, and `datasets` and `links` over both."""
    found = {
        state: dict.fromkeys(("whole", "part", "nothing"), 0)
        for state in ("confirmed", "suspected", "datasets", "links")
    }
    for row in counted:
        found[row["state"]][row["holding"]] += row["datasets"] + row["links"]
        found["datasets"][row["holding"]] += row["datasets"]
        found["links"][row["holding"]] += row["links"]
    return found
