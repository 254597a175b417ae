"""The words of a manifest: what each kind of line says, with its types.

Lines are written by the catalog's `manifest_*` statements and by `Capture.facts`; what a
later version adds is passed over, and what an earlier one did not write has a default.
Moments are RFC 3339 with a zone, sizes are bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class CaptureLine(msgspec.Struct, frozen=True):
    """One capture. Heads stand in `heads`, or apart where a single fetch wrote them."""

    url: str
    verdict: str
    reason: str
    sha256: str | None
    size: int | None
    started_at: datetime
    finished_at: datetime
    kind: str | None = None
    detail: str = ""
    final_url: str | None = None
    status: int | None = None
    flags: tuple[str, ...] = ()
    late: bool = False
    heads: dict[str, Any] | None = None
    request_headers: tuple[tuple[str, str], ...] = ()
    response_headers: tuple[tuple[str, str], ...] = ()
    hops: tuple[dict[str, Any], ...] = ()
    requests: int = 0
    wire_bytes: int = 0
    media_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    retry_after_seconds: float | None = None


class SourceLine(msgspec.Struct, frozen=True):
    """A publisher's own record that was kept as a blob; `record` names the portal's record of the moment."""

    portal: str
    identifier: str
    record: str
    url: str
    sha256: str
    size: int
    asked_at: datetime
    media_type: str | None = None


class AssetLine(msgspec.Struct, frozen=True):
    """A file as it stood when the manifest was written; `captured_at` is the end of its last capture that counts.

    `decided` says that a person's word made it so, and may have taken back what was held.
    """

    url: str
    state: str
    kind: str | None = None
    format: str | None = None
    media_type: str | None = None
    checksum: str | None = None
    expected_size: int | None = None
    reason: str | None = None
    sha256: str | None = None
    size: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    found_at: datetime | None = None
    captured_at: datetime | None = None
    decided: bool = False


class PortalFacts(msgspec.Struct, frozen=True):
    """A portal, without the headers that are sent to it: those are its operator's."""

    kind: str
    url: str
    slug: str | None = None
    nightly: bool = True
    delay_seconds: float | None = None


class OrganizationFacts(msgspec.Struct, frozen=True):
    """An organization; `key` is its partition."""

    slug: str
    key: str
    name: str
    kind: str | None = None


class LinkLine(msgspec.Struct, frozen=True):
    """A file that a resource leads to, and how."""

    url: str
    via: str
    path: tuple[str, ...] = ()
    why: str | None = None


class UnlistedResource(msgspec.Struct, frozen=True):
    """A resource that the dataset's record does not have any more, as it was."""

    position: int
    role: str
    url: str | None = None
    name: str | None = None
    description: str | None = None
    format: str | None = None
    media_type: str | None = None
    size: int | None = None
    checksum: str | None = None


class ResourceLine(msgspec.Struct, frozen=True):
    """What discovery made of a resource, to how many files it leads (`links`), and to which of the batch."""

    key: str
    classified_as: str | None = None
    rule: str | None = None
    outcome: str | None = None
    outcome_detail: str | None = None
    discovered_at: datetime | None = None
    unlisted: UnlistedResource | None = None
    links: int = 0
    assets: tuple[LinkLine, ...] = ()


class DatasetLine(msgspec.Struct, frozen=True):
    """A dataset; `record` is the SHA-256 of the portal's own record, which the store has under that name."""

    portal: PortalFacts
    organization: OrganizationFacts
    identifier: str
    record: str
    first_seen_at: datetime
    changed_at: datetime
    kind: str = "dataset"
    collection: str | None = None
    popularity: int | None = None
    resources: tuple[ResourceLine, ...] = ()


class BatchLine(msgspec.Struct, frozen=True):
    """The batch itself."""

    portal: PortalFacts
    organization: OrganizationFacts
    number: int
    files: int
    bytes: int
    planned_at: datetime
    attempt: int = 1
    host: str | None = None


def record_name(sha256: str) -> str:
    """The document that holds a portal's own record."""
    return f"records/{sha256[:2]}/{sha256}.json"
