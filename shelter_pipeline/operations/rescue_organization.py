"""Score, plan, fetch and report one organization in this process, without a Dagster daemon."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from shelter_pipeline.catalog.batches import organization_batches
from shelter_pipeline.catalog.portals import PortalRow, list_portals, organization_id
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.ledger import reap_lost_work
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.report import report_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.source_records import keep_source_records
from shelter_pipeline.operations.workplace import Workplace

Progress = Callable[[str, int, int], None]


def rescue_organization(
    workplace: Workplace, organization: str, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Rescue all that is due of one organization; returns its report. Doing it again continues.

    SetupError if there is no such organization.
    """
    identity = organization_id(workplace.catalog, organization)
    reap_lost_work(workplace)  # no daemon does it here
    portals = list_portals(workplace.catalog)
    _discover(workplace, portals, identity)
    _fetch(workplace, organization, identity, progress)
    # What sent a page in place of a file is read for links now, and what it leads to is fetched too.
    if _discover(workplace, portals, identity):
        _fetch(workplace, organization, identity, progress)
    for portal in portals:
        # The files are what was asked for: a portal that withholds its sources does not fail their rescue.
        with suppress(ShelterError):
            keep_source_records(workplace, portal.slug, organization=organization)
    return report_organization(workplace, organization)


def _discover(workplace: Workplace, portals: Sequence[PortalRow], organization: int) -> int:
    """How many files were found that were not known."""
    found = 0
    for portal in portals:
        found += discover_resources(workplace, portal.slug, organization_id=organization)["assets"]
    return found


def _fetch(workplace: Workplace, organization: str, identity: int, progress: Progress | None) -> None:
    score_all(workplace)
    plan_organization(workplace, organization, urgent=True)
    for batch in organization_batches(workplace.catalog, identity):
        report = _reporter(progress, batch.key, batch.files)
        rescue_batch(workplace, batch.key, run_id=f"command-{uuid.uuid4()}", progress=report)


def _reporter(progress: Progress | None, key: str, files: int) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda settled, _bytes: progress(key, settled, files)
