"""What a crawl of data.gov promises, whatever the server makes of its questions."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shelter_pipeline.domain.errors import (
    DamagedError,
    PermanentError,
    RefusedError,
    ShelterError,
    TransientError,
)
from shelter_pipeline.domain.records import DatasetRecord, Page, Refusal
from shelter_pipeline.portals.datagov import DatagovPortal
from shelter_pipeline.portals.datagov_crawl import PER_PAGE, Place
from shelter_pipeline.portals.progress import BARREN_PAGES
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site, open_door
from shelter_pipeline_tests.support.search_hits import hit

CATALOGUE = {"a-bureau": 25, "b-office": 7, "c-agency": 0, "d-centre": 12}
BROKEN_PAGE = b"<!doctype html><title>Site unavailable</title><h1>500 Web server unavailable</h1>"


class Api:
    """The API's own manners: organizations, keyset paging, a 500 in HTML for a cursor it cannot read."""

    def __init__(self, site: LocalSite, sizes: dict[str, int], per_page: int = 10) -> None:
        self.site, self.per_page = site, per_page
        self.hits: dict[str, list[Any]] = {
            slug: [of(slug, f"{slug}-{number}") for number in range(size)] for slug, size in sizes.items()
        }
        self.honours_filter = True
        self.failing: dict[str, int] = {}  # how many more requests of an organization fail
        self.later_pages_fail = False
        listed = [{"slug": slug, "name": slug, "dataset_count": size} for slug, size in sizes.items()]
        site.serves("/api/organizations", {"organizations": listed})
        site.answers("/search", self.search)

    def search(self, asked: Asked) -> Answered:
        slug = asked.query.get("org_slug")
        if self.failing.get(slug or "", 0) > 0 and ("after" in asked.query or not self.later_pages_fail):
            self.failing[slug or ""] -= 1
            return Answered(BROKEN_PAGE, 500)
        everything = [one for hits in self.hits.values() for one in hits]
        hits = self.hits[slug] if slug and self.honours_filter else everything
        try:
            start = (
                json.loads(base64.urlsafe_b64decode(asked.query["after"])) if "after" in asked.query else 0
            )
        except ValueError:
            return Answered(BROKEN_PAGE, 500)
        body: dict[str, Any] = {"results": hits[start : start + self.per_page], "sort": "relevance"}
        if start + self.per_page < len(hits):
            body["after"] = base64.urlsafe_b64encode(json.dumps(start + self.per_page).encode()).decode()
        return Answered(body)

    @property
    def names(self) -> list[str]:
        return [one["slug"] for hits in self.hits.values() for one in hits]

    @property
    def asked_for(self) -> list[str | None]:
        return [one.query.get("org_slug") for one in self.site.asked if one.path == "/search"]


def of(organization: str, slug: str, **changes: Any) -> dict[str, Any]:
    return hit(slug, organization={"slug": organization, "name": organization}, **changes)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def api(site: LocalSite) -> Api:
    return Api(site, CATALOGUE)


@pytest.fixture
def portal(site: LocalSite) -> DatagovPortal:
    return DatagovPortal(site.url, PageReader(open_door(), max_bytes=10**8, attempts=1))


def identifiers(pages: list[Page]) -> list[str]:
    return [record.identifier or "refused" for page in pages for record in page.records]


def read_until_error(pages: Iterator[Page]) -> tuple[list[Page], ShelterError | None]:
    """What came, and how it ended."""
    given: list[Page] = []
    try:
        given.extend(pages)
    except ShelterError as error:
        return given, error
    return given, None


def test_a_crawl_gives_every_hit_once_by_organization_and_only_its_last_page_has_no_cursor(
    api: Api, portal: DatagovPortal
) -> None:
    pages = list(portal.pages())

    assert identifiers(pages) == api.names
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert list(dict.fromkeys(api.asked_for)) == list(CATALOGUE)
    assert {one.query["per_page"] for one in api.site.asked if one.path == "/search"} == {str(PER_PAGE)}
    assert sum(page.requests for page in pages) == len(api.site.asked)


