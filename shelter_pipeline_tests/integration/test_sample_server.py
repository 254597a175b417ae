"""What the running sample promises over real HTTP: three protocols, one catalogue, every fault as told."""

import base64
import hashlib
import http.client
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from email.message import Message
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree as ET

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.records import slugify
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.sample.shapes.ckan import is_lost

SLUGS = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


class Answer:
    """A response that was read whole."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirects())


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """One request, without redirects; a failing status is an answer too."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)  # noqa: S310 - loopback only
    try:
        with OPENER.open(request, timeout=20) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


@pytest.fixture(scope="module")
def portal() -> Iterator[SamplePortal]:
    with SamplePortal() as portal:
        yield portal


@pytest.fixture
def fresh() -> Iterator[SamplePortal]:
    """A portal on which nothing has happened yet."""
    with SamplePortal() as portal:
        yield portal


def find(portal: SamplePortal, path: str) -> str:
    """The URL of a path that stands on the site."""
    assert portal.catalogue.site.at(path)
    return portal.catalogue.site.url(path)


def search_pages(portal: SamplePortal, **query: Any) -> Iterator[Any]:
    while True:
        page = ask(f"{portal.base_url}/search?{urlencode(query)}").json
        yield page
        if "after" not in page:
            return
        query["after"] = page["after"]


def crawl(portal: SamplePortal, **query: Any) -> list[Any]:
    return [hit for page in search_pages(portal, **query) for hit in page["results"]]


def whole(hits: list[Any], *fields: str) -> list[Any]:
    """The hits that a driver keeps: objects that have all fields."""
    return [hit for hit in hits if isinstance(hit, dict) and all(field in hit for field in fields)]


def action(portal: SamplePortal, name: str, **parameters: Any) -> Any:
    return ask(f"{portal.base_url}/api/3/action/{name}?{urlencode(parameters)}").json


# catalog.data.gov


@pytest.mark.parametrize("query", [{"per_page": 7}, {"per_page": 300, "sort": "last_harvested_date"}])
def test_following_the_cursor_yields_every_dataset_once(portal: SamplePortal, query: dict[str, Any]) -> None:
    hits = crawl(portal, **query)

    slugs = [hit["slug"] for hit in whole(hits, "identifier", "title")]
    assert len(hits) == 303
    assert sorted(slugs) == sorted(dataset.slug for dataset in portal.catalogue.datasets)


def test_the_crawl_is_in_the_order_of_the_catalogue(portal: SamplePortal) -> None:
    hits = crawl(portal, per_page=1000)

    slugs = [hit["slug"] for hit in whole(hits, "identifier", "title")]
    assert slugs == [dataset.slug for dataset in portal.catalogue.datasets]


def test_the_cursor_is_the_last_hits_sort_and_missing_on_the_last_page(portal: SamplePortal) -> None:
    first, *_, last = search_pages(portal, per_page=101)

    assert json.loads(base64.urlsafe_b64decode(first["after"])) == first["results"][-1]["_sort"]
    assert len(last["results"]) == 101
    assert set(last) == {"results", "sort"}


def test_a_page_holds_20_unless_told(portal: SamplePortal) -> None:
    page = ask(f"{portal.base_url}/search").json

    assert len(page["results"]) == 20


@pytest.mark.parametrize("per_page", [0, -1, 1001])
def test_a_page_size_out_of_range_is_a_bad_request(portal: SamplePortal, per_page: int) -> None:
    answer = ask(f"{portal.base_url}/search?per_page={per_page}")

    assert answer.status == 400
    assert set(answer.json) == {"error", "message"}


@pytest.mark.parametrize("after", ["x", "!!!", "bnVsbA==", "WzEuMF0=", "WzEsbnVsbCwiYSJd", "eyJhIjoxfQ=="])
def test_a_malformed_cursor_is_a_server_error_in_html(portal: SamplePortal, after: str) -> None:
    answer = ask(f"{portal.base_url}/search?after={quote(after)}")

    assert answer.status == 500
    assert answer.headers.get_content_type() == "text/html"


def test_an_unknown_order_is_relevance(portal: SamplePortal) -> None:
    assert ask(f"{portal.base_url}/search?sort=newest").json["sort"] == "relevance"


