"""Which resources nobody has looked at, and what was told from their addresses alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement, storable
from shelter_pipeline.catalog.tables_rescue import asset_kind
from shelter_pipeline.domain.urls import Url


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One listed resource of a dataset, and whether discovery has to look at it."""

    id: int
    dataset_id: int
    role: str
    url: str | None
    format: str | None
    media_type: str | None
    size: int | None
    checksum: str | None
    due: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One asset that a resource names itself, with what the catalogue promises of it."""

    url: Url
    kind: str | None
    why: str
    format: str | None = None
    media_type: str | None = None
    size: int | None = None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What came of looking at one resource: its kind by rule, the outcome, and the assets."""

    resource_id: int
    classified_as: str
    rule: str
    outcome: str
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    repair: str = ""  # what was mended in the URL
    listed: str | None = (
        None  # the resource's address as it was read, if it may have changed since; empty for none
    )


def seed_asset_kinds(catalog: Catalog, kinds: Sequence[tuple[str, str, str]]) -> None:
    """Make every (slug, label, family) known; labels follow the code, and what is equal is not written."""
    insert = upsert(asset_kind)
    new = insert.excluded
    seeding = insert.on_conflict_do_update(
        index_elements=["slug"],
        set_={"label": new.label, "family": new.family},
        where=sa.or_(asset_kind.c.label != new.label, asset_kind.c.family != new.family),
    )
    rows = [{"slug": slug, "label": label, "family": family} for slug, label, family in kinds]
    with catalog.begin() as connection:
        connection.execute(seeding, rows)


def due_resources(
    catalog: Catalog,
    portal_id: int,
    *,
    after_dataset: int,
    limit: int,
    organization_id: int | None = None,
) -> list[ResourceRow]:
    """All listed resources of the next `limit` datasets that have one to look at, dataset by dataset.

    Due are those that nobody has looked at since they changed.
    """
    asked = {
        "portal_id": portal_id,
        "organization_id": organization_id,
        "after": after_dataset,
        "limit": limit,
    }
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        rows = connection.execute(statement("due_resources"), asked).mappings()
        return [ResourceRow(**row) for row in rows]


def record_discoveries(catalog: Catalog, discoveries: Sequence[Discovery]) -> int:
    """Keep outcomes and assets in one transaction; returns how many assets were new. Safe to repeat."""
    if not discoveries:
        return 0
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        connection.execute(statement("stage_findings"))
        copy_rows(
            connection,
            "staged_outcome (resource_id, classified_as, rule, repair, outcome, detail, listed)",
            (
                (
                    d.resource_id,
                    d.classified_as,
                    d.rule,
                    d.repair or None,
                    d.outcome,
                    storable(d.detail),
                    d.listed,
                )
                for d in discoveries
            ),
        )
        copy_rows(
            connection,
            "staged_finding (resource_id, url, url_hash, host, kind, format, media_type, size, checksum, via, why)",
            (_finding_row(d.resource_id, finding) for d in discoveries for finding in d.findings),
        )
        connection.execute(statement("lock_discovered"))
        connection.execute(statement("drop_stale_outcomes"))
        connection.execute(statement("merge_hosts"))
        connection.execute(statement("lock_found"))
        new = int(connection.execute(statement("merge_assets")).scalar_one())
        connection.execute(statement("link_assets"))
        connection.execute(statement("unlink_assets"))
        connection.execute(statement("leave_batches"))
        connection.execute(statement("record_outcomes"))
        return new


def _finding_row(resource_id: int, finding: Finding) -> tuple[Any, ...]:
    return (
        resource_id,
        finding.url.text,
        finding.url.digest,
        finding.url.host,
        finding.kind,
        finding.format,
        finding.media_type,
        finding.size,
        finding.checksum,
        "direct",
        finding.why,
    )


def discovery_files(catalog: Catalog, portal_id: int) -> list[dict[str, Any]]:
    """Files of a portal by kind, most first: how many, of how many the size is known, and their bytes."""
    return [dict(row) for row in catalog.rows("discovery_files", portal_id=portal_id)]


def waiting_places(catalog: Catalog, portal_id: int) -> dict[str, int]:
    """Places that are not read to their end: `due` now, and `resting`."""
    return dict(catalog.rows("waiting_places", portal_id=portal_id)[0])


def discovery_summary(catalog: Catalog, portal_id: int) -> list[dict[str, Any]]:
    """Resources of a portal by kind and outcome, most first."""
    return [dict(row) for row in catalog.rows("discovery_summary", portal_id=portal_id)]
