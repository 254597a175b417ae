"""What the reader of CKAN's Action API promises, on portals that behave and portals that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline_tests.support.ckan_index import (
    SEARCH,
    envelope,
    identifiers,
    ids,
    open_ckan,
    package,
)
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site


def serve_packages(
    site: LocalSite, packages: list[Any], *, cap: int, path: str = SEARCH, count: Any = None
) -> None:
    def answer(asked: Asked) -> Answered:
        start, rows = int(asked.query.get("start", 0)), min(int(asked.query["rows"]), cap)
        return Answered(envelope(packages[start : start + rows], len(packages) if count is None else count))

    site.answers(path, answer)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def portal(site: LocalSite) -> CkanPortal:
    return open_ckan(site.url)


def read_one(site: LocalSite, portal: CkanPortal, raw: Any) -> DatasetRecord | Refusal:
    site.serves(SEARCH, envelope([raw], 1))
    return next(portal.pages()).records[0]


def as_pairs(extras: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in extras.items()]


def test_rows_cut_by_the_portal_lose_nothing(site: LocalSite, portal: CkanPortal) -> None:
    packages = [package(number) for number in range(57)]
    serve_packages(site, packages, cap=10)

    assert identifiers(portal) == [one["id"] for one in packages]
    assert site.asked[0].query["sort"] == "id asc"


def test_a_short_page_is_not_the_end(site: LocalSite, portal: CkanPortal) -> None:
    packages = [package(number) for number in range(30)]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        window = packages[start : start + 10]
        broken = (3, 4, 25)  # entries that the portal drops from its pages and still counts
        return Answered(envelope([one for one in window if packages.index(one) not in broken], 30))

    site.answers(SEARCH, answer)

    assert set(identifiers(portal)) == {
        one["id"] for number, one in enumerate(packages) if number not in (3, 4, 25)
    }


def test_an_empty_page_before_the_count_is_stepped_over(site: LocalSite, portal: CkanPortal) -> None:
    packages = [package(number) for number in range(30)]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        return Answered(envelope([] if start == 10 else packages[start : start + 10], 30))

    site.answers(SEARCH, answer)

    assert len(identifiers(portal)) == 20


def test_a_package_met_twice_is_left_to_whoever_merges(site: LocalSite, portal: CkanPortal) -> None:
    serve_packages(site, [package(number) for number in (1, 2, 2, 3, 1)], cap=2)

    assert identifiers(portal) == ids(1, 2, 2, 3, 1)


@pytest.mark.parametrize(
    "count", ["5", 5, 3, 0, 100, None, -1, "many", True, 2.5, {"value": 5}, 10**30, "9" * 40]
)
def test_no_count_however_odd_loses_a_package(site: LocalSite, portal: CkanPortal, count: object) -> None:
    packages = [package(number) for number in range(5)]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        return Answered(envelope(packages[start : start + 2], count))

    site.answers(SEARCH, answer)

    assert identifiers(portal) == [one["id"] for one in packages]


def test_a_count_that_grows_while_it_is_read_is_followed_to_its_end(
    site: LocalSite, portal: CkanPortal
) -> None:
    packages = [package(number) for number in range(4)]

    def answer(asked: Asked) -> Answered:
        if len(packages) < 12:
            packages.extend([package(len(packages)), package(len(packages) + 1)])
        start = int(asked.query["start"])
        return Answered(envelope(packages[start : start + 3], len(packages)))

    site.answers(SEARCH, answer)

    assert identifiers(portal) == ids(*range(12))


def test_pages_that_shrink_to_one_package_are_read_on(site: LocalSite, portal: CkanPortal) -> None:
    packages = [package(number) for number in range(20)]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        return Answered(envelope(packages[start : start + max(1, 8 - start)], 20))

    site.answers(SEARCH, answer)

    assert identifiers(portal) == ids(*range(20))


def test_a_portal_that_ignores_start_ends(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, envelope([package(1), package(2)], 2))

    assert len(identifiers(portal)) == 2


def test_a_portal_that_repeats_itself_short_of_its_count_ends_with_an_error(
    site: LocalSite, portal: CkanPortal
) -> None:
    site.serves(SEARCH, envelope([package(1), None], 1000))

    with pytest.raises(TransientError, match="repeat others"):
        identifiers(portal)
    assert len(site.asked) < 10


def test_a_portal_that_counts_what_it_never_gives_ends_with_an_error(
    site: LocalSite, portal: CkanPortal
) -> None:
    site.serves(SEARCH, envelope([], 10**9))

    with pytest.raises(TransientError, match="counts 1000000000 packages and gives none"):
        identifiers(portal)
    assert len(site.asked) < 100


def test_an_empty_portal_is_one_last_page(site: LocalSite, portal: CkanPortal) -> None:
    site.serves(SEARCH, envelope([], 0))

    pages = list(portal.pages())

    assert [(page.records, page.cursor) for page in pages] == [((), None)]


def test_a_harvest_resumes_from_a_cursor(site: LocalSite, portal: CkanPortal) -> None:
    packages = [package(number) for number in range(25)]
    serve_packages(site, packages, cap=10)
    first = next(portal.pages())

    assert identifiers(portal, first.cursor) == [one["id"] for one in packages[10:]]


@pytest.mark.parametrize("base", ["", "/data", "/catalog", "/data/api/3", "/data/api/3/action", "/data/api"])
def test_any_base_path_will_do(site: LocalSite, base: str) -> None:
    root = base.partition("/api")[0]
    serve_packages(site, [package()], cap=10, path=f"{root}{SEARCH}")

    assert len(identifiers(open_ckan(site.url + base))) == 1


@pytest.mark.parametrize("nested", [False, True])
def test_dkans_lists_are_read_too(site: LocalSite, portal: CkanPortal, nested: bool) -> None:
    packages = [package(1), package(2)]
    site.serves(SEARCH, {"success": True, "result": [packages] if nested else packages})

    assert len(identifiers(portal)) == 2


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (
            {"success": False, "error": {"__type": "Not Found Error", "message": "Not found"}},
            PermanentError,
            "Not found",
        ),
        (
            {"success": False, "error": {"__type": "Search Error", "message": "solr"}},
            TransientError,
            "Search Error",
        ),
        ({"timeout": True, "message": "timeout of 5000ms exceeded"}, TransientError, "timeout of 5000ms"),
        ("Bad request", PermanentError, "Bad request"),
        ({"success": True, "result": None}, PermanentError, "not a page of packages"),
        (
            {"success": True, "result": {"count": 3, "results": None}},
            PermanentError,
            "not a page of packages",
        ),
        ({"success": True, "result": {"count": 3}}, PermanentError, "not a page of packages"),
        ([], PermanentError, "not a CKAN answer"),
    ],
)
def test_an_error_in_an_envelope_is_told_in_the_portals_words(
    site: LocalSite, portal: CkanPortal, body: object, error: type[Exception], words: str
) -> None:
    site.serves(SEARCH, body)

    with pytest.raises(error, match=words):
        next(portal.pages())


def test_a_package_becomes_a_whole_record(site: LocalSite, portal: CkanPortal) -> None:
    record = read_one(site, portal, package(7, url="https://example.org/about"))

    assert isinstance(record, DatasetRecord)
    assert (record.slug, record.title, record.description) == ("package-7", "Package 7", "About it.")
    assert (record.organization.slug, record.organization.name) == ("water-office", "Water Office")
    assert (record.keywords, record.themes) == (("water",), ("g",))
    assert (record.license, record.access_level) == ("Creative Commons Zero", "public")
    assert [(one.key, one.role, one.size) for one in record.resources[:1]] == [("r1", "download", 42)]
    assert [(one.role, one.url) for one in record.resources[1:]] == [("landing", "https://example.org/about")]
    assert record.notes == ()


def test_several_languages_are_read_in_english_or_the_first(site: LocalSite, portal: CkanPortal) -> None:
    organization = {"name": "bfs", "title": {"de": "Amt", "en": "Office"}}

    record = read_one(
        site,
        portal,
        package(title={"de": "Titel", "en": ""}, notes={"fr": "Texte"}, organization=organization),
    )

    assert isinstance(record, DatasetRecord)
    assert (record.title, record.description, record.organization.name) == ("Titel", "Texte", "Office")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organization": None}, "organization"),
        ({"id": None}, "id"),
        ({"title": ""}, "title"),
        ({"resources": [{"id": "r", "url": ""}]}, "resources.url"),
        ({"resources": [{"id": "r", "url": "https://x.org/a", "size": "3 MB"}]}, "resources.size"),
        ({"metadata_modified": "mar, 10/12/2019 - 09:23"}, "modified"),
        ({"resources": ["https://x.org/a.csv"]}, "resources"),
        ({"extras": ["odd"]}, "extras"),
        ({"organization": {"title": None}}, "organization"),
        ({"extras": "odd"}, "extras"),
        ({"tags": "water; air"}, "tags"),
        ({"title": "half \ud83d"}, "title"),
    ],
)
def test_what_is_missing_or_odd_is_a_note_and_no_refusal(
    site: LocalSite, portal: CkanPortal, change: dict[str, Any], field: str
) -> None:
    record = read_one(site, portal, package() | change)

    assert isinstance(record, DatasetRecord)
    assert field in [note.field for note in record.notes]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "record"),
        ("package-1", "record"),
        ([package()], "record"),
        (7, "record"),
        ({"title": "T"}, "id"),
        ({"id": "1"}, "title"),
        (package(name=None, title=None), "title"),
    ],
)
def test_only_what_cannot_be_known_or_named_is_refused(
    site: LocalSite, portal: CkanPortal, raw: object, field: str
) -> None:
    refused = read_one(site, portal, raw)

    assert isinstance(refused, Refusal)
    assert refused.field == field


def test_harvest_runs_and_views_do_not_change_the_hash(site: LocalSite, portal: CkanPortal) -> None:
    touched = package(
        metadata_modified="2026-01-01T00:00:00",
        tracking_summary={"total": 9, "recent": 1},
        extras=[{"key": "accessLevel", "value": "public"}, {"key": "harvest_object_id", "value": "new"}],
    )
    touched["resources"][0]["tracking_summary"] = {"total": 3}

    before, after = read_one(site, portal, package()), read_one(site, portal, touched)

    assert isinstance(before, DatasetRecord)
    assert isinstance(after, DatasetRecord)
    assert (before.record_hash, after.popularity) == (after.record_hash, 9)


@pytest.mark.parametrize("written", [dict, json.dumps, lambda extras: json.dumps(as_pairs(extras))])
def test_extras_are_read_in_every_form_and_unfolded(
    site: LocalSite, portal: CkanPortal, written: Any
) -> None:
    extras = {
        "accessLevel": "public",
        "spatial": '{"type": "Point", "coordinates": [1, 2]}',
        "publisher": "P",
    }

    record = read_one(site, portal, package(extras=written(extras)))

    assert isinstance(record, DatasetRecord)
    assert (record.access_level, record.publisher) == ("public", "P")
    assert json.loads(record.spatial or "")["type"] == "Point"


@pytest.mark.parametrize("written", [dict, json.dumps, as_pairs])
def test_a_new_harvest_run_changes_no_hash_however_extras_are_written(
    site: LocalSite, portal: CkanPortal, written: Any
) -> None:
    before, after = (
        read_one(site, portal, package(extras=written({"accessLevel": "public", "harvest_object_id": run})))
        for run in ("one", "two")
    )

    assert isinstance(before, DatasetRecord)
    assert isinstance(after, DatasetRecord)
    assert before.record_hash == after.record_hash
    assert before.raw != after.raw


@pytest.mark.parametrize(
    ("owner", "slug"), [("water-office", "water-office"), (None, "unknown"), ({"name": "w_o"}, "w-o")]
)
def test_an_owner_is_an_object_a_name_or_nobody(
    site: LocalSite, portal: CkanPortal, owner: object, slug: str
) -> None:
    record = read_one(site, portal, package(organization=owner))

    assert isinstance(record, DatasetRecord)
    assert record.organization.slug == slug


def test_tags_may_be_plain_words(site: LocalSite, portal: CkanPortal) -> None:
    record = read_one(site, portal, package(tags=["water", "air", "water"]))

    assert isinstance(record, DatasetRecord)
    assert record.keywords == ("water", "air")


@pytest.mark.parametrize("change", [{"state": "draft"}, {"state": "deleted"}, {"private": True}])
def test_what_the_portal_shows_is_kept_whatever_state_it_is_in(
    site: LocalSite, portal: CkanPortal, change: dict[str, Any]
) -> None:
    record = read_one(site, portal, package(**change))

    assert isinstance(record, DatasetRecord)
    assert json.loads(record.raw) == package(**change)


def test_resource_keys_do_not_depend_on_order_and_never_collide(site: LocalSite, portal: CkanPortal) -> None:
    one = {"url": "https://x.org/a.csv", "name": "A", "format": "CSV"}
    other = {"url": "https://x.org/b.csv", "name": "B", "format": "CSV"}

    first = read_one(site, portal, package(resources=[one, other, one]))
    second = read_one(site, portal, package(resources=[other, one]))

    assert isinstance(first, DatasetRecord)
    assert isinstance(second, DatasetRecord)
    keys = {resource.key: resource.url for resource in first.resources}
    assert len(keys) == 3
    assert all(keys[resource.key] == resource.url for resource in second.resources)


def test_a_resource_that_calls_itself_the_second_of_two_has_its_own_key(
    site: LocalSite, portal: CkanPortal
) -> None:
    named = [{"id": own, "url": f"https://x.org/{at}"} for at, own in enumerate(["r", "r", "r#2", "r"])]

    record = read_one(site, portal, package(resources=named))

    assert isinstance(record, DatasetRecord)
    assert len({resource.key for resource in record.resources}) == 4
    assert [resource.position for resource in record.resources] == [0, 1, 2, 3]
