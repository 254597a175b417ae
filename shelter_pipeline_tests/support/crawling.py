"""What tests of discovery's crawl begin with: a site, a portal, and workplaces over the catalog of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.local_site import LocalSite, local_site
from shelter_pipeline_tests.support.records import a_portal
from shelter_pipeline_tests.support.workplaces import a_workplace

Open = Callable[..., AbstractContextManager[Workplace]]


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def opened(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Open:
    """A workplace with the settings that the test asks for."""
    return partial(a_workplace, catalog_url, tmp_path / "store")


@pytest.fixture
def portal(catalog: Catalog) -> PortalRow:
    return a_portal(catalog)
