"""Real records of many agencies and portals through the drivers: each comes out once, kept or refused by name."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.discovery.classify import Kind, classify
from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Page, Refusal
from shelter_pipeline.portals.protocol import Portal
from shelter_pipeline.portals.registry import ReadingRules, open_portal
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site, open_door

REPOSITORY = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("SHELTER_FIXTURES", REPOSITORY.parent / "shared" / "fixtures"))

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]


def packages_in(path: Path) -> list[Any]:
    """The packages of a saved CKAN answer, whichever action gave it; none for anything else."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return []
    for name in ("result", "results"):
        if isinstance(document, dict) and name in document:
            document = document[name]
    packages = document if isinstance(document, list) else [document]
    return packages if all(isinstance(one, dict) and "resources" in one for one in packages) else []


DATA_JSON = sorted((FIXTURES / "dcat_us").glob("*.json*"))
DATAGOV = sorted([*FIXTURES.glob("datagov/derived/*.json"), *FIXTURES.glob("datagov/live*__search*.json")])
CKAN = [path for path in sorted(FIXTURES.glob("ckan*/**/*.json")) if packages_in(path)]
CKAN_ERRORS = [
    path
    for path in sorted(FIXTURES.glob("ckan_other/*.json"))
    if path.stem.endswith(("not-found", "server-error", "timeout"))
]
ERROR_PAGES = sorted(FIXTURES.glob("datagov/error_pages/*.html"))
FOLDERS = {
    "dcat_us": DATA_JSON,
    "datagov": DATAGOV,
    "ckan": CKAN,
    "ckan errors": CKAN_ERRORS,
    "error pages": ERROR_PAGES,
}


def by_name(path: Path) -> str:
    return path.name


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def opened(kind: str, url: str) -> Portal:
    rules = ReadingRules(page_max_bytes=10**9, attempts=2, sleep=lambda _: None)
    return open_portal(kind, url, open_door(), rules)


def all_of(pages: Iterator[Page]) -> list[DatasetRecord | Refusal]:
    return [record for page in pages for record in page.records]


def check(records: list[DatasetRecord | Refusal]) -> None:
    """What must hold of every record, and of every refusal, before anyone stores it."""
    for record in records:
        if isinstance(record, Refusal):
            assert record.field
            assert record.problem
            continue
        keys = [resource.key for resource in record.resources]
        texts = [
            record.identifier,
            record.title,
            record.slug,
            record.organization.slug,
            record.description or "",
        ]
        texts += [resource.url or "" for resource in record.resources]
        assert len(keys) == len(set(keys))
        assert [resource.position for resource in record.resources] == list(range(len(keys)))
        assert all("\x00" not in text and text.encode() is not None for text in texts)
        assert isinstance(json.loads(record.raw), dict)
        assert len(record.record_hash) == 32


def entries_in(document: Any) -> int:
    """How many records stand in a document, counted apart from the driver that is tested."""
    if isinstance(document, list):
        return sum(entries_in(item) for item in document)
    own = int(any(name in str(document.get("@type")) for name in ("Dataset", "DataService")))
    if "dataset" in document or "service" in document or "datasetSeries" in document:
        own = 0
    elif not own and not {"@graph", "catalog", "@context", "@id"} & set(document):
        own = 1  # a record so empty that it has no type
    inner = ("dataset", "datasetSeries", "seriesMember", "service", "servesDataset", "catalog", "@graph")
    return own + sum(entries_in(document[name]) for name in inner if name in document)


@pytest.mark.parametrize("folder", FOLDERS)
def test_there_are_real_records_to_try(folder: str) -> None:
    assert FOLDERS[folder]


@pytest.mark.parametrize("path", DATA_JSON, ids=by_name)
def test_every_entry_of_a_real_data_json_comes_out_once(site: LocalSite, path: Path) -> None:
    portal = opened("dcat_us", site.serves("/data.json", path.read_bytes()))

    witness = portal.witnesses()[0]
    records = all_of(portal.pages())

    check(records)
    assert len(records) == entries_in(json.loads(path.read_bytes()))
    assert witness.total == len(
        {getattr(record, "record_hash", index) for index, record in enumerate(records)}
    )


@pytest.mark.parametrize("path", DATAGOV, ids=by_name)
def test_every_hit_of_a_real_search_page_comes_out_once(site: LocalSite, path: Path) -> None:
    page = json.loads(path.read_bytes())
    site.serves("/search", page)

    got = next(opened("datagov", site.url).pages())

    check(list(got.records))
    assert len(got.records) == len(page["results"])
    assert (json.loads(got.cursor)["after"] if got.cursor else None) == page.get("after")


def test_the_derived_crawl_is_followed_from_cursor_to_cursor(site: LocalSite) -> None:
    pages = [json.loads(path.read_bytes()) for path in DATAGOV if "derived" in path.parts]
    by_cursor = {f"page-{number}": page for number, page in enumerate(pages[1:], start=1)}

    def answer(asked: Asked) -> Answered:
        number = int(asked.query.get("after", "page-0").removeprefix("page-"))
        following = f"page-{number + 1}"
        rest = {"after": following} if following in by_cursor else {}
        return Answered({"results": pages[number]["results"], **rest})

    site.answers("/search", answer)
    records = all_of(opened("datagov", site.url).pages())

    slugs = [hit["slug"] for page in pages for hit in page["results"]]
    assert [record.identifier for record in records] == slugs
    assert len(set(slugs)) == len(slugs)


