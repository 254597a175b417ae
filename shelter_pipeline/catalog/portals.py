"""Portals and organizations: what is harvested, and the partition key each goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import itemgetter
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.tables_catalogue import organization, portal
from shelter_pipeline.domain.errors import SetupError, TransientError
from shelter_pipeline.domain.records import OrganizationRecord, slugify

_MOST_LOOKS = 20


@dataclass(frozen=True, slots=True)
class PortalRow:
    """A portal as the catalog knows it; `slug` is its partition."""

    id: int
    slug: str
    kind: str
    url: str
    # Sent with every request; a value may name a secret of the environment, and never is one.
    headers: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    delay_seconds: float | None = None  # None: the setting's default, or what its robots.txt asks for
    nightly: bool = True
    watermark: datetime | None = None  # up to where the portal's own change dates have been read


_COLUMNS = tuple(portal.c[column.name] for column in fields(PortalRow))


def add_portal(
    catalog: Catalog,
    kind: str,
    url: str,
    *,
    slug: str | None = None,
    nightly: bool | None = None,
    headers: Mapping[str, str] | None = None,
    delay_seconds: float | None = None,
) -> PortalRow:
    """The portal of this kind and URL, added if it is new.

    Adding a known one again changes what is given of `nightly`, `headers` and
    `delay_seconds`, and nothing else: its slug stays. One that is not nightly (a new one
    is) is harvested only when somebody asks for it.
    """
    given = {"nightly": nightly, "headers": headers, "delay_seconds": delay_seconds}
    wishes = {name: value for name, value in given.items() if value is not None}
    same = sa.and_(portal.c.kind == kind, portal.c.url == url)
    known = next((row for row in list_portals(catalog) if (row.kind, row.url) == (kind, url)), None)
    if known is not None and not wishes:
        return known
    parts = urlsplit(url)
    wanted = slugify(slug or f"{parts.netloc}{parts.path}")
    with catalog.begin() as connection:
        connection.execute(sa.text("LOCK TABLE portal IN SHARE ROW EXCLUSIVE MODE"))
        if connection.scalar(sa.select(portal.c.id).where(same)) is None:
            taken = set(connection.scalars(sa.select(portal.c.slug)))
            free = _first_free(wanted, taken, kind)
            connection.execute(insert(portal).values(slug=free, kind=kind, url=url, **wishes))
        elif wishes:
            connection.execute(sa.update(portal).where(same).values(**wishes))
        return PortalRow(**connection.execute(sa.select(*_COLUMNS).where(same)).mappings().one())


def set_nightly(catalog: Catalog, slug: str, nightly: bool) -> PortalRow:
    """Let the nightly harvest read this portal, or pass it over. SetupError if there is no such portal."""
    known = find_portal(catalog, slug)
    with catalog.begin() as connection:
        connection.execute(sa.update(portal).where(portal.c.id == known.id).values(nightly=nightly))
    return replace(known, nightly=nightly)


def _first_free(wanted: str, taken: set[str], kind: str) -> str:
    candidates = (wanted, f"{wanted}-{slugify(kind)}", *(f"{wanted}-{number}" for number in range(2, 1000)))
    return next(candidate for candidate in candidates if candidate not in taken)


def find_portal(catalog: Catalog, slug: str) -> PortalRow:
    """The portal of this slug. SetupError naming the known ones if there is none."""
    known = list_portals(catalog)
    for row in known:
        if row.slug == slug:
            return row
    names = ", ".join(row.slug for row in known) or "none yet"
    raise SetupError(f"there is no portal {slug!r}; known portals: {names}")


def list_portals(catalog: Catalog, *, nightly_only: bool = False) -> list[PortalRow]:
    """All portals, oldest first, or those of the nightly harvest."""
    wanted = portal.c.nightly if nightly_only else sa.true()
    with catalog.begin() as connection:
        rows = connection.execute(sa.select(*_COLUMNS).where(wanted).order_by(portal.c.id))
        return [PortalRow(**row) for row in rows.mappings()]


def organization_keys(catalog: Catalog, portal_slug: str | None = None) -> list[str]:
    """The partition key of every organization, or of those of one portal, in the order they were found."""
    keys = sa.select(organization.c.key).order_by(organization.c.id)
    if portal_slug is not None:
        keys = keys.join(portal).where(portal.c.slug == portal_slug)
    with catalog.begin() as connection:
        return list(connection.scalars(keys))


def portals_in_use(catalog: Catalog) -> dict[PortalRow, list[str]]:
    """The portals with organizations, oldest first, each with the partition keys in the order they were found."""
    owners = (
        sa.select(*_COLUMNS, organization.c.key)
        .join_from(portal, organization)
        .order_by(portal.c.id, organization.c.id)
    )
    found: dict[PortalRow, list[str]] = {}
    with catalog.begin() as connection:
        for row in connection.execute(owners):
            found.setdefault(PortalRow(*row[:-1]), []).append(row.key)
    return found


def organization_id(catalog: Catalog, key: str) -> int:
    """The id behind a partition key. SetupError, with close names, if there is none."""
    with catalog.begin() as connection:
        found = connection.scalar(sa.select(organization.c.id).where(organization.c.key == key))
        if found is not None:
            return int(found)
        near = connection.scalars(
            sa.select(organization.c.key)
            .order_by(organization.c.key.contains(key[:4], autoescape=True).desc(), organization.c.id)
            .limit(12)
        ).all()
    known = ", ".join(near) or "none yet; harvest a portal first"
    raise SetupError(f"there is no organization {key!r}; among the known ones: {known}")


def portal_of(catalog: Catalog, organization_id: int) -> str:
    """The slug of the portal that an organization, by its id, belongs to."""
    owner = (
        sa.select(portal.c.slug).join_from(portal, organization).where(organization.c.id == organization_id)
    )
    with catalog.begin() as connection:
        return str(connection.execute(owner).scalar_one())


def ensure_organizations(
    connection: Connection, portal_row: PortalRow, records: Sequence[OrganizationRecord]
) -> dict[str, int]:
    """Ids by the portal's slug, adding those that are new.

    The partition key is the slug; where another portal already has an organization of
    that slug, the portal's own slug is added to tell them apart.
    """
    known = _known_organizations(connection, portal_row.id)
    for _ in range(_MOST_LOOKS):
        missing = {record.slug: record for record in records if record.slug not in known}
        if not missing:
            return known
        taken = _taken_keys(connection)
        rows = [
            {
                "portal_id": portal_row.id,
                "slug": record.slug,
                "key": _free_key(record.slug, portal_row.slug, taken),
                "name": record.name,
                "kind": record.kind,
            }
            for record in missing.values()
        ]
        # Harvests of several portals ask for keys in one order, so that they never deadlock.
        rows.sort(key=itemgetter("key"))
        # Another portal may take a key between our look and our insert: then we look again.
        connection.execute(insert(organization).on_conflict_do_nothing(), rows)
        known = _known_organizations(connection, portal_row.id)
    raise TransientError(f"no free partition key was found for the organizations of {portal_row.slug}")


def _taken_keys(connection: Connection) -> set[str]:
    return set(connection.scalars(sa.select(organization.c.key)))


def _free_key(slug: str, portal_slug: str, taken: set[str]) -> str:
    own = f"{slug}-{portal_slug}"
    key = next(key for key in (slug, own, *(f"{own}-{n}" for n in range(2, 10_000))) if key not in taken)
    taken.add(key)
    return key


def _known_organizations(connection: Connection, portal_id: int) -> dict[str, int]:
    rows = connection.execute(
        sa.select(organization.c.slug, organization.c.id).where(organization.c.portal_id == portal_id)
    )
    return {slug: identity for slug, identity in rows}  # noqa: C416 - a row is no pair to mypy


def record_claimed_counts(
    connection: Connection, portal_id: int, harvest_id: int, counts: Mapping[str, int]
) -> None:
    """Keep what the portal says each organization has, to hold this harvest against it."""
    if counts:
        connection.execute(
            statement("claim_counts"),
            {
                "portal_id": portal_id,
                "harvest_id": harvest_id,
                "slugs": list(counts),
                "totals": list(counts.values()),
            },
        )
