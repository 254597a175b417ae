"""What holds for every family: hostile URLs and answers end in time, and no record sends our readers elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelter_pipeline.discovery.families import FAMILIES, enter, family
from shelter_pipeline.discovery.leads import Family, Reading, To, What
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon
from shelter_pipeline_tests.unit.families import (
    test_arcgis_hub,
    test_dataverse,
    test_dryad,
    test_figshare,
    test_invenio,
    test_osf,
    test_pangaea,
    test_sciencebase,
)
from shelter_pipeline_tests.unit.families.recorded import read, reply

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
MEGABYTE = 2**20
EVIL = "https://evil.example/api/v2/versions/1/files?page=2&offset=9"
# Every kind of page that a family reads, with an answer to it.
ANSWERS: list[tuple[str, str, Any]] = [
    ("zenodo", test_invenio.API, test_invenio.RECORD),
    ("zenodo", test_invenio.API, test_invenio.NATIVE),
    ("zenodo", f"{test_invenio.API}/files", {"entries": [{"key": "a"}], "links": {"next": "x"}}),
    ("dataverse", test_dataverse.FIRST, test_dataverse.listing(test_dataverse.file(1))),
    ("dataverse", f"{test_dataverse.HOST}/api/files/1", {"status": "OK", "data": test_dataverse.file(1)}),
    ("figshare", test_figshare.ARTICLE_PAGE, test_figshare.ARTICLE),
    ("figshare", f"{test_figshare.ARTICLE_PAGE}/files?page=1&page_size=1", [test_figshare.file(1)]),
    ("figshare", f"{test_figshare.API}/collections/1/articles?page=1&page_size=1", [{"id": 1, "title": "x"}]),
    ("arcgis-hub", test_arcgis_hub.ITEM_PAGE, test_arcgis_hub.ITEM),
    ("arcgis-hub", test_arcgis_hub.LAYER_PAGE, test_arcgis_hub.LAYER),
    ("sciencebase", test_sciencebase.PAGE, test_sciencebase.ITEM),
    ("sciencebase", test_sciencebase.CHILDREN, {"total": 900, "items": [test_sciencebase.ITEM]}),
    ("dryad", test_dryad.DATASET, {"_links": {"stash:version": {"href": "/api/v2/versions/1"}}}),
    (
        "dryad",
        test_dryad.FILES,
        {"_links": {"next": {"href": "x"}}, "_embedded": {"stash:files": [test_dryad.file(1)]}},
    ),
    ("osf", test_osf.GUID, test_osf.referent("nodes", "f3szh")),
    (
        "osf",
        test_osf.STORAGE,
        {"data": [test_osf.stored(test_osf.FOLDER, "folder", "a")], "links": {"next": "x"}},
    ),
    ("pangaea", test_pangaea.PAGE, test_pangaea.RECORD),
    ("pangaea", test_pangaea.PAGE, {"@type": "Dataset", "hasPart": [{"@id": "10.1594/PANGAEA.1"}]}),
]
JUNK: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "a\x00b",
    "\ud800",
    [],
    [None],
    {},
    {"id": []},
    "https://[bad",
    "é" * 9000,
]
NAMES = [f"{slug} {urlsplit(url).path}" for slug, url, _ in ANSWERS]
each_answer = pytest.mark.parametrize(("slug", "url", "answer"), ANSWERS, ids=NAMES)
each_family = pytest.mark.parametrize("known", FAMILIES, ids=lambda known: known.slug)


def replaced(value: Any, change: Callable[[Any], Any]) -> Iterator[Any]:
    """The value with each of its parts changed, one at a time, and itself changed."""
    yield change(value)
    if isinstance(value, dict):
        for key, item in value.items():
            for other in replaced(item, change):
                yield {**value, key: other}
    elif isinstance(value, list):
        for place, item in enumerate(value):
            for other in replaced(item, change):
                yield [*value[:place], other, *value[place + 1 :]]


def put(junk: Any, _instead_of: Any) -> Any:
    return junk


def read_or_refused(slug: str, value: Any, url: str) -> Reading | None:
    try:
        return read(slug, value, url)
    except ShelterError:
        return None


def test_slugs_are_distinct_and_found_by_name() -> None:
    assert [family(known.slug) for known in FAMILIES] == list(FAMILIES)


@each_family
def test_every_family_is_described_for_people(known: Family) -> None:
    described = "".join(path.read_text(encoding="utf-8") for path in HOW_TO.glob("*.md"))

    assert f"`{known.slug}`" in described


def test_a_slug_that_no_family_has_is_nobodys() -> None:
    assert family("nobody") is None


@each_answer
def test_whatever_stands_in_a_field_a_bad_entry_ends_in_a_lead_a_remark_or_an_error_of_ours(
    slug: str, url: str, answer: Any
) -> None:
    assert list(read(slug, answer, url).leads)
    for junk in JUNK:
        for mutant in replaced(answer, partial(put, junk)):
            reading = read_or_refused(slug, mutant, url)
            for lead in reading.leads if reading else ():
                assert lead.url == parse_url(lead.url).text
                assert lead.size is None or 0 <= lead.size < 2**63
                assert "\x00" not in lead.label.encode().decode()
            assert reading is None or "\x00" not in "".join(reading.notes).encode().decode()


@each_answer
def test_no_record_sends_our_reader_to_a_host_that_it_names(slug: str, url: str, answer: Any) -> None:
    own = {urlsplit(lead.url).hostname for lead in read(slug, answer, url).leads if lead.reader}
    own |= {urlsplit(url).hostname}

    for mutant in replaced(answer, lambda value: EVIL if isinstance(value, str) else value):
        reading = read_or_refused(slug, mutant, url)
        for lead in reading.leads if reading else ():
            if lead.reader or lead.headers:
                assert urlsplit(lead.url).hostname in own
                assert lead.url.startswith("https://")


@each_answer
def test_pages_of_an_api_are_read_by_their_family_and_asked_for_as_json(
    slug: str, url: str, answer: Any
) -> None:
    for lead in read(slug, answer, url).leads:
        if lead.to is To.MORE:
            assert (lead.reader, dict(lead.headers)) == (slug, {"Accept": "application/json"})


@each_answer
def test_the_same_answer_gives_the_same_digest_and_another_another(slug: str, url: str, answer: Any) -> None:
    reading = read(slug, answer, url)

    assert reading.what is What.RECORD
    assert reading.digest == read(slug, answer, url).digest != b""


def test_remarks_and_labels_are_bounded() -> None:
    bad = [{"label": "x" * 9000, "dataFile": {}} for _ in range(5000)]

    reading = read("dataverse", {"status": "OK", "data": bad}, test_dataverse.FIRST)

    assert len(reading.notes) == 11
    assert max(map(len, reading.notes)) <= 300


FIELDS = ["id", "files", "data", "items", "type", "entries", "_links", "links"]

HOSTILE = {
    "deep lists": b"[" * MEGABYTE,
    "deep objects": b'{"files":' * MEGABYTE,
    "many entries": json.dumps({"id": 1, "files": [{}] * 100_000}).encode(),
    "a long text": json.dumps(
        {"id": "x" * MEGABYTE, "type": "x", "files": [{"key": "y" * MEGABYTE}]}
    ).encode(),
    "a long number": b'{"id": ' + b"9" * MEGABYTE + b', "files": []}',
    "cut short": json.dumps({"id": 1, "data": ["x" * 99] * 10_000}).encode()[:-9],
    "undecodable": b'{"id": 1, "files": [{"key": "' + b"\xff" * (MEGABYTE // 2) + b'"}]}',
    "a web page": b"<html>" + b"<p>" * 100_000,
    "blanks": b" " * MEGABYTE,
    "nothing": b"",
    "not a number": b'{"id": NaN, "files": [{"size": Infinity}]}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_end_soon_and_raise_only_errors_of_ours(body: bytes) -> None:
    url = parse_url("https://zenodo.org/api/records/1")
    with ends_soon():
        for known in FAMILIES:
            try:
                list(known.read(reply(body, url.text), url).leads)
            except ShelterError:
                continue


@each_family
@given(
    rubbish=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(FIELDS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=40)
def test_rubbish_raises_only_errors_of_ours(known: Family, rubbish: Any) -> None:
    url = "https://www.sciencebase.gov/catalog/items?parentId=5c8c03e4e4b0938824529f7d&offset=0"

    read_or_refused(known.slug, rubbish, url)


LONG = "a" * 2000
HOSTILE_PATHS = [
    f"/records/{'1' * 4000}",
    "/articles" + "/1" * 3000,
    "/archive" + "/accession/download" * 300,
    f"/dataset.xhtml?persistentId=doi:10.1234/{LONG}",
    "/dataset.xhtml?" + "&persistentId=doi:10.1/" * 300,
    "/datasets/" + "a::" * 2000,
    "/dataset/doi:10.5061/" + "." * 4000,
    "/10.5281/zenodo." + "." * 6000,
    "/10.1594/PANGAEA.1" + ")" * 6000,
    "/" + "f3szh/files/" * 500,
    "/access/metadata/landing-page/bin/iso?id=gov.noaa." + "a." * 2000 + ":",
    "/maps" * 1500,
    "/%2F%00%FF" * 600,
    "/records/1/files/" + "(" * 7900,
    "/10.1234/" + "'" * 7900,
    "/archive/arc0001/0001754/" + "()" * 150,
]
HOSTS = [
    "zenodo.org",
    "figshare.com",
    "osf.io",
    "doi.org",
    "www.ncei.noaa.gov",
    "accession.nodc.noaa.gov",
    "n2t.net",
]
HOSTS += ["datadryad.org", "doi.pangaea.de", "www.sciencebase.gov", "hub.arcgis.com", "dataverse.example.org"]


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: path[:30])
def test_hostile_urls_are_told_in_no_time(path: str) -> None:
    with ends_soon(2):
        for host in HOSTS:
            enter(parse_url(f"https://{host}{path}"[:MAX_URL_LENGTH]))


@given(st.sampled_from(HOSTS), st.text(max_size=60), st.text(max_size=60))
def test_any_url_is_entered_or_left_alone(host: str, path: str, query: str) -> None:
    try:
        url = parse_url(f"https://{host}/{path}?{query}")
    except ShelterError:
        return

    known = enter(url)

    assert known is None or all(lead.url == parse_url(lead.url).text for lead in known[1].leads)


def test_urls_of_no_family_cost_little() -> None:
    urls = [parse_url(f"https://data.example.gov/dataset/{number}/table.csv") for number in range(20_000)]
    with ends_soon():
        assert not any(map(enter, urls))