def test_a_crawl_can_be_continued_from_every_one_of_its_pages(api: Api, portal: DatagovPortal) -> None:
    pages = list(portal.pages())

    for number, page in enumerate(pages[:-1], 1):
        rest = list(portal.pages(page.cursor))
        assert identifiers(rest) == identifiers(pages[number:])
        assert rest[-1].cursor is None


def test_a_continued_crawl_does_not_ask_for_the_organizations_before_it(
    api: Api, portal: DatagovPortal
) -> None:
    cursor = Place(organization="b-office").written()

    list(portal.pages(cursor))

    assert "a-bureau" not in api.asked_for


def test_an_organization_that_fails_is_put_aside_and_tried_again_at_the_end(
    api: Api, portal: DatagovPortal
) -> None:
    api.failing = {"a-bureau": 1}

    pages = list(portal.pages())

    assert sorted(identifiers(pages)) == sorted(api.names)
    assert api.asked_for[-3:] == ["a-bureau"] * 3
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]


def test_an_organization_that_breaks_off_is_read_again_from_its_beginning(
    api: Api, portal: DatagovPortal
) -> None:
    api.failing, api.later_pages_fail = {"a-bureau": 1}, True

    pages = list(portal.pages())

    assert set(identifiers(pages)) == set(api.names)
    assert identifiers(pages)[-25:] == [f"a-bureau-{number}" for number in range(25)]


def test_organizations_that_fail_twice_are_named_after_all_others_were_given(
    api: Api, portal: DatagovPortal
) -> None:
    api.failing = {"a-bureau": 99, "d-centre": 99}

    pages, error = read_until_error(portal.pages())

    assert identifiers(pages) == [f"b-office-{number}" for number in range(7)]
    assert isinstance(error, TransientError)
    assert "a-bureau, d-centre" in str(error)
    assert f"{api.site.url}/search could not be read to its end" in str(error)
    assert pages[-1].cursor is not None


def test_what_failed_is_tried_again_by_whoever_continues(api: Api, portal: DatagovPortal) -> None:
    api.failing = {"a-bureau": 1, "b-office": 2}
    pages, error = read_until_error(portal.pages())

    rest = list(portal.pages(pages[-1].cursor))

    assert error is not None
    assert sorted(identifiers(pages) + identifiers(rest)) == sorted(api.names)
    assert rest[-1].cursor is None


def test_a_second_round_can_be_continued_from_every_one_of_its_pages(api: Api, portal: DatagovPortal) -> None:
    api.failing = {"a-bureau": 1, "b-office": 1}
    pages = list(portal.pages())

    for number, page in enumerate(pages[:-1], 1):
        rest = identifiers(list(portal.pages(page.cursor)))
        assert set(identifiers(pages[:number])) | set(rest) == set(api.names)
        assert rest[-7:] == identifiers(pages)[-7:]


def test_several_organizations_in_a_row_that_fail_mean_that_the_portal_is_down(
    site: LocalSite, portal: DatagovPortal
) -> None:
    api = Api(site, {f"org-{number}": 3 for number in range(9)})
    api.failing = {f"org-{number}": 99 for number in range(2, 9)}

    pages, error = read_until_error(portal.pages())

    assert identifiers(pages) == api.names[:6]
    assert isinstance(error, TransientError)
    assert api.asked_for == ["org-0", "org-1", "org-2", "org-3", "org-4"]
    api.failing = {}
    assert identifiers(list(portal.pages(pages[-1].cursor))) == api.names[6:]


def test_organizations_that_fail_here_and_there_are_only_put_aside(
    site: LocalSite, portal: DatagovPortal
) -> None:
    api = Api(site, {f"org-{number}": 3 for number in range(8)})
    api.failing = {f"org-{number}": 1 for number in (0, 2, 4, 6)}

    assert sorted(identifiers(list(portal.pages()))) == sorted(api.names)


