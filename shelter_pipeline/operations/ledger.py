"""What the skins ask of the catalog's ledger: which portals, organizations and batches there are, what runs next."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import inf
from typing import Any

from shelter_pipeline.catalog import batches, organizations, portals
from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.batches import BatchRow
from shelter_pipeline.catalog.portal_overview import broken_off_harvests, portal_overview
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.standing import era
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.portal_headers import parse_header
from shelter_pipeline.logs import told
from shelter_pipeline.operations.fleet import fleet_slots
from shelter_pipeline.operations.node_work import housekeep
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.registry import parse_portal

_log = logging.getLogger(__name__)


def add_portal(
    workplace: Workplace,
    text: str,
    *,
    slug: str | None = None,
    headers: Sequence[str] | None = None,
    delay_seconds: float | None = None,
    nightly: bool | None = None,
) -> PortalRow:
    """The portal of `KIND:URL`, added if it is new; what is given of a known one is changed.

    `headers` are lines `Name: value`. SetupError when the text is no portal or a line no
    header, for a header that holds a secret instead of naming it, and for a delay that is no time.
    """
    kind, url = parse_portal(text)
    if delay_seconds is not None and not 0 <= delay_seconds < inf:
        raise SetupError(
            f"the delay between requests is a number of seconds, and {delay_seconds} is none",
            reason="bad-setting",
        )
    return portals.add_portal(
        workplace.catalog,
        kind,
        url,
        slug=slug,
        nightly=nightly,
        headers=None if headers is None else dict(parse_header(line) for line in headers),
        delay_seconds=delay_seconds,
    )


def portal_table(workplace: Workplace) -> list[dict[str, Any]]:
    """Every portal: how it is opened (headers by name only), what it has, how its last harvest ended."""
    return portal_overview(workplace.catalog)


def broken_harvests(workplace: Workplace) -> list[str]:
    """The partition keys of nightly portals whose last harvest can be continued where it was broken off."""
    return broken_off_harvests(workplace.catalog, resume_hours=workplace.settings.harvest_resume_hours)


def portal_keys(workplace: Workplace, *, nightly_only: bool = False) -> list[str]:
    """The partition key of every portal, or of those that the nightly harvest reads."""
    return [portal.slug for portal in portals.list_portals(workplace.catalog, nightly_only=nightly_only)]


def organization_keys(workplace: Workplace, portal: str | None = None) -> list[str]:
    """The partition key of every organization, or of those of one portal, in the order they were found."""
    return portals.organization_keys(workplace.catalog, portal)


def download_slots(workplace: Workplace) -> int:
    """How many batches can run at once: on the fleet as it is alive, or without one on this machine."""
    slots = fleet_slots(workplace)
    return workplace.settings.max_concurrent_runs if slots is None else slots


def next_batches(
    workplace: Workplace,
    *,
    limit: int,
    in_flight: Sequence[str] = (),
    busy_hosts: Sequence[str] = (),
    taken_hosts: Sequence[str] = (),
) -> list[BatchRow]:
    """Batches that should run now, best first, one a host, without those that are already with Dagster.

    At `busy_hosts` only urgent ones, at `taken_hosts` none.
    """
    return batches.planned_batches(
        workplace.catalog, limit=limit, exclude=in_flight, busy_hosts=busy_hosts, taken_hosts=taken_hosts
    )


def asked_for(workplace: Workplace, keys: Sequence[str]) -> set[str]:
    """Those of these waiting batches that a person has asked for."""
    return batches.urgent_among(workplace.catalog, keys) if keys else set()


def catalog_era(workplace: Workplace) -> int:
    """Which life of the catalog this is: 0 until it was restored from a backup."""
    return era(workplace.catalog)


def reap_lost_work(workplace: Workplace) -> dict[str, int]:
    """Take back claims whose lease ran out and batches whose run is gone: `{expired_claims, requeued_batches}`.

    What nodes may help with is queued on the way.
    """
    settings = workplace.settings
    kept = housekeep(workplace)
    taken = batches.reap(
        workplace.catalog,
        max_asset_attempts=settings.asset_max_attempts,
        max_batch_attempts=settings.batch_max_attempts,
    )
    taken |= {"expired_claims": taken["expired_claims"] + kept["expired_claims"]}
    if any(taken.values()):
        _log.warning("lost work was taken back", extra=told(**taken))
    return taken


def release_run(
    workplace: Workplace, run_id: str, *, key: str | None, attempt: int | None, rest_minutes: int = 0
) -> list[str]:
    """Free all that a run held which is known to be dead; returns the batches that wait again."""
    return batches.release_run(
        workplace.catalog,
        run_id,
        max_attempts=workplace.settings.batch_max_attempts,
        key=key,
        attempt=attempt,
        rest_minutes=rest_minutes,
    )


def due_reports(workplace: Workplace, *, most: int) -> list[str]:
    """Organizations whose last report is no longer true; those under way every few minutes at most."""
    return organizations.due_reports(
        workplace.catalog, rest_seconds=workplace.settings.report_every_seconds, most=most
    )


def audit_catalog(workplace: Workplace) -> dict[str, Any]:
    """How often each invariant of the catalog is broken; all zero when it can be trusted."""
    return dict(audit(workplace.catalog))
