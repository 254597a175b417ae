"""Who may fetch what: leases with fencing tokens, on the database's clock.

At most one claim on an asset is live. Its token is greater than that of every earlier
claim, and each later write names the token: a holder that lost its lease writes
nothing but evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert as upsert

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.catalog.tables_rescue import store as store_table
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.follow_up import FollowUp


@dataclass(frozen=True, slots=True)
class ClaimedAsset:
    """An asset this holder alone may settle, until its lease ends."""

    token: int
    asset_id: int
    url: str
    host: str
    format: str | None
    media_type: str | None
    checksum: str | None
    expected_size: int | None
    sha256: str | None
    etag: str | None
    last_modified: str | None
    attempts: int


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


_CAPTURE_COLUMNS = (
    "verdict",
    "reason",
    "detail",
    "final_url",
    "status",
    "requests",
    "wire_bytes",
    "sha256",
    "size",
    "started_at",
    "finished_at",
)


def know_store(catalog: Catalog, name: str) -> None:
    """Make a store known, once, before copies are recorded in it."""
    with catalog.begin() as connection:
        connection.execute(upsert(store_table).values(name=name).on_conflict_do_nothing())


def claim_batch(
    catalog: Catalog,
    batch_id: int,
    *,
    holder: str,
    limit: int,
    lease_seconds: float,
    known: Sequence[int] | None = None,
) -> list[ClaimedAsset]:
    """Up to `limit` assets of the batch that this holder has not tried yet and nobody holds.

    With `known`, the tokens this holder knows of, claims are given back first that were
    made for it without its knowledge, because the answer to an earlier call got lost.
    """
    parameters = {"batch_id": batch_id, "holder": holder, "limit": limit, "lease_seconds": lease_seconds}
    with catalog.begin() as connection:
        if known is not None:
            connection.execute(statement("release_unknown"), {"holder": holder, "known": list(known)})
        rows = connection.execute(statement("claim_batch"), parameters).mappings()
        return [ClaimedAsset(**row) for row in rows]


def renew_claims(catalog: Catalog, tokens: Sequence[int], *, lease_seconds: float) -> set[int]:
    """Give live claims a fresh lease; returns the tokens that are still ours."""
    rows = catalog.rows("renew_claims", tokens=list(tokens), lease_seconds=lease_seconds)
    return {row["token"] for row in rows}


def release_claims(catalog: Catalog, holder: str) -> int:
    """Give back everything a holder still has, as a run does that ends early. Counts no attempt."""
    return catalog.count("release_claims", holder=holder)


def settle_claim(
    catalog: Catalog,
    claimed: ClaimedAsset,
    capture: CaptureRow,
    after: FollowUp,
    *,
    batch_id: int | None,
    store: str,
) -> bool:
    """Record a capture and what follows from it, if the claim is still ours.

    False when the lease was lost meanwhile: the capture is then kept as late evidence
    and changes no state.
    """
    with catalog.begin() as connection:
        settled = connection.execute(
            statement("settle_claim"), {"token": claimed.token, "outcome": capture.reason}
        ).rowcount
        facts = {
            "asset_id": claimed.asset_id,
            "batch_id": batch_id,
            "token": claimed.token,
            "late": settled != 1,
            **_capture_parameters(capture),
        }
        connection.execute(statement("record_capture"), facts)
        if capture.held:
            recorded = connection.execute(
                statement("record_blob"),
                {
                    "sha256": capture.sha256,
                    "size": capture.size,
                    "media_type": capture.media_type,
                    "store": store,
                },
            )
            if recorded.rowcount != 1:
                raise SetupError(f"the catalog knows no store {store!r}; it must be made known first")
        if settled == 1:
            connection.execute(
                statement("follow_up"),
                {
                    "asset_id": claimed.asset_id,
                    "state": after.state,
                    "reason": capture.reason,
                    "attempts": after.attempts,
                    "rest_seconds": None if after.rest is None else after.rest.total_seconds(),
                    "sha256": capture.sha256 if capture.held else None,
                    "size": capture.size if capture.held else None,
                    "etag": capture.etag,
                    "last_modified": capture.last_modified,
                },
            )
        return settled == 1


def _capture_parameters(capture: CaptureRow) -> dict[str, Any]:
    parameters = {name: getattr(capture, name) for name in _CAPTURE_COLUMNS}
    parameters["detail"] = storable(capture.detail)
    parameters["heads"] = msgspec.json.encode(capture.heads).decode()
    parameters["flags"] = list(capture.flags)
    return parameters
