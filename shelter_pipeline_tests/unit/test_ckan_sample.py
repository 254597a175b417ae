"""The CKAN driver on the sample portal: another implementation of the API than the one in these tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.sample.shapes.ckan import is_lost
from shelter_pipeline_tests.support.ckan_index import open_ckan


@pytest.fixture(scope="module")
def sample() -> Iterator[SamplePortal]:
    with SamplePortal() as running:
        yield running


def read(portal: CkanPortal, since: datetime | None = None) -> tuple[set[str], list[Refusal]]:
    records = [record for page in portal.pages(since=since) for record in page.records]
    kept = {record.identifier for record in records if isinstance(record, DatasetRecord)}
    return kept, [record for record in records if isinstance(record, Refusal)]


@pytest.mark.parametrize("window_packages", [1000, 100])
def test_every_dataset_comes_and_every_broken_row_is_refused(
    sample: SamplePortal, window_packages: int
) -> None:
    kept, refused = read(open_ckan(sample.base_url, window_packages=window_packages))

    assert kept == {dataset.id for dataset in sample.catalogue.datasets}
    assert {one.field for one in refused} == {"id", "title", "record"}


@pytest.mark.parametrize("window_packages", [1000, 100])
def test_the_second_pass_finds_what_the_index_lost_and_looking_it_up_brings_it(
    sample: SamplePortal, window_packages: int
) -> None:
    portal = open_ckan(f"{sample.base_url}/short-pages", window_packages=window_packages)

    kept, refused = read(portal)
    listed = {one for listing in portal.identities() for one in listing.identifiers}
    missing = listed - kept - {one.identifier for one in refused}
    found = [portal.look_up(one) for one in missing]

    assert missing == {row.id for row in sample.catalogue.rows if is_lost(row)}
    assert {page.records[0].identifier for page in found if page} == missing


def test_an_increment_holds_what_changed_since(sample: SamplePortal) -> None:
    kept, _ = read(open_ckan(sample.base_url), since=datetime(2026, 10, 1, tzinfo=UTC))

    assert kept == {one.id for one in sample.catalogue.datasets if one.harvested >= "2026-10-01"}


def test_the_witnesses_agree_with_the_catalogue(sample: SamplePortal) -> None:
    index, organizations = open_ckan(sample.base_url).witnesses()

    assert index.total == sum(index.by_organization.values()) == len(sample.catalogue.rows)
    assert sum(organizations.by_organization.values()) == len(sample.catalogue.datasets)
    assert len(organizations.organizations) == len(sample.catalogue.publishers)


def test_what_the_sample_does_not_have_is_not_there(sample: SamplePortal) -> None:
    assert open_ckan(sample.base_url).look_up("nothing") is None
