"""What nodes have done: their trust changes only together with an event that says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.domain.trust import LIES, LIES_COUNT_DAYS, Deed, is_blocked_after, trust_after


def note_deed(
    connection: Connection,
    node_id: int,
    deed: Deed,
    *,
    asset_id: int | None = None,
    sha256: str | None = None,
    detail: str = "",
) -> float:
    """Record what a node did and what follows for its trust, which is returned.

    After a lie nothing counts that hangs on the node's word: its copies have to be proved
    again, and what is held because of it is fetched again. The third lie sends it away.
    """
    limits = {"lies": sorted(LIES), "days": LIES_COUNT_DAYS}
    known = connection.execute(statement("lock_trust"), {"node_id": node_id, **limits}).one()
    after = trust_after(known.trust, deed)
    connection.execute(
        statement("write_deed"),
        {
            "node_id": node_id,
            "kind": deed.value,
            "asset_id": asset_id,
            "sha256": sha256,
            "detail": storable(detail),
            "before": known.trust,
            "after": after,
        },
    )
    if deed in LIES:
        _disbelieve(connection, node_id)
        if is_blocked_after(known.lies + 1):
            why = f"it lied {known.lies + 1} times within {LIES_COUNT_DAYS} days, the last time: {deed.value}"
            connection.execute(statement("block_liar"), {"node_id": node_id, "why": why})
    return after


def trust_of(catalog: Catalog, node_id: int) -> float:
    """A node's trust, 0 to 1."""
    return float(catalog.rows("node_trust", node_id=node_id)[0]["trust"])


def node_standings(catalog: Catalog, *, limit: int) -> list[Mapping[str, Any]]:
    """How nodes stand, liars and the least trusted first.

    `{node, trust, blocked, last_seen_at, proved, counting, unproved, open, lies}`: copies that
    were proved and what they count for, copies that were not, proofs that are asked for.
    """
    return catalog.rows("node_standings", lies=sorted(LIES), limit=limit)


def want_unheld(connection: Connection, digests: list[str]) -> None:
    """Let files be fetched again of whose bytes no proved copy is left."""
    if digests:
        connection.execute(statement("want_unheld"), {"digests": sorted(set(digests))})


def decay(catalog: Catalog, steps: Mapping[float, float]) -> tuple[int, int]:
    """Let copies count by how long their nodes have been silent; `steps` are days and weights.

    Returns how many copies count otherwise than before, and how many files are to be
    fetched again, because too little is left of their copies.
    """
    parameters: dict[str, Any] = {"days": list(steps), "weights": list(steps.values())}
    with catalog.begin() as connection:
        changed = connection.execute(statement("decay_copies"), parameters).rowcount
        return changed, connection.execute(statement("want_scarce")).rowcount


def _disbelieve(connection: Connection, node_id: int) -> None:
    digests = list(connection.scalars(statement("demote_copies"), {"node_id": node_id}))
    want_unheld(connection, digests)
    connection.execute(statement("recheck_testimonies"), {"node_id": node_id})
