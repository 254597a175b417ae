"""The life of a harvest in the catalog: begun, counted page by page, ended with a verdict, absences marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.merge import PageCounts, merge_page
from shelter_pipeline.catalog.portals import PortalRow, ensure_organizations, record_claimed_counts
from shelter_pipeline.catalog.tables_catalogue import harvest, refusal
from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.harvests import is_mass_drop
from shelter_pipeline.domain.records import DatasetRecord, Refusal, Witness


@dataclass(frozen=True, slots=True)
class Absences:
    """What a complete harvest did not see any more, and what was made of it."""

    missing: int
    delisted: int
    breaker: bool


def begin_harvest(catalog: Catalog, portal: PortalRow) -> int:
    """A new harvest of the portal; one that never ended is closed as interrupted first."""
    with catalog.begin() as connection:
        connection.execute(
            sa.update(harvest)
            .where(harvest.c.portal_id == portal.id, harvest.c.verdict == "running")
            .values(verdict="interrupted", finished_at=sa.func.now(), message="a later harvest was started")
        )
        return int(
            connection.execute(
                sa.insert(harvest).values(portal_id=portal.id).returning(harvest.c.id)
            ).scalar_one()
        )


def record_witness(catalog: Catalog, portal: PortalRow, harvest_id: int, witness: Witness) -> None:
    """Keep what the portal says of itself before anything is read of it."""
    with catalog.begin() as connection:
        connection.execute(
            sa.update(harvest)
            .where(harvest.c.id == harvest_id)
            .values(expected=witness.total, witness=witness.source)
        )
        ensure_organizations(connection, portal, witness.organizations)
        record_claimed_counts(connection, portal.id, witness.by_organization)


def record_page(
    catalog: Catalog,
    portal: PortalRow,
    harvest_id: int,
    records: Sequence[DatasetRecord | Refusal],
    *,
    already_seen: set[str],
    cursor: str | None,
    requests: int,
) -> PageCounts:
    """Merge a page and move the harvest's counts and cursor, all in one transaction.

    Raises TransientError, and merges nothing, when a later harvest of the portal was begun.
    """
    with catalog.begin() as connection:
        counts = merge_page(connection, portal, harvest_id, records, already_seen)
        added = {name: harvest.c[name] + value for name, value in asdict(counts).items()}
        moved_on = connection.execute(
            sa.update(harvest)
            .where(harvest.c.id == harvest_id, harvest.c.verdict == "running")
            .values(**added, cursor=cursor, requests=harvest.c.requests + requests)
        )
        if moved_on.rowcount != 1:
            raise TransientError("another harvest of this portal was started meanwhile, so this one stops")
        return counts


def end_harvest(
    catalog: Catalog, harvest_id: int, *, verdict: str, message: str | None, delisted: int = 0
) -> dict[str, Any]:
    """Close a harvest; returns its row, with the seconds it took on the database's clock."""
    with catalog.begin() as connection:
        connection.execute(
            sa.update(harvest)
            .where(harvest.c.id == harvest_id)
            .values(
                verdict=verdict,
                message=message,
                finished_at=sa.func.clock_timestamp(),
                delisted=delisted,
            )
        )
        seconds = sa.extract("epoch", harvest.c.finished_at - harvest.c.started_at).label("seconds")
        row = (
            connection.execute(sa.select(harvest, seconds).where(harvest.c.id == harvest_id)).mappings().one()
        )
        return dict(row)


def recover_absences(catalog: Catalog, portal: PortalRow, harvest_id: int) -> None:
    """Datasets that this harvest saw again are listed again, and their loss ends as recovered."""
    with catalog.begin() as connection:
        connection.execute(statement("recover_absent"), {"portal_id": portal.id, "harvest_id": harvest_id})


def mark_absences(
    catalog: Catalog, portal: PortalRow, harvest_id: int, *, breaker_fraction: float
) -> Absences:
    """After a complete harvest: suspect what it did not see, unless so much is missing that it is at fault.

    Only a suspicion is recorded; nothing is deleted, and the files of an absent dataset
    stay wanted.
    """
    parameters = {"portal_id": portal.id, "harvest_id": harvest_id}
    with catalog.begin() as connection:
        listed, missing = connection.execute(statement("count_absent"), parameters).one()
        if is_mass_drop(listed=listed, missing=missing, fraction=breaker_fraction):
            return Absences(missing=missing, delisted=0, breaker=True)
        marked = connection.execute(statement("suspect_absent"), parameters).rowcount
        return Absences(missing=missing, delisted=marked, breaker=False)


def refusals_of(catalog: Catalog, harvest_id: int, limit: int = 50) -> list[dict[str, Any]]:
    """The first refused records of a harvest, each with the field at fault."""
    with catalog.begin() as connection:
        rows = connection.execute(
            sa.select(refusal.c.position, refusal.c.identifier, refusal.c.field, refusal.c.problem)
            .where(refusal.c.harvest_id == harvest_id)
            .order_by(refusal.c.id)
            .limit(limit)
        )
        return [dict(row) for row in rows.mappings()]