def test_organizations_add_up_to_the_catalogue_and_filter_it(portal: SamplePortal) -> None:
    answer = ask(f"{portal.base_url}/api/organizations").json

    counts = {row["slug"]: row["dataset_count"] for row in answer["organizations"]}
    crawled = {
        slug: len(whole(crawl(portal, per_page=1000, org_slug=slug), "identifier", "title"))
        for slug in counts
    }
    assert answer["total"] == 12
    assert sum(counts.values()) == 300
    assert crawled == counts


def sitemap_slugs(portal: SamplePortal) -> list[list[str]]:
    """The slugs in each file of the sitemap."""
    index = ET.fromstring(ask(f"{portal.base_url}/sitemap.xml").body)  # noqa: S314 - our own bytes
    files = [ET.fromstring(ask(place.findtext(SLUGS) or "").body) for place in index]  # noqa: S314
    return [[(place.findtext(SLUGS) or "").rpartition("/")[2] for place in file] for file in files]


def test_stats_and_a_sitemap_of_several_files_count_the_same_datasets(portal: SamplePortal) -> None:
    stats = ask(f"{portal.base_url}/api/stats").json

    files = sitemap_slugs(portal)

    assert stats["results"]["datasets"] == 300
    assert [len(slugs) for slugs in files] == [100, 100, 100]
    assert {slug for slugs in files for slug in slugs} == {row.slug for row in portal.catalogue.datasets}
    assert ask(f"{portal.base_url}/sitemap/sitemap-3.xml").status == 404


def test_a_dataset_is_found_by_slug_and_by_id(portal: SamplePortal) -> None:
    dataset = portal.catalogue.datasets[17]

    by_slug = ask(f"{portal.base_url}/api/dataset/{dataset.slug}").json
    by_id = ask(f"{portal.base_url}/api/dataset/{dataset.id}").json
    missing = ask(f"{portal.base_url}/api/dataset/no-such-thing")

    assert by_slug == by_id
    assert [hit["slug"] for hit in by_slug["results"]] == [dataset.slug]
    assert (missing.status, missing.json) == (404, {"message": "Not Found", "detail": {}})


def test_what_is_nested_two_levels_down_in_dcat_is_text(portal: SamplePortal) -> None:
    items = [
        item
        for hit in whole(crawl(portal, per_page=1000), "identifier", "title")
        for item in hit["dcat"].get("distribution") or []
        if isinstance(item, dict)
    ]
    summed = [item["checksum"] for item in items if "checksum" in item]
    spatials = [hit["dcat"].get("spatial") for hit in whole(crawl(portal, per_page=1000), "title")]

    assert json.loads(summed[0])["@type"] == "spdx:Checksum"
    assert not any(isinstance(value, dict | list) for item in items for value in item.values())
    assert all(spatial is None or isinstance(spatial, str) for spatial in spatials)
    assert any(
        json.loads(spatial)["type"] == "Point" for spatial in spatials if spatial and spatial[0] == "{"
    )


def test_a_landing_page_is_appended_as_a_distribution(portal: SamplePortal) -> None:
    pages = [
        hit["dcat"] for hit in whole(crawl(portal, per_page=1000), "title") if "landingPage" in hit["dcat"]
    ]

    assert len(pages) > 2
    for dcat in pages:
        assert dcat["distribution"][-1] == {"accessURL": dcat["landingPage"], "mediaType": "text/html"}


def test_the_source_s_own_record_is_there_raw_and_only_at_times_transformed(portal: SamplePortal) -> None:
    hits = whole(crawl(portal, per_page=1000), "identifier", "title")
    from_xml = next(hit for hit in hits if "harvest_record_transformed" in hit)
    from_json = next(hit for hit in hits if "harvest_record_transformed" not in hit)

    assert ask(from_json["harvest_record_raw"]).json["identifier"] == from_json["identifier"]
    assert ask(from_json["harvest_record"] + "/transformed").status == 404
    assert ask(from_xml["harvest_record_raw"]).body.startswith(b"<?xml")
    assert ask(from_xml["harvest_record_transformed"]).json["identifier"] == from_xml["identifier"]
    assert ask(from_xml["harvest_record"]).json["source_raw"].startswith("<?xml")
    assert ask(f"{portal.base_url}/harvest_record/none/raw").json == {"error": "Not Found"}


def test_robots_name_the_sitemap_and_the_delay_if_there_is_one() -> None:
    with SamplePortal(crawl_delay_seconds=10) as slow:
        text = ask(f"{slow.base_url}/robots.txt").body.decode()

        assert "Crawl-delay: 10\n" in text
        assert f"Sitemap: {slow.base_url}/sitemap.xml\n" in text


