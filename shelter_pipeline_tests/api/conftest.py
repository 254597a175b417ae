"""A running API for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api


@pytest.fixture
def api(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """The API as `shelter up` runs it, on loopback and open to whoever is on the machine."""
    with an_api(catalog_url, tmp_path / "store") as running:
        yield running
