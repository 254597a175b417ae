"""A portal's own list of identities, kept for as long as a harvest is held against it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, copy_rows
from shelter_pipeline.catalog.harvests import Harvest, require_ours
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.tables_catalogue import listing_entry
from shelter_pipeline.domain.records import Listing


@dataclass(frozen=True, slots=True)
class ListingComparison:
    """What the portal's own list says of a harvest: distinct identities, and the first that were not seen."""

    listed: int
    missing: int
    surplus: int
    sample: list[str]


def record_listing(catalog: Catalog, harvest: Harvest, listing: Listing) -> None:
    """Keep a part of the portal's own list until `forget_listing`; the same part twice does no harm.

    Raises OvertakenError when the harvest was.
    """
    with catalog.begin() as connection:
        require_ours(connection, harvest)
        copy_rows(
            connection,
            "listing_entry (harvest_id, identifier)",
            ((harvest.id, identifier) for identifier in listing.identifiers),
            types=("int8", "text"),
        )


def compare_listing(
    catalog: Catalog, portal: PortalRow, harvest: Harvest, *, limit: int
) -> ListingComparison:
    """The listing against what this harvest saw.

    Missing is what is listed, was not seen, and was not refused either; surplus what was
    seen and is not listed. The sample has the first `limit` missing ones in order.
    """
    (row,) = catalog.rows("compare_listing", portal_id=portal.id, harvest_id=harvest.id, limit=limit)
    return ListingComparison(**row)


def forget_listing(catalog: Catalog, harvest: Harvest) -> None:
    """The portal's list was compared: it is not kept."""
    with catalog.begin() as connection:
        connection.execute(sa.delete(listing_entry).where(listing_entry.c.harvest_id == harvest.id))
