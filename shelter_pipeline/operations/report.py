"""What stands after a rescue: expected against held, by organization and in all."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.organizations import note_report
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.catalog.progress import (
    OrganizationProgress,
    organization_progress,
    run_progress,
    totals,
)
from shelter_pipeline.operations.workplace import Workplace


def report_organization(workplace: Workplace, organization: str) -> dict[str, Any]:
    """The verdict on one organization: `{organization, verdict, datasets, expected_files, held_files, …}`.

    SetupError if there is no such organization.
    """
    identity = organization_id(workplace.catalog, organization)
    return as_report(organization_progress(workplace.catalog, identity)[0])


def publish_report(workplace: Workplace, organization: str) -> dict[str, Any]:
    """The same, for a place where it stands until the next one: from now on it is not due before something changes."""
    # Before the numbers are read: what changes meanwhile makes it due again.
    note_report(workplace.catalog, organization_id(workplace.catalog, organization))
    return report_organization(workplace, organization)


def report_all(workplace: Workplace) -> list[dict[str, Any]]:
    """The verdict on every organization, in the order they were found."""
    return [as_report(progress) for progress in organization_progress(workplace.catalog)]


def as_report(progress: OrganizationProgress) -> dict[str, Any]:
    """The contract of `shelter rescue --json`, and the outcomes that are no files."""
    return {
        "organization": progress.organization,
        "verdict": progress.verdict,
        "datasets": progress.datasets,
        "expected_files": progress.expected_files,
        "held_files": progress.held_files,
        "held_bytes": progress.held_bytes,
        "failed": progress.failed,
        "not_files": progress.not_files,
        "waiting_files": progress.waiting_files,
    }


def report_status(workplace: Workplace) -> dict[str, Any]:
    """The totals of the whole rescue."""
    return dict(totals(workplace.catalog))


def report_progress(workplace: Workplace) -> dict[str, int]:
    """How far a rescue under way is, in counts that only rise."""
    return run_progress(workplace.catalog)
