"""What is not safe yet, what comes next, what waits for a person, who helps: as counted last, with files as of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.catalog import browsing, summaries
from shelter_pipeline.catalog.reading import Rows
from shelter_pipeline.catalog.watch_lists import REFUSING, SHOWN, URGENT_LEVEL
from shelter_pipeline.domain.asset_words import where_it_stands
from shelter_pipeline.domain.counts import most_first
from shelter_pipeline.operations.explain import explain_assets
from shelter_pipeline.operations.loss_lists import by_holding, with_evidence
from shelter_pipeline.operations.status import active_seconds
from shelter_pipeline.operations.workplace import Workplace

_SHOWN = 10
_REASONS_SHOWN = 3
NODES_A_PAGE = 50
_GIVEN = ("brought_files", "brought_bytes", "copies_good", "bytes_good", "copies_claimed")


def at_risk(workplace: Workplace) -> dict[str, Any] | None:
    """What may still be lost, list by list with its counts; None if it was never counted.

    `{counted_at, losses, missing, urgent, refusing, silent, most_hosts, copies, unproved, unconfirmed, wanted_copies,
    level}`; hosts are the `most_hosts` that keep most files from us.
    """
    counted = summaries.read_summary(workplace.catalog, "at-risk")
    if counted is None:
        return None
    body = counted.body
    unproved = [asset_id for row in body["copies"] for asset_id in row["first"]]
    newest = sorted((loss_id for row in body["losses"] for loss_id in row["newest"]), reverse=True)
    missing = [
        loss
        for loss in browsing.loss_cards(workplace.catalog, newest[: 2 * _SHOWN])
        if loss["state"] in ("suspected", "confirmed") and loss["holding"] != "whole"
    ]
    return {
        "counted_at": counted.counted_at,
        "level": URGENT_LEVEL,
        "wanted_copies": workplace.settings.wanted_copies,
        "losses": by_holding(body["losses"]),
        "missing": with_evidence(missing[:_SHOWN]),
        "urgent": {**body["urgent"], "items": _urgent(workplace, body["urgent"]["first"])},
        **_hosts(body["hosts"]),
        "most_hosts": SHOWN,
        "copies": body["copies"],
        "unproved": _lines(workplace, unproved, states=("held",)),
        "unconfirmed": {
            **body["unconfirmed"],
            "items": _lines(workplace, body["unconfirmed"]["first"], states=("held",)),
        },
    }


def queue(workplace: Workplace) -> dict[str, Any] | None:
    """`{counted_at, levels, first, dead, more_dead, running, planned, failed}`; None if it was never counted."""
    counted = summaries.read_summary(workplace.catalog, "queue")
    if counted is None:
        return None
    return {
        "counted_at": counted.counted_at,
        "levels": counted.body["levels"],
        "first": _urgent(workplace, counted.body["first"], states=("pending",)),
        "dead": _lines(workplace, counted.body["dead"], states=("dead",)),
        "more_dead": counted.body["more_dead"],
        **browsing.batches_at_work(workplace.catalog, limit=_SHOWN),
    }


def volunteers(workplace: Workplace, number: int) -> dict[str, Any] | None:
    """`{counted_at, items, total, active, working, pages, page, first_rank, sums}`: nodes, who gave most first.

    None if it was never counted. Of a node only its nickname and what it gave are told, and not why one is paused.
    """
    skip = (number - 1) * NODES_A_PAGE
    found = browsing.volunteers(
        workplace.catalog,
        active_seconds=active_seconds(workplace),
        skip=skip,
        limit=NODES_A_PAGE,
    )
    if found is None:
        return None
    together, items = found
    return {
        **{name: together[name] for name in ("counted_at", "total", "active", "working")},
        "items": items,
        "page": number,
        "pages": max(1, -(-together["total"] // NODES_A_PAGE)),
        "first_rank": skip + 1,
        "sums": {name: together[name] for name in _GIVEN},
    }


def _hosts(counted: Sequence[Mapping[str, Any]]) -> dict[str, Rows]:
    """Hosts that mostly refuse, and those that are mostly silent."""
    found: dict[str, Rows] = {"refusing": [], "silent": []}
    for row in counted:
        reasons = most_first(row["reasons"])
        found["refusing" if reasons[0][0] in REFUSING else "silent"].append({**row, "reasons": reasons})
    return found


def _lines(workplace: Workplace, asset_ids: Sequence[int], *, states: Sequence[str]) -> Rows:
    """The first of these files that are still in one of the states, each with where it stands in words."""
    lines = browsing.file_lines(workplace.catalog, asset_ids)
    return [
        {**line, "stands": where_it_stands(line["state"], line["reason"])}
        for line in lines
        if line["state"] in states
    ][:_SHOWN]


def _urgent(
    workplace: Workplace, asset_ids: Sequence[int], *, states: Sequence[str] = ("pending", "failed", "dead")
) -> Rows:
    """The same with why they come first."""
    lines = _lines(workplace, asset_ids, states=states)
    explained = explain_assets(workplace, [line["id"] for line in lines])
    return [{**line, "because": _because(one)} for line, one in zip(lines, explained, strict=True)]


def _because(explained: Mapping[str, Any]) -> list[str]:
    told = [part["because"] for part in explained["parts"] if part["part"] > 0][:_REASONS_SHOWN]
    if explained["pinned"] or explained["level_set"] or explained["boost"]:
        told.insert(0, "an operator has put it forward")
    return told
