"""Every odd value that was seen, put where it was seen into records of all three kinds of portal.

Whatever the value, every record comes out: kept with nothing in it that its portal did
not say, or refused with a reason, and none of its neighbours is touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.registry import ReadingRules, open_portal
from shelter_pipeline_tests.support.ckan_index import SEARCH, package
from shelter_pipeline_tests.support.dcat_documents import dataset
from shelter_pipeline_tests.support.local_site import LocalSite, local_site, open_door
from shelter_pipeline_tests.support.search_hits import hit

REPOSITORY = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("SHELTER_FIXTURES", REPOSITORY.parent / "shared" / "fixtures"))
FILE = "https://example.gov/a.csv"
Changes = dict[str, Any]
Place = Callable[[dict[str, Any]], Changes]

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]


def quirks() -> dict[str, list[dict[str, Any]]]:
    if not FIXTURES.is_dir():
        return {}
    lines = (FIXTURES / "quirk_values.jsonl").read_text(encoding="utf-8").splitlines()
    by_class = sorted((json.loads(line) for line in lines), key=lambda quirk: quirk["quirk"])
    return {name: list(group) for name, group in groupby(by_class, lambda quirk: quirk["quirk"])}


def distribution(**fields: Any) -> Changes:
    return {"distribution": [{"downloadURL": FILE, "mediaType": "text/csv"} | fields]}


def in_url(quirk: dict[str, Any]) -> Changes:
    name = quirk["field"] if quirk["field"] in ("accessURL", "downloadURL") else "downloadURL"
    return {"distribution": [{name: quirk["value"], "title": "D"}]}


# Where a value stands in a DCAT record, by its class; those that begin with "url-" stand in URLs.
IN_DCAT: dict[str, Place] = {
    "ckan-extras-is-dict": lambda quirk: {"extras": {"dataset": quirk["value"]}},
    "ckan-format-empty": lambda quirk: distribution(format="", downloadURL=quirk["value"]),
    "ckan-format-null": lambda quirk: distribution(format=None, downloadURL=quirk["value"]),
    "ckan-format-odd": lambda quirk: distribution(format=quirk["value"]),
    "ckan-hash-set": lambda quirk: distribution(checksum={"checksumValue": quirk["value"]}),
    "ckan-organization-is-string": lambda quirk: {"publisher": quirk["value"]},
    "ckan-organization-null": lambda _: {"publisher": None},
    "ckan-resource-description-dict": lambda quirk: distribution(description=quirk["value"]),
    "ckan-resource-name-dict": lambda quirk: distribution(title=quirk["value"]),
    "ckan-resource-no-url-key": lambda quirk: {"distribution": [{"title": quirk["value"]}]},
    "ckan-size-number": lambda quirk: distribution(byteSize=quirk["value"]),
    "ckan-size-string": lambda quirk: distribution(byteSize=quirk["value"]),
    "ckan-title-not-string": lambda quirk: {"title": quirk["value"]},
    "dcat-both-urls": lambda quirk: distribution(downloadURL=quirk["value"][0], accessURL=quirk["value"][1]),
    "dcat-contactPoint-not-dict": lambda quirk: {"contactPoint": quirk["value"]},
    "dcat-distribution-empty-list": lambda _: {"distribution": []},
    "dcat-distribution-item-not-dict": lambda quirk: {"distribution": [quirk["value"]]},
    "dcat-distribution-null-or-missing": lambda quirk: {
        "distribution": None,
        "landingPage": quirk.get("landingPage"),
    },
    "dcat-distribution-without-url": lambda quirk: {"distribution": [quirk["value"]]},
    "dcat-modified-not-iso-date": lambda quirk: {"modified": quirk["value"]},
    "dcat-title-not-string": lambda quirk: {"title": quirk["value"]},
    "package-without-resources": lambda _: {"distribution": None},
}
IN_CKAN: dict[str, Place] = {
    "ckan-extras-is-dict": lambda quirk: {"extras": {"dataset": quirk["value"]}},
    "ckan-format-empty": lambda quirk: resource(format="", url=quirk["value"]),
    "ckan-format-null": lambda quirk: resource(format=None, url=quirk["value"]),
    "ckan-format-odd": lambda quirk: resource(format=quirk["value"]),
    "ckan-hash-set": lambda quirk: resource(hash=quirk["value"], url=quirk.get("url", FILE)),
    "ckan-organization-is-string": lambda quirk: {"organization": quirk["value"]},
    "ckan-organization-null": lambda _: {"organization": None},
    "ckan-resource-description-dict": lambda quirk: resource(description=quirk["value"]),
    "ckan-resource-name-dict": lambda quirk: resource(name=quirk["value"]),
    "ckan-resource-no-url-key": lambda quirk: {"resources": [{"id": quirk["value"]}]},
    "ckan-size-number": lambda quirk: resource(size=quirk["value"]),
    "ckan-size-string": lambda quirk: resource(size=quirk["value"]),
    "ckan-title-not-string": lambda quirk: {"title": quirk["value"]},
    "dcat-both-urls": lambda quirk: {"resources": [{"url": url} for url in quirk["value"]]},
    "dcat-contactPoint-not-dict": lambda quirk: {"contact_point": quirk["value"]},
    "dcat-distribution-empty-list": lambda _: {"resources": []},
    "dcat-distribution-item-not-dict": lambda quirk: {"resources": [quirk["value"]]},
    "dcat-distribution-null-or-missing": lambda quirk: {"resources": None, "url": quirk.get("landingPage")},
    "dcat-distribution-without-url": lambda quirk: {"resources": [quirk["value"]]},
    "dcat-modified-not-iso-date": lambda quirk: {"extras": [{"key": "modified", "value": quirk["value"]}]},
    "dcat-title-not-string": lambda quirk: {"title": quirk["value"]},
    "package-without-resources": lambda _: {"resources": None},
}


def resource(**fields: Any) -> Changes:
    return {"resources": [{"id": "r", "url": FILE, "format": "CSV"} | fields]}


def changes(places: dict[str, Place], quirk: dict[str, Any], in_any_url: Place) -> Changes:
    name = quirk["quirk"]
    return in_any_url(quirk) if name.startswith("url-") else places[name](quirk)


def in_document(quirk: dict[str, Any], name: str) -> Changes:
    return dataset(name, title=f"Title of {name}") | changes(IN_DCAT, quirk, in_url)


def in_hit(quirk: dict[str, Any], name: str) -> Changes:
    """As the search index has it: what is nested in the nested is a JSON text."""
    dcat = changes(IN_DCAT, quirk, in_url)
    folded = json.loads(json.dumps(dcat))
    for item in folded.get("distribution") or ():
        if isinstance(item, dict):
            item |= {key: json.dumps(value) for key, value in item.items() if isinstance(value, dict)}
    outside = {key: dcat[key] for key in ("title",) if key in dcat}
    if "publisher" in dcat:
        outside["organization"] = dcat["publisher"]
    return hit(name, dcat=folded, **outside)


def in_package(quirk: dict[str, Any], name: str) -> Changes:
    odd = changes(IN_CKAN, quirk, lambda one: resource(url=one["value"]))
    return package(1) | {"id": name, "name": name} | odd


def without_identity(record: Changes) -> Changes:
    lost = {"identifier", "slug", "id", "name", "@id"}
    plain = {key: value for key, value in record.items() if key not in lost}
    if "dcat" in plain:
        plain["dcat"] = {key: value for key, value in plain["dcat"].items() if key not in lost}
    return plain


def serve(site: LocalSite, kind: str, records: list[Any]) -> str:
    """A portal of this kind with these records; returns its URL."""
    if kind == "dcat_us":
        return site.serves("/data.json", {"dataset": records})
    if kind == "ckan":
        page = {"success": True, "result": {"count": len(records), "results": records}}
        site.serves(SEARCH, page)
    else:
        site.serves("/search", {"results": records, "sort": "relevance"})
    return site.url


IN_KIND = {"datagov": in_hit, "ckan": in_package, "dcat_us": in_document}


def read(site: LocalSite, kind: str, records: list[Any]) -> list[DatasetRecord | Refusal]:
    rules = ReadingRules(page_max_bytes=10**8, attempts=1, sleep=lambda _: None)
    portal = open_portal(kind, serve(site, kind, records), open_door(), rules)
    pages = portal.pages()
    # CKAN's end is a page that repeats another; the records are in the first.
    return list(next(pages).records)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def said_in(value: Any) -> Iterator[str]:
    """Every text, number and key anywhere in a value, JSON inside texts too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from said_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from said_in(inner)
    elif isinstance(value, str):
        yield value.strip()
        if value[:1] in ("{", "["):
            yield from said_in(json.loads(value))
    elif value is not None:
        yield str(value)


