"""Real /data.json documents, damaged and joined in every way: only what is damaged is lost, and it is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline_tests.support.dcat_documents import as_far_as_it_goes, dataset, portal_of, read
from shelter_pipeline_tests.support.local_site import LocalSite, local_site

REPOSITORY = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("SHELTER_FIXTURES", REPOSITORY.parent / "shared" / "fixtures"))

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]

DOCUMENTS = sorted((FIXTURES / "dcat_us").glob("*.json*"))
CATALOGUES = [path for path in DOCUMENTS if path.name.startswith("datajson_")]
# OPM's text was UTF-8 read as Windows-1252 once: written as Windows-1252 it would be UTF-8 again.
WELL_WRITTEN = [path for path in CATALOGUES if "_opm" not in path.name]
QUIRKS = FIXTURES / "quirk_values.jsonl"
FIELDS = (
    *("description", "publisher", "modified", "issued", "keyword", "theme", "license", "spatial", "temporal"),
    *("accessLevel", "landingPage", "isPartOf", "identifier", "title"),
)


def by_name(path: Path) -> str:
    return path.name


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def quirks() -> dict[str, list[Any]]:
    lines = [json.loads(line) for line in QUIRKS.read_text(encoding="utf-8").splitlines()]
    return {
        quirk: [line["value"] for line in group]
        for quirk, group in groupby(sorted(lines, key=lambda line: line["quirk"]), lambda line: line["quirk"])
    }


def says_the_same(record: DatasetRecord | Refusal) -> Any:
    return record.record_hash if isinstance(record, DatasetRecord) else (record.field, record.problem)


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_the_witness_counts_what_comes_out(site: LocalSite, path: Path) -> None:
    portal = portal_of(site, path.read_bytes())

    witness = portal.witnesses()[0]
    records = [record for page in portal.pages() for record in page.records]

    kept = {record.record_hash for record in records if isinstance(record, DatasetRecord)}
    refused = {record.raw for record in records if isinstance(record, Refusal)}
    assert len(kept) <= (witness.total or 0) <= len(kept) + len(refused)
    assert sum(witness.by_organization.values()) == witness.total
    assert {one.slug for one in witness.organizations} == set(witness.by_organization)
    assert all(record.field and record.problem for record in records if isinstance(record, Refusal))


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.decode("utf-8-sig").encode("utf-16"),
        lambda body: body.decode("utf-8-sig").encode("utf-32-be"),
        lambda body: json.dumps(json.loads(body), indent="\t").encode(),
        lambda body: json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode(),
        lambda body: body.rstrip() + b"\r\n\x00\x00",
    ],
    ids=["byte order mark", "UTF-16", "UTF-32", "indented", "compact", "padded"],
)
@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_a_real_document_says_the_same_however_it_is_written(
    site: LocalSite, path: Path, rewritten: Callable[[bytes], bytes]
) -> None:
    body = path.read_bytes()

    plain, other = read(site, body), read(site, rewritten(body))

    assert [says_the_same(one) for one in other] == [says_the_same(one) for one in plain]


@pytest.mark.parametrize("path", CATALOGUES, ids=by_name)
def test_one_damaged_record_in_a_real_document_is_one_refusal(site: LocalSite, path: Path) -> None:
    body = path.read_bytes()
    plain = read(site, body)
    at = body.index(b'"identifier"', len(body) // 2)

    records = read(site, body[:at] + b"[" + body[at:])

    different = [new for new, old in zip(records, plain, strict=True) if new != old]
    assert [(type(one), getattr(one, "field", "")) for one in different] == [(Refusal, "record")]


@pytest.mark.parametrize("path", CATALOGUES, ids=by_name)
def test_a_quote_too_many_in_a_real_document_of_many_lines_is_one_refusal(
    site: LocalSite, path: Path
) -> None:
    body = json.dumps(json.loads(path.read_bytes()), indent=2).encode()
    plain = read(site, body)
    at = body.index(b'"description": "', len(body) // 2) + 16

    records = read(site, body[:at] + b'"' + body[at:])

    different = [new for new, old in zip(records, plain, strict=True) if new != old]
    assert [(type(one), getattr(one, "field", "")) for one in different] == [(Refusal, "record")]


@pytest.mark.parametrize("path", WELL_WRITTEN, ids=by_name)
def test_a_real_document_in_windows_1252_loses_no_record_and_notes_where(site: LocalSite, path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    body = json.dumps(json.loads(text), ensure_ascii=False).encode("cp1252", "xmlcharrefreplace")
    plain = read(site, body.decode("cp1252").encode())

    records = read(site, body)

    assert [says_the_same(one) for one in records] == [says_the_same(one) for one in plain]
    assert any("Windows-1252" in note.problem for one in records for note in getattr(one, "notes", ())) == (
        not body.isascii()
    )


@pytest.mark.parametrize("path", CATALOGUES, ids=by_name)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.999])
def test_a_real_document_that_is_cut_gives_what_stands_before(
    site: LocalSite, path: Path, share: float
) -> None:
    body = path.read_bytes().rstrip()
    plain = read(site, body)

    records, error = as_far_as_it_goes(portal_of(site, body[: int(len(body) * share)]))

    assert records == plain[: len(records)]
    assert int(len(plain) * share * 0.3) <= len(records) <= len(plain)
    assert isinstance(error, TransientError)


@pytest.mark.parametrize("name", FIELDS)
def test_an_odd_value_that_was_seen_in_any_field_costs_at_most_its_own_record(
    site: LocalSite, name: str
) -> None:
    values = [value for group in quirks().values() for value in group]
    odd = [dataset(f"odd-{number}") | {name: value} for number, value in enumerate(values)]
    good = [dataset(f"good-{number}") for number in range(len(odd))]
    entries = [entry for pair in zip(odd, good, strict=True) for entry in pair]

    records = read(site, {"dataset": entries})

    assert len(records) == len(entries)
    assert [record.identifier for record in records[1::2]] == [entry["identifier"] for entry in good]
    for record, value in zip(records[::2], values, strict=True):
        check_odd(record, name, value)


def check_odd(record: DatasetRecord | Refusal, name: str, value: Any) -> None:
    """Refused by the name of its field, and only where the record cannot do without; else kept, and storable."""
    if isinstance(record, Refusal):
        assert (record.field, name in ("identifier", "title")) == (name, True)
        assert name == "identifier" or not any(value.values() if isinstance(value, dict) else value or [])
        return
    texts = [record.title, record.identifier, record.description, record.license, record.landing_page]
    assert all("\x00" not in text and text.encode() for text in texts if text)
    assert json.loads(record.raw)[name] == value


@pytest.mark.parametrize(
    "key", ["downloadURL", "accessURL", "format", "mediaType", "byteSize", "checksum", ""]
)
def test_an_odd_value_that_was_seen_in_a_distribution_costs_no_record(site: LocalSite, key: str) -> None:
    values = [value for group in quirks().values() for value in group]
    distributions = [{"title": "D", key: value} if key else value for value in values]
    entries = [
        dataset(f"odd-{number}", distribution=[one, {"downloadURL": "https://example.gov/good.csv"}])
        for number, one in enumerate(distributions)
    ]

    records = read(site, {"dataset": entries})

    assert [record.identifier for record in records] == [entry["identifier"] for entry in entries]
    for record in records:
        assert isinstance(record, DatasetRecord)
        assert "https://example.gov/good.csv" in [resource.url for resource in record.resources]
        assert len(record.resources) > 1 or record.notes or key == ""


def test_all_real_documents_joined_in_one_nested_catalogue_come_out_together(site: LocalSite) -> None:
    bodies = [path.read_bytes() for path in CATALOGUES]
    deeper = b'{"title": "All", "catalog": {"catalog": [' + b", ".join(bodies[:5]) + b"]}, "
    joined = deeper + b'"catalog": [' + b", ".join(bodies[5:]) + b"]}"
    apart = sum(len(read(site, body)) for body in bodies)

    assert len(read(site, joined)) == apart
