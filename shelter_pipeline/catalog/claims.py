"""Who may fetch what: leases with fencing tokens, on the database's clock.

At most one claim on an asset is live for each of its slots: one to fetch it, or as many as
there may be independent fetches, and others to copy what we hold. The token of a claim is
greater than that of every earlier one, and each later write names the token: a holder that
lost its lease writes nothing but evidence. What a node holds no other may renew, settle or
give back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert as upsert

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.tables_rescue import store as store_table

_SLOW_BYTES_PER_SECOND = 128 * 1024  # at which a large file takes longer than a claim lasts otherwise


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


def renew_node_claims(
    catalog: Catalog,
    node_id: int,
    holder: str,
    tokens: Sequence[int],
    *,
    begun: Sequence[int],
    lease_seconds: float,
    longest_seconds: float,
) -> set[int]:
    """A node lives: its claims and its places at hosts get a fresh lease. Returns the tokens that are still its own.

    Those in `begun` are noted as begun, and those that are not in `tokens` are left alone. A
    claim lasts `longest_seconds` at the most since it was made or begun, and longer by what
    its file takes on a slow line; then it is not renewed any more.
    """
    lease = {"lease_seconds": lease_seconds}
    longest = {"longest_seconds": longest_seconds, "bytes_per_second": _SLOW_BYTES_PER_SECOND}
    with catalog.begin() as connection:
        ours = {"node_id": node_id, "tokens": list(tokens), "begun": list(begun)}
        renewed = set(connection.execute(statement("renew_node_claims"), ours | lease | longest).scalars())
        connection.execute(
            statement("renew_node_slots"), {"holder": holder, "tokens": sorted(renewed)} | lease
        )
        return renewed


def release_node_claims(
    catalog: Catalog,
    node_id: int,
    holder: str,
    *,
    asset_ids: Sequence[int] | None = None,
    token: int | None = None,
) -> list[int]:
    """Give back a node's claims on these assets, or all; with a token only under that lease. Returns the assets."""
    which = {"node_id": node_id, "asset_ids": None if asset_ids is None else list(asset_ids), "token": token}
    with catalog.begin() as connection:
        released = list(connection.execute(statement("release_node_claims"), which).scalars())
        connection.execute(statement("give_node_slots_back"), {"holders": [holder]})
    return released


def give_node_slots_back(catalog: Catalog, holders: Sequence[str]) -> int:
    """Give back the places of these nodes at hosts of which they fetch nothing any more; returns how many."""
    return len(catalog.rows("give_node_slots_back", holders=list(holders))) if holders else 0


def owed_by_node(catalog: Catalog, node_id: int) -> tuple[int, int]:
    """How many files a node is to send now, and how many it has in hand to fetch."""
    row = catalog.rows("owed_by_node", node_id=node_id)[0]
    return int(row["uploads"]), int(row["fetches"])
