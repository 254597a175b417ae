"""What a store says of files, back in the catalog: blobs, copies, captures, states, links.

Everything is added where it is unknown, in portions of one transaction each; what the
catalog knows from a later capture stays. So a rebuild may be killed, repeated, and run on
a catalog that is at work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement
from shelter_pipeline.domain.urls import Url

_STEPS = ("restore_hosts", "restore_assets", "restore_sizes", "restore_states", "restore_captures")
_AFTERWARDS = ("restore_bytes", "restore_proofs", "restore_links")
_ASSET = ("kind", "format", "media_type", "checksum", "expected_size", "found_at")
_STATE = (
    *("moment", "state", "reason", "sha256", "size", "etag", "last_modified", "attempts"),
    *("next_attempt_at", "batch_key", "decided"),
)
_CAPTURE = (
    *(
        "batch_key",
        "late",
        "verdict",
        "reason",
        "detail",
        "final_url",
        "status",
        "requests",
        "wire_bytes",
        "sha256",
        "size",
    ),
    *("media_type", "started_at", "finished_at"),
)
_OF_A_STORE = frozenset({"restore_sizes", "restore_proofs"})


@dataclass(frozen=True, slots=True)
class RestoredAsset:
    """A file, with what the catalogue promised of it."""

    url: Url
    found_at: datetime | None = None
    kind: str | None = None
    format: str | None = None
    media_type: str | None = None
    checksum: str | None = None
    expected_size: int | None = None


@dataclass(frozen=True, slots=True)
class RestoredState:
    """What a file was after the capture that ended at `moment`; `decided` if a person's word made it so."""

    url: Url
    moment: datetime
    state: str
    reason: str | None
    sha256: str | None
    size: int | None
    etag: str | None
    last_modified: str | None
    attempts: int
    next_attempt_at: datetime | None
    batch_key: str | None = None
    decided: bool = False


@dataclass(frozen=True, slots=True)
class RestoredCapture:
    """One capture; `batch_key` names the batch it was made in, if the catalog knows that."""

    url: Url
    batch_key: str | None
    late: bool
    verdict: str
    reason: str
    detail: str
    final_url: str | None
    status: int | None
    heads: dict[str, Any]
    flags: tuple[str, ...]
    requests: int
    wire_bytes: int
    sha256: str | None
    size: int | None
    media_type: str | None
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class RestoredLink:
    """A file that a resource of a known dataset leads to."""

    dataset_id: int
    resource_key: str
    url: Url
    via: str
    path: tuple[str, ...]
    why: str | None = None


@dataclass(slots=True)
class RestoredFiles:
    """A portion of what manifests say of files. Every text in it is one that the catalog can keep."""

    assets: list[RestoredAsset] = field(default_factory=list)
    states: list[RestoredState] = field(default_factory=list)
    captures: list[RestoredCapture] = field(default_factory=list)
    links: list[RestoredLink] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RestoredCounts:
    """What was new of a portion, and which blobs it tells of that the store has no good copy of."""

    assets: int
    captures: int
    missing: list[str]


def restore_copies(
    catalog: Catalog,
    store: str,
    blobs: Sequence[tuple[str, int]],
    *,
    verified_at: datetime | None = None,
) -> tuple[int, int]:
    """Make blobs (digest and size) that the store holds known with their copies; returns how many of each are new.

    `verified_at` is when their bytes were read; without it only a manifest says when that was.
    """
    digests = [sha256 for sha256, _ in blobs]
    found = {"digests": digests, "sizes": [size for _, size in blobs]}
    with catalog.begin() as connection:
        counted = connection.execute(statement("count_copies"), {"store": store, "digests": digests})
        before = int(counted.scalar_one())
        new = connection.execute(statement("restore_blobs"), found).rowcount
        connection.execute(statement("restore_copies"), {**found, "store": store, "verified_at": verified_at})
        return new, len(set(digests)) - before


def restore_files(catalog: Catalog, store: str, files: RestoredFiles) -> RestoredCounts:
    """Restore a portion whose blobs, batches and datasets are known, in one transaction. Safe to repeat."""
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        connection.execute(statement("stage_restored"))
        _stage(connection, files)
        connection.execute(statement("analyze_restored"))
        counts = {}
        for name in (*_STEPS, *_AFTERWARDS):
            parameters = {"store": store} if name in _OF_A_STORE else {}
            counts[name] = connection.execute(statement(name), parameters).rowcount
        missing = list(connection.scalars(statement("missing_blobs"), {"store": store}))
        return RestoredCounts(counts["restore_assets"], counts["restore_captures"], missing)


def unlisted_blobs(catalog: Catalog, store: str) -> int:
    """How many blobs of the store no capture and no source record in the catalog tells of."""
    with catalog.begin() as connection:
        return int(connection.execute(statement("unlisted_blobs"), {"store": store}).scalar_one())


def analyze_rebuilt(catalog: Catalog) -> None:
    """Let the planner learn what a rebuild has loaded."""
    with catalog.begin() as connection:
        connection.execute(statement("analyze_rebuilt"))


def _stage(connection: Connection, files: RestoredFiles) -> None:
    copy_rows(
        connection,
        f"restored_asset (url, url_hash, host, {', '.join(_ASSET)})",
        ((one.url.text, one.url.digest, one.url.host, *_named(one, _ASSET)) for one in files.assets),
    )
    copy_rows(
        connection,
        f"restored_state (url_hash, {', '.join(_STATE)})",
        ((one.url.digest, *_named(one, _STATE)) for one in files.states),
    )
    copy_rows(
        connection,
        f"restored_capture (url_hash, heads, flags, {', '.join(_CAPTURE)})",
        (
            (one.url.digest, msgspec.json.encode(one.heads).decode(), list(one.flags), *_named(one, _CAPTURE))
            for one in files.captures
        ),
    )
    copy_rows(
        connection,
        "restored_link (dataset_id, resource_key, url_hash, via, path, why)",
        (
            (one.dataset_id, one.resource_key, one.url.digest, one.via, list(one.path), one.why)
            for one in files.links
        ),
    )


def _named(row: object, names: Sequence[str]) -> Iterator[Any]:
    return (getattr(row, name) for name in names)