# What happens while it is served


def slugs_of(portal: SamplePortal, **query: Any) -> list[str]:
    hits = whole(crawl(portal, per_page=1000, **query), "identifier", "title")
    return [hit["slug"] for hit in hits]


def shown(portal: SamplePortal, slug: str) -> Any:
    return ask(f"{portal.base_url}/api/dataset/{slug}").json["results"][0]


def test_a_dataset_that_is_withdrawn_is_gone_from_every_list_until_it_is_restored(
    fresh: SamplePortal,
) -> None:
    slug = fresh.catalogue.datasets[5].slug
    before = shown(fresh, slug)

    fresh.edit.withdraw(slug)

    assert slug not in slugs_of(fresh)
    assert slug not in {listed for file in sitemap_slugs(fresh) for listed in file}
    assert ask(f"{fresh.base_url}/api/dataset/{slug}").status == 404
    assert ask(f"{fresh.base_url}/api/stats").json["results"]["datasets"] == 299
    assert ask(before["harvest_record_raw"]).status == 404
    fresh.edit.restore(slug)
    assert slug in slugs_of(fresh)
    assert shown(fresh, slug)["dcat"] == before["dcat"]


def test_a_changed_record_comes_first_by_date_with_a_harvest_record_of_its_own(fresh: SamplePortal) -> None:
    late = fresh.catalogue.datasets[200:]
    slug = next(row.slug for row in late if row.publisher.slug != "noaa-gov")  # whose records may be XML
    before = shown(fresh, slug)

    fresh.edit.amend(slug, description="Revised.")

    first = next(search_pages(fresh, per_page=1, sort="last_harvested_date"))["results"][0]
    assert (first["slug"], first["description"]) == (slug, "Revised.")
    assert ask(before["harvest_record_raw"]).status == 404
    assert ask(first["harvest_record_raw"]).json["description"] == "Revised."


def test_harvested_datasets_get_a_date_and_keep_their_record(fresh: SamplePortal) -> None:
    slugs = sorted(dataset.slug for dataset in fresh.catalogue.datasets[:2])
    before = [shown(fresh, slug)["dcat"] for slug in slugs]

    fresh.edit.reharvest(*slugs)

    newest = next(search_pages(fresh, per_page=2, sort="last_harvested_date"))["results"]
    assert sorted(hit["slug"] for hit in newest) == slugs
    assert [shown(fresh, slug)["dcat"] for slug in slugs] == before


def test_a_dataset_moves_to_another_organization(fresh: SamplePortal) -> None:
    slug = next(row.slug for row in fresh.catalogue.datasets if row.publisher.slug == "epa-gov")

    fresh.edit.transfer("doe-gov", slug)

    assert slug in slugs_of(fresh, org_slug="doe-gov")
    assert slug not in slugs_of(fresh, org_slug="epa-gov")
    counts = ask(f"{fresh.base_url}/api/organizations").json["organizations"]
    assert {row["slug"]: row["dataset_count"] for row in counts}["doe-gov"] == 11


def test_popularity_changes_without_a_new_date(fresh: SamplePortal) -> None:
    row = fresh.catalogue.datasets[-1]

    fresh.edit.make_popular(row.slug, 9999)

    assert slugs_of(fresh)[0] == row.slug
    assert shown(fresh, row.slug)["last_harvested_date"] == row.harvested


@pytest.mark.parametrize(
    ("trouble", "status", "media_type", "header"),
    [
        ("unavailable", 503, "text/html", "Retry-After"),
        ("error", 500, "text/html", ""),
        ("html", 200, "text/html", ""),
        ("rate-limited", 429, "application/json", "X-RateLimit-Remaining"),
        ("blocked", 403, "text/html", ""),
        ("challenge", 202, "text/html", ""),
    ],
)
def test_the_portal_misbehaves_for_as_many_requests_as_told(
    fresh: SamplePortal, trouble: str, status: int, media_type: str, header: str
) -> None:
    fresh.misbehave(trouble, requests=2)

    answers = [ask(f"{fresh.base_url}/search?per_page=1") for _ in range(3)]

    assert [answer.status for answer in answers] == [status, status, 200]
    assert answers[0].headers.get_content_type() == media_type
    assert not header or header in answers[0].headers
    assert answers[2].json["results"]


