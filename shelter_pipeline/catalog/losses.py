"""What portals list no more: suspected, withheld, confirmed, recovered, each step with its evidence.

A dataset is `absent` exactly as long as it has a suspected or confirmed loss. Nothing is
deleted, one harvest counts once however often it is recorded, and a mass drop alarms
nobody until it lasts or a person says that it is real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement, storable
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.tables_catalogue import loss
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.losses import HANDFUL, Breakers, LossRules, OrganizationDrop, tripped_breakers


@dataclass(frozen=True, slots=True)
class Absences:
    """What a complete harvest did not see, and what was made of it.

    `missing` were listed before; `suspected`, `confirmed` and `moved` count what this
    harvest decided, `withheld` what a breaker keeps back now. `breakers` are keys of
    organizations, or "portal".
    """

    missing: int = 0
    suspected: int = 0
    withheld: int = 0
    confirmed: int = 0
    moved: int = 0
    breakers: tuple[str, ...] = ()


def recover(catalog: Catalog, portal: PortalRow, harvest_id: int) -> int:
    """List again what this harvest, of any kind, saw again; returns how many datasets were absent and are back.

    Their losses end as recovered. A loss that was only withheld ends as dismissed, a fault
    of the harvest.
    """
    parameters = {"portal_id": portal.id, "harvest_id": harvest_id}
    with catalog.begin() as connection:
        return int(connection.execute(statement("recover_seen"), parameters).scalar_one())


def unseen(catalog: Catalog, portal: PortalRow, harvest_id: int, *, limit: int) -> list[str]:
    """Identifiers that are listed or only suspected lost and were not seen by this harvest, listed ones first."""
    rows = catalog.rows("unseen_identifiers", portal_id=portal.id, harvest_id=harvest_id, limit=limit)
    return [row["identifier"] for row in rows]


def record_absences(
    catalog: Catalog, portal: PortalRow, harvest_id: int, *, rules: LossRules, asked: Mapping[str, bool]
) -> Absences:
    """What a complete full harvest did not see, put into the books; only such a harvest may call this.

    `asked` says of identifiers whether the portal still knew them when asked by name. All
    happens in one transaction and a fixed number of statements, and repeating it changes
    nothing.
    """
    of_harvest = {"portal_id": portal.id, "harvest_id": harvest_id}
    denied = [identifier for identifier, known in asked.items() if not known]
    with catalog.begin() as connection:
        connection.execute(statement("stage_losses"))
        if not connection.execute(statement("find_unseen"), of_harvest | {"asked": denied}).rowcount:
            return Absences()
        # A table that was just filled is unknown to the planner, and its guess would be a loop in a loop.
        connection.execute(sa.text("ANALYZE unseen"))
        breakers = _breakers(connection, portal, rules)
        tripped = {
            "everywhere": breakers.portal,
            "organizations": [drop.id for drop in breakers.organizations],
        }
        confirming = {"confirm_harvests": rules.confirm_harvests, "confirm_after": rules.confirm_after}
        for name in ("count_misses", "open_losses", "suspect_withheld", "confirm_losses", "mark_absent"):
            connection.execute(statement(name), of_harvest | tripped | confirming)
        _place_moved(connection, harvest_id)
        connection.execute(statement("note_absences"), of_harvest)
        counts = connection.execute(statement("sum_absences"), of_harvest).mappings().one()
        return Absences(**counts, breakers=breakers.names)


def _breakers(connection: Connection, portal: PortalRow, rules: LossRules) -> Breakers:
    rows = connection.execute(statement("unseen_by_organization"), {"portal_id": portal.id}).mappings()
    return tripped_breakers((OrganizationDrop(**row) for row in rows), rules.breaker_fraction)


def _place_moved(connection: Connection, harvest_id: int) -> None:
    """Find the successors of lost datasets, and forget those that are lost themselves."""
    connection.execute(statement("forget_moves"))
    if connection.execute(statement("find_unplaced")).rowcount:
        connection.execute(statement("find_unplaced_urls"))
        connection.execute(sa.text("ANALYZE unplaced"))
        connection.execute(sa.text("ANALYZE unplaced_url"))
        connection.execute(statement("mark_moved"), {"harvest_id": harvest_id, "handful": HANDFUL})


def list_losses(
    catalog: Catalog,
    *,
    states: Sequence[str] | None = None,
    portal: str | None = None,
    organization: str | None = None,
    kinds: Sequence[str] | None = None,
    since: datetime | None = None,
    after: int | None = None,
    limit: int = 1000,
    latest: bool = False,
) -> list[dict[str, Any]]:
    """Losses of datasets and links, newest first, each with what we hold of it.

    `portal` is a slug and `organization` a key; `since` is when a loss came to its state;
    `after` is the id of the last loss of the page before. With `latest` those come first
    whose state changed last. Sizes are bytes.
    """
    rows = catalog.rows(
        "list_losses",
        states=None if states is None else list(states),
        portal=portal,
        organization=organization,
        kinds=None if kinds is None else list(kinds),
        since=since,
        after=after,
        limit=limit,
        latest=latest,
    )
    return [dict(row) for row in rows]


def loss_counts(catalog: Catalog, portal_id: int | None = None) -> dict[str, dict[str, int]]:
    """How many losses there are by state and kind, of one portal or of all."""
    wanted = sa.true() if portal_id is None else loss.c.portal_id == portal_id
    counts: dict[str, dict[str, int]] = {}
    with catalog.begin() as connection:
        rows = connection.execute(
            sa.select(loss.c.state, loss.c.kind, sa.func.count())
            .where(wanted)
            .group_by(loss.c.state, loss.c.kind)
            .order_by(loss.c.state, loss.c.kind)
        )
        for state, kind, count in rows:
            counts.setdefault(state, {})[kind] = count
    return counts


def recovered_since(catalog: Catalog, portal_id: int, *, hours: float) -> int:
    """How many losses of a portal ended as recovered in the last hours."""
    recently = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, hours * 3600)
    with catalog.begin() as connection:
        found = connection.scalar(
            sa.select(sa.func.count())
            .select_from(loss)
            .where(loss.c.portal_id == portal_id, loss.c.state == "recovered", loss.c.decided_at > recently)
        )
        return int(found or 0)


def withheld_losses(
    catalog: Catalog, *, portal: str | None = None, organization: str | None = None
) -> list[dict[str, Any]]:
    """Where breakers hold, most losses first: `{portal, organization, breaker, datasets, links, since}`."""
    return [dict(row) for row in catalog.rows("withheld_losses", portal=portal, organization=organization)]


def decide(
    catalog: Catalog,
    loss_ids: Sequence[int],
    *,
    state: Literal["confirmed", "dismissed"],
    who: str,
    why: str,
) -> int:
    """An operator's word on open losses, kept in their evidence; returns how many were decided.

    A confirmed dataset is absent. A dismissed one is listed, and suspected anew if a further
    complete harvest misses it. SetupError, and nothing is decided, if one of them is no
    loss that this could be said of.
    """
    wanted = sorted(set(loss_ids))
    parameters = {"loss_ids": wanted, "state": state, "who": storable(who), "why": storable(why)}
    with catalog.begin() as connection:
        decided = set(connection.scalars(statement("decide_losses"), parameters))
        if decided != set(wanted):
            unknown = ", ".join(str(identity) for identity in wanted if identity not in decided)
            raise SetupError(
                f"there is no open loss that could be {state} with the id {unknown}; nothing was decided"
            )
        return len(decided)


def assets_of_losses(catalog: Catalog, loss_ids: Sequence[int]) -> list[int]:
    """The assets whose scores these losses have a say in: of their datasets, and of the datasets of a lost link."""
    return [row["asset_id"] for row in catalog.rows("assets_of_losses", loss_ids=list(loss_ids))]


def release_withheld(
    catalog: Catalog, *, organization: str | None = None, portal: str | None = None, who: str, why: str
) -> int:
    """Say that a mass drop is real: its withheld losses are suspected; returns how many.

    `organization` is a key, `portal` a slug; SetupError without one of them.
    """
    if organization is None and portal is None:
        raise SetupError("name the organization or the portal whose withheld losses are to be released")
    said = {"organization": organization, "portal": portal, "who": storable(who), "why": storable(why)}
    with catalog.begin() as connection:
        return sum(
            connection.execute(statement(name), said).rowcount
            for name in ("release_withheld", "release_withheld_links")
        )
