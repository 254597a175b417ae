"""How a /data.json document is handed on: in pages that resume, beside its own witness, fetched once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.portals import dcat_us
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.dcat_documents import (
    dataset,
    portal_of,
)
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def test_the_document_is_its_own_witness_and_read_once(site: LocalSite) -> None:
    entries = [dataset("1"), dataset("2", publisher={"name": "Other"}), {}]
    portal = portal_of(site, {"dataset": entries})

    witness = portal.witnesses()[0]
    records = [record for page in portal.pages() for record in page.records]

    assert witness.total == len(records) == 3
    assert witness.by_organization == {"office-of-things": 1, "other": 1, "unknown": 1}
    assert len(site.asked) == 1


def test_a_repetition_is_not_counted_twice_by_the_witness(site: LocalSite) -> None:
    portal = portal_of(site, {"dataset": [dataset("1"), dataset("1"), dataset("2")]})

    assert portal.witnesses()[0].total == 2


def test_a_large_document_comes_in_pages_that_resume(
    site: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dcat_us, "RECORDS_A_PAGE", 10)
    document = {"dataset": [dataset(str(number)) for number in range(25)]}

    pages = list(portal_of(site, document).pages())
    rest = [record for page in portal_of(site, document).pages(pages[0].cursor) for record in page.records]

    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert pages[-1].cursor is None
    assert [record.identifier for record in rest] == [str(number) for number in range(10, 25)]


def test_a_cursor_of_another_edition_starts_over(site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcat_us, "RECORDS_A_PAGE", 10)
    old = portal_of(site, {"dataset": [dataset(str(number)) for number in range(25)]})
    cursor = next(old.pages()).cursor
    new = portal_of(site, {"dataset": [dataset(f"new-{number}") for number in range(25)]})

    assert sum(len(page.records) for page in new.pages(cursor)) == 25


def test_a_portal_that_answers_a_page_of_html_once_is_read_the_second_time(site: LocalSite) -> None:
    url = site.serves_in_turn(
        "/data.json",
        Answered(b"<!doctype html><h1>Site under maintenance</h1>", 503),
        Answered({"dataset": [dataset()]}),
    )
    portal = DcatUsPortal(url, PageReader(open_door(), max_bytes=10**6, attempts=2, sleep=lambda _: None))

    assert next(portal.pages()).requests == 2


def test_requests_are_counted_once_by_whoever_asks_first(site: LocalSite) -> None:
    portal = portal_of(site, {"dataset": [dataset()]})

    counted = [portal.witnesses()[0].requests, next(portal.pages()).requests, next(portal.pages()).requests]

    assert (counted, len(site.asked)) == ([1, 0, 0], 1)


def test_a_document_cannot_be_asked_for_one_dataset_and_lists_no_identities(site: LocalSite) -> None:
    portal = portal_of(site, {"dataset": [dataset()]})

    with pytest.raises(PermanentError, match="cannot be asked for 'A-1'"):
        portal.look_up("A-1")

    assert list(portal.identities()) == []
    assert portal.reads_changes is False


def test_pages_of_large_records_end_sooner(site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcat_us, "PAGE_BYTES", 3000)
    document = {"dataset": [dataset(str(number), description="x" * 1000) for number in range(7)]}

    pages = list(portal_of(site, document).pages())
    rest = [record for page in portal_of(site, document).pages(pages[0].cursor) for record in page.records]

    assert [len(page.records) for page in pages] == [3, 3, 1]
    assert [record.identifier for record in rest] == ["3", "4", "5", "6"]
