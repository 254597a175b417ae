"""What the reader of data.gov's own API promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.assembling import assemble
from shelter_pipeline.portals.datagov import DatagovPortal
from shelter_pipeline.portals.datagov_record import datagov_record
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door
from shelter_pipeline_tests.support.search_hits import hit


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def portal(site: LocalSite) -> DatagovPortal:
    return DatagovPortal(site.url, PageReader(open_door(), max_bytes=10**8, attempts=1))


def read_one(site: LocalSite, portal: DatagovPortal, raw: Any) -> DatasetRecord | Refusal:
    site.serves("/search", {"results": [raw], "sort": "relevance"})
    return next(portal.pages()).records[0]


def test_a_hit_becomes_a_whole_record(site: LocalSite, portal: DatagovPortal) -> None:
    record = read_one(site, portal, hit())

    assert isinstance(record, DatasetRecord)
    assert (record.identifier, record.slug, record.title) == ("water-levels", "water-levels", "Water Levels")
    assert (record.organization.slug, record.organization.kind) == ("noaa", "Federal Government")
    assert (record.publisher, record.keywords, record.popularity) == ("River Office", ("rivers", "water"), 3)
    assert (record.access_level, record.temporal) == ("public", "2000-01-01/2020-01-01")
    assert record.modified is not None
    assert record.modified.date().isoformat() == "2025-07-17"
    assert json.loads(record.raw) == hit()
    assert record.notes == ()


def test_the_landing_page_that_the_catalogue_appends_is_told_from_the_files(
    site: LocalSite, portal: DatagovPortal
) -> None:
    record = read_one(site, portal, hit())

    assert isinstance(record, DatasetRecord)
    assert [(resource.role, resource.url) for resource in record.resources] == [
        ("download", "https://example.gov/water.csv"),
        ("landing", "https://example.gov/water"),
    ]


def test_values_that_the_index_folded_into_strings_are_unfolded(
    site: LocalSite, portal: DatagovPortal
) -> None:
    folded = {
        "keyword": '["a", "b"]',
        "distribution": [
            '{"downloadURL": "https://example.gov/a.csv", "checksum": "{\\"checksumValue\\": \\"x\\"}"}'
        ],
        "description": "{not json, a text}",
    }

    record = read_one(site, portal, hit(dcat=folded))

    assert isinstance(record, DatasetRecord)
    assert record.keywords == ("a", "b")
    assert record.resources[0].url == "https://example.gov/a.csv"
    assert record.description == "{not json, a text}"


@pytest.mark.parametrize("distribution", [None, [], ""])
def test_a_dataset_without_distributions_still_has_its_landing_page(
    site: LocalSite, portal: DatagovPortal, distribution: object
) -> None:
    record = read_one(site, portal, hit(dcat={"distribution": distribution}))

    assert isinstance(record, DatasetRecord)
    assert [resource.role for resource in record.resources] == ["landing"]


def test_what_changes_by_itself_does_not_change_the_hash(site: LocalSite, portal: DatagovPortal) -> None:
    before = read_one(site, portal, hit())
    new_logo = {"slug": "noaa", "name": "NOAA", "organization_type": "Federal Government", "logo": "other"}

    after = read_one(
        site,
        portal,
        hit(
            _score=2.0,
            popularity=99,
            last_harvested_date="2026-01-01",
            harvest_record="x",
            organization=new_logo,
        ),
    )

    assert isinstance(before, DatasetRecord)
    assert isinstance(after, DatasetRecord)
    assert before.record_hash == after.record_hash
    assert after.popularity == 99


@pytest.mark.parametrize("change", [{"title": "Other"}, {"dcat": {"modified": "2026-01-01"}}])
def test_what_the_publisher_changes_changes_the_hash(
    site: LocalSite, portal: DatagovPortal, change: dict[str, Any]
) -> None:
    before, after = read_one(site, portal, hit()), read_one(site, portal, hit(**change))

    assert isinstance(before, DatasetRecord)
    assert isinstance(after, DatasetRecord)
    assert before.record_hash != after.record_hash


def test_two_datasets_with_the_agencys_same_identifier_stay_two(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/search", {"results": [hit("one"), hit("two")]})

    records = next(portal.pages()).records

    assert [record.identifier for record in records] == ["one", "two"]


def test_a_hit_without_slug_is_known_by_organization_and_identifier(
    site: LocalSite, portal: DatagovPortal
) -> None:
    record = read_one(site, portal, hit(None))

    assert isinstance(record, DatasetRecord)
    assert (record.identifier, record.slug) == ("noaa:NOAA-1", "water-levels")
    assert [note.field for note in record.notes] == ["slug"]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "record"),
        ("text", "record"),
        ([], "record"),
        (hit(None, identifier=None, dcat={"identifier": None}), "slug"),
        (hit(title=None, dcat={"title": " "}), "title"),
    ],
)
def test_only_what_cannot_be_known_or_named_is_refused(
    site: LocalSite, portal: DatagovPortal, raw: object, field: str
) -> None:
    refused = read_one(site, portal, raw)

    assert isinstance(refused, Refusal)
    assert refused.field == field


def test_a_page_that_is_no_search_result_is_a_permanent_error(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/search", {"datasets": []})

    with pytest.raises(PermanentError, match="not a page of search results"):
        next(portal.pages())


CENSUS = {
    "slug": "census",
    "name": "U.S. Census Bureau",
    "organization_type": "Federal Government",
    "dataset_count": 5,
}
NEW_YORK = {
    "slug": "nyc-ny",
    "name": "City of New York",
    "organization_type": "City Government",
    "dataset_count": 2,
}


def test_the_organizations_are_the_first_witness_and_the_statistics_the_second(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/api/organizations", {"organizations": [CENSUS, NEW_YORK], "total": 2})
    site.serves("/api/stats", {"results": {"datasets": 8, "datasetsWithIsPartOf": 1}})

    organizations, statistics = portal.witnesses()

    assert (organizations.total, organizations.by_organization) == (7, {"census": 5, "nyc-ny": 2})
    assert [one.kind for one in organizations.organizations] == ["Federal Government", "City Government"]
    assert (organizations.source, organizations.requests) == (f"{site.url}/api/organizations", 1)
    assert (statistics.total, statistics.source) == (8, f"{site.url}/api/stats")


def test_a_witness_that_does_not_answer_is_left_out(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/api/stats", {"results": {"datasets": 8}})

    assert [witness.total for witness in portal.witnesses()] == [8]


@pytest.mark.parametrize("total", [None, "many", -1, {"n": 1}])
def test_statistics_without_a_number_are_no_witness(
    site: LocalSite, portal: DatagovPortal, total: object
) -> None:
    site.serves("/api/organizations", {"organizations": [CENSUS]})
    site.serves("/api/stats", {"results": {"datasets": total}})

    assert [witness.total for witness in portal.witnesses()] == [5]


def test_when_no_witness_answers_the_error_is_that_of_the_organizations(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/api/organizations", {"datasets": []})

    with pytest.raises(PermanentError, match=r"/api/organizations could not be read: it lists no organ"):
        portal.witnesses()


def test_a_count_that_cannot_be_read_is_not_made_up(site: LocalSite, portal: DatagovPortal) -> None:
    broken = NEW_YORK | {"dataset_count": None}
    site.serves("/api/organizations", {"organizations": [CENSUS, broken, None, "text"]})

    (witness,) = portal.witnesses()

    assert (witness.total, witness.by_organization) == (None, {"census": 5})
    assert len(witness.organizations) == 2


def test_a_dataset_is_looked_up_by_its_slug(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/api/dataset/water-levels", {"results": [hit()], "sort": "relevance"})

    page = portal.look_up("water-levels")

    assert page is not None
    assert [record.identifier for record in page.records] == ["water-levels"]
    assert (page.cursor, page.requests) == (None, 1)


@pytest.mark.parametrize(
    "answer",
    [Answered({"message": "Not Found"}, 404), Answered({"results": []}), Answered({"results": [hit("b")]})],
)
def test_what_the_portal_does_not_have_under_this_slug_is_not_there(
    site: LocalSite, portal: DatagovPortal, answer: Answered
) -> None:
    site.serves_in_turn("/api/dataset/a", answer)
    site.serves("/search", {"results": [None, hit(None), hit("b")]})
    site.serves("/api/dataset/b", {"results": [hit("b")]})

    assert [portal.look_up("a"), portal.look_up("a")] == [None, None]
    assert len([one for one in site.asked if one.path != "/api/dataset/a"]) in (0, 2)


@pytest.mark.parametrize(
    "hits", [[hit("b")], [], None], ids=["no page for what is there", "nothing there", "no search"]
)
def test_a_portal_without_pages_of_datasets_is_not_believed_to_have_lost_one(
    site: LocalSite, portal: DatagovPortal, hits: list[Any] | None
) -> None:
    if hits is not None:
        site.serves("/search", {"results": hits})

    for _ in range(2):
        with pytest.raises(PermanentError, match="status 404"):
            portal.look_up("a")


def test_a_dataset_that_is_there_and_too_deep_to_be_read_is_refused_by_its_slug(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/api/dataset/a", b'{"results": [' + too_deep("a") + b"]}")

    page = portal.look_up("a")

    assert page is not None
    assert isinstance(page.records[0], Refusal)
    assert page.records[0].identifier == "a"


def test_a_dataset_that_is_there_and_cannot_be_kept_is_refused_by_name(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/api/dataset/a", {"results": [hit("a", title=None, dcat={"title": None})]})

    page = portal.look_up("a")

    assert page is not None
    assert isinstance(page.records[0], Refusal)


@pytest.mark.parametrize(
    ("identifier", "answer"),
    [
        ("a", Answered(b"<html><h1>Site unavailable</h1></html>", 503)),
        ("a", Answered(b"<html><h1>Request Rejected</h1></html>", 403)),
        ("a", Answered({"error": {"code": "API_KEY_MISSING"}}, 403)),
        ("a", Answered({"error": "Invalid request"}, 400)),
        ("a", Answered({"results": {}})),
        ("noaa:NOAA-1", Answered({"results": []})),
    ],
)
def test_a_portal_that_cannot_say_whether_it_has_a_dataset_does_not_say_no(
    site: LocalSite, portal: DatagovPortal, identifier: str, answer: Answered
) -> None:
    site.serves_in_turn(f"/api/dataset/{identifier}", answer)

    with pytest.raises(ShelterError, match="/api/dataset/"):
        portal.look_up(identifier)


def test_the_publishers_own_record_stands_at_the_address_in_use(
    site: LocalSite, portal: DatagovPortal
) -> None:
    place = f"{site.url}/harvest_record/1"

    assert portal.source_record_url({"harvest_record_raw": f"{place}/raw"}) == f"{place}/raw"
    assert portal.source_record_url({"harvest_record": place}) == f"{place}/raw"


@pytest.mark.parametrize(
    "written",
    [
        None,
        7,
        "https://elsewhere.example/harvest_record/1/raw",
        "http://127.0.0.1:1/harvest_record/1",
        "/harvest_record/1",
        "http://[bad/harvest_record/1",
        "file:///etc/passwd",
    ],
)
def test_no_other_host_is_asked_for_a_publishers_record(portal: DatagovPortal, written: object) -> None:
    assert portal.source_record_url({"harvest_record_raw": written}) is None


def through_gateway(site: LocalSite) -> DatagovPortal:
    door = open_door()
    return DatagovPortal(
        f"{site.url}/own",
        PageReader(door, max_bytes=10**8, attempts=1),
        gateway=(
            f"{site.url}/gate/v4/",
            PageReader(door, max_bytes=10**8, attempts=1, headers={"X-Api-Key": "k"}),
        ),
    )


def test_a_gateway_is_asked_first_and_its_paths_have_no_api(site: LocalSite) -> None:
    site.serves("/gate/v4/organizations", {"organizations": [CENSUS]})
    site.serves("/gate/v4/search", {"results": [hit("a", organization={"slug": "census"})]})
    portal = through_gateway(site)

    pages = list(portal.pages())

    assert [record.identifier for page in pages for record in page.records] == ["a"]
    assert [one.headers.get("X-Api-Key") for one in site.asked] == ["k", "k"]
    assert portal.source_record_url({"harvest_record": f"{site.url}/harvest_record/1"}) == (
        f"{site.url}/gate/v4/harvest_record/1/raw"
    )


@pytest.mark.parametrize(
    "failure",
    [
        Answered({"error": {"code": "API_KEY_INVALID", "message": "An invalid key"}}, 403),
        Answered({"error": {"code": "OVER_RATE_LIMIT"}}, 429),
        Answered(b"no such page", 404),
        Answered({"datasets": []}),
        Answered(b"<html><h1>504</h1></html>", 504),
    ],
)
def test_after_a_gateway_fails_the_catalogues_own_host_is_asked_and_never_told_the_key(
    site: LocalSite, failure: Answered
) -> None:
    site.serves("/gate/v4/organizations", {"organizations": [CENSUS]})
    site.serves_in_turn(
        "/gate/v4/search",
        Answered({"results": [hit("a", organization={"slug": "census"})], "after": "x"}),
        failure,
    )
    site.serves("/own/search", {"results": [hit("b", organization={"slug": "census"})]})
    portal = through_gateway(site)

    records = [record.identifier for page in portal.pages() for record in page.records]
    list(portal.pages())

    assert records == ["a", "b"]
    direct = [one for one in site.asked if one.path.startswith("/own/")]
    assert direct[0].query["after"] == "x"
    assert not any("X-Api-Key" in one.headers for one in direct)
    assert len([one for one in site.asked if one.path == "/gate/v4/search"]) == 2


def test_when_neither_answers_both_are_named(site: LocalSite) -> None:
    site.serves("/gate/v4/organizations", {"error": {"code": "API_KEY_INVALID", "message": "No"}}, 403)

    with pytest.raises(PermanentError) as caught:
        through_gateway(site).witnesses()

    assert f"{site.url}/own/api/organizations could not be read: status 404" in str(caught.value)
    assert "SHELTER_DATAGOV_API_KEY" in str(caught.value)


def test_a_portal_that_is_a_gateway_itself_is_read_as_one(site: LocalSite) -> None:
    site.serves("/technology/datagov/v4/organizations", {"organizations": []})
    gateway = DatagovPortal(
        f"{site.url}/technology/datagov/v4/", PageReader(open_door(), max_bytes=10**6, attempts=1)
    )

    assert [witness.total for witness in gateway.witnesses()] == [0]
    assert list(gateway.identities()) == []
    with pytest.raises(PermanentError, match="status 404"):
        gateway.look_up("a")


def test_the_sitemap_gives_the_identities_file_by_file(site: LocalSite, portal: DatagovPortal) -> None:
    files = "".join(f"<sitemap><loc>{site.url}/sitemap/{n}.xml</loc></sitemap>" for n in (0, 1))
    site.serves("/sitemap.xml", f"<sitemapindex>{files}</sitemapindex>".encode())
    for number in (0, 1):
        body = f"<urlset><url><loc>{site.url}/dataset/d{number}</loc></url></urlset>"
        site.serves(f"/sitemap/{number}.xml", body.encode())

    listings = list(portal.identities())

    assert [listing.identifiers for listing in listings] == [("d0",), ("d1",)]
    assert [listing.source for listing in listings] == [f"{site.url}/sitemap/{n}.xml" for n in (0, 1)]
    assert sum(listing.requests for listing in listings) == 3


@pytest.mark.parametrize("owner", [None, "NOAA", [], ["NOAA"], {}, 7])
def test_an_organization_of_any_shape_costs_no_record(
    site: LocalSite, portal: DatagovPortal, owner: object
) -> None:
    record = read_one(site, portal, hit(organization=owner))

    assert isinstance(record, DatasetRecord)
    assert record.organization.slug in ("noaa", "unknown", "7")


def test_deep_nesting_in_one_hit_does_not_cost_the_others(site: LocalSite, portal: DatagovPortal) -> None:
    deep = json.dumps(hit("deep")).replace('"l"', "[" * 900 + "]" * 900)
    body = b'{"results": [' + deep.encode() + b"," + json.dumps(hit("flat")).encode() + b"]}"
    site.serves("/search", body)

    records = next(portal.pages()).records

    assert records[1].identifier == "flat"
    assert len(records) == 2


def too_deep(slug: str, levels: int = 100_000) -> bytes:
    return json.dumps(hit(slug)).encode().replace(b'"l"', b"[" * levels + b"]" * levels)


@pytest.mark.parametrize("levels", [940, 960, 980, 1000, 2000, 100_000])
def test_no_depth_of_a_hit_costs_any_other(site: LocalSite, portal: DatagovPortal, levels: int) -> None:
    hits = [json.dumps(hit("a")).encode(), too_deep("deep", levels), json.dumps(hit("b")).encode()]
    site.serves("/search", b'{"sort": "relevance", "results": [' + b", ".join(hits) + b'], "after": "x"}')

    page = next(portal.pages())

    assert [record.identifier for record in page.records] == ["a", "deep", "b"]
    assert [type(page.records[place]) for place in (0, 2)] == [DatasetRecord, DatasetRecord]
    assert page.cursor is not None
    if levels >= 2000:
        deep = page.records[1]
        assert isinstance(deep, Refusal)
        assert (deep.position, deep.field) == (1, "record")
        assert "nested too deeply" in deep.problem
        assert "Levels of all rivers." in deep.raw


def test_a_hit_larger_than_a_record_may_be_is_refused_and_no_other(site: LocalSite) -> None:
    site.serves("/search", {"results": [hit("a"), hit("b", description="x" * 5000), hit("c")]})
    portal = DatagovPortal(site.url, PageReader(open_door(), max_bytes=10**6), record_max_bytes=5000)

    first, refused, last = next(portal.pages()).records

    assert (first.identifier, last.identifier) == ("a", "c")
    assert isinstance(refused, Refusal)
    assert (refused.field, refused.problem) == ("record", "larger than 5000 bytes")
    assert refused.identifier == "b"


def test_a_dataset_too_large_to_be_read_is_there_though_nobody_can_tell_its_name(site: LocalSite) -> None:
    body = json.dumps({"results": [{"description": "x" * 2_000_000, "slug": "a"}]})
    site.serves("/api/dataset/a", body.encode())
    portal = DatagovPortal(site.url, PageReader(open_door(), max_bytes=10**7), record_max_bytes=5000)

    page = portal.look_up("a")

    assert page is not None
    assert [(type(record), record.identifier) for record in page.records] == [(Refusal, "a")]


def test_a_hit_that_is_no_json_costs_no_other_in_any_encoding(site: LocalSite, portal: DatagovPortal) -> None:
    text = f'{{"results": [{json.dumps(hit("a"))}, {{"slug": "b", "title": }}, {json.dumps(hit("c"))}]}}'
    for body in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        site.serves("/search", body)

        records = next(portal.pages()).records

        assert [record.identifier for record in records] == ["a", "b", "c"]
        assert isinstance(records[1], Refusal)
        assert "invalid JSON" in records[1].problem


@pytest.mark.parametrize("dcat", ["not an object", "{broken", [], 7])
def test_a_record_inside_a_hit_that_cannot_be_read_is_a_note(
    site: LocalSite, portal: DatagovPortal, dcat: object
) -> None:
    raw = hit() | {"dcat": dcat}

    record = read_one(site, portal, raw)

    assert isinstance(record, DatasetRecord)
    assert record.resources == ()
    assert [note.field for note in record.notes] == ["dcat"]


def test_a_record_too_deep_to_be_shown_is_still_refused_by_name() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    refused = assemble(datagov_record, {"extras": deep}, 3)

    assert isinstance(refused, Refusal)
    assert (refused.position, refused.field) == (3, "slug")
