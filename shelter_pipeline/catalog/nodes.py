"""Nodes as the catalog knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.catalog.connection import Catalog


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


def find_node(catalog: Catalog, name: str) -> NodeRow | None:
    """The node of this nickname."""
    rows = catalog.rows("find_node", name=name)
    return NodeRow(**rows[0]) if rows else None


def know_node(catalog: Catalog, name: str) -> NodeRow:
    """The node of this nickname, made known without trust if it is new."""
    return NodeRow(**catalog.rows("know_node", name=name)[0])