def test_a_server_that_ignores_the_organization_is_crawled_as_a_whole(
    api: Api, portal: DatagovPortal
) -> None:
    api.honours_filter = False

    pages = list(portal.pages())

    whole = [page for page in pages if '"organization"' not in (page.cursor or "")]
    assert identifiers(whole) == api.names
    assert set(api.asked_for) == {"a-bureau", None}
    assert identifiers(list(portal.pages(whole[1].cursor))) == identifiers(whole[2:])


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_that_refuses_the_organization_is_crawled_as_a_whole(
    site: LocalSite, portal: DatagovPortal, status: int
) -> None:
    site.serves("/api/organizations", {"organizations": [{"slug": "a", "name": "A", "dataset_count": 1}]})
    page = Answered({"results": [of("a", "one")]})
    refused = Answered({"error": "Invalid request", "message": "org_slug"}, status)
    site.answers("/search", lambda asked: refused if "org_slug" in asked.query else page)

    assert identifiers(list(portal.pages())) == ["one"]


def test_a_server_that_ignores_the_organization_is_found_out_though_no_hit_names_one(
    api: Api, portal: DatagovPortal
) -> None:
    api.honours_filter = False
    for hits in api.hits.values():
        for one in hits:
            one["organization"] = None

    pages = list(portal.pages())

    assert set(identifiers(pages)) == set(api.names)
    assert set(api.asked_for) == {"a-bureau", "b-office", None}


def test_one_stray_hit_in_a_large_page_is_drift_and_not_a_filter_ignored(
    site: LocalSite, portal: DatagovPortal
) -> None:
    api = Api(site, {"a": 150, "b": 3}, per_page=1000)
    api.hits["a"][70] = of("moved-away", "stray")

    pages = list(portal.pages())

    assert identifiers(pages) == api.names
    assert api.asked_for == ["a", "b"]


@pytest.mark.parametrize(
    "organizations",
    [
        Answered(b"", 404),
        Answered({"organizations": []}),
        Answered({"organizations": "none"}),
        Answered({"organizations": [{"slug": "a-bureau", "dataset_count": 1}, {"name": "B Office"}]}),
        Answered(BROKEN_PAGE, 500),
    ],
)
def test_without_a_whole_list_of_organizations_the_catalogue_is_crawled_as_a_whole(
    api: Api, portal: DatagovPortal, organizations: Answered
) -> None:
    api.site.serves_in_turn("/api/organizations", organizations)

    pages = list(portal.pages())

    assert identifiers(pages) == api.names
    assert set(api.asked_for) == {None}
    assert identifiers(list(portal.pages(pages[1].cursor))) == identifiers(pages[2:])


def test_an_interrupted_crawl_waits_for_the_organizations_rather_than_begin_anew(
    api: Api, portal: DatagovPortal
) -> None:
    cursor = next(portal.pages()).cursor
    api.site.serves("/api/organizations", BROKEN_PAGE, 503)

    with pytest.raises(TransientError, match="/api/organizations"):
        list(DatagovPortal(portal.url, PageReader(open_door(), max_bytes=10**8, attempts=1)).pages(cursor))


def test_among_very_many_organizations_only_those_that_claim_datasets_are_asked(
    site: LocalSite, portal: DatagovPortal
) -> None:
    api = Api(site, {f"org-{number:03}": int(number in (7, 300)) for number in range(501)})

    pages = list(portal.pages())

    assert identifiers(pages) == api.names
    assert api.asked_for == ["org-007", "org-300"]


def test_an_empty_catalogue_is_one_page_without_a_cursor(site: LocalSite, portal: DatagovPortal) -> None:
    Api(site, {})

    assert list(portal.pages()) == [Page((), None, 2)]