def check_nothing_is_invented(record: DatasetRecord) -> None:
    said = set(said_in(json.loads(record.raw)))
    texts = [record.title, record.description, record.publisher, record.license, record.landing_page]
    texts += [*record.keywords, *record.themes]
    for one in record.resources:
        texts += [one.url, one.name, one.description, one.format, one.media_type]
        assert one.size is None or any(str(one.size) in text for text in said)
        assert one.checksum is None or one.checksum.rpartition(":")[2] in said
    assert {text for text in texts if text is not None} <= said
    assert record.organization.slug == "unknown" or record.organization.name in said
    if record.modified is not None:
        assert any(text and record.modified.isoformat().startswith(text[:10]) for text in said)


def test_every_class_that_was_seen_has_its_place() -> None:
    classes = {name for name in quirks() if not name.startswith("url-")}

    assert classes == set(IN_DCAT) == set(IN_CKAN)


@pytest.mark.parametrize("kind", IN_KIND)
@pytest.mark.parametrize("name", quirks())
def test_an_odd_value_where_it_was_seen_costs_no_record_and_invents_nothing(
    site: LocalSite, kind: str, name: str
) -> None:
    seen = quirks()[name]
    build = IN_KIND[kind]
    plain = {"quirk": "package-without-resources", "value": ""}
    records: list[Any] = []
    for number, quirk in enumerate(seen):
        odd = build(quirk, f"odd-{number}")
        records += [odd, build(plain, f"good-{number}"), without_identity(odd)]

    found = read(site, kind, records)

    kept, good, refused = found[::3], found[1::3], found[2::3]
    assert len(found) == len(records)
    assert [one.identifier for one in good] == [f"good-{number}" for number in range(len(seen))]
    assert [one.identifier for one in kept] == [f"odd-{number}" for number in range(len(seen))]
    for one in refused:
        assert isinstance(one, Refusal)
        assert one.field in ("slug", "id", "identifier")
        assert one.problem
    for one in (*kept, *good):
        assert isinstance(one, DatasetRecord)
        check_nothing_is_invented(one)


@pytest.mark.parametrize("kind", IN_KIND)
def test_no_odd_date_becomes_another_date(site: LocalSite, kind: str) -> None:
    seen = quirks()["dcat-modified-not-iso-date"]
    build = IN_KIND[kind]

    found = read(site, kind, [build(quirk, f"odd-{number}") for number, quirk in enumerate(seen)])

    for quirk, record in zip(seen, found, strict=True):
        assert isinstance(record, DatasetRecord)
        assert [note.field for note in record.notes if note.field == "modified"] == ["modified"]
        is_imprecise = len(quirk["value"]) in (4, 7) and quirk["value"][0] in "12"
        written = record.modified.date().isoformat() if record.modified else None
        assert written == ((quirk["value"] + "-01-01")[:10] if is_imprecise else None)
