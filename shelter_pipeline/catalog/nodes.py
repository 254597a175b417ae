"""Nodes as the catalog knows them: who they are, when they were heard of, what was decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shelter_pipeline.catalog.connection import Catalog

_SEEN_EVERY_SECONDS = 10.0  # a node that is heard of more often costs no more writes
_MOST_EVENTS = 200
NOTHING_HELD: Mapping[str, Any] = {
    "copies_good": 0,
    "bytes_good": 0,
    "copies_counted": 0.0,
    "copies_claimed": 0,
    "bytes_claimed": 0,
    "copies_lost": 0,
}


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node: its number, its nickname, and what is known of it."""

    id: int
    name: str
    version: str | None
    trust: float
    max_claims: int | None
    blocked: bool
    blocked_why: str | None
    last_seen_at: datetime | None
    signed_off_at: datetime | None

    @property
    def holder(self) -> str:
        """The name under which it holds claims and slots of hosts."""
        return f"node:{self.name}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a node says of itself with a request; None: nothing."""

    version: str | None = None
    free_bytes: int | None = None
    bandwidth_mbps: float | None = None
    uptime_hours: float | None = None


@dataclass(frozen=True, slots=True)
class NewNode:
    """What is kept of a node that joins. `network` is a keyed hash: the address itself is kept nowhere."""

    name: str
    version: str | None = None
    contact: str | None = None
    network: bytes | None = None
    space_bytes: int | None = None


def find_node(catalog: Catalog, name: str) -> NodeRow | None:
    """The node of this nickname."""
    return _one(catalog, "find_node", name=name)


def know_node(catalog: Catalog, name: str) -> NodeRow:
    """The node of this nickname, made known without trust if it is new."""
    return find_node(catalog, name) or NodeRow(**catalog.rows("know_node", name=name)[0])


def register_node(catalog: Catalog, new: NewNode) -> NodeRow | None:
    """A new node, without trust; None if somebody has its nickname, whatever the capitals."""
    return _one(
        catalog,
        "register_node",
        name=new.name,
        version=new.version,
        contact=new.contact,
        network=new.network,
        space_bytes=new.space_bytes,
    )


def count_joined(catalog: Catalog, network: bytes) -> int:
    """How many nodes joined from this network within a day."""
    count: int = catalog.rows("count_joined", network=network)[0]["nodes"]
    return count


def taken_names(catalog: Catalog, names: Sequence[str]) -> list[str]:
    """Nicknames of nodes that are like these but for their capitals."""
    return [row["name"] for row in catalog.rows("taken_names", names=list(names))]


def see_node(catalog: Catalog, node: NodeRow, said: Said, *, returns: bool = False) -> None:
    """Note that a node was heard of and what it said; with `returns` one that signed off is back."""
    catalog.count(
        "see_node",
        node_id=node.id,
        version=said.version,
        free_bytes=said.free_bytes,
        bandwidth_mbps=said.bandwidth_mbps,
        uptime_hours=said.uptime_hours,
        returns=returns,
        every_seconds=_SEEN_EVERY_SECONDS,
    )


def list_nodes(catalog: Catalog, *, after: str, limit: int) -> list[dict[str, Any]]:
    """A page of nodes by nickname, those after the given one."""
    return [dict(row) for row in catalog.rows("list_nodes", after=after, limit=limit)]


def show_node(catalog: Catalog, name: str) -> dict[str, Any] | None:
    """All that is known of one node, its contact included, but for what it holds."""
    rows = catalog.rows("show_node", name=name)
    return dict(rows[0]) if rows else None


def node_holdings(catalog: Catalog, node_id: int | None = None) -> dict[int, dict[str, Any]]:
    """What one node or all of them hold, by the node's number; who holds nothing is left out."""
    rows = [dict(row) for row in catalog.rows("node_holdings", node_id=node_id)]
    return {row.pop("node_id"): row for row in rows}


def node_events(catalog: Catalog, node_id: int, *, limit: int = _MOST_EVENTS) -> list[dict[str, Any]]:
    """What raised and lowered the trust in a node, and what was decided about it, newest first."""
    return [dict(row) for row in catalog.rows("node_events", node_id=node_id, limit=limit)]


def block_node(catalog: Catalog, name: str, *, blocked: bool, why: str, who: str) -> NodeRow | None:
    """Block a node or let it help again; the reason and the name join its events. None if there is no such node."""
    detail = f"{why} ({who})" if why else f"({who})"
    return _one(catalog, "block_node", name=name, blocked=blocked, why=why, detail=detail)


def cap_node(catalog: Catalog, name: str, max_claims: int | None) -> NodeRow | None:
    """Say how many claims a node may hold at once; None: as the settings say. None if there is no such node."""
    return _one(catalog, "cap_node", name=name, max_claims=max_claims)


def sign_off_node(catalog: Catalog, node: NodeRow) -> None:
    """Note that a node leaves."""
    catalog.count("sign_off_node", node_id=node.id)


def count_open_proofs(catalog: Catalog, node: NodeRow) -> tuple[int, int]:
    """How many challenges and uploads are asked of a node and can still be answered in time."""
    row = catalog.rows("count_open_proofs", node_id=node.id)[0]
    return row["challenges"], row["uploads"]


def _one(catalog: Catalog, name: str, /, **parameters: Any) -> NodeRow | None:
    rows = catalog.rows(name, **parameters)
    return NodeRow(**rows[0]) if rows else None
