"""Portals without a search: DKAN's lists, one package after another, and packages asked for by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline_tests.support.ckan_index import (
    NAMES,
    PACKAGES,
    SEARCH,
    SHOW,
    UNKNOWN_ACTION,
    Index,
    envelope,
    failure,
    identifiers,
    ids,
    open_ckan,
    package,
    result,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site

NO_PAGE = Answered(b"<html><h1>Page not found</h1></html>", 404)
NOT_FOUND = Answered(failure("Not Found Error", "Not found"), 404)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def portal(site: LocalSite) -> CkanPortal:
    return open_ckan(site.url)


def without_search(site: LocalSite, reply: Answered = UNKNOWN_ACTION) -> None:
    site.answers(SEARCH, lambda _: reply)


def serve_list(
    site: LocalSite, path: str, items: list[Any], *, cap: int = 1000, nested: bool = False
) -> None:
    def answer(asked: Asked) -> Answered:
        start, limit = int(asked.query.get("offset", 0)), int(asked.query.get("limit", 10**6))
        page = items[start : start + min(limit, cap)]
        return Answered(result([page] if nested else page))

    site.answers(path, answer)


def serve_packages_by_name(site: LocalSite, packages: list[Any], *, as_list: bool = False) -> None:
    by_name = {one[key]: one for one in packages for key in ("name", "id")}

    def answer(asked: Asked) -> Answered:
        found = by_name.get(asked.query["id"])
        return Answered(result([found] if as_list else found)) if found else NOT_FOUND

    site.answers(SHOW, answer)


@pytest.mark.parametrize(
    "reply", [UNKNOWN_ACTION, NO_PAGE, Answered(b"gone", 410)], ids=["text", "404", "410"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_portal_without_search_is_read_by_its_list_of_packages(
    site: LocalSite, portal: CkanPortal, reply: Answered, nested: bool
) -> None:
    without_search(site, reply)
    serve_list(site, PACKAGES, [package(number) for number in range(25)], cap=10, nested=nested)

    pages = list(portal.pages())

    assert [record.identifier for page in pages for record in page.records] == ids(*range(25))
    assert identifiers(portal, pages[0].cursor) == ids(*range(10, 25))


def test_a_list_that_ignores_its_offset_ends_quietly(site: LocalSite, portal: CkanPortal) -> None:
    without_search(site)
    site.serves(PACKAGES, result([[package(1), package(2)]]))

    assert identifiers(portal) == ids(1, 2)
    assert len(site.asked) == 3


@pytest.mark.parametrize("as_list", [False, True])
def test_a_portal_with_names_alone_is_read_package_by_package(
    site: LocalSite, portal: CkanPortal, as_list: bool
) -> None:
    packages = [package(number) for number in range(70)]
    without_search(site)
    serve_list(site, NAMES, [one["name"] for one in packages], cap=30)
    serve_packages_by_name(site, packages, as_list=as_list)

    pages = list(portal.pages())

    assert [record.identifier for page in pages for record in page.records] == ids(*range(70))
    assert json.loads(pages[0].cursor or "") == {"list": 50}
    assert identifiers(portal, pages[0].cursor) == ids(*range(50, 70))
    assert pages[-1].cursor is None


def test_names_that_cannot_be_paged_are_asked_for_at_once(site: LocalSite, portal: CkanPortal) -> None:
    def answer(asked: Asked) -> Answered:
        if asked.query:
            return Answered(failure("Validation Error", "limit"), 409)
        return Answered(result([package(1)["name"], package(2)["name"]]))

    without_search(site)
    site.answers(NAMES, answer)
    serve_packages_by_name(site, [package(1), package(2)])

    assert identifiers(portal) == ids(1, 2)


def test_names_that_ignore_limit_and_offset_are_taken_once(site: LocalSite, portal: CkanPortal) -> None:
    packages = [package(number) for number in range(3)]
    without_search(site)
    site.serves(NAMES, result([one["name"] for one in packages]))
    serve_packages_by_name(site, packages)

    assert identifiers(portal) == ids(0, 1, 2)


def test_a_package_that_cannot_be_shown_is_a_refusal_with_its_name_and_the_reason(
    site: LocalSite, portal: CkanPortal
) -> None:
    replies = {
        "fine": Answered(result(package(1))),
        "missing": NOT_FOUND,
        "private": Answered(failure("Authorization Error", "Access denied"), 403),
        "broken": Answered(b"<html><h1>Internal Server Error</h1></html>", 500),
        "empty": Answered(result([])),
        "null": Answered(result(None)),
        "too deep": Answered(b'{"success": true, "result": ' + b"[" * 10**5 + b"]" * 10**5 + b"}"),
    }
    without_search(site)
    site.serves(NAMES, result([*replies, 7, None]))
    site.answers(SHOW, lambda asked: replies[asked.query["id"]])

    (page,) = portal.pages()

    reasons = {one.identifier: one.problem for one in page.records if isinstance(one, Refusal)}
    assert [one.identifier for one in page.records if isinstance(one, DatasetRecord)] == ids(1)
    assert set(reasons) == {*replies, None} - {"fine"}
    assert "Not found" in reasons["missing"]
    assert "Access denied" in reasons["private"]
    assert "status 500" in reasons["broken"]
    assert "nested too deeply" in reasons["too deep"]
    assert [one.position for one in page.records if isinstance(one, Refusal)] == list(range(1, 9))


def test_a_portal_that_goes_down_between_packages_is_given_up(site: LocalSite, portal: CkanPortal) -> None:
    without_search(site)
    site.serves(NAMES, result([f"package-{number}" for number in range(500)]))
    site.serves(SHOW, b"<html><h1>Bad gateway</h1></html>", 502)

    with pytest.raises(TransientError, match=r"package_show.*502"):
        identifiers(portal)
    assert len(site.asked) < 30


def test_a_portal_without_any_list_says_what_its_search_said(site: LocalSite, portal: CkanPortal) -> None:
    without_search(site)
    site.serves(NAMES, b"<html><h1>302 Found</h1></html>", content_type="text/html")

    with pytest.raises(PermanentError, match=r"package_search.*Action name not known"):
        identifiers(portal)


def test_a_search_that_works_is_never_left_for_a_list(site: LocalSite, portal: CkanPortal) -> None:
    Index(site, [package(1)])
    site.serves(NAMES, b"<html><h1>302 Found</h1></html>")

    assert identifiers(portal) == ids(1)
    assert {asked.path for asked in site.asked} == {SEARCH}


# identities


def test_identities_are_asked_for_alone_and_to_the_end(site: LocalSite, portal: CkanPortal) -> None:
    index = Index(site, [package(number) for number in range(25)], cap=10)

    listings = list(portal.identities())

    assert [one for listing in listings for one in listing.identifiers] == ids(*range(25))
    assert index.searches[0] == {"rows": "1000", "start": "0", "fl": "id", "sort": "id asc"}
    assert sum(listing.requests for listing in listings) == len(index.searches)


def test_identities_are_read_from_whole_packages_names_and_bare_strings(
    site: LocalSite, portal: CkanPortal
) -> None:
    site.serves(SEARCH, envelope([package(1), {"id": "", "name": "n"}, "bare", None, {}, 7.5, [1]], 7))

    (listing, last) = portal.identities()

    assert listing.identifiers == (*ids(1), "n", "bare", "7.5", "1")
    assert last.identifiers == ()


def test_a_portal_that_refuses_fl_gives_whole_packages(site: LocalSite, portal: CkanPortal) -> None:
    index = Index(site, [package(number) for number in range(5)])
    index.before_answer = lambda asked: (
        Answered(failure("Search Query Error", "fl"), 400) if "fl" in asked.query else None
    )

    assert [one for listing in portal.identities() for one in listing.identifiers] == ids(*range(5))


@pytest.mark.parametrize("reply", [UNKNOWN_ACTION, NO_PAGE], ids=["text", "404"])
def test_there_are_no_identities_without_a_search(
    site: LocalSite, portal: CkanPortal, reply: Answered
) -> None:
    without_search(site, reply)
    site.serves(NAMES, result(["a"]))

    assert list(portal.identities()) == []


def test_identities_that_break_off_are_an_error(site: LocalSite, portal: CkanPortal) -> None:
    index = Index(site, [package(number) for number in range(25)], cap=10)
    index.before_answer = lambda _: NO_PAGE if len(index.searches) > 1 else None

    with pytest.raises(PermanentError, match="status 404"):
        list(portal.identities())


def test_identities_that_repeat_without_end_are_an_error(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, envelope([{"id": "1"}], 10**6))

    with pytest.raises(TransientError, match="repeat others"):
        list(portal.identities())


# one package by its id


@pytest.mark.parametrize("as_list", [False, True])
def test_a_package_is_looked_up_by_its_id(site: LocalSite, portal: CkanPortal, as_list: bool) -> None:
    serve_packages_by_name(site, [package(7)], as_list=as_list)

    page = portal.look_up(package(7)["id"])

    assert page is not None
    assert [record.identifier for record in page.records] == ids(7)
    assert (page.cursor, page.requests) == (None, 1)
    assert page.changed_until is not None


@pytest.mark.parametrize(
    "reply",
    [
        NOT_FOUND,
        Answered(failure("Not Found Error", "Not found")),
        Answered(failure("Authorization Error", "Access denied"), 403),
        Answered("Access denied", 403),
        Answered(result(package(7, state="deleted"))),
        Answered(result([])),
    ],
    ids=["404", "200", "403", "403 text", "deleted", "empty list"],
)
def test_what_is_gone_or_no_longer_public_is_none(
    site: LocalSite, portal: CkanPortal, reply: Answered
) -> None:
    site.answers(SHOW, lambda _: reply)

    assert portal.look_up("00000007-0000") is None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (UNKNOWN_ACTION, PermanentError),
        (Answered(b"<html><h1>Request Rejected</h1></html>", 403), TransientError),
        (Answered(b"<html><h1>Request Rejected</h1></html>"), TransientError),
        (Answered({"error": {"code": "API_KEY_MISSING", "message": "Not authorized"}}, 403), PermanentError),
        (Answered(b"<html><h1>Bad gateway</h1></html>", 502), TransientError),
        (Answered(failure("Search Error", "solr"), 409), TransientError),
        (Answered(failure("Validation Error", "id"), 409), PermanentError),
        (Answered(result(None)), PermanentError),
        (Answered(result("package")), PermanentError),
        (Answered(result(package(8))), PermanentError),
    ],
    ids=["unknown", "waf 403", "waf 200", "key", "502", "solr", "validation", "null", "text", "another"],
)
def test_a_portal_that_cannot_say_is_an_error_and_never_a_none(
    site: LocalSite, portal: CkanPortal, reply: Answered, kind: type[ShelterError]
) -> None:
    site.answers(SHOW, lambda _: reply)

    with pytest.raises(kind, match="package_show"):
        portal.look_up("00000007-0000")


@pytest.mark.parametrize("no_show", [NO_PAGE, UNKNOWN_ACTION], ids=["404 page", "unknown"])
def test_where_packages_cannot_be_shown_the_search_is_asked_for_them(
    site: LocalSite, portal: CkanPortal, no_show: Answered
) -> None:
    site.answers(SHOW, lambda _: no_show)
    asked_for: list[str] = []

    def search(asked: Asked) -> Answered:
        asked_for.append(asked.query["fq"])
        found = [package(7)] if "00000007-0000" in asked.query["fq"] else []
        return Answered(envelope(found, len(found)))

    site.answers(SEARCH, search)

    page = portal.look_up("00000007-0000")

    assert page is not None
    assert [record.identifier for record in page.records] == ids(7)
    assert portal.look_up('a "b" \\') is None
    assert asked_for[1] == 'id:"a \\"b\\" \\\\" OR name:"a \\"b\\" \\\\"'


@pytest.mark.parametrize(
    "answer",
    [
        NO_PAGE,
        Answered(failure("Search Query Error", "fq"), 400),
        Answered(envelope([package(8)], 1)),
        Answered(envelope([], 12)),
        Answered(result([])),
    ],
    ids=["none", "refused", "not heeded", "nothing shown", "no count"],
)
def test_a_404_that_is_not_ckans_word_and_a_search_that_cannot_say_never_mean_that_a_package_is_gone(
    site: LocalSite, portal: CkanPortal, answer: Answered
) -> None:
    site.answers(SHOW, lambda _: NO_PAGE)
    site.answers(SEARCH, lambda _: answer)

    with pytest.raises(PermanentError, match=r"package_show.* status 404"):
        portal.look_up("00000007-0000")


def test_a_package_that_cannot_be_kept_is_looked_up_as_a_refusal(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SHOW, result({"id": "7", "title": ""}))

    page = portal.look_up("7")

    assert page is not None
    assert [type(record) for record in page.records] == [Refusal]