def test_a_trouble_can_begin_later(fresh: SamplePortal) -> None:
    fresh.misbehave("error", after=2)

    answers = [ask(f"{fresh.base_url}/search?per_page=1").status for _ in range(4)]

    assert answers == [200, 200, 500, 200]


def test_troubles_meet_only_the_paths_they_were_told_for_and_can_be_ended(fresh: SamplePortal) -> None:
    fresh.misbehave("unavailable", requests=1000, paths=("/api/",))

    assert ask(f"{fresh.base_url}/search").status == 200
    assert ask(f"{fresh.base_url}/api/stats").status == 503
    fresh.behave()
    assert ask(f"{fresh.base_url}/api/stats").status == 200


# CKAN


@pytest.mark.parametrize("sort", ["id asc", "name asc", "metadata_modified desc"])
def test_paging_through_package_search_yields_every_dataset_once(portal: SamplePortal, sort: str) -> None:
    packages: list[Any] = []
    while True:
        answer = action(portal, "package_search", rows=50, start=len(packages), sort=sort)["result"]
        packages += answer["results"]
        if not answer["results"]:
            break

    names = [package["name"] for package in whole(packages, "id", "name", "title")]
    assert len(packages) == answer["count"] == 303
    assert sorted(names) == action(portal, "package_list")["result"]
    assert len(names) == 300


def test_rows_are_cut_without_a_word_and_10_unless_told(portal: SamplePortal) -> None:
    assert len(action(portal, "package_search", rows=5000)["result"]["results"]) == 303
    assert len(action(portal, "package_search")["result"]["results"]) == 10


def test_packages_are_filtered_by_organization_and_words_and_cut_to_fields(portal: SamplePortal) -> None:
    by_organization = action(portal, "package_search", rows=99, fq="organization:usgs-gov")["result"]
    by_word = action(portal, "package_search", q="streamflow", rows=99, fl="id,name")["result"]

    assert {package["organization"]["name"] for package in by_organization["results"]} == {"usgs-gov"}
    assert by_organization["count"] == 32
    assert by_word["count"] > 1
    assert all(set(package) == {"id", "name"} for package in by_word["results"])


def test_packages_are_filtered_and_sorted_by_their_date_of_change(portal: SamplePortal) -> None:
    rows = sorted(portal.catalogue.rows, key=lambda row: row.harvested)
    since, until = rows[100].harvested[:23], rows[200].harvested[:23]

    from_one_on = action(
        portal,
        "package_search",
        fq=f"metadata_modified:[{since}Z TO *]",
        sort="metadata_modified asc, id asc",
        rows=300,
    )["result"]
    between = action(portal, "package_search", fq=f"metadata_modified:[{since}Z TO {until}Z]", rows=0)[
        "result"
    ]

    dates = [one["metadata_modified"] for one in from_one_on["results"] if isinstance(one, dict)]
    assert (from_one_on["count"], between["count"]) == (203, 101)
    assert dates == sorted(dates)
    assert dates[0] == rows[100].harvested


def test_under_short_pages_a_page_is_cut_and_what_the_index_lost_is_counted_and_still_shown(
    portal: SamplePortal,
) -> None:
    lost = {row.id for row in portal.catalogue.rows if is_lost(row)}
    base = f"{portal.base_url}/short-pages/api/3/action"

    def pages(**query: Any) -> list[Any]:
        searches = (
            urlencode({"rows": 1000, "sort": "id asc", "start": at, **query}) for at in range(0, 303, 40)
        )
        return [ask(f"{base}/package_search?{search}").json["result"] for search in searches]

    whole_pages, bare_pages = pages(), pages(fl="id")

    shown = {one.get("id") for page in whole_pages for one in page["results"] if isinstance(one, dict)}
    known = {one.get("id") for page in bare_pages for one in page["results"]}
    assert [page["count"] for page in whole_pages] == [303] * 8
    assert max(len(page["results"]) for page in whole_pages) == 40
    assert known - shown == lost
    assert len(lost) > 2
    assert {ask(f"{base}/package_show?id={one}").json["result"]["id"] for one in lost} == lost