@pytest.mark.parametrize(
    "cursor",
    [
        Place("bm90IGEgY3Vyc29y", "a-bureau").written(),
        Place("bm90IGEgY3Vyc29y").written(),
        "WzEuMCwzLCJpZCJd",
        "null",
        "[" * 100_000,
        '{"organization": 7, "after": [], "failed": {}}',
        Place("x", since=True).written(),
    ],
)
def test_a_cursor_that_is_rejected_or_of_another_kind_begins_anew(
    api: Api, portal: DatagovPortal, cursor: str
) -> None:
    assert identifiers(list(portal.pages(cursor))) == api.names


def test_a_continued_crawl_that_breaks_off_later_does_not_begin_anew(api: Api, portal: DatagovPortal) -> None:
    api.site.serves("/api/organizations", b"", 404)
    cursor = next(portal.pages()).cursor
    reader = portal.pages(cursor)
    given = [next(reader)]
    api.site.answers(
        "/search",
        lambda asked: (
            Answered(BROKEN_PAGE, 500) if "after" in asked.query else Answered({"results": [hit()]})
        ),
    )

    rest, error = read_until_error(reader)

    assert (identifiers(given), rest) == (api.names[10:20], [])
    assert isinstance(error, TransientError)


def test_a_cursor_of_organizations_that_are_no_longer_there_ends_the_crawl(
    api: Api, portal: DatagovPortal
) -> None:
    assert list(portal.pages(Place(organization="zoo").written()))[-1].cursor is None


@pytest.mark.parametrize("cursors", [["same"], ["one", "other"]])
def test_a_cursor_that_comes_again_ends_the_crawl_with_an_error(
    site: LocalSite, portal: DatagovPortal, cursors: list[str]
) -> None:
    def answer(asked: Asked) -> Answered:
        number = len(site.asked)
        return Answered({"results": [hit(f"d{number}")], "after": cursors[number % len(cursors)]})

    site.answers("/search", answer)

    with pytest.raises(TransientError, match="' came twice"):
        list(portal.pages())


@pytest.mark.parametrize(("results", "words"), [([hit(), None], "repeat others"), ([], "are empty")])
def test_pages_that_bring_nothing_and_never_end_end_the_crawl_with_an_error(
    site: LocalSite, portal: DatagovPortal, results: list[Any], words: str
) -> None:
    def answer(asked: Asked) -> Answered:
        return Answered({"results": results, "after": asked.query.get("after", "") + "x"})

    site.answers("/search", answer)

    with pytest.raises(TransientError, match=words):
        list(portal.pages())
    assert len(site.asked) <= BARREN_PAGES + 3


def test_pages_that_shrink_are_followed_to_their_end(site: LocalSite, portal: DatagovPortal) -> None:
    def answer(asked: Asked) -> Answered:
        size = int(asked.query.get("after", "5"))
        more = {"after": str(size - 1)} if size else {}
        return Answered({"results": [hit(f"d{size}-{number}") for number in range(size)], **more})

    site.answers("/search", answer)

    assert len(identifiers(list(portal.pages()))) == 15


@pytest.mark.parametrize("results", [{}, "none", None, 7])
def test_a_page_whose_results_are_no_list_is_a_permanent_error(
    site: LocalSite, portal: DatagovPortal, results: object
) -> None:
    site.serves("/search", {"results": results})

    with pytest.raises(PermanentError, match="not a page of search results"):
        list(portal.pages())


def test_hits_of_every_wrong_kind_are_refused_and_cost_the_others_nothing(
    site: LocalSite, portal: DatagovPortal
) -> None:
    api = Api(site, {"a": 0})
    api.hits["a"] = [None, "text", [], 7, {}, of("a", "good"), {"organization": "a"}, {"organization": []}]

    records = [record for page in portal.pages() for record in page.records]

    assert [type(record) for record in records].count(Refusal) == 7
    assert [record.identifier for record in records if isinstance(record, DatasetRecord)] == ["good"]
    assert [record.position for record in records if isinstance(record, Refusal)] == [0, 1, 2, 3, 4, 6, 7]


