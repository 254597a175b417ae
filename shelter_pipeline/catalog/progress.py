"""What is expected and what is held, by organization, by batch and in all: the numbers every report shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shelter_pipeline.catalog.connection import Catalog


@dataclass(frozen=True, slots=True)
class OrganizationProgress:
    """Where the rescue of one organization stands. Files are distinct assets; `failed` counts those not held."""

    organization: str
    name: str
    datasets: int
    expected_files: int
    held_files: int
    held_bytes: int
    waiting_files: int  # never tried
    resting_files: int  # tried, to be tried again
    failed: dict[str, int]
    not_files: dict[str, int]
    undiscovered: int

    @property
    def verdict(self) -> str:
        """The organization's state in one word.

        `empty`: lists no file; `waiting`: not tried yet; `in-progress`: work is left;
        `complete`: every expected file is held; `unreachable`: none is; else `partial`.
        """
        if self.undiscovered or self.waiting_files:
            return "in-progress" if self.held_files or self.failed else "waiting"
        if not self.expected_files:
            return "empty"
        if self.held_files == self.expected_files:
            return "complete"
        return "partial" if self.held_files else "unreachable"


def organization_progress(catalog: Catalog, organization_id: int | None = None) -> list[OrganizationProgress]:
    """The progress of one organization, or of all in the order they were found."""
    return [
        OrganizationProgress(**row)
        for row in catalog.rows("organization_progress", organization_id=organization_id)
    ]


def totals(catalog: Catalog) -> dict[str, int]:
    """The state of the whole rescue: counts of everything, bytes held."""
    return {name: int(value) for name, value in catalog.rows("totals")[0].items()}


def run_progress(catalog: Catalog) -> dict[str, int]:
    """How far harvest, discovery, scores and batches are; cheap enough to ask every second."""
    return {name: int(value or 0) for name, value in catalog.rows("run_progress")[0].items()}


def batch_report(catalog: Catalog, batch_id: int) -> list[dict[str, Any]]:
    """The files of a batch by state and reason."""
    return [dict(row) for row in catalog.rows("batch_report", batch_id=batch_id)]


def manifest_entries(catalog: Catalog, batch_id: int) -> list[dict[str, Any]]:
    """What all runs of a batch have captured, with the datasets each file belongs to."""
    return [dict(row) for row in catalog.rows("manifest_entries", batch_id=batch_id)]


def dataset_records(catalog: Catalog, batch_id: int) -> dict[str, str]:
    """The portals' own records behind a batch, by the SHA-256 of their bytes in hex."""
    return {row["record"]: row["raw"] for row in catalog.rows("dataset_records", batch_id=batch_id)}
