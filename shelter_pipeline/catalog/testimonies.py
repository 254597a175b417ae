"""What nodes say of sources, held against what others got there; and which of it no manifest tells yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.node_deeds import note_deed
from shelter_pipeline.domain.testimony import Finding
from shelter_pipeline.domain.trust import Deed

_DEEDS = {
    Finding.CONFIRMED: Deed.CONFIRMED,
    Finding.CONTRADICTED: Deed.CONTRADICTED,
    Finding.DIFFERS: Deed.DIFFERS,
}


@dataclass(frozen=True, slots=True)
class LaterVisit:
    """An open testimony, and the first later visit of the source by somebody independent."""

    id: int
    node_id: int
    asset_id: int
    sha256: str
    last_modified: str | None
    began_at: datetime
    visit_sha256: str
    visit_began_at: datetime
    visit_last_modified: str | None


@dataclass(frozen=True, slots=True)
class Untold:
    """A file that a node brought and that stands in no manifest."""

    id: int
    asset_id: int
    capture_id: int


def later_visits(catalog: Catalog, *, limit: int) -> list[LaterVisit]:
    """Open testimonies that can be decided now."""
    return [LaterVisit(**row) for row in catalog.rows("later_visits", limit=limit)]


def end_testimony(catalog: Catalog, visit: LaterVisit, finding: Finding) -> bool:
    """Record how a testimony ended and what follows for its node; False if that was known already."""
    with catalog.begin() as connection:
        ended = {"testimony_id": visit.id, "finding": finding.value}
        if connection.execute(statement("end_testimony"), ended).rowcount != 1:
            return False
        if finding in _DEEDS:
            note_deed(
                connection,
                visit.node_id,
                _DEEDS[finding],
                asset_id=visit.asset_id,
                sha256=visit.sha256,
                detail="" if finding is Finding.CONFIRMED else f"the source sent {visit.visit_sha256}",
            )
        return True


def untold_testimonies(catalog: Catalog, *, store: str, limit: int) -> list[Untold]:
    """Files that nodes brought, that this store holds, and that no manifest tells of."""
    return [Untold(**row) for row in catalog.rows("untold_testimonies", store=store, limit=limit)]


def note_told(catalog: Catalog, testimony_ids: Sequence[int], manifest: str) -> None:
    """These files stand in this manifest now."""
    catalog.count("note_told", testimony_ids=list(testimony_ids), manifest=manifest)
