"""Stores of both kinds, for the tests of what a store promises; what tests of the crawl begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelter_pipeline_tests.support.crawling import opened, portal, site
from shelter_pipeline_tests.support.seaweedfs import SeaweedFS
from shelter_pipeline_tests.support.stores import BucketUnderTest, FolderUnderTest, StoreUnderTest

__all__ = ["bucket", "opened", "place", "portal", "site"]


@pytest.fixture
def bucket(seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path) -> BucketUnderTest:
    """A fresh store on S3."""
    return BucketUnderTest(s3_place, seaweedfs.endpoint, tmp_path / "scratch", seaweedfs.client())


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StoreUnderTest:
    """A fresh store of each kind."""
    if request.param == "folder":
        return FolderUnderTest(tmp_path / "store")
    found = request.getfixturevalue("bucket")
    assert isinstance(found, BucketUnderTest)
    return found
