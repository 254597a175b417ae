"""What the rescue comes to in counts, as reads answer it, for /docs and for whoever writes a client.

Sizes are bytes, times ISO 8601 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field


class Organization(BaseModel):
    """An organization as it stood at `counted_at`; null: it is newer than the last count."""

    id: int
    organization: str
    slug: str
    name: str
    kind: str | None
    portal: str
    claimed_datasets: int | None
    verdict: str | None
    datasets: int
    absent_datasets: int
    expected_files: int
    held_files: int
    held_bytes: int
    waiting_files: int
    resting_files: int
    undiscovered: int
    failed: dict[str, int]
    not_files: dict[str, int]
    counted_at: datetime | None


class OrganizationStatistics(BaseModel):
    """Organizations in numbers, those with most datasets first."""

    counted_at: datetime
    organizations: int
    by_verdict: dict[str, int]
    items: list[Organization]


class PortalCount(BaseModel):
    """A portal, and when it was last read."""

    portal: str
    kind: str
    url: str
    datasets: int
    harvested_at: datetime | None
    complete_at: datetime | None


class Overview(BaseModel):
    """The whole rescue in numbers."""

    counted_at: datetime
    portals: int
    organizations: int
    datasets: int
    absent_datasets: int
    resources: int
    files: int
    held_files: int
    held_bytes: int
    pending_files: int
    failed_files: int
    live_claims: int
    planned_batches: int
    running_batches: int
    failed_batches: int
    suspected_losses: int
    organizations_by_verdict: dict[str, int]
    losses: Annotated[dict[str, dict[str, int]], Field(description="By state and kind.")]
    portal_list: list[PortalCount]


class TypeCount(BaseModel):
    """Files of one type; `name` is null where it is not known."""

    name: str | None
    files: int
    held_files: int
    pending_files: int
    failed_files: int
    held_bytes: int


class FileTypes(BaseModel):
    """Files by kind and by the format that catalogues promise, most first."""

    counted_at: datetime
    kinds: list[TypeCount]
    formats: list[TypeCount]


class KindCounts(BaseModel):
    """Files by kind, most first."""

    counted_at: datetime
    items: list[TypeCount]