def test_odd_numbers_and_half_characters_in_a_hit_cost_no_record(
    site: LocalSite, portal: DatagovPortal
) -> None:
    body = json.dumps({"results": [hit("odd", title="half \ud800 pair", popularity="N")]})
    site.serves("/search", body.replace('"N"', "NaN").encode())

    (record,) = next(portal.pages()).records

    assert isinstance(record, DatasetRecord)
    assert (record.title, record.popularity) == ("half \ufffd pair", None)
    assert record.raw.decode("utf-8")


@pytest.mark.parametrize("body", [b"[%s%s]", b'{"after": %s%s, "results": []}', b'{"results": {"a": %s%s}}'])
def test_json_of_any_depth_ends_in_a_clear_error(site: LocalSite, portal: DatagovPortal, body: bytes) -> None:
    site.serves("/search", body % (b"[" * 100_000, b"]" * 100_000))

    with pytest.raises(PermanentError, match=r"/search.* could not be read"):
        list(portal.pages())


@pytest.mark.parametrize("after", [17, "17"])
def test_a_cursor_that_is_a_number_is_followed(site: LocalSite, portal: DatagovPortal, after: object) -> None:
    site.answers(
        "/search",
        lambda asked: Answered(
            {"results": [hit("b")]}
            if asked.query.get("after") == "17"
            else {"results": [hit("a")], "after": after}
        ),
    )

    assert identifiers(list(portal.pages())) == ["a", "b"]


@pytest.mark.parametrize("after", [[1.0, 3, "id"], {"id": 1}, True, 1.5])
def test_a_cursor_that_cannot_be_sent_back_is_an_error_and_not_the_end(
    site: LocalSite, portal: DatagovPortal, after: object
) -> None:
    site.serves("/search", {"results": [hit("a")], "after": after})

    with pytest.raises(PermanentError, match="its cursor is no text"):
        list(portal.pages())


def test_an_empty_page_that_gives_the_question_back_is_the_end(
    site: LocalSite, portal: DatagovPortal
) -> None:
    def answer(asked: Asked) -> Answered:
        start = int(asked.query.get("after", "0"))
        hits = [hit(f"d{number}") for number in range(start, min(start + 2, 5))]
        return Answered({"results": hits, "after": str(min(start + 2, 5))})

    site.answers("/search", answer)

    pages = list(portal.pages())

    assert identifiers(pages) == ["d0", "d1", "d2", "d3", "d4"]
    assert [page.cursor is None for page in pages] == [False, False, False, True]


@pytest.mark.parametrize("most", [10, 100, 999])
def test_a_server_that_refuses_large_pages_is_asked_for_smaller_ones_from_then_on(
    api: Api, portal: DatagovPortal, most: int
) -> None:
    search = api.search
    refusal = {"error": "Invalid request", "message": f"per_page must be between 1 and {most}"}
    api.site.answers(
        "/search",
        lambda asked: search(asked) if int(asked.query["per_page"]) <= most else Answered(refusal, 400),
    )

    assert identifiers(list(portal.pages())) == api.names
    asked = [int(one.query["per_page"]) for one in api.site.asked if one.path == "/search"]
    assert asked == sorted(asked, reverse=True)
    assert len(asked) < 12


def test_a_page_too_large_to_be_read_is_asked_for_in_parts(site: LocalSite) -> None:
    api = Api(site, {"a": 500}, per_page=1000)
    search = api.search

    def answer(asked: Asked) -> Answered:
        api.per_page = int(asked.query["per_page"])
        return search(asked)

    site.answers("/search", answer)
    portal = DatagovPortal(site.url, PageReader(open_door(), max_bytes=200_000, attempts=1))

    assert identifiers(list(portal.pages())) == api.names


