"""Losses as people read them: whether it is gone, whether we have it, and how that is known."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog import browsing, summaries
from shelter_pipeline.catalog.browsing import LossSearch
from shelter_pipeline.catalog.reading import Rows
from shelter_pipeline.domain.loss_words import evidence_told, headline
from shelter_pipeline.operations.workplace import Workplace

PAGE_ROWS = 25
# For one page, of losses of which it has to be found out what we hold: some tenths of a second.
LOOKED_THROUGH = 50_000


def losses_listed(workplace: Workplace, search: LossSearch, *, before: int | None) -> dict[str, Any]:
    """`{items, next, looked_through}`: a page of losses, newest first; `next` is what the next is `before`, or None.

    `looked_through` is None, or how many losses were looked at where that is why the page is not full.
    TooBroadError where what is asked for is so rare that a page of it is not found in seconds.
    """
    # What we hold of a loss is looked up loss by loss; those of one organization are found by what it has.
    window = LOOKED_THROUGH if search.holding and search.organization is None else None
    rows = browsing.find_losses(workplace.catalog, search, before=before, limit=PAGE_ROWS + 1, window=window)
    items = rows[:PAGE_ROWS]
    following, looked_through = None, None
    if len(rows) > PAGE_ROWS:
        following = items[-1]["id"]
    elif window is not None:
        following = browsing.end_of_window(workplace.catalog, before=before, window=window)
        looked_through = window if following is not None else None
    return {"items": with_evidence(items), "next": following, "looked_through": looked_through}


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
