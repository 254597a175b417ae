"""What nodes send and get about their work, in the words of docs/how-to/node-protocol.md."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from shelter_pipeline.api.moments import Moment
from shelter_pipeline.api.node_access import NodeName
from shelter_pipeline.api.parameters import WHOLE, Body, Key
from shelter_pipeline.domain.node_protocol import GB, MB, MOST_ALLOCATED, MOST_TOKENS
from shelter_pipeline.operations.node_work import Allocation

_MOST_GB = 1e9
_MOST_UPDATES = 10_000
Gigabytes = Annotated[float, Field(ge=0, le=_MOST_GB, allow_inf_nan=False)]
Purpose = Literal["fetch", "copy"]
Level = Annotated[int, Field(ge=1, le=10), WHOLE]


def _every_purpose() -> list[Purpose]:
    return ["fetch", "copy"]


class StrictBody(Body):
    """A body whose known fields are of their types and nothing near them: no "10", no true for 1."""

    model_config = ConfigDict(strict=True)


class AllocateBody(StrictBody):
    """What a node can take, and wants."""

    node_id: NodeName
    free_space_gb: Gigabytes
    limit: Annotated[int, Field(ge=1, le=MOST_ALLOCATED), WHOLE] = 20
    bandwidth_mbps: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = None
    uptime_hours: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=2)] = Field(
        default_factory=_every_purpose
    )

    @property
    def free_bytes(self) -> int:
        """The room that the node has, in bytes."""
        return int(self.free_space_gb * GB)


class DatasetOfItem(Body):
    """The dataset that a file belongs to, the first of several."""

    id: int
    title: str
    organization: str | None


class AllocatedItem(Body):
    """One file of a node's work. The first five fields are those of the original system."""

    id: int
    url: str
    size_mb: float  # an estimate where `size_bytes` is null
    priority: int
    name: str
    size_bytes: int | None
    purpose: Literal["fetch", "copy"]
    token: int
    lease_until: Moment
    lease_seconds: float
    sha256: str | None
    mirror: str | None
    checksum: str | None
    expected_size: int | None
    format: str | None
    media_type: str | None
    accepted: list[str]
    rejected: list[str]
    host: str
    connections: int
    delay_seconds: float
    dataset: DatasetOfItem | None

    @classmethod
    def of(cls, found: Allocation) -> AllocatedItem:
        """What is sent of an allocation."""
        size = found.estimated_bytes if found.size_bytes is None else found.size_bytes
        dataset = (
            None
            if found.dataset_id is None
            else DatasetOfItem(
                id=found.dataset_id, title=found.dataset_title or "", organization=found.organization
            )
        )
        return cls(
            id=found.asset_id,
            url=found.url,
            size_mb=round(size / MB, 6),
            priority=found.priority,
            name=found.name,
            size_bytes=found.size_bytes,
            purpose="copy" if found.purpose == "copy" else "fetch",
            token=found.token,
            lease_until=found.lease_until,
            lease_seconds=found.lease_seconds,
            sha256=found.sha256,
            mirror=f"/files/{found.sha256}" if found.purpose == "copy" else None,
            checksum=found.checksum,
            expected_size=found.expected_size,
            format=found.format,
            media_type=found.media_type,
            accepted=list(found.accepted),
            rejected=list(found.rejected),
            host=found.host,
            connections=found.connections,
            delay_seconds=found.delay_seconds,
            dataset=dataset,
        )


class ReleaseBody(StrictBody):
    """What a node gives back: one file, several, or everything; with `token` only what is under that lease."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": kind}}}
                for name, kind in (("asset_id", "integer"), ("asset_ids", "array"), ("all", "boolean"))
            ]
        }
    )
    node_id: NodeName
    asset_id: Key | None = None
    asset_ids: Annotated[list[Key], Field(min_length=1, max_length=MOST_TOKENS)] | None = None
    all: Literal[True] | None = None
    token: Key | None = None

    @model_validator(mode="after")
    def _names_something(self) -> ReleaseBody:
        if self.asset_id is None and not self.asset_ids and not self.all:
            raise ValueError('say what to give back: "asset_id", "asset_ids" or "all": true')
        return self

    @property
    def named(self) -> list[int] | None:
        """The files that are given back; None: all."""
        if self.all:
            return None
        single = [] if self.asset_id is None else [self.asset_id]
        return sorted({*single, *(self.asset_ids or [])})


class Released(Body):
    """What became of a release."""

    status: Literal["released"] = "released"
    message: str
    released: int


class PriorityUpdate(StrictBody):
    """A new priority of one file: 10 comes first."""

    asset_id: Key
    new_priority: Level


class UpdateBody(StrictBody):
    """New priorities of some files; of two for one file the last holds."""

    updates: Annotated[list[PriorityUpdate], Field(max_length=_MOST_UPDATES)]


class Updated(Body):
    """How many files have a new priority, and which were not known."""

    status: Literal["success"] = "success"
    updated_items: int
    unknown: list[int]


class FileCounts(Body):
    """Files by what became of them."""

    known: int
    held: int
    held_bytes: int
    waiting: int
    failed: int
    dead: int


class CopyCounts(Body):
    """Copies that were proved; `counted` is what they are worth, for silent nodes' count less."""

    good: int
    counted: float
    on_nodes: int


class NodeCounts(Body):
    """Volunteers' nodes; `active` were heard of within one and a half leases."""

    known: int
    active: int
    blocked: int


class QueueCounts(Body):
    """Work under way and ahead."""

    planned_batches: int
    running_batches: int
    failed_batches: int
    allocations_of_nodes: int


class Status(Body):
    """The system at a glance. The first five fields are those of the original system."""

    ckan_datasets: int
    active_allocations: int
    next_auto_update: Moment
    total_priority_score: int
    system_health: Literal["healthy", "degraded"]
    troubles: list[str]
    files: FileCounts
    copies: CopyCounts
    nodes: NodeCounts
    queue: QueueCounts
    version: Annotated[str, StringConstraints(min_length=1)]