def test_a_question_that_is_refused_at_any_size_is_an_error(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/search", {"message": "no"}, 400)

    with pytest.raises(PermanentError, match="status 400"):
        list(portal.pages())
    assert len([one for one in site.asked if one.path == "/search"]) == 3


def test_a_portal_that_is_not_there_is_named(naps: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    portal = DatagovPortal(url, PageReader(open_door(), max_bytes=10**6, attempts=3, sleep=naps.append))

    with pytest.raises(TransientError, match=f"{url} could not be reached"):
        portal.witnesses()
    with pytest.raises(TransientError, match=f"{url} could not be reached"):
        list(portal.pages())
    assert max(naps) == 2.0


@pytest.fixture
def naps() -> list[float]:
    return []


def test_a_portal_that_is_down_for_long_gives_what_it_gave_and_a_cursor_to_come_back_with(
    api: Api, portal: DatagovPortal
) -> None:
    api.failing, api.later_pages_fail = dict.fromkeys(CATALOGUE, 10**6), True
    reader = portal.pages()
    first = next(reader)
    api.later_pages_fail = False

    _, error = read_until_error(reader)
    api.failing = {}

    assert isinstance(error, TransientError)
    assert identifiers([first, *portal.pages(first.cursor)]) == api.names


def test_an_address_that_policy_forbids_is_refused_at_once(naps: list[float]) -> None:
    portal = DatagovPortal("http://10.0.0.1", PageReader(open_door(), max_bytes=10**6, sleep=naps.append))

    with pytest.raises((RefusedError, DamagedError), match=r"10\.0\.0\.1"):
        list(portal.pages())
    assert naps == []


def serve_changes(site: LocalSite, days: list[str | None], *, sort: str = "last_harvested_date") -> None:
    """Two hits a page, with these dates, in this order."""

    def answer(asked: Asked) -> Answered:
        start = int(asked.query.get("after", "0"))
        hits = [hit(f"d{place}", last_harvested_date=day) for place, day in enumerate(days)]
        more = {"after": str(start + 2)} if start + 2 < len(days) else {}
        return Answered({"results": hits[start : start + 2], "sort": sort, **more})

    site.answers("/search", answer)


SINCE = datetime(2026, 4, 24, tzinfo=UTC)
NEW, OLD = "2026-04-24T15:02:11.123", "2026-04-23T23:59:59"


def test_what_changed_is_read_until_a_whole_page_is_older(site: LocalSite, portal: DatagovPortal) -> None:
    serve_changes(site, [NEW, NEW, NEW, OLD, OLD, OLD, OLD, OLD])

    pages = list(portal.pages(since=SINCE))

    assert identifiers(pages) == ["d0", "d1", "d2"]
    assert [page.cursor is None for page in pages] == [False, False, True]
    assert [one.query["sort"] for one in site.asked] == ["last_harvested_date"] * 3
    assert portal.reads_changes


def test_a_hit_without_a_readable_date_may_have_changed(site: LocalSite, portal: DatagovPortal) -> None:
    serve_changes(site, [NEW, None, "soon", OLD, OLD, OLD])

    assert identifiers(list(portal.pages(since=SINCE))) == ["d0", "d1", "d2"]


def test_an_order_that_the_server_did_not_keep_to_ends_nothing_early(
    site: LocalSite, portal: DatagovPortal
) -> None:
    serve_changes(site, [OLD, OLD, OLD, OLD, NEW], sort="relevance")

    assert identifiers(list(portal.pages(since=SINCE))) == ["d4"]


def test_an_increment_can_be_continued_and_a_full_crawls_cursor_is_not_taken_for_its_own(
    site: LocalSite, portal: DatagovPortal
) -> None:
    serve_changes(site, [NEW] * 6)
    pages = list(portal.pages(since=SINCE))

    rest = list(portal.pages(pages[0].cursor, since=SINCE))
    anew = list(portal.pages(Place("4").written(), since=SINCE))

    assert identifiers(rest) == ["d2", "d3", "d4", "d5"]
    assert identifiers(anew) == identifiers(pages)


def test_every_page_says_until_when_it_knows_of_changes(site: LocalSite, portal: DatagovPortal) -> None:
    serve_changes(site, [OLD, NEW, None, "soon"])

    pages = list(portal.pages())

    latest = datetime(2026, 4, 24, 15, 2, 11, 123000, tzinfo=UTC)
    assert [page.changed_until for page in pages] == [latest, None]
