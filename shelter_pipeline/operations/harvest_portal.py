"""Refresh the catalog from a portal: read every page, merge it, judge whether all was seen, mark absences.

A page that was merged stays merged, whatever happens after it. Only a harvest that saw
all the portal says it has may conclude that something is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shelter_pipeline.catalog.harvests import (
    begin_harvest,
    end_harvest,
    mark_absences,
    record_page,
    record_witness,
    recover_absences,
    refusals_of,
)
from shelter_pipeline.catalog.portals import PortalRow, find_portal
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.harvests import judge_completeness
from shelter_pipeline.domain.records import Witness
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.protocol import Portal
from shelter_pipeline.portals.registry import open_portal

Progress = Callable[[int, int | None], None]
_NOBODY_THERE = frozenset({"dns-failed", "connect-failed", "private-address", "port-not-allowed", "bad-url"})


@dataclass(slots=True)
class _Tally:
    read: int = 0
    expected: int | None = None


def harvest_portal(workplace: Workplace, slug: str, *, progress: Progress | None = None) -> dict[str, Any]:
    """One harvest of the portal of this slug into the catalog.

    Returns `{portal, verdict, expected, seen, new, changed, unchanged, refused, delisted,
    resources, seconds}` and, beyond the contract, `message`, `witness`, `requests`,
    `duplicates` and the first `refusals`. A portal that cannot be reached is a verdict,
    not an exception; SetupError if there is no such portal.
    """
    settings = workplace.settings
    portal = find_portal(workplace.catalog, slug)
    harvest_id = begin_harvest(workplace.catalog, portal)
    tally = _Tally()
    message: str | None = None
    finished = False
    try:
        driver = open_portal(
            portal.kind, portal.url, workplace.reader, page_max_bytes=settings.page_max_bytes
        )
        _read_all(workplace, portal, harvest_id, driver, tally, progress)
        finished = True
    except ShelterError as error:
        message = str(error)
    except BaseException:
        end_harvest(
            workplace.catalog, harvest_id, verdict="interrupted", message="the harvest was interrupted"
        )
        raise
    verdict = judge_completeness(finished=finished, read=tally.read, expected=tally.expected)
    delisted = 0
    recover_absences(workplace.catalog, portal, harvest_id)
    if verdict == "complete":
        absences = mark_absences(
            workplace.catalog, portal, harvest_id, breaker_fraction=settings.loss_breaker_fraction
        )
        delisted = absences.delisted
        if absences.breaker:
            message = (
                f"{absences.missing} datasets are missing at once, more than"
                f" {settings.loss_breaker_fraction:.0%} of the portal: taken for a fault, nothing is marked as lost"
            )
    row = end_harvest(workplace.catalog, harvest_id, verdict=verdict, message=message, delisted=delisted)
    return _report(workplace, portal, harvest_id, row)


def _read_all(
    workplace: Workplace,
    portal: PortalRow,
    harvest_id: int,
    driver: Portal,
    tally: _Tally,
    progress: Progress | None,
) -> None:
    witness = _hear(driver)
    tally.expected = witness.total
    record_witness(workplace.catalog, portal, harvest_id, witness)
    already_seen: set[str] = set()
    for page in driver.pages():
        counts = record_page(
            workplace.catalog,
            portal,
            harvest_id,
            page.records,
            already_seen=already_seen,
            cursor=page.cursor,
            requests=page.requests,
        )
        tally.read += counts.seen + counts.refused
        if progress:
            progress(tally.read, tally.expected)


def _hear(driver: Portal) -> Witness:
    """What the portal says of itself; a portal that only fails to count itself is read all the same."""
    try:
        return driver.witness()
    except ShelterError as error:
        if error.reason in _NOBODY_THERE:
            raise
        return Witness(f"none: {error}", None)


def _report(workplace: Workplace, portal: PortalRow, harvest_id: int, row: dict[str, Any]) -> dict[str, Any]:
    counted = [
        "verdict",
        "expected",
        "seen",
        "new",
        "changed",
        "unchanged",
        "refused",
        "delisted",
        "resources",
    ]
    return {
        "portal": portal.slug,
        **{name: row[name] for name in counted},
        "seconds": round(float(row["seconds"]), 3),
        **{name: row[name] for name in ("message", "witness", "requests", "duplicates")},
        "refusals": refusals_of(workplace.catalog, harvest_id),
    }
