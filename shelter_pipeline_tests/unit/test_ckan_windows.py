"""How a large CKAN portal is read in windows of dates, and how only what changed is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline_tests.support.ckan_index import (
    SEARCH,
    Index,
    envelope,
    failure,
    identifiers,
    ids,
    modified,
    open_ckan,
    package,
    result,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site

SOLR_DOWN = Answered(failure("Search Error", "SOLR returned an error running query"), 409)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def large(site: LocalSite, **options: Any) -> CkanPortal:
    return open_ckan(site.url, **{"window_packages": 20} | options)


def test_windows_read_every_package_and_never_page_deep(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(200)], cap=8)

    found = identifiers(large(site))

    assert set(found) == set(ids(*range(200)))
    assert max(int(query["start"]) for query in index.searches) < 20
    assert index.searches[1]["fq"] == "metadata_modified:[* TO *]"
    assert index.searches[1]["sort"] == "metadata_modified asc, id asc"


def test_a_portal_of_the_windows_size_is_read_by_id(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(20)], cap=8)

    found = identifiers(large(site))

    assert found == ids(*range(20))
    assert not any("fq" in query for query in index.searches)


@pytest.mark.parametrize("before", [0, 3, 8, 13])
def test_a_mass_import_larger_than_a_window_is_read_to_its_end(site: LocalSite, before: int) -> None:
    packages = [package(number) for number in range(before)]
    packages += [package(number, metadata_modified=modified(500)) for number in range(before, 100)]
    packages += [package(number, metadata_modified=modified(501 + number)) for number in range(100, 130)]
    Index(site, packages, cap=8)

    assert set(identifiers(large(site))) == set(ids(*range(130)))


def test_dates_closer_than_the_index_keeps_them_apart_lose_nothing(site: LocalSite) -> None:
    packages = [
        package(number, metadata_modified=f"2025-06-20T00:00:00.037{number * 7919 % 1000:03d}")
        for number in range(90)
    ]
    Index(site, packages, cap=8)

    assert set(identifiers(large(site))) == set(ids(*range(90)))


def test_a_crawl_in_windows_resumes_after_any_page(site: LocalSite) -> None:
    Index(site, [package(number) for number in range(70)], cap=8)
    portal = large(site)
    pages = list(portal.pages())

    for number, page in enumerate(pages[:-1]):
        before = {record.identifier for one in pages[: number + 1] for record in one.records}
        assert before | set(identifiers(portal, page.cursor)) == set(ids(*range(70)))


def test_a_cursor_says_which_way_is_read_and_where(site: LocalSite) -> None:
    Index(site, [package(number) for number in range(40)], cap=8)

    first, second, third, fourth = [page.cursor for page in large(site).pages()][:4]

    assert json.loads(first or "") == {"from": "*", "start": 0}
    assert json.loads(second or "") == {"from": "*", "start": 8}
    assert json.loads(third or "") == {"from": "*", "start": 16}
    assert json.loads(fourth or "") == {"from": "2025-06-20T00:00:23.037Z", "start": 0}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "-3",
        "null",
        "[1]",
        "{}",
        '{"from": 7}',
        '{"from": "soon"}',
        '{"from": "*", "start": "x"}',
        "[" * 10**5,
    ],
)
def test_a_cursor_that_cannot_be_read_is_the_beginning(site: LocalSite, cursor: str) -> None:
    Index(site, [package(number) for number in range(30)], cap=8)

    assert set(identifiers(large(site), cursor)) == set(ids(*range(30)))


def test_a_package_deleted_while_a_window_is_read_hides_none_at_its_seam(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(60)], cap=10)

    def lose_the_last_one_read(asked: Asked) -> None:
        if "fq" in asked.query and asked.query["fq"] != "metadata_modified:[* TO *]":
            index.packages = [one for one in index.packages if one["id"] != ids(19)[0]]

    index.before_answer = lose_the_last_one_read

    assert set(identifiers(large(site))) == set(ids(*range(60)))


@pytest.mark.parametrize(
    "refusal",
    [
        Answered(failure("Search Query Error", "Invalid search parameters: ['fq']"), 400),
        Answered(failure("Validation Error", "fq"), 409),
        Answered("Bad request - fq", 400),
        SOLR_DOWN,
    ],
    ids=["400", "409", "text", "search error"],
)
def test_a_portal_that_refuses_filters_is_read_by_id(site: LocalSite, refusal: Answered) -> None:
    index = Index(site, [package(number) for number in range(50)], cap=8)
    index.before_answer = lambda asked: refusal if "fq" in asked.query else None

    found = identifiers(large(site))

    assert found == ids(*range(50))


def test_a_portal_that_ignores_filters_is_read_by_id(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(50)], cap=8)
    index.heeds_filters = False

    pages = list(large(site).pages())

    found = [record.identifier for page in pages for record in page.records]
    assert (found[:8], found[-42:]) == (ids(*range(8)), ids(*range(8, 50)))
    assert [page.cursor for page in pages][-4:] == ["40", "48", "50", None]


def test_a_portal_that_begins_to_ignore_filters_is_read_by_id_from_the_beginning(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(50)], cap=8)
    cursor = '{"from": "2025-06-20T00:00:30.037Z", "start": 0}'
    index.heeds_filters = False

    assert identifiers(large(site), cursor) == ids(*range(50))


def test_a_portal_that_does_not_sort_by_date_is_read_without_new_windows(site: LocalSite) -> None:
    packages = [package(number, metadata_modified=modified(number * 7919 % 97)) for number in range(60)]
    index = Index(site, packages, cap=8)

    def unsorted(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        return Answered(envelope(packages[start : start + 8], 60))

    index.before_answer = unsorted

    assert set(identifiers(large(site))) == set(ids(*range(60)))


def test_packages_without_dates_are_read_all_the_same(site: LocalSite) -> None:
    packages = [package(number, metadata_modified=None) for number in range(50)]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        return Answered(envelope(packages[start : start + 8], 50))

    site.answers(SEARCH, answer)

    assert set(identifiers(large(site))) == set(ids(*range(50)))


def test_an_index_that_goes_away_in_the_middle_is_an_error_and_no_fresh_start(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(60)], cap=8)
    index.before_answer = lambda _: SOLR_DOWN if len(index.searches) > 4 else None

    with pytest.raises(TransientError, match="SOLR returned an error"):
        identifiers(large(site))


# only what changed


def test_only_what_changed_since_a_moment_is_read_that_moment_included(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(50)], cap=8)
    since = datetime.fromisoformat(modified(41)).replace(tzinfo=UTC)

    found = identifiers(large(site), since=since)

    assert found == ids(*range(41, 50))
    assert index.searches[0]["fq"] == "metadata_modified:[2025-06-20T00:00:41.037Z TO *]"


def test_a_moment_in_another_zone_is_the_same_moment(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(5)])

    identifiers(large(site), since=datetime(2025, 6, 20, 2, 0, 3, tzinfo=timezone(timedelta(hours=2))))

    assert index.searches[0]["fq"] == "metadata_modified:[2025-06-20T00:00:03.000Z TO *]"


def test_many_changes_are_read_in_windows_and_resume(site: LocalSite) -> None:
    Index(site, [package(number) for number in range(100)], cap=8)
    portal, since = large(site), datetime.fromisoformat(modified(30)).replace(tzinfo=UTC)
    pages = list(portal.pages(since=since))

    found = {record.identifier for page in pages for record in page.records}
    rest = identifiers(portal, pages[4].cursor, since=since)

    assert found == set(ids(*range(30, 100)))
    assert set(rest) >= {record.identifier for page in pages[5:] for record in page.records}
    assert set(rest) < found


@pytest.mark.parametrize("cursor", ["16", '{"from": "*", "start": 8}', '{"list": 5}'])
def test_a_full_crawls_cursor_does_not_widen_an_increment(site: LocalSite, cursor: str) -> None:
    Index(site, [package(number) for number in range(50)], cap=8)
    since = datetime.fromisoformat(modified(41)).replace(tzinfo=UTC)

    assert identifiers(large(site), cursor, since=since) == ids(*range(41, 50))


def test_a_page_knows_the_latest_change_on_it(site: LocalSite) -> None:
    packages = [
        package(1),
        package(2, metadata_modified="2026-01-02T03:04:05+02:00"),
        package(3, metadata_modified="x"),
    ]
    Index(site, packages)

    first, last = open_ckan(site.url).pages()

    assert first.changed_until == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert last.changed_until is None


def test_nothing_changed_is_one_empty_last_page(site: LocalSite) -> None:
    Index(site, [package(number) for number in range(5)])

    pages = list(open_ckan(site.url).pages(since=datetime(2026, 1, 1, tzinfo=UTC)))

    assert [(page.records, page.cursor) for page in pages] == [((), None)]


def test_a_portal_that_refuses_filters_says_that_changes_cannot_be_asked_for(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(5)])
    index.takes_filters = False

    with pytest.raises(PermanentError, match=r"cannot be asked for only what changed.*Invalid search param"):
        identifiers(open_ckan(site.url), since=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_portal_that_ignores_filters_says_that_changes_cannot_be_asked_for(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(5)])
    index.heeds_filters = False

    with pytest.raises(PermanentError, match=r"cannot be asked for only what changed.*changed before"):
        identifiers(open_ckan(site.url), since=datetime(2026, 1, 1, tzinfo=UTC))


def test_dkans_search_cannot_be_asked_for_changes(site: LocalSite) -> None:
    site.serves(SEARCH, result([{"id": "1", "title": "T"}]))

    with pytest.raises(PermanentError, match="cannot be asked for only what changed"):
        identifiers(open_ckan(site.url), since=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_filter_refused_as_a_search_error_is_told_from_an_index_that_is_away(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(5)])
    since = datetime(2026, 1, 1, tzinfo=UTC)

    index.before_answer = lambda asked: SOLR_DOWN if "fq" in asked.query else None
    with pytest.raises(PermanentError, match="cannot be asked for only what changed"):
        identifiers(open_ckan(site.url), since=since)

    index.before_answer = lambda _: SOLR_DOWN
    with pytest.raises(TransientError, match="Search Error"):
        identifiers(open_ckan(site.url), since=since)