def test_the_real_organizations_add_up(site: LocalSite) -> None:
    site.serves("/api/organizations", (FIXTURES / "datagov/live202604__organizations.json").read_bytes())

    witness = opened("datagov", site.url).witnesses()[0]

    assert (witness.total, len(witness.organizations)) == (526_394, 120)
    assert witness.by_organization["census"] == 284_008


@pytest.mark.parametrize("path", CKAN, ids=by_name)
def test_every_package_of_a_real_ckan_answer_comes_out_once(site: LocalSite, path: Path) -> None:
    packages = packages_in(path)
    page = {"success": True, "result": {"count": len(packages), "results": packages}}
    site.serves("/api/3/action/package_search", page)

    records = all_of(opened("ckan", site.url).pages())

    check(records)
    # One that comes twice is given twice: whoever merges knows it by its identity.
    assert {record.identifier for record in records} == {one.get("id") or one["name"] for one in packages}


def test_the_derived_ckan_portal_is_read_to_its_end(site: LocalSite) -> None:
    packages = [one for path in CKAN if "derived" in path.parts for one in packages_in(path)]

    def answer(asked: Asked) -> Answered:
        start = int(asked.query["start"])
        result = {"count": len(packages), "results": packages[start : start + 100]}
        return Answered({"success": True, "result": result})

    site.answers("/api/3/action/package_search", answer)

    records = all_of(opened("ckan", site.url).pages())

    check(records)
    assert list(dict.fromkeys(record.identifier for record in records)) == list(
        dict.fromkeys(one["id"] for one in packages)
    )


@pytest.mark.parametrize("path", CKAN_ERRORS, ids=by_name)
def test_a_real_ckan_error_is_told_in_one_sentence(site: LocalSite, path: Path) -> None:
    site.serves("/api/3/action/package_search", path.read_bytes())

    with pytest.raises((PermanentError, TransientError), match="could not be read: CKAN answered"):
        next(opened("ckan", site.url).pages())


@pytest.mark.parametrize("status", [200, None])
@pytest.mark.parametrize("path", ERROR_PAGES, ids=by_name)
def test_a_real_error_page_is_a_pause_whatever_its_status(
    site: LocalSite, path: Path, status: int | None
) -> None:
    own = {"403": 403, "500": 500, "malicious": 429}.get(path.stem.rpartition("__")[2], 503)
    site.serves_in_turn(
        "/search", Answered(path.read_bytes(), status or own), Answered({"results": [], "sort": "relevance"})
    )

    page = next(opened("datagov", site.url).pages())

    assert (page.records, page.cursor, page.requests) == ((), None, 2)


def test_every_odd_value_that_was_seen_goes_through_classification() -> None:
    lines = (FIXTURES / "quirk_values.jsonl").read_text(encoding="utf-8").splitlines()
    quirks = [json.loads(line) for line in lines]

    seen: dict[str, set[Kind]] = {}
    for quirk in quirks:
        for value in quirk["value"] if isinstance(quirk["value"], list) else [quirk["value"]]:
            if isinstance(value, str):
                seen.setdefault(quirk["quirk"], set()).add(
                    classify(value, format=value, media_type=value).kind
                )

    assert seen["url-web-service"] == {Kind.SERVICE}
    assert seen["url-inside-url"] == {Kind.INVALID}
    assert seen["url-no-scheme"] == {Kind.INVALID}
    assert seen["url-scheme-hhttps"] == {Kind.SERVICE}
    assert seen["url-illegal-chars"] == {Kind.INVALID, Kind.CODE}
    assert seen["url-scheme-ftp"] <= {Kind.FILE, Kind.ARCHIVE, Kind.DIRECTORY}


def test_every_address_of_the_real_records_is_classified(site: LocalSite) -> None:
    records: list[DatasetRecord | Refusal] = []
    for path in DATA_JSON:
        portal = opened("dcat_us", site.serves(f"/{path.name}", path.read_bytes()))
        records += all_of(portal.pages())

    resources = [
        resource for record in records if isinstance(record, DatasetRecord) for resource in record.resources
    ]
    kinds = Counter(
        classify(resource.url, format=resource.format, media_type=resource.media_type).kind
        for resource in resources
    )

    assert sum(kinds.values()) == len(resources) > 1000
    assert kinds[Kind.FILE] > kinds[Kind.WEB_PAGE] > kinds[Kind.INVALID]
    assert all(kinds[kind] for kind in Kind if kind is not Kind.INVALID)


def test_the_repairs_of_the_odd_values_that_were_seen_are_these() -> None:
    lines = (FIXTURES / "quirk_values.jsonl").read_text(encoding="utf-8").splitlines()
    values = {
        value
        for quirk in map(json.loads, lines)
        if quirk["quirk"].startswith("url-")
        for value in [quirk["value"]]
        if isinstance(value, str)
    }

    verdicts = {value: classify(value) for value in values}

    repaired = {value.partition("?")[0]: one.repair for value, one in verdicts.items() if one.repair}
    assert repaired == {
        'https://github.com/CNES/swot-hydrology-toolbox"': "quotes",
        "hhttps://services.arcgis.com/fLeGjb7u4uXqeF9q/arcgis/rest/services/"
        "Walkable_Access_Healthy_Food/FeatureServer/0/query": "scheme",
    }
    assert [one.urls for one in verdicts.values() if one.urls] == [
        (
            "https://dashboard.healthit.gov/datadashboard/data/REC_KPI_State.csv",
            "https://dashboard.healthit.gov/quickstats/pages/FIG-REC-Priority-Primary-Care-Providers-MU.php",
        )
    ]
