"""Failures of CKAN and of what stands before it: what is asked again, what is not, and what one package can spoil."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Page, Refusal
from shelter_pipeline_tests.support.ckan_index import (
    SEARCH,
    SHOW,
    Index,
    envelope,
    failure,
    identifiers,
    ids,
    in_json,
    open_ckan,
    package,
    result,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site

DEEP = '{"id": "deep", "title": "T", "x": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


PASSING = [
    Answered(failure("Search Error", "SOLR returned an error"), 409),
    Answered(failure("Search Error", "SOLR returned an error")),
    Answered(failure("Search Index Error", "unable to add"), 500),
    Answered(b"<html><h1>502 Bad Gateway</h1></html>", 502),
    Answered(b"<html><h1>504 Gateway Time-out</h1></html>", 504),
    Answered(b"<html><title>Request Rejected</title></html>", 200),
    Answered(b"<html><title>Request Rejected</title></html>", 403),
    Answered({"timeout": True, "message": "timeout of 5000ms exceeded"}),
    Answered(b'{"success": true, "result": {"count": 1, "resu'),
    Answered(b""),
]
# Of the question as it was asked: other sizes of page are tried, and whether any question is taken at all.
REFUSALS = [
    Answered(failure("Validation Error", "rows"), 409),
    Answered(failure("Search Query Error", "Invalid search parameters"), 400),
    Answered("Bad request - JSON Error: Error decoding JSON data", 400),
]
LASTING = [
    Answered(failure("Authorization Error", "Access denied"), 403),
    Answered({"success": False}),
    Answered(b"<html><title>Welcome</title></html>"),
]


@pytest.mark.parametrize("reply", PASSING, ids=str)
def test_what_may_pass_is_asked_again(site: LocalSite, reply: Answered) -> None:
    site.serves_in_turn(SEARCH, reply, Answered(envelope([package(1)], 1)), Answered(envelope([], 1)))

    first, _ = open_ckan(site.url, attempts=3).pages()

    assert [record.identifier for record in first.records] == ids(1)
    assert first.requests == 2


@pytest.mark.parametrize("reply", LASTING, ids=str)
def test_what_will_not_pass_is_asked_once(site: LocalSite, reply: Answered) -> None:
    site.answers(SEARCH, lambda _: reply)

    with pytest.raises(PermanentError, match=r"package_search\?rows=1000&start=0"):
        identifiers(open_ckan(site.url, attempts=5))
    assert len([asked for asked in site.asked if asked.path == SEARCH]) == 1


@pytest.mark.parametrize("reply", REFUSALS, ids=str)
def test_a_portal_that_refuses_every_question_is_asked_a_few_times(site: LocalSite, reply: Answered) -> None:
    site.answers(SEARCH, lambda _: reply)

    with pytest.raises(PermanentError, match=r"package_search\?rows=1000&start=0"):
        identifiers(open_ckan(site.url, attempts=5))
    assert len(site.asked) == 5


TOO_MANY_ROWS = [
    Answered(failure("Validation Error", "rows: must be at most 100"), 400),
    Answered(failure("Search Query Error", "rows"), 409),
    Answered({"success": False, "error": {"__type": "Validation Error", "rows": ["Too many"]}}, 409),
]


@pytest.mark.parametrize("reply", TOO_MANY_ROWS, ids=str)
@pytest.mark.parametrize("window_packages", [50_000, 60])
def test_a_portal_that_refuses_large_pages_is_read_in_smaller_ones(
    site: LocalSite, reply: Answered, window_packages: int
) -> None:
    index = Index(site, [package(number) for number in range(250)])
    index.before_answer = lambda asked: reply if int(asked.query["rows"]) > 100 else None
    portal = open_ckan(site.url, window_packages=window_packages)

    assert set(identifiers(portal)) == set(ids(*range(250)))
    assert {one for listing in portal.identities() for one in listing.identifiers} == set(ids(*range(250)))


@pytest.mark.parametrize(
    "reply",
    [
        Answered(failure("Search Query Error", "Invalid sort"), 400),
        Answered(failure("Validation Error", "sort"), 409),
        Answered(failure("Search Error", "SOLR returned an error running query: undefined field id"), 409),
        Answered(b"<html><h1>500 Internal Server Error</h1></html>", 500),
    ],
    ids=str,
)
@pytest.mark.parametrize("refused", [("id",), ("id", "name", "metadata_modified")])
def test_a_portal_that_refuses_our_order_is_read_in_another(
    site: LocalSite, reply: Answered, refused: tuple[str, ...]
) -> None:
    index = Index(site, [package(number) for number in range(57)], cap=10)
    index.before_answer = lambda asked: (
        reply if asked.query.get("sort", "").partition(" ")[0] in refused else None
    )
    portal = open_ckan(site.url)

    pages = list(portal.pages())
    resumed = identifiers(portal, pages[2].cursor)

    assert [record.identifier for page in pages for record in page.records] == ids(*range(57))
    assert resumed == ids(*range(30, 57))
    assert [one for listing in portal.identities() for one in listing.identifiers] == ids(*range(57))


def test_a_crawl_that_breaks_off_at_bad_packages_goes_on_in_the_same_order(site: LocalSite) -> None:
    packages = [package(number, name=f"p-{99 - number}") for number in range(40)]
    index = Index(site, packages, cap=10)
    spoiled_by(index, 20, 21, 22, 23, 24, how=Answered(b"<html><h1>Internal Server Error</h1></html>", 500))
    spoiled = index.before_answer
    index.before_answer = lambda asked: spoiled(asked) if int(asked.query["rows"]) else None

    with pytest.raises(TransientError, match="status 500"):
        identifiers(open_ckan(site.url), "20")
    assert {one.get("sort") for one in index.searches} == {"id asc"}


def test_a_package_that_an_earlier_deletion_hides_is_on_the_list_and_can_be_asked_for(
    site: LocalSite,
) -> None:
    packages = [package(number) for number in range(50)]
    index = Index(site, packages, cap=10)
    site.answers(
        SHOW, lambda asked: Answered(result(next(one for one in packages if one["id"] == asked.query["id"])))
    )
    portal = open_ckan(site.url)
    pages = portal.pages()
    read = [record.identifier for record in next(pages).records]
    index.packages = packages[1:]
    read += [record.identifier for page in pages for record in page.records]

    missing = {one for listing in portal.identities() for one in listing.identifiers} - set(read)
    found = [portal.look_up(one) for one in missing]

    assert missing == set(ids(10))
    assert [page.records[0].identifier for page in found if page] == ids(10)


def test_a_portal_that_asks_for_a_pause_is_heard(site: LocalSite) -> None:
    waited: list[float] = []
    portal = open_ckan(site.url, attempts=2, sleep=waited.append)
    site.serves_in_turn(
        SEARCH,
        Answered(failure("Search Error", "solr"), 409, {"retry-after": "7"}),
        Answered(envelope([], 0)),
    )

    identifiers(portal)

    assert waited == [7]


def spoiled_by(index: Index, *numbers: int, how: Answered) -> None:
    """Pages that would hold one of these packages fail."""
    spoiling = set(ids(*numbers))

    def answer(asked: Asked) -> Answered | None:
        start, rows = int(asked.query["start"]), int(asked.query["rows"])
        page = index.packages[start : start + min(rows, index.cap)]
        return how if any(one["id"] in spoiling for one in page) else None

    index.before_answer = answer


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (Answered(b"<html><h1>Internal Server Error</h1></html>", 500), "status 500"),
        (Answered(b'{"success": true, "result": {"results": [' + DEEP.encode() + b"]}}"), "too deeply"),
        (Answered(b'{"success": true, "result": {"results": [{"id": ,}]}}'), "invalid JSON"),
    ],
    ids=["500", "deep", "invalid"],
)
def test_a_package_that_spoils_its_page_is_refused_alone(site: LocalSite, how: Answered, words: str) -> None:
    index = Index(site, [package(number) for number in range(250)])
    spoiled_by(index, 123, how=how)

    records = [record for page in open_ckan(site.url).pages() for record in page.records]

    kept = {record.identifier for record in records if isinstance(record, DatasetRecord)}
    refused = [record for record in records if isinstance(record, Refusal)]
    assert kept == set(ids(*range(250))) - set(ids(123))
    assert [(one.position, one.field) for one in refused] == [(123, "record")]
    assert words in refused[0].problem
    assert len(index.searches) < 40


@pytest.mark.parametrize("how", ["deep", "500"])
def test_a_package_that_spoils_its_page_is_refused_by_its_id_where_the_index_can_tell_it(
    site: LocalSite, how: str
) -> None:
    index = Index(site, [package(number) for number in range(50)])
    reply = Answered(b"<html><h1>Internal Server Error</h1></html>", 500)
    if how == "deep":
        reply = Answered(b'{"success": true, "result": {"results": [' + DEEP.encode() + b"]}}")
    spoiled_by(index, 23, how=reply)
    spoiled = index.before_answer
    index.before_answer = lambda asked: None if "fl" in asked.query else spoiled(asked)
    portal = open_ckan(site.url)

    records = [record for page in portal.pages() for record in page.records]
    listed = {one for listing in portal.identities() for one in listing.identifiers}

    assert [record.identifier for record in records if isinstance(record, Refusal)] == ids(23)
    assert {record.identifier for record in records} == listed


@pytest.mark.parametrize("spoiling", [(0,), (249,), (7, 8, 9), (0, 100, 200)])
def test_packages_that_spoil_pages_are_refused_wherever_they_stand(
    site: LocalSite, spoiling: tuple[int, ...]
) -> None:
    index = Index(site, [package(number) for number in range(250)])
    spoiled_by(index, *spoiling, how=Answered(b"<html><h1>Internal Server Error</h1></html>", 500))

    records = [record for page in open_ckan(site.url).pages() for record in page.records]

    refused = {record.position for record in records if isinstance(record, Refusal)}
    kept = {record.identifier for record in records if isinstance(record, DatasetRecord)}
    assert refused == set(spoiling)
    assert kept == set(ids(*range(250))) - set(ids(*spoiling))


def test_a_portal_that_can_only_give_small_pages_is_read_in_small_pages(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(500)])
    index.before_answer = lambda asked: (
        Answered(b"<html><h1>Gateway Time-out</h1></html>", 504) if int(asked.query["rows"]) > 100 else None
    )

    found = identifiers(open_ckan(site.url))

    assert found == ids(*range(500))
    assert len(index.searches) < 10


def test_a_portal_that_is_down_is_an_error_and_no_refusals(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(50)], cap=10)
    index.before_answer = lambda _: (
        Answered(b"<html><h1>Bad gateway</h1></html>", 502) if len(index.searches) > 3 else None
    )
    pages: list[Page] = []

    with pytest.raises(TransientError, match=r"start=30.*502"):
        pages.extend(open_ckan(site.url).pages())
    assert len(index.searches) < 20


def test_a_crawl_that_breaks_off_resumes_where_it_was(site: LocalSite) -> None:
    index = Index(site, [package(number) for number in range(50)], cap=10)
    index.before_answer = lambda _: (
        Answered(b"<html><h1>Bad gateway</h1></html>", 502) if len(index.searches) > 3 else None
    )
    portal = open_ckan(site.url)
    given: list[Page] = []
    with pytest.raises(ShelterError):
        given.extend(portal.pages())
    index.before_answer = lambda _: None

    rest = identifiers(portal, given[-1].cursor)

    assert [record.identifier for page in given for record in page.records] + rest == ids(*range(50))


def test_records_of_every_kind_on_one_page_each_have_their_fate(site: LocalSite) -> None:
    odd: list[Any] = [
        None,
        "text",
        7,
        [],
        {},
        {"id": None, "name": None},
        {"id": "x", "title": " ", "name": ""},
        [[[]]],
    ]
    good = in_json(package(1))
    body = (
        '{"success": true, "result": {"count": 99, "results": ['
        f"{good}, {in_json(odd)[1:-1]}, "
        '{"id": "nan", "title": "T", "resources": [{"url": "https://x.org/", "size": NaN}]},'
        '{"id": "half", "title": "\\ud83d"}, {"id": "nul", "title": "a\\u0000b"}]}}'
    )
    site.serves_in_turn(SEARCH, Answered(body.encode()), Answered(envelope([], 0)))

    first = next(open_ckan(site.url).pages())

    kept = [record.identifier for record in first.records if isinstance(record, DatasetRecord)]
    assert kept == [*ids(1), "nan", "half", "nul"]
    assert len(first.records) == len(kept) + len(odd)
    assert all(record.field and record.problem for record in first.records if isinstance(record, Refusal))
