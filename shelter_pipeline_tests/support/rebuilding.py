"""Rescues whose database is gone, and looks into the catalog that is rebuilt from what they left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal, organization_keys
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests, reachable_folder
from shelter_pipeline_tests.support.snapshots import Snapshot, snapshot
from shelter_pipeline_tests.support.workplaces import a_workplace

# What a report counts as new in the catalog.
NEW = ("captures", "assets", "blobs", "copies", "datasets", "organizations")


@dataclass(frozen=True)
class Rescued:
    """A rescue whose database is gone: the portal, the store, and what the catalog said."""

    portal: SamplePortal
    store: Path
    said: Snapshot


@contextmanager
def a_rescue_without_database(
    postgres: PostgresForTests, *, kind: str = "datagov", organizations: int | None = None
) -> Iterator[Rescued]:
    """The sample portal, read as this kind, with its first so many organizations rescued, or all."""
    with SamplePortal() as portal, reachable_folder() as folder:
        with (
            postgres.fresh_database(filled_by=_migrated) as url,
            a_workplace(url, folder / "store") as workplace,
        ):
            path = "/data.json" if kind == "dcat_us" else ""
            slug = add_portal(workplace, f"{kind}:{portal.base_url}{path}").slug
            harvest_portal(workplace, slug)
            discover_resources(workplace, slug)
            for key in organization_keys(workplace)[:organizations]:
                rescue_organization(workplace, key)
            said = snapshot(workplace.catalog)
        yield Rescued(portal, folder / "store", said)


def count(workplace: Workplace, table: str, where: str = "true", **values: Any) -> int:
    """How many rows of a table there are."""
    with workplace.catalog.begin() as connection:
        counted = sa.select(sa.func.count()).select_from(sa.table(table)).where(sa.text(where))
        return int(connection.scalar(counted, values) or 0)


def rows(workplace: Workplace, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """The answer to a query."""
    with workplace.catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def execute(workplace: Workplace, statement: str) -> None:
    """One change of a test's own."""
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text(statement))
