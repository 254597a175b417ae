"""Dataset records and catalog rows for tests: every default unremarkable, every relevant value given by the test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.discoveries import (
    Discovery,
    Finding,
    due_resources,
    record_discoveries,
    seed_asset_kinds,
)
from shelter_pipeline.catalog.harvests import end_harvest, open_harvest, record_group
from shelter_pipeline.catalog.portals import PortalRow, add_portal
from shelter_pipeline.domain.records import (
    DatasetRecord,
    OrganizationRecord,
    Refusal,
    ResourceRecord,
    canonical_json,
    content_hash,
)
from shelter_pipeline.domain.urls import parse_url

EPA = OrganizationRecord("epa-gov", "Environmental Protection Agency", "Federal")


def a_resource(url: str | None, *, key: str = "r1", position: int = 0, **fields: Any) -> ResourceRecord:
    """A resource that leads to `url`."""
    return ResourceRecord(key=key, position=position, url=url, **fields)


def a_dataset(
    identifier: str,
    *resources: ResourceRecord,
    organization: OrganizationRecord = EPA,
    title: str = "Air quality",
    **fields: Any,
) -> DatasetRecord:
    """A dataset whose raw record says the same as its fields."""
    raw = {
        "identifier": identifier,
        "title": title,
        "urls": [[resource.key, resource.url, resource.format] for resource in resources],
        "organization": organization.slug,
    }
    return DatasetRecord(
        identifier=identifier,
        slug=f"dataset-{identifier}",
        title=title,
        organization=organization,
        raw=canonical_json(raw),
        record_hash=content_hash(raw),
        resources=tuple(resources),
        **fields,
    )


def a_portal(catalog: Catalog) -> PortalRow:
    """A portal of the new data.gov kind."""
    return add_portal(catalog, "datagov", "https://portal.example")


def harvested(
    catalog: Catalog,
    portal: PortalRow,
    records: Iterable[DatasetRecord | Refusal],
    *,
    verdict: str = "complete",
) -> int:
    """One whole harvest of one page; returns its id."""
    harvest = open_harvest(catalog, portal)
    record_group(catalog, portal, harvest, list(records), cursor=None, requests=1)
    end_harvest(catalog, harvest, verdict=verdict)
    return harvest.id


def discovered(catalog: Catalog, portal: PortalRow) -> int:
    """Every due resource becomes one asset of its URL; returns how many assets were new."""
    seed_asset_kinds(catalog, [("csv", "CSV", "table")])
    rows = due_resources(catalog, portal.id, after_dataset=0, limit=100_000)
    return record_discoveries(
        catalog,
        [
            Discovery(
                row.id,
                "file",
                "extension",
                "found",
                "",
                (Finding(parse_url(row.url), "csv", "direct", size=row.size),),
            )
            for row in rows
            if row.due and row.url
        ],
    )
