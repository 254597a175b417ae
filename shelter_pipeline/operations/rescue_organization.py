"""Score, plan, fetch and report one organization in this process, without a Dagster daemon."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from shelter_pipeline.catalog.batches import AtWork, BatchRow, organization_batches, others_at_work
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
Waiting = Callable[[Sequence[AtWork]], None]
_LOOK_SECONDS = 2.0


def rescue_organization(
    workplace: Workplace,
    organization: str,
    *,
    progress: Progress | None = None,
    waiting: Waiting | None = None,
) -> dict[str, Any]:
    """Rescue all that is due of one organization; returns its report. Doing it again continues.

    Beside a fleet it shares the work: no file is fetched twice, and what others have in hand is
    waited for, until they have ended it or their leases have; `waiting` is told who they are, every
    few seconds. SetupError if there is no such organization.
    """
    identity = organization_id(workplace.catalog, organization)
    reap_lost_work(workplace)  # no daemon does it here
    portals = list_portals(workplace.catalog)
    _discover(workplace, portals, identity)
    _fetch(workplace, organization, identity, progress, waiting)
    # What sent a page in place of a file is read for links now, and what it leads to is fetched too.
    if _discover(workplace, portals, identity):
        _fetch(workplace, organization, identity, progress, waiting)
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


def _fetch(
    workplace: Workplace, organization: str, identity: int, progress: Progress | None, waiting: Waiting | None
) -> None:
    """Each open batch once: those that nobody works on, then those that others have let go of."""
    score_all(workplace)
    plan_organization(workplace, organization, urgent=True)
    done: set[str] = set()
    while True:
        others = [each for each in others_at_work(workplace.catalog, identity) if each.key not in done]
        busy = {each.key for each in others}
        free = [batch for batch in _open(workplace, identity) if batch.key not in done | busy]
        for batch in free:
            report = _reporter(progress, batch.key, batch.files)
            result = rescue_batch(workplace, batch.key, run_id=f"command-{uuid.uuid4()}", progress=report)
            if result.state != "running":  # else somebody came between, and is waited for
                done.add(batch.key)
        if not free and not others:
            return
        if not free:
            if waiting is not None:
                waiting(others)
            time.sleep(_LOOK_SECONDS)


def _open(workplace: Workplace, identity: int) -> list[BatchRow]:
    return organization_batches(workplace.catalog, identity)


def _reporter(progress: Progress | None, key: str, files: int) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda settled, _bytes: progress(key, settled, files)
