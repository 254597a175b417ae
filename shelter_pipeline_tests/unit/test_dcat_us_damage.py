"""What the reader of /data.json documents makes of damage: it costs the record that has it, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.dcat_documents import (
    as_far_as_it_goes,
    dataset,
    portal_of,
    read,
)
from shelter_pipeline_tests.support.local_site import LocalSite, local_site, open_door


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def test_windows_bytes_are_read_and_noted_where_they_stand(site: LocalSite) -> None:
    body = json.dumps({"dataset": [dataset("one"), dataset("two", description="it?s")]}).encode()

    records = read(site, body.replace(b"it?s", b"it\x92s"))

    assert isinstance(records[0], DatasetRecord)
    assert isinstance(records[1], DatasetRecord)
    assert records[1].description == "it\N{RIGHT SINGLE QUOTATION MARK}s"
    assert (records[0].notes, [note.field for note in records[1].notes]) == ((), ["description"])


def test_nul_and_half_pairs_never_reach_a_record(site: LocalSite) -> None:
    body = b'{"dataset": [{"identifier": "a\\u0000b", "title": "t\\ud800", "keyword": ["k\\u0000"]}]}'

    record = read(site, body)[0]

    assert isinstance(record, DatasetRecord)
    assert (record.identifier, record.title, record.keywords) == ("ab", "t\ufffd", ("k",))
    assert {note.field for note in record.notes} >= {"identifier", "title", "keyword"}
    assert b"\x00" not in record.raw


@pytest.mark.parametrize(
    "damaged",
    [
        b'{"identifier": "B", "title": }',
        b'{"identifier": "B" "title": "T"}',
        b'{"identifier": "B", "title": "T", "distribution": [{"title": "x"}}',
        b'{"identifier": \'B\', "title": "T"}',
        b'{"identifier": "B", "title": "T", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"identifier": "B", "title": "T", "x": ' + b'{"x":' * 100_000 + b"1" + b"}" * 100_001,
    ],
    ids=["no value", "no comma", "no bracket", "other quotes", "deep lists", "deep objects"],
)
def test_one_record_that_is_no_json_is_one_refusal(site: LocalSite, damaged: bytes) -> None:
    around = json.dumps(dataset("A")).encode(), json.dumps(dataset("C")).encode()
    portal = portal_of(site, b'{"dataset": [%s, %s, %s]}' % (around[0], damaged, around[1]))

    first, refused, last = next(portal.pages()).records

    assert (first.identifier, last.identifier) == ("A", "C")
    assert isinstance(refused, Refusal)
    assert (refused.field, refused.position) == ("record", 1)
    assert ("JSON" in refused.problem, refused.raw) == (True, damaged[:500].decode())
    assert refused.identifier == (None if b"'" in damaged else "B")
    assert portal.witnesses()[0].total == 3


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("name", ["description", "title", "mediaType"])
def test_a_quote_too_many_costs_its_own_record_where_records_have_lines(
    site: LocalSite, place: int, name: str
) -> None:
    entries = [dataset(str(number), description="It is 5' long") for number in range(5)]
    body = json.dumps({"dataset": entries, "title": "All"}, indent=1).encode()
    at = -1
    for _ in range(place + 1):
        at = body.index(f'"{name}": "'.encode(), at + 1)
    at += len(name) + 8
    portal = portal_of(site, body[:at] + b'"' + body[at:])

    records = next(portal.pages()).records

    assert [record.field for record in records if isinstance(record, Refusal)] == ["record"]
    assert isinstance(records[place], Refusal)
    assert [record.identifier for record in records] == ["0", "1", "2", "3", "4"]
    assert portal.witnesses()[0].total == 5


def test_records_swallowed_by_a_damaged_one_are_missing_and_not_forgotten(site: LocalSite) -> None:
    entries = [dataset(str(number), description=f"<{number}>") for number in range(5)]
    body = json.dumps({"dataset": entries}).encode()
    portal = portal_of(site, body.replace(b'"<1>"', b'"5" {pipe"').replace(b'"<3>"', b'"}"6" pipe"'))

    total = portal.witnesses()[0].total
    records, _ = as_far_as_it_goes(portal)

    assert total is None or total > len(records)
    assert records[0].identifier == "0"


def test_a_cut_says_in_which_value_it_happened(site: LocalSite) -> None:
    body = json.dumps({"dataset": [dataset("1"), dataset("2")]}).encode()
    second = body.rindex(b'{"@type"')

    _, error = as_far_as_it_goes(portal_of(site, body[:-10]))

    assert f"begins at byte {second}" in str(error)


@pytest.mark.parametrize("levels", [300, 900, 980, 990, 1100])
@pytest.mark.parametrize("name", ["identifier", "title", "publisher", "@type", "distribution", "other"])
def test_no_depth_of_any_field_harms_another_record(site: LocalSite, name: str, levels: int) -> None:
    deep = json.dumps(dataset("B") | {name: "HERE"}).replace('"HERE"', "[" * levels + "1" + "]" * levels)
    document = f'{{"dataset": [{deep}, {json.dumps(dataset("C"))}]}}'
    portal = portal_of(site, document.encode())

    first, second = next(portal.pages()).records

    assert second.identifier == "C"
    assert isinstance(first, DatasetRecord) or first.field in {"record", "identifier", "title"}
    assert portal.witnesses()[0].total == 2


@pytest.mark.parametrize("body", [b"[%s]", b'{"@graph": [%s]}', b'{"datasetSeries": [%s]}'])
@pytest.mark.parametrize("levels", [900, 980, 990, 100_000])
def test_no_depth_harms_another_record_wherever_it_stands(site: LocalSite, body: bytes, levels: int) -> None:
    deep = b'{"@id": "B", "title": "T", "@type": %s1%s}' % (b"[" * levels, b"]" * levels)

    records = read(site, body % b", ".join([deep, json.dumps(dataset("C")).encode()]))

    assert "C" in [record.identifier for record in records]


def test_a_record_larger_than_the_limit_is_refused_and_no_other(site: LocalSite) -> None:
    entries = [dataset("A"), dataset("B", description="x" * 5000), dataset("C")]
    url = site.serves("/data.json", {"dataset": entries})
    portal = DcatUsPortal(url, PageReader(open_door(), max_bytes=10**6), record_max_bytes=1000)

    first, refused, last = next(portal.pages()).records

    assert (first.identifier, last.identifier, portal.witnesses()[0].total) == ("A", "C", 3)
    assert isinstance(refused, Refusal)
    assert (refused.field, refused.problem) == ("record", "larger than 1000 bytes")
    assert refused.identifier == "B"
    assert '"identifier": "B"' in refused.raw


def test_a_document_that_is_cut_gives_what_stands_before_the_cut(site: LocalSite) -> None:
    body = json.dumps({"dataset": [dataset("1"), dataset("2"), dataset("3")]}).encode()
    portal = portal_of(site, body[:-40])
    pages = portal.pages()

    witness = portal.witnesses()[0]
    page = next(pages)
    with pytest.raises(TransientError, match=r"data\.json") as end:
        next(pages)

    assert (witness.total, witness.by_organization) == (None, {"office-of-things": 2})
    assert [record.identifier for record in page.records] == ["1", "2"]
    assert page.cursor is not None
    assert end.value.reason == "wrong-length"


def test_a_document_cut_once_is_continued_where_it_is_the_same_and_read_anew_where_it_is_not(
    site: LocalSite,
) -> None:
    body = json.dumps({"dataset": [dataset("1"), dataset("2"), dataset("3")]}).encode()
    cursor = next(portal_of(site, body[:-40]).pages()).cursor

    with pytest.raises(TransientError):
        next(portal_of(site, body[:-40]).pages(cursor))
    anew = next(portal_of(site, body).pages(cursor))

    assert [record.identifier for record in anew.records] == ["1", "2", "3"]


def test_a_document_cut_anywhere_gives_whole_records_and_a_transient_error(site: LocalSite) -> None:
    entries = [dataset("1"), dataset("2", description='a "quoted" \\ {brace]'), dataset("3", publisher=None)]
    body = json.dumps({"n": [1.5, None, True], "dataset": entries, "catalog": {"dataset": []}}).encode()
    whole = read(site, body)

    for length in range(len(body)):
        records, error = as_far_as_it_goes(portal_of(site, body[:length]))

        assert records == whole[: len(records)]
        assert isinstance(error, TransientError)
        assert error.reason == ("wrong-length" if length else "empty")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_a_damaged_byte_invents_no_record_and_harms_none_before_it(
    site: LocalSite, data: st.DataObject
) -> None:
    entries = [dataset(str(number), title=f"T {number}") for number in range(4)]
    body = bytearray(json.dumps({"dataset": entries, "service": []}).encode())
    whole = read(site, bytes(body))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    unharmed = bytes(body[:at]).count(b'.csv", "mediaType": "text/csv"}]}')

    records, error = as_far_as_it_goes(portal_of(site, bytes(body)))

    kept = [record.record_hash for record in records if isinstance(record, DatasetRecord)]
    assert records[:unharmed] == whole[:unharmed]
    assert len(kept) <= len(whole)
    assert len(set(kept) - {getattr(record, "record_hash", b"") for record in whole}) <= 1
    assert error is None or isinstance(error, TransientError | PermanentError)


@pytest.mark.parametrize(
    ("body", "kept", "offset"),
    [
        (b'{"dataset": [%s, } %s]}', 1, 17),
        (b'{"dataset": [%s} %s]}', 1, 15),
        (b'{"dataset": [%s, oops, %s]}', 1, 17),
        (b'{"dataset": [%s, %s], oops}', 2, 22),
        (b'{"dataset": [%s, %s]}<br>Warning: out of memory', 2, 21),
    ],
)
def test_a_structure_that_breaks_gives_what_stands_before_it_and_names_the_byte(
    site: LocalSite, body: bytes, kept: int, offset: int
) -> None:
    one, two = json.dumps(dataset("1")).encode(), json.dumps(dataset("2")).encode()
    offset += len(one) - 2 + (len(two) - 2 if kept == 2 else 0)
    portal = portal_of(site, body % (one, two))

    total = portal.witnesses()[0].total
    records, error = as_far_as_it_goes(portal)

    assert (total, [record.identifier for record in records]) == (None, ["1", "2"][:kept])
    assert isinstance(error, PermanentError)
    assert f"byte {offset}" in str(error)
    assert error.reason == "wrong-type"


def test_white_space_and_nul_padding_after_the_end_are_no_fault(site: LocalSite) -> None:
    portal = portal_of(site, json.dumps({"dataset": [dataset()]}).encode() + b"\r\n\0\0\0 ")

    assert (portal.witnesses()[0].total, len(next(portal.pages()).records)) == (1, 1)


@pytest.mark.parametrize(
    "body", [b"oops", b'{"dataset" []}', b'{"dataset": ', b'{"title": "x" "identifier": "y"']
)
def test_a_document_of_which_nothing_can_be_read_has_no_witness(site: LocalSite, body: bytes) -> None:
    portal = portal_of(site, body)

    with pytest.raises(ShelterError, match=r"data\.json"):
        portal.witnesses()
    with pytest.raises(ShelterError, match=r"data\.json"):
        next(portal.pages())


def test_a_document_that_is_one_record_and_no_json_is_a_permanent_error(site: LocalSite) -> None:
    with pytest.raises(PermanentError, match="invalid JSON"):
        read(site, b'{"identifier": "x", "title": [1 2]}')


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_document_in_another_encoding_is_read(site: LocalSite, encoding: str) -> None:
    body = json.dumps({"dataset": [dataset("Å")]}, ensure_ascii=False).encode(encoding)

    assert [record.identifier for record in read(site, body)] == ["Å"]


def test_numbers_and_characters_that_json_does_not_have_cost_no_record(site: LocalSite) -> None:
    body = json.dumps({"dataset": [dataset("1", description="a?b", size=0), dataset("2")]}).encode()
    body = body.replace(b"a?b", b"a\tb\nc").replace(
        b'"size": 0', b'"size": [NaN, 1e999, -Infinity, ' + b"9" * 5000 + b"]"
    )

    first, second = read(site, body)

    assert isinstance(first, DatasetRecord)
    assert (first.description, first.identifier, second.identifier) == ("a\tb\nc", "1", "2")


def test_bytes_that_are_not_utf_8_are_read_in_what_a_record_refers_to(site: LocalSite) -> None:
    graph = [dataset("1", publisher="#p"), {"@id": "#p", "name": "Caf? Office"}]
    portal = portal_of(site, json.dumps({"@graph": graph}).encode().replace(b"Caf?", b"Caf\xe9"))

    record = next(portal.pages()).records[0]

    assert isinstance(record, DatasetRecord)
    assert record.organization.name == "Café Office"
    assert portal.witnesses()[0].by_organization == {record.organization.slug: 1}


def test_bytes_that_are_not_utf_8_part_no_member_from_its_series(site: LocalSite) -> None:
    series = {"identifier": "Caf?", "title": "S", "seriesMember": [dataset("1")]}

    found = read(site, json.dumps({"datasetSeries": [series]}).encode().replace(b"Caf?", b"Caf\xe9"))

    assert [one.collection for one in found if isinstance(one, DatasetRecord)] == [None, "Café"]


def test_what_a_record_refers_to_may_not_make_it_larger_than_a_record_may_be(site: LocalSite) -> None:
    graph = [dataset("1", distribution=["#d"] * 200), dataset("2"), {"@id": "#d", "description": "x" * 1000}]
    url = site.serves("/data.json", {"@graph": graph})
    portal = DcatUsPortal(url, PageReader(open_door(), max_bytes=10**6), record_max_bytes=100_000)

    refused, kept = next(portal.pages()).records

    assert isinstance(refused, Refusal)
    assert (refused.field, kept.identifier) == ("record", "2")
    assert "refers to" in refused.problem
