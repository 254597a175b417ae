"""A migrated Rescue DB of a test's own, with the invariants checked when the test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline_tests.support.invariants import broken_rows
from shelter_pipeline_tests.support.postgres import PostgresForTests


@pytest.fixture
def catalog_url(postgres: PostgresForTests) -> Iterator[str]:
    """The URL of an empty, migrated database."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        yield url


@pytest.fixture
def catalog(catalog_url: str, request: pytest.FixtureRequest) -> Iterator[Catalog]:
    """An empty catalog; whatever the test did, no invariant may be broken at its end but those it `breaks`."""
    opened = Catalog(catalog_url)
    yield opened
    counts = audit(opened)
    broken = {name: count for name, count in counts.items() if count and name != "failed_batches"}
    broken |= broken_rows(opened)
    opened.close()
    for mark in request.node.iter_markers("breaks"):
        for name in mark.args:
            broken.pop(name)
    assert broken == {}, f"invariants are broken: {broken}"


def _migrated(url: str) -> None:
    opened = Catalog(url)
    migrate(opened)
    opened.close()