def test_a_facet_counts_every_row_by_organization(portal: SamplePortal) -> None:
    answer = action(portal, "package_search", rows=0, **{"facet.field": '["organization"]'})["result"]

    assert answer["results"] == []
    assert answer["facets"]["organization"]["usgs-gov"] == 32
    assert sum(answer["facets"]["organization"].values()) == answer["count"]


def test_a_package_and_its_resources_are_shown_by_id(portal: SamplePortal) -> None:
    dataset = next(dataset for dataset in portal.catalogue.datasets if dataset.slug == "707")

    package = action(portal, "package_show", id=dataset.slug)["result"]
    resource = action(portal, "resource_show", id=package["resources"][0]["id"])["result"]

    assert package == action(portal, "package_show", id=dataset.id)["result"]
    assert package["title"] == "707"
    assert resource == package["resources"][0]
    assert resource["package_id"] == dataset.id


def test_organizations_are_25_at_most_with_all_fields(portal: SamplePortal) -> None:
    names = action(portal, "organization_list")["result"]
    rows = action(portal, "organization_list", all_fields="true", limit=5, offset=10)["result"]

    assert len(names) == 12
    assert [row["name"] for row in rows] == names[10:]
    assert {row["name"]: row["package_count"] for row in rows}["usgs-gov"] == 32


def test_an_action_can_be_posted_as_json_and_as_a_form(portal: SamplePortal) -> None:
    url = f"{portal.base_url}/api/3/action/package_search"

    as_json = ask(url, "POST", b'{"rows": 3}', Content_Type="application/json").json
    as_form = ask(url, "POST", b"rows=3", Content_Type="application/x-www-form-urlencoded").json

    assert as_json == as_form
    assert len(as_json["result"]["results"]) == 3


@pytest.mark.parametrize(
    ("call", "status", "kind"),
    [
        ("package_show?id=nothing", 404, "Not Found Error"),
        ("resource_show?id=nothing", 404, "Not Found Error"),
        ("package_show", 409, "Validation Error"),
        ("package_search?rows=-1", 409, "Validation Error"),
        ("package_search?start=x", 409, "Validation Error"),
        ("package_search?facet.field=organization", 409, "Validation Error"),
        ("package_search?fq=colour:red", 400, "Search Query Error"),
        ("package_search?fq=metadata_modified:[soon+TO+*]", 400, "Search Query Error"),
        ("package_search?fq=metadata_modified:[2026-13-01T00:00:00Z+TO+*]", 409, "Search Error"),
        ("package_search?sort=size+asc", 400, "Search Query Error"),
        ("package_search?sort=id+asc,size+asc", 400, "Search Query Error"),
        ("package_search?include_drafts=1", 400, "Search Query Error"),
    ],
)
def test_a_failing_action_has_its_status_and_type(
    portal: SamplePortal, call: str, status: int, kind: str
) -> None:
    answer = ask(f"{portal.base_url}/api/3/action/{call}")

    assert answer.status == status
    assert answer.json["success"] is False
    assert answer.json["error"]["__type"] == kind


def test_a_call_that_cannot_be_read_is_answered_with_a_text(portal: SamplePortal) -> None:
    base = f"{portal.base_url}/api/3/action"

    unknown = ask(f"{base}/package_destroy_all")
    unreadable = ask(f"{base}/package_search", "POST", b"{rows", Content_Type="application/json")

    assert (unknown.status, unreadable.status) == (400, 400)
    assert isinstance(unknown.json, str)
    assert isinstance(unreadable.json, str)


def test_the_status_names_a_version(portal: SamplePortal) -> None:
    assert action(portal, "status_show")["result"]["ckan_version"].startswith("2.")


# DCAT-US


def test_data_json_lists_the_same_datasets_and_the_rows_to_refuse(portal: SamplePortal) -> None:
    document = ask(f"{portal.base_url}/data.json").json

    kept = whole(document["dataset"], "identifier", "title")
    counts = Counter(slugify(record["publisher"]["name"]) for record in kept)
    expected = portal.expectations.by_publisher
    assert document["conformsTo"].endswith("/v1.1/schema")
    assert len(document["dataset"]) == 303
    assert kept == [dataset.record for dataset in portal.catalogue.datasets]
    assert counts == {slug: expectation.datasets for slug, expectation in expected.items()}


