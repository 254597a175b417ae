"""Cut what an organization still wants into batches."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.batches import (
    organization_batches,
    plannable_assets,
    want_again,
    write_batches,
)
from shelter_pipeline.catalog.organizations import note_asked
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.operations.workplace import Workplace

_SHOWN = ("key", "host", "state", "urgent", "files", "bytes")
_MOST_SHOWN = 50


def plan_organization(workplace: Workplace, organization: str, *, urgent: bool) -> dict[str, Any]:
    """Plan the batches of one organization; planning again adds only what is not planned yet.

    Returns `{organization, new, open, files, bytes, batches}`: the keys of new batches and of all
    that are still to run, with the files and expected bytes of the new ones; and the first of
    those that are still to run as `{key, host, state, urgent, files, bytes}`, host None for several.
    """
    settings = workplace.settings
    identity = organization_id(workplace.catalog, organization)
    limits = BatchLimits(settings.batch_max_files, settings.batch_max_bytes, settings.batch_min_files)
    if urgent:
        note_asked(workplace.catalog, identity)
        want_again(workplace.catalog, identity)
    planned = plan_batches(plannable_assets(workplace.catalog, identity), limits)
    new = write_batches(workplace.catalog, identity, organization, planned, urgent=urgent)
    still_to_run = organization_batches(workplace.catalog, identity)
    return {
        "organization": organization,
        "new": new,
        "open": [batch.key for batch in still_to_run],
        "files": sum(len(batch.asset_ids) for batch in planned),
        "bytes": sum(batch.bytes for batch in planned),
        "batches": [{name: getattr(batch, name) for name in _SHOWN} for batch in still_to_run[:_MOST_SHOWN]],
    }
