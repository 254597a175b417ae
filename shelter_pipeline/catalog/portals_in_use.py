"""Whose the organizations of the catalog are: a portal that was added and never harvested has none."""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.tables_catalogue import organization, portal


def portals_in_use(catalog: Catalog) -> dict[PortalRow, list[str]]:
    """The portals with organizations, oldest first, each with the partition keys in the order they were found."""
    owners = (
        sa.select(portal.c.id, portal.c.slug, portal.c.kind, portal.c.url, organization.c.key)
        .join_from(portal, organization)
        .order_by(portal.c.id, organization.c.id)
    )
    found: dict[PortalRow, list[str]] = {}
    with catalog.begin() as connection:
        for row in connection.execute(owners):
            found.setdefault(PortalRow(row.id, row.slug, row.kind, row.url), []).append(row.key)
    return found
