"""Who may fetch what: leases with fencing tokens, on the database's clock.

At most one claim on an asset is live. Its token is greater than that of every earlier
claim, and each later write names the token: a holder that lost its lease writes
nothing but evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert as upsert

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.tables_rescue import store as store_table


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
    held_size: int | None = None
    accepted: Sequence[str] = ()  # reasons that an operator has overruled for it
    rejected: Sequence[str] = ()  # SHA-256 of bytes that an operator has said are not the file


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
