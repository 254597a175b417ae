"""Stand-in for part B, to be dropped at integration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.catalog.nodes import NodeRow
from shelter_pipeline.operations.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a node asks for."""

    free_bytes: int
    limit: int = 20
    bandwidth_mbps: float | None = None
    uptime_hours: float | None = None
    purposes: Sequence[str] = ("fetch", "copy")


@dataclass(frozen=True, slots=True)
class Allocation:
    """One file of a node's work."""

    asset_id: int
    url: str
    size_bytes: int | None
    estimated_bytes: int
    priority: int
    name: str
    purpose: str
    token: int
    lease_until: datetime
    lease_seconds: float
    sha256: str | None
    checksum: str | None
    expected_size: int | None
    format: str | None
    media_type: str | None
    accepted: Sequence[str]
    rejected: Sequence[str]
    host: str
    connections: int
    delay_seconds: float
    dataset_id: int | None
    dataset_title: str | None
    organization: str | None


@dataclass(frozen=True, slots=True)
class Beat:
    """Which leases live on."""

    renewed: set[int]
    lost: set[int]


def allocate_work(workplace: Workplace, node: NodeRow, wishes: Wishes) -> list[Allocation]:
    """Claims for a node."""
    lease = workplace.settings.lease_seconds
    rows = workplace.catalog.rows(
        "standin_allocate",
        node_id=node.id,
        holder=node.holder,
        limit=wishes.limit,
        free_bytes=wishes.free_bytes,
        lease_seconds=lease,
    )
    return [
        Allocation(
            **row,
            estimated_bytes=row["size_bytes"] or 10 * 1024**2,
            name=row["url"].rpartition("/")[2],
            purpose="fetch",
            lease_seconds=lease,
            sha256=None,
            accepted=(),
            rejected=(),
            connections=1,
            delay_seconds=1.0,
        )
        for row in rows
    ]


def beat(
    workplace: Workplace,
    node: NodeRow,
    tokens: Collection[int],
    begun: Collection[int] = (),
    free_bytes: int | None = None,
) -> Beat:
    """Renew leases."""
    del begun, free_bytes
    rows = workplace.catalog.rows(
        "standin_beat",
        tokens=list(tokens),
        node_id=node.id,
        lease_seconds=workplace.settings.lease_seconds,
    )
    renewed = {row["token"] for row in rows}
    return Beat(renewed, set(tokens) - renewed)


def release_work(
    workplace: Workplace, node: NodeRow, *, asset_ids: Sequence[int] | None = None, token: int | None = None
) -> int:
    """Give claims back."""
    named = list(asset_ids) if asset_ids is not None else None
    return workplace.catalog.count("standin_release", node_id=node.id, asset_ids=named, token=token)


def housekeep(workplace: Workplace) -> dict[str, int]:
    """Nothing to do."""
    del workplace
    return {}