def test_each_protocol_shows_three_rows_that_cannot_be_kept(portal: SamplePortal) -> None:
    hits = crawl(portal, per_page=1000)
    packages = action(portal, "package_search", rows=1000)["result"]["results"]
    records = ask(f"{portal.base_url}/data.json").json["dataset"]

    for rows, identity in ((hits, "identifier"), (packages, "id"), (records, "identifier")):
        objects = [row for row in rows if isinstance(row, dict)]
        assert sum(isinstance(row, str) for row in rows) == 1
        assert sum(identity not in row for row in objects) == 1
        assert sum("title" not in row for row in objects) == 1


# files


def test_every_file_that_must_be_held_can_be_had_with_its_hash(fresh: SamplePortal) -> None:
    connections: dict[str, http.client.HTTPConnection] = {}
    once = ("/busy/", "/unsteady/", "/moved/", "/old/")
    wanted = {
        url: digest for url, digest in fresh.expectations.sha256.items() if not any(o in url for o in once)
    }

    for url, digest in wanted.items():
        parts = urlsplit(url)
        connection = connections.setdefault(
            parts.netloc, http.client.HTTPConnection(parts.netloc, timeout=20)
        )
        connection.request("GET", parts.path)
        assert hashlib.sha256(connection.getresponse().read()).hexdigest() == digest, url

    for connection in connections.values():
        connection.close()
    assert len(connections) == 2
    assert len(wanted) == fresh.expectations.overall.held_files - 4


def test_a_file_has_validators_and_is_had_in_parts(portal: SamplePortal) -> None:
    url = find(portal, "/files/noaa-gov/shared/stations.csv")
    full = ask(url)
    etag = full.headers["ETag"]

    part = ask(url, Range="bytes=100-199", If_Range=etag)
    known = ask(url, If_None_Match=etag)
    beyond = ask(url, Range="bytes=99999999-")

    assert (full.status, full.headers["Accept-Ranges"]) == (200, "bytes")
    assert (part.status, part.body) == (206, full.body[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(full.body)}"
    assert (known.status, known.body) == (304, b"")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(full.body)}")


def test_head_tells_the_length_and_sends_nothing(portal: SamplePortal) -> None:
    answer = ask(find(portal, "/files/noaa-gov/grids/sea-surface-full.nc"), "HEAD")

    assert answer.headers["Content-Length"] == "20000000"
    assert answer.body == b""


def test_one_connection_serves_many_requests_of_every_kind(portal: SamplePortal) -> None:
    connection = http.client.HTTPConnection(urlsplit(portal.base_url).netloc, timeout=20)
    connection.connect()
    first_socket = connection.sock
    asked = [
        ("GET", "/search?per_page=1", b"", 200),
        ("POST", "/api/3/action/package_list", b'{"limit": 1}', 200),
        ("HEAD", "/files/noaa-gov/shared/stations.csv", b"", 200),
        ("GET", "/files/no/such/file.csv", b"", 404),
        ("GET", "/files/state-of-lakota/views/w3ll-p3rm/rows.csv", b"", 200),
        ("GET", "/files/epa-gov/nothing/permits.csv", b"", 200),
        ("GET", "/files/census-gov/old/patterns.zip", b"", 301),
        ("GET", "/data.json", b"", 200),
    ]

    statuses = []
    for method, path, body, _ in asked:
        connection.request(method, path, body or None)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)

    assert statuses == [status for *_, status in asked]
    assert connection.sock is first_socket
    connection.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/files/usgs-gov/retired/gauges.csv", 404),
        ("/files/usgs-gov/retired/quakes.geojson", 410),
        ("/files/usgs-gov/internal/deposits.zip", 403),
        ("/files/usgs-gov/broken/levels.csv", 500),
    ],
)
def test_a_file_that_cannot_be_had_says_so_every_time(portal: SamplePortal, path: str, status: int) -> None:
    assert {ask(find(portal, path)).status for _ in range(3)} == {status}


def test_a_page_or_nothing_arrives_where_a_table_was_promised(portal: SamplePortal) -> None:
    page = ask(find(portal, "/files/epa-gov/renewed/violations.csv"))
    login = ask(find(portal, "/files/nasa-gov/members/granules.csv"))
    empty = ask(find(portal, "/files/epa-gov/nothing/permits.csv"))

    assert {page.status, login.status, empty.status} == {200}
    assert page.body.startswith(b"<!DOCTYPE html>")
    assert b"password" not in page.body
    assert b'type="password"' in login.body
    assert (empty.body, empty.headers["Content-Length"]) == (b"", "0")


