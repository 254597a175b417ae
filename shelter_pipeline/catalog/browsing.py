"""Reads behind the pages of lists: each looks up what its page shows, by index, and no table whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.reading import LONGEST_SECONDS, Rows, read_ids, read_rows, reading, rows_of
from shelter_pipeline.catalog.tables_catalogue import loss, organization

Sort = Literal["name", "verdict", "datasets", "absent", "files", "share", "bytes", "failed"]
Holding = Literal["whole", "part", "nothing"]
_NEWEST_LOSSES = 5_000  # of these each is asked whether it fits: some tens of milliseconds


@dataclass(frozen=True, slots=True)
class OrganizationSearch:
    """Which organizations, and in which order; every word has to occur in the name or the key.

    `verdicts` is the order in which they are sorted.
    """

    words: tuple[str, ...] = ()
    verdict: str | None = None
    portal: str | None = None
    sort: Sort = "name"
    falling: bool = False
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LossSearch:
    """Which losses: in one of these states, and of that kind, portal, organization and holding where it is named."""

    states: tuple[str, ...]
    kind: str | None = None
    portal: str | None = None
    organization: str | None = None
    holding: Holding | None = None


def find_organizations(
    catalog: Catalog, search: OrganizationSearch, *, skip: int, limit: int
) -> tuple[Rows, int]:
    """A page of organizations as they stood when they were last counted, and how many fit in all."""
    with reading(catalog) as connection:
        found = [
            row["id"]
            for row in read_rows(
                connection,
                "find_organizations",
                words=[word.lower() for word in search.words],
                verdict=search.verdict,
                portal=search.portal,
                sort=search.sort,
                falling=search.falling,
                verdicts=list(search.verdicts),
            )
        ]
        return rows_of(connection, "organization_cards", found[skip : skip + limit]), len(found)


def find_losses(
    catalog: Catalog,
    search: LossSearch,
    *,
    before: int | None,
    limit: int,
    window: int | None = None,
    seconds: float = LONGEST_SECONDS,
) -> Rows:
    """Losses below an id, newest first, each with its evidence and what we hold of it. TooBroadError.

    With `window` those of all organizations are looked for among so many ids below it.
    """
    asked = {
        "before": before,
        "states": list(search.states),
        "kind": search.kind,
        "portal": search.portal,
        "holding": search.holding,
        "limit": limit,
    }
    with reading(catalog, seconds=seconds) as connection:
        if search.organization is None:
            found = read_rows(connection, "find_losses", **asked, organizations=None, window=window)
        else:
            found = _losses_of(connection, search.organization, asked)
        return rows_of(connection, "loss_cards", [row["id"] for row in found])


def end_of_window(catalog: Catalog, *, before: int | None, window: int) -> int | None:
    """Below which id `find_losses` has not looked, or None if no loss is there."""
    with reading(catalog) as connection:
        newest, oldest = connection.execute(sa.select(sa.func.max(loss.c.id), sa.func.min(loss.c.id))).one()
    if newest is None:
        return None
    end = int(newest + 1 if before is None else before) - window
    return end if oldest < end else None


def _losses_of(connection: Connection, key: str, asked: Mapping[str, Any]) -> Rows:
    """Of an organization that lost much lately its losses are among the newest; all others are small or lost little."""
    wanted = sa.select(organization.c.id).where(organization.c.key == key)
    mine = {**asked, "organizations": read_ids(connection, wanted)}
    if not mine["organizations"]:
        return []
    found = read_rows(connection, "find_losses", **mine, window=_NEWEST_LOSSES)
    if len(found) < asked["limit"]:
        found = read_rows(connection, "find_losses_of_organizations", **mine)
    return found


def loss_cards(catalog: Catalog, loss_ids: Sequence[int]) -> Rows:
    """These losses in this order, as they stand now."""
    with reading(catalog) as connection:
        return rows_of(connection, "loss_cards", loss_ids)


def file_lines(catalog: Catalog, asset_ids: Sequence[int]) -> Rows:
    """Files in this order, each with its state as of now and one dataset that lists it."""
    with reading(catalog) as connection:
        return rows_of(connection, "file_lines", asset_ids)


def recent_captures(catalog: Catalog, *, before: int | None, limit: int) -> Rows:
    """What was fetched, newest first, below an id."""
    with reading(catalog) as connection:
        return read_rows(connection, "recent_captures", before=before, limit=limit)


def recent_harvests(catalog: Catalog, *, limit: int) -> Rows:
    """How portals were read lately, newest first."""
    with reading(catalog) as connection:
        return read_rows(connection, "recent_harvests", limit=limit)


def running_batches(catalog: Catalog, *, limit: int) -> Rows:
    """Batches under way."""
    with reading(catalog) as connection:
        return read_rows(connection, "running_batches", limit=limit)


def batches_at_work(catalog: Catalog, *, limit: int) -> dict[str, Rows]:
    """`{running, planned, failed}`: batches under way, those that come next, those that wait for a person."""
    with reading(catalog) as connection:
        return {
            "running": read_rows(connection, "running_batches", limit=limit),
            "planned": read_rows(connection, "next_batches", limit=limit),
            "failed": read_rows(connection, "given_up_batches", limit=limit),
        }


def latest_batches(catalog: Catalog, organization_id: int, *, limit: int) -> Rows:
    """The batches of an organization, newest first."""
    with reading(catalog) as connection:
        return read_rows(connection, "latest_batches", organization_id=organization_id, limit=limit)


def volunteers(
    catalog: Catalog, *, active_seconds: float, skip: int, limit: int
) -> tuple[dict[str, Any], Rows] | None:
    """All volunteers together, and a page of them, who gave most first; None if what they gave was never counted."""
    with reading(catalog) as connection:
        together = read_rows(connection, "volunteers_together", active_seconds=active_seconds)
        if not together:
            return None
        page = read_rows(connection, "volunteers", active_seconds=active_seconds, skip=skip, limit=limit)
        return together[0], page
