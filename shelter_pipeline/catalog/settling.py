"""Recording how captures ended: many in one transaction, each only if its claim is still ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shelter_pipeline.catalog.claims import ClaimedAsset
from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.follow_up import FollowUp


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """The facts of one capture, as they are kept; `heads` holds request and response heads and hops."""

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
    etag: str | None
    last_modified: str | None
    started_at: str
    finished_at: str
    held: bool  # the bytes are a blob in the store


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one claim ended: the capture that was made under it, and what follows for its asset."""

    claimed: ClaimedAsset
    capture: CaptureRow
    after: FollowUp


def settle_claims(
    catalog: Catalog,
    settlements: Sequence[Settlement],
    *,
    batch_id: int | None,
    store: str,
) -> set[int]:
    """Record captures and what follows from them, all or none; returns the tokens that were still ours.

    Claims of nodes are none of ours: `catalog.node_reports` ends those. Of a lease that was
    lost meanwhile the capture is kept as late evidence and changes no state. SetupError if
    bytes are held in a store that the catalog does not know.
    """
    rows = msgspec.json.encode([_row(settlement, batch_id) for settlement in settlements]).decode()
    with catalog.begin() as connection:
        settled = sorted(connection.execute(statement("settle_claims"), {"rows": rows}).scalars())
        # In one order, and before any row that refers to them is written: others lock many assets too.
        assets = sorted({settlement.claimed.asset_id for settlement in settlements})
        connection.execute(statement("lock_assets"), {"asset_ids": assets})
        connection.execute(statement("record_captures"), {"rows": rows, "settled": settled})
        recorded = connection.execute(statement("record_blobs"), {"rows": rows, "store": store}).one()
        if recorded.copies != recorded.blobs:
            raise SetupError(f"the catalog knows no store {store!r}; it must be made known first")
        connection.execute(statement("follow_ups"), {"rows": rows, "settled": settled})
    return set(settled)


def settle_claim(
    catalog: Catalog,
    claimed: ClaimedAsset,
    capture: CaptureRow,
    after: FollowUp,
    *,
    batch_id: int | None,
    store: str,
) -> bool:
    """The same for one; False when the lease was lost meanwhile."""
    settlement = Settlement(claimed, capture, after)
    return claimed.token in settle_claims(catalog, [settlement], batch_id=batch_id, store=store)


def _row(settlement: Settlement, batch_id: int | None) -> dict[str, Any]:
    claimed, capture, after = settlement.claimed, settlement.capture, settlement.after
    return {
        "token": claimed.token,
        "asset_id": claimed.asset_id,
        "batch_id": batch_id,
        "verdict": capture.verdict,
        "reason": capture.reason,
        "detail": storable(capture.detail),
        "final_url": capture.final_url,
        "status": capture.status,
        "heads": capture.heads,
        "flags": capture.flags,
        "requests": capture.requests,
        "wire_bytes": capture.wire_bytes,
        "sha256": capture.sha256,
        "size": capture.size,
        "media_type": capture.media_type,
        "etag": capture.etag,
        "last_modified": capture.last_modified,
        "started_at": capture.started_at,
        "finished_at": capture.finished_at,
        "held": capture.held,
        "state": after.state,
        "attempts": after.attempts,
        "rest_seconds": None if after.rest is None else after.rest.total_seconds(),
    }
