"""What one line of configuration promises."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.registry import PORTAL_KINDS, ReadingRules, open_portal, parse_portal
from shelter_pipeline_tests.support.ckan_index import Index, package
from shelter_pipeline_tests.support.dcat_documents import dataset
from shelter_pipeline_tests.support.local_site import LocalSite, local_site, open_door
from shelter_pipeline_tests.support.search_hits import hit


def a_record(kind: str, name: str) -> dict[str, Any]:
    if kind == "ckan":
        return package(1, id=name)
    return hit(name) if kind == "datagov" else dataset(name)


def serve(site: LocalSite, kind: str, records: list[dict[str, Any]]) -> str:
    """A portal of this kind with these records; returns its URL."""
    if kind == "dcat_us":
        return site.serves("/data.json", {"dataset": records})
    if kind == "ckan":
        Index(site, records)
    else:
        site.serves("/search", {"results": records})
    return site.url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("datagov:https://catalog.data.gov", ("datagov", "https://catalog.data.gov")),
        ("ckan:https://demo.ckan.org/", ("ckan", "https://demo.ckan.org")),
        ("ckan:HTTP://Example.org:8080/data/", ("ckan", "http://example.org:8080/data")),
        ("dcat_us:https://www.gsa.gov/data.json", ("dcat_us", "https://www.gsa.gov/data.json")),
        (" dcat_us:https://www.gsa.gov/data/ ", ("dcat_us", "https://www.gsa.gov/data/")),
    ],
)
def test_a_portal_is_a_kind_and_a_url(text: str, expected: tuple[str, str]) -> None:
    assert parse_portal(text) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "not KIND:URL"),
        ("https://catalog.data.gov", "not KIND:URL"),
        ("socrata:https://data.example.gov", "'socrata'"),
        ("ckan:", "empty"),
        ("ckan:demo.ckan.org", "no scheme"),
        ("ckan:ftp://demo.ckan.org", "http://"),
        ("ckan:https://user:secret@demo.ckan.org", "user name"),
    ],
)
def test_a_portal_that_cannot_be_used_says_what_to_change(text: str, named: str) -> None:
    with pytest.raises(SetupError, match=named):
        parse_portal(text)


@pytest.mark.parametrize("text", ["socrata:https://x.gov", "nonsense"])
def test_the_kinds_there_are_stand_in_the_error(text: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_portal(text)

    assert all(kind in str(caught.value) for kind in PORTAL_KINDS)


@pytest.mark.parametrize("kind", PORTAL_KINDS)
def test_every_kind_opens_without_asking_anything(kind: str) -> None:
    portal = open_portal(kind, "http://10.0.0.1/x", open_door(), ReadingRules(page_max_bytes=1000))

    assert (portal.kind, portal.url) == (kind, "http://10.0.0.1/x")


@pytest.mark.parametrize("kind", PORTAL_KINDS)
def test_no_kind_keeps_a_record_larger_than_the_rules_allow(kind: str) -> None:
    records = [a_record(kind, name) for name in ("a", "b", "c")]
    records[1]["extra"] = "x" * 20_000
    rules = ReadingRules(page_max_bytes=10**6, record_max_bytes=10_000, attempts=1)
    with local_site() as site:
        url = serve(site, kind, records)

        found = [
            record for page in open_portal(kind, url, open_door(), rules).pages() for record in page.records
        ]

    assert [record.identifier for record in found] == ["a", "b", "c"]
    assert [type(record) for record in found] == [DatasetRecord, Refusal, DatasetRecord]


def test_an_unknown_kind_is_a_setup_error() -> None:
    with pytest.raises(SetupError, match="datagov, ckan, dcat_us"):
        open_portal("csw", "http://10.0.0.1/x", open_door(), ReadingRules(page_max_bytes=1000))