def test_a_busy_server_asks_once_to_come_back(fresh: SamplePortal) -> None:
    url = find(fresh, "/files/epa-gov/busy/monitors.csv")

    head, first, second = ask(url, "HEAD"), ask(url), ask(url)

    assert (head.status, first.status, second.status) == (200, 503, 200)
    assert first.headers["Retry-After"] == "1"
    assert hashlib.sha256(second.body).hexdigest() == fresh.expectations.sha256[url]


def test_a_transfer_breaks_once_at_half_and_can_be_resumed(fresh: SamplePortal) -> None:
    url = find(fresh, "/files/noaa-gov/unsteady/carbon.nc")
    probe = ask(url, Range="bytes=0-99")

    with pytest.raises(http.client.IncompleteRead) as broken:
        ask(url)
    rest = ask(url, Range="bytes=150000-", If_Range=probe.headers["ETag"])

    assert len(broken.value.partial) == 150_000
    assert rest.status == 206
    assert hashlib.sha256(broken.value.partial + rest.body).hexdigest() == fresh.expectations.sha256[url]
    assert ask(url).body == broken.value.partial + rest.body


def test_a_short_file_is_short_every_time_and_cannot_be_resumed(portal: SamplePortal) -> None:
    url = find(portal, "/files/epa-gov/short/releases.csv")

    for headers in ({}, {"Range": "bytes=40000-"}, {}):
        with pytest.raises(http.client.IncompleteRead) as broken:
            ask(url, **headers)

        assert (len(broken.value.partial), broken.value.expected) == (40_000, 40_000)


def test_an_export_has_neither_length_nor_validators(portal: SamplePortal) -> None:
    answer = ask(find(portal, "/files/state-of-lakota/views/w3ll-p3rm/rows.json") + "?accessType=DOWNLOAD")

    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers
    assert "ETag" not in answer.headers
    assert answer.json["rows"]


def test_redirects_lead_to_a_file_or_inside_or_round_in_a_circle(portal: SamplePortal) -> None:
    def hops(path: str) -> list[tuple[int, str]]:
        seen, url = [], find(portal, path)
        while len(seen) < 4 and url.startswith(portal.base_url):
            answer = ask(url)
            seen.append((answer.status, urlsplit(url).path))
            if answer.status == 200:
                break
            url = answer.headers["Location"]
        return [*seen, (0, url)] if not url.startswith(portal.base_url) else seen

    chain = hops("/files/census-gov/moved/flows.csv")
    moved = hops("/files/census-gov/old/patterns.zip")
    inside = hops("/files/census-gov/inside/table.csv")
    loop = hops("/files/census-gov/loop/a.csv")

    assert [status for status, _ in chain] == [302, 302, 200]
    assert [status for status, _ in moved] == [301, 200]
    assert inside[-1] == (0, "http://169.254.169.254/latest/meta-data/")
    assert loop[0] == loop[2]


def test_a_listing_shows_parent_sort_links_a_directory_and_files(portal: SamplePortal) -> None:
    url = find(portal, "/files/noaa-gov/listing/")

    page = ask(url).body.decode()
    below = ask(url + "archive/").body.decode()

    links = re.findall(r'href="([^"]+)"', page)
    assert links[:4] == ["?C=N;O=D", "?C=M;O=A", "?C=S;O=A", "?C=D;O=A"]
    assert links[4:6] == ["/files/noaa-gov/", "archive/"]
    assert len(links[6:]) == 7
    assert ask(url + "?C=S;O=A").body.decode() == page
    assert len(re.findall(r'href="buoy-\d+\.csv"', below)) == 3
    assert {ask(url + link).status for link in links[6:]} == {200}


def test_a_landing_page_links_files_and_pages_and_elsewhere(portal: SamplePortal) -> None:
    page = ask(find(portal, "/pages/nasa-gov/campaign")).body.decode()

    links = re.findall(r'href="([^"]+)"', page)
    data = json.loads(re.findall(r"<script[^>]+>(.*?)</script>", page)[0])
    urls = {download["contentUrl"] for download in data["distribution"]}
    assert sum(link.startswith("/files/nasa-gov/campaign/") for link in links) == 3
    assert "http://elsewhere.invalid/mirror/all-flights.csv" in links
    assert {"/pages/about.html", "/pages/contact.html", "#main"} <= set(links)
    assert data["@type"] == "Dataset"
    assert urls == {url for url in portal.expectations.assets if "/nasa-gov/campaign/" in url}
    assert ask(f"{portal.base_url}/pages/about.html").status == 200


