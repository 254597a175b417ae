"""Resources that are no files by rule, and the places that they wait for; who names the same one shares it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement
from shelter_pipeline.catalog.discoveries import ResourceRow
from shelter_pipeline.domain.urls import Url


@dataclass(frozen=True, slots=True)
class Place:
    """A URL of a resource that has to be explored, and how it was classified."""

    resource_id: int
    dataset_id: int
    url: Url
    kind: str
    rule: str
    repair: str = ""
    # The resource's address as it was read, if it may have changed since; empty for none.
    listed: str | None = None


def attach_places(catalog: Catalog, places: Sequence[Place]) -> None:
    """Let resources wait for their places; those whose place is known have what it leads to at once."""
    if not places:
        return
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        connection.execute(statement("stage_places"))
        copy_rows(
            connection,
            "staged_place (resource_id, dataset_id, url, url_hash, host, kind, rule, repair, listed)",
            (
                (
                    p.resource_id,
                    p.dataset_id,
                    p.url.text,
                    p.url.digest,
                    p.url.host,
                    p.kind,
                    p.rule,
                    p.repair or None,
                    p.listed,
                )
                for p in places
            ),
        )
        for name in (
            "merge_place_hosts",
            "open_explorations",
            "lock_places",
            "wake_places",
            "lock_attached",
            "drop_stale_places",
            "share_findings",
            "attach_resources",
        ):
            connection.execute(statement(name))


def reconsidered_resources(
    catalog: Catalog,
    portal_id: int,
    *,
    organization_id: int | None,
    after: int,
    limit: int,
    places: Sequence[str],
    longest: timedelta,
) -> list[ResourceRow]:
    """Resources that turned out to be no file, and places known by an outcome of long ago, by id."""
    rows = catalog.rows(
        "reconsidered_resources",
        portal_id=portal_id,
        organization_id=organization_id,
        after=after,
        limit=limit,
        places=list(places),
        longest=longest,
    )
    return [ResourceRow(**row) for row in rows]
