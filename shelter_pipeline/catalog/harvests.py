"""The life of a harvest in the catalog: opened or continued, moved on group by group, ended with a verdict.

A group, the counts it brought and the cursor after it are one transaction. A harvest is
moved only by the process that opened it last, and only from where that process stands; so
it can be killed anywhere, asked twice for the same group, or be overtaken by another one,
and each record still counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from shelter_pipeline.catalog.connection import Catalog, statement, storable, storable_moment
from shelter_pipeline.catalog.merge import GroupCounts, merge_group
from shelter_pipeline.catalog.portals import PortalRow, ensure_organizations, record_claimed_counts
from shelter_pipeline.catalog.tables_catalogue import harvest as harvests
from shelter_pipeline.catalog.tables_catalogue import portal as portals
from shelter_pipeline.catalog.tables_catalogue import refusal
from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal, Witness

_MANY_NEW = 5000
_LARGEST = 2**63 - 1  # of a bigint
_LONGEST_MESSAGE = 4000


class OvertakenError(TransientError):
    """Another process goes on with this harvest, or has begun a later one of the portal."""

    def __init__(self) -> None:
        super().__init__("another harvest of this portal was started meanwhile, so this one stops")


@dataclass(slots=True)
class Harvest:
    """One reading of a portal, and how far it is; `record_group` moves it."""

    id: int
    portal_id: int
    mode: str  # full | increment
    since: datetime | None
    cursor: str | None
    groups: int  # transactions of records so far
    resumed: int  # how often it was continued: only the last one to continue it may move it
    read: int  # records seen and refused so far


def open_harvest(
    catalog: Catalog,
    portal: PortalRow,
    *,
    mode: str = "full",
    since: datetime | None = None,
    resume_hours: float = 0,
) -> Harvest:
    """A new harvest of the portal, or its newest one continued, if that was broken off lately.

    Continued is a full harvest with a cursor that was touched within `resume_hours`, when
    a full one is asked for. Any other one that never ended is closed as interrupted, and
    whoever still works on it is refused from now on.
    """
    with catalog.begin() as connection:
        # Who opens a harvest of the portal waits for whoever is opening one; merges are not in its way.
        connection.execute(
            sa.select(portals.c.id).where(portals.c.id == portal.id).with_for_update(key_share=True)
        )
        continued = _resumable(connection, portal, resume_hours) if mode == "full" else None
        connection.execute(
            sa.update(harvests)
            .where(
                harvests.c.portal_id == portal.id,
                harvests.c.verdict == "running",
                harvests.c.id.is_distinct_from(continued),
            )
            .values(verdict="interrupted", finished_at=sa.func.now(), message="a later harvest was started")
        )
        if continued is None:
            connection.execute(statement("forget_old_listings"), {"portal_id": portal.id})
            opening = sa.insert(harvests).values(portal_id=portal.id, mode=mode, since=since)
            return _opened(connection.execute(opening.returning(harvests)).mappings().one())
        resuming = (
            sa.update(harvests)
            .where(harvests.c.id == continued)
            .values(verdict="running", finished_at=None, message=None, resumed=harvests.c.resumed + 1)
        )
        return _opened(connection.execute(resuming.returning(harvests)).mappings().one())


def _opened(row: RowMapping) -> Harvest:
    names = ("id", "portal_id", "mode", "since", "cursor", "groups", "resumed")
    return Harvest(**{name: row[name] for name in names}, read=row["seen"] + row["refused"])


def resumable_harvest(catalog: Catalog, portal: PortalRow, *, resume_hours: float) -> int | None:
    """The id of the harvest that `open_harvest` would continue; None if it would begin a new one."""
    with catalog.begin() as connection:
        return _resumable(connection, portal, resume_hours)


def _resumable(connection: Connection, portal: PortalRow, resume_hours: float) -> int | None:
    found: int | None = connection.scalar(
        statement("resumable_harvest"), {"portal_id": portal.id, "resume_seconds": resume_hours * 3600}
    )
    return found


def record_witnesses(
    catalog: Catalog, portal: PortalRow, harvest: Harvest, witnesses: Sequence[Witness]
) -> int | None:
    """Keep what the portal says of itself; returns how many datasets the first that counts them promises.

    Of an organization the first witness that counts its datasets is believed. Where none
    counts any more, what a harvest was promised before it was broken off still stands.
    Raises OvertakenError when it was. Safe to repeat.
    """
    heard = {"witnesses": [{"source": storable(one.source), "total": one.total} for one in witnesses]}
    telling = next((one for one in witnesses if one.total is not None), None)
    promised = {"witness": storable(telling.source), "expected": _countable(telling.total)} if telling else {}
    by_organization = {
        slug: _countable(total) for one in reversed(witnesses) for slug, total in one.by_organization.items()
    }
    with catalog.begin() as connection:
        moved = connection.execute(
            sa.update(harvests)
            .where(_is_ours(harvest))
            .values(**heard, **promised)
            .returning(harvests.c.expected)
        ).one_or_none()
        if moved is None:
            raise OvertakenError
        ensure_organizations(connection, portal, [o for one in witnesses for o in one.organizations])
        record_claimed_counts(connection, portal.id, harvest.id, by_organization)
    expected: int | None = moved.expected
    return expected


def _countable(total: int | None) -> int:
    """Sums of what portals claim may be beyond any number that a database counts with."""
    return min(total or 0, _LARGEST)


def _is_ours(harvest: Harvest) -> sa.ColumnElement[bool]:
    return sa.and_(
        harvests.c.id == harvest.id, harvests.c.verdict == "running", harvests.c.resumed == harvest.resumed
    )


def record_group(
    catalog: Catalog,
    portal: PortalRow,
    harvest: Harvest,
    records: Sequence[DatasetRecord | Refusal],
    *,
    cursor: str | None,
    requests: int,
    changed_until: datetime | None = None,
) -> GroupCounts:
    """Merge a group and move the harvest's counts and cursor, all in one transaction.

    After CatalogAwayError it may be repeated: if the group had been committed and only the
    answer was lost, nothing is merged again, `harvest` moves on, and all counts are zero.
    Raises OvertakenError, and merges nothing, when the harvest was overtaken.
    """
    organizations = _organizations(catalog, portal, records)
    with catalog.begin() as connection:
        row = connection.execute(statement("lock_harvest"), {"harvest_id": harvest.id}).mappings().one()
        if (row["verdict"], row["resumed"]) != ("running", harvest.resumed):
            raise OvertakenError
        if (row["groups"], row["cursor"]) == (harvest.groups + 1, cursor):
            counts = GroupCounts()
        elif row["groups"] != harvest.groups:
            raise OvertakenError
        else:
            counts = merge_group(connection, portal.id, harvest.id, organizations, records)
            _move_on(connection, harvest, counts, cursor, requests, changed_until)
    harvest.groups += 1
    harvest.cursor = cursor
    harvest.read = row["read"] + counts.seen + counts.refused
    return counts


def _organizations(
    catalog: Catalog, portal: PortalRow, records: Sequence[DatasetRecord | Refusal]
) -> dict[str, int]:
    """The organizations of a group, added in a transaction of their own: no other harvest waits for the merge."""
    named = {
        record.organization.slug: record.organization
        for record in records
        if isinstance(record, DatasetRecord)
    }
    with catalog.begin() as connection:
        return ensure_organizations(connection, portal, list(named.values()))


def _move_on(
    connection: Connection,
    harvest: Harvest,
    counts: GroupCounts,
    cursor: str | None,
    requests: int,
    changed_until: datetime | None,
) -> None:
    added = asdict(counts) | {"requests": requests, "groups": 1}
    connection.execute(
        sa.update(harvests)
        .where(harvests.c.id == harvest.id)
        .values(
            **{name: harvests.c[name] + value for name, value in added.items()},
            cursor=cursor,
            touched_at=sa.func.clock_timestamp(),
            changed_until=sa.func.greatest(harvests.c.changed_until, storable_moment(changed_until)),
        )
    )


def end_harvest(
    catalog: Catalog,
    harvest: Harvest | int,
    *,
    verdict: str,
    message: str | None = None,
    delisted: int = 0,
    recovered: int = 0,
    withheld: int = 0,
    missing: int | None = None,
    surplus: int | None = None,
    requests: int = 0,
) -> dict[str, Any]:
    """Close a harvest; returns its row, with the `seconds` it took on the database's clock.

    `requests` are those that no group has counted. One that was ended or overtaken already
    is left as it is.
    """
    identity = harvest if isinstance(harvest, int) else harvest.id
    running = sa.and_(harvests.c.id == identity, harvests.c.verdict == "running")
    with catalog.begin() as connection:
        connection.execute(
            sa.update(harvests)
            .where(running if isinstance(harvest, int) else _is_ours(harvest))
            .values(
                verdict=verdict,
                message=storable(message[:_LONGEST_MESSAGE]) if message else None,
                finished_at=sa.func.clock_timestamp(),
                delisted=delisted,
                recovered=recovered,
                withheld=withheld,
                missing=missing,
                surplus=surplus,
                requests=harvests.c.requests + requests,
            )
        )
        until = sa.func.coalesce(harvests.c.finished_at, sa.func.clock_timestamp())
        seconds = sa.extract("epoch", until - harvests.c.started_at).label("seconds")
        row = (
            connection.execute(sa.select(harvests, seconds).where(harvests.c.id == identity)).mappings().one()
        )
    if row["new"] >= _MANY_NEW:
        # What comes next must not be planned for tables that were empty when they were last looked at.
        with catalog.begin() as connection:
            connection.execute(statement("analyze_loaded"))
    return dict(row)


def last_complete_harvest(catalog: Catalog, portal: PortalRow) -> datetime | None:
    """When the newest full harvest began that was complete."""
    with catalog.begin() as connection:
        began: datetime | None = connection.scalar(
            sa.select(sa.func.max(harvests.c.started_at)).where(
                harvests.c.portal_id == portal.id, harvests.c.mode == "full", harvests.c.verdict == "complete"
            )
        )
        return began


def advance_watermark(catalog: Catalog, portal: PortalRow, harvest_id: int) -> None:
    """Changes are read up to where this harvest read them: its latest change date, never later than its begin."""
    with catalog.begin() as connection:
        connection.execute(statement("advance_watermark"), {"portal_id": portal.id, "harvest_id": harvest_id})


def require_ours(connection: Connection, harvest: Harvest) -> None:
    """Raise OvertakenError unless this process may still conclude anything from the harvest."""
    if connection.scalar(sa.select(harvests.c.id).where(_is_ours(harvest))) is None:
        raise OvertakenError


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


def changes_by_organization(catalog: Catalog, harvest_id: int, limit: int = 200) -> list[dict[str, Any]]:
    """What a harvest found of each organization; those that changed or were not seen whole come first."""
    return [dict(row) for row in catalog.rows("changes_by_organization", harvest_id=harvest_id, limit=limit)]