def test_a_landing_page_can_lead_to_no_file(portal: SamplePortal) -> None:
    page = ask(find(portal, "/pages/nasa-gov/mission-overview")).body.decode()

    assert "/files/" not in page
    assert "application/ld+json" not in page


def test_a_map_service_describes_itself(portal: SamplePortal) -> None:
    url = find(portal, "/services/noaa-gov/charts/wms")

    answer = ask(f"{url}?service=WMS&version=1.3.0&request=GetCapabilities")

    assert answer.headers.get_content_type() == "application/xml"
    assert b"<WMS_Capabilities" in answer.body


def test_a_download_without_extension_is_an_octet_stream(portal: SamplePortal) -> None:
    answer = ask(find(portal, "/files/nasa-gov/download/48213"))

    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert len(answer.body) == 18_000


# the servers


def test_files_of_one_organization_are_on_the_second_port(portal: SamplePortal) -> None:
    main, other = portal.file_bases
    url = find(portal, "/files/usgs-gov/shared/codebook.pdf")

    assert main == portal.base_url
    assert url.startswith(f"{other}/")
    assert ask(url).body.startswith(b"%PDF-")


def test_every_request_is_logged_in_order(fresh: SamplePortal) -> None:
    ask(f"{fresh.base_url}/search?per_page=2")
    ask(f"{fresh.file_bases[1]}/nothing", "HEAD")

    first, second = fresh.requests
    assert (first.method, first.path, first.status) == ("GET", "/search?per_page=2", 200)
    assert (second.method, second.path, second.status) == ("HEAD", "/nothing", 404)
    assert first.at <= second.at
    assert [f"http://127.0.0.1:{exchange.port}" for exchange in fresh.requests] == list(fresh.file_bases)


def test_a_person_finds_a_page_at_the_root_and_at_each_dataset(portal: SamplePortal) -> None:
    dataset = portal.catalogue.datasets[0]

    assert ask(f"{portal.base_url}/").headers.get_content_type() == "text/html"
    assert dataset.title in ask(f"{portal.base_url}/dataset/{dataset.slug}").body.decode()
    assert ask(f"{portal.base_url}/dataset/none").status == 404


@pytest.mark.parametrize("length", ["-1", "many", "99999999"])
def test_a_body_that_cannot_be_read_is_refused_and_ends_the_connection(
    portal: SamplePortal, length: str
) -> None:
    connection = http.client.HTTPConnection(urlsplit(portal.base_url).netloc, timeout=20)
    connection.putrequest("POST", "/api/3/action/package_list")
    connection.putheader("Content-Length", length)
    connection.endheaders()

    response = connection.getresponse()

    assert response.status == 413
    assert response.headers["Connection"] == "close"
    response.read()
    connection.close()


def test_stopping_ends_idle_connections_and_may_be_done_twice() -> None:
    portal = SamplePortal()
    connection = http.client.HTTPConnection(urlsplit(portal.base_url).netloc, timeout=20)
    connection.request("GET", "/robots.txt")
    connection.getresponse().read()

    portal.stop()
    portal.stop()

    assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()
    with pytest.raises(urllib.error.URLError):
        ask(f"{portal.base_url}/robots.txt")


def test_a_taken_port_is_named(portal: SamplePortal) -> None:
    port = urlsplit(portal.base_url).port
    assert port

    with pytest.raises(SetupError, match=rf"cannot listen on 127\.0\.0\.1:{port}") as error:
        SamplePortal(port)

    assert error.value.reason == "port-in-use"


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_the_portal_can_be_run_by_hand_and_says_where_to_look(way: signal.Signals) -> None:
    command = [sys.executable, "-m", "shelter_pipeline.sample", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        url = next(line for line in lines if "/data.json" in line).split()[-1]

        document = ask(url).json
        process.send_signal(way)
        rest = "".join(lines)

    assert len(document["dataset"]) == 303
    assert '"expected_files"' in rest
    assert process.returncode == 0


def test_running_it_by_hand_on_a_taken_port_says_so(portal: SamplePortal) -> None:
    port = str(urlsplit(portal.base_url).port)
    command = [sys.executable, "-m", "shelter_pipeline.sample", "--port", port]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
