"""Metadata records in XML: what they call downloads, in four dialects, and rubbish that costs nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.families.metadata_xml import MOST_LINKS, read_metadata_xml
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon
from shelter_pipeline_tests.unit.families.recorded import reply
from shelter_pipeline_tests.unit.families.records_xml import ESRI, FGDC, ISO, ISO_3

URL = "https://data.example.gov/waf/record.xml"
MEGABYTE = 2**20
ONLINE = "<onLine><CI_OnlineResource><linkage><URL>https://e.gov/{}.csv</URL></linkage></CI_OnlineResource></onLine>"


def read(text: str | bytes, url: str = URL) -> Reading | None:
    body = text if isinstance(text, bytes) else text.encode()
    return read_metadata_xml(reply(body, url), parse_url(url))


def found(text: str | bytes, url: str = URL) -> list[tuple[str, str, str]]:
    reading = read(text, url)
    assert reading is not None
    return [(lead.to.value, lead.url, lead.why) for lead in reading.leads]


def iso(inner: str) -> str:
    return f"<MD_Metadata><distributionInfo>{inner}</distributionInfo></MD_Metadata>"


def test_an_iso_record_gives_its_downloads_and_services_and_nobodys_home_page() -> None:
    assert found(ISO) == [
        ("page", "https://www.ncei.noaa.gov/data/global-summary-of-the-day/access", "iso-download"),
        ("file", "https://www.ncei.noaa.gov/archive/accession/download/0150968", "iso-download"),
        ("directory", "ftp://ftp.ncdc.noaa.gov/pub/data/gsod", "iso-download"),
        ("page", "https://www.ncei.noaa.gov/thredds/dodsC/gsod/gsod.nc", "iso-download"),
        ("file", "https://www.ncei.noaa.gov/files/stations%20list.csv", "iso-download"),
    ]


def test_links_carry_their_names_and_no_reader_of_ours() -> None:
    reading = read(ISO)

    assert reading is not None
    first = next(iter(reading.leads))
    assert (first.label, first.reader, dict(first.headers)) == ("Bulk download", "", {})
    assert reading.notes[0].startswith("A trick was passed over")


def test_the_newer_form_of_iso_is_read_as_well() -> None:
    assert found(ISO_3) == [("file", "https://data.example.gov/tides.nc", "iso-download")]


def test_an_fgdc_record_gives_its_network_addresses_and_its_own_link_only() -> None:
    assert found(FGDC) == [
        ("page", "https://doi.org/10.5066/P9CSM0KN", "fgdc-onlink"),
        ("file", "https://water.example.gov/gis/streams.zip", "fgdc-networkr"),
        ("directory", "https://www.example.gov/gis/", "fgdc-networkr"),
    ]


def test_an_esri_record_gives_its_downloads() -> None:
    assert found(ESRI) == [("file", "https://data.example.gov/roads.gdb.zip", "iso-download")]


def test_prefixes_that_were_never_declared_do_no_harm() -> None:
    undeclared = ISO.partition("?>")[2].replace("xmlns:gmd=", "about=").replace("xmlns:gco=", "size=")

    assert found(undeclared) == found(ISO)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_told_by_their_marks_and_declarations(encoding: str) -> None:
    text = iso(ONLINE.format("caf\xe9"))
    declared = "" if encoding == "utf-8-sig" else f'<?xml version="1.0" encoding="{encoding}"?>'

    assert found((declared + text).encode(encoding)) == [
        ("file", "https://e.gov/caf%C3%A9.csv", "iso-download")
    ]


def test_bytes_that_contradict_their_declaration_are_read_all_the_same() -> None:
    body = b'<?xml version="1.0" encoding="UTF-8"?>' + iso(f"<x>caf\xe9</x>{ONLINE.format('a')}").encode(
        "latin-1"
    )

    assert found(body) == [("file", "https://e.gov/a.csv", "iso-download")]


def test_an_encoding_that_nobody_knows_is_read_as_utf_8() -> None:
    body = b'<?xml version="1.0" encoding="x-unknown"?>' + iso(ONLINE.format("a")).encode()

    assert found(body) == [("file", "https://e.gov/a.csv", "iso-download")]


def test_a_link_to_the_record_itself_is_none() -> None:
    assert found(iso(ONLINE.format("me")), "https://e.gov/me.csv") == []


def test_a_field_of_several_urls_is_passed_over_and_noted() -> None:
    reading = read(
        iso(
            "<CI_OnlineResource><linkage>http://a.gov/1.csv http://b.gov/2.csv</linkage></CI_OnlineResource>".replace(
                "</linkage>", "</linkage><protocol>ftp</protocol>"
            )
        )
    )

    assert reading is not None
    assert list(reading.leads) == []
    assert "several URLs" in reading.notes[0]


def test_a_record_that_breaks_off_gives_what_stood_before_and_says_so() -> None:
    reading = read(iso(ONLINE.format("a") + ONLINE.format("b"))[:-120])

    assert reading is not None
    assert [lead.url for lead in reading.leads] == ["https://e.gov/a.csv"]
    assert reading.notes[-1].startswith("the record was read in part")


def test_a_record_without_downloads_settles_nothing() -> None:
    reading = read("<MD_Metadata><fileIdentifier/></MD_Metadata>")

    assert reading is not None
    assert (list(reading.leads), reading.outcome) == ([], "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "<html><body>no</body></html>",
        "<rss/>",
        "<metadata><author/></metadata>",
        "plain",
        "<",
        "<MD_Met",
        "\x00" * 9,
    ],
)
def test_what_is_no_metadata_record_is_none(text: str) -> None:
    assert read(text) is None


def test_a_record_within_a_catalogues_answer_is_read_and_one_within_another_document_is_not() -> None:
    inner = iso(ONLINE.format("a"))

    assert (
        found(f"<csw:GetRecordByIdResponse>{inner}</csw:GetRecordByIdResponse>")[0][1]
        == "https://e.gov/a.csv"
    )
    assert read(f"<rss><channel>{inner}</channel></rss>") is None


def test_entities_of_the_documents_own_are_refused() -> None:
    laughs = '<!DOCTYPE MD_Metadata [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + iso(
        "<x>&b;</x>" + ONLINE.format("a")
    )
    file = '<!DOCTYPE MD_Metadata [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + iso("<x>&a;</x>")

    assert read(laughs) is None
    assert read(file) is None


def test_a_record_with_too_many_links_is_read_no_further() -> None:
    reading = read(iso("".join(ONLINE.format(number) for number in range(MOST_LINKS + 5))))

    assert reading is not None
    assert len(list(reading.leads)) == MOST_LINKS
    assert "more than" in reading.notes[-1]


HOSTILE = {
    "deep": b"<MD_Metadata>" + b"<a>" * (MEGABYTE // 4),
    "one long text": iso("<CI_OnlineResource><linkage>" + "x" * MEGABYTE).encode(),
    "one long attribute": b'<MD_Metadata a="' + b"x" * MEGABYTE,
    "one long comment": b"<MD_Metadata><!--" + b"-x" * (MEGABYTE // 2),
    "many open brackets": b"<MD_Metadata>" + b"<" * MEGABYTE,
    "many elements": iso("<a/>" * (MEGABYTE // 4)).encode(),
    "many ampersands": b"<MD_Metadata>" + b"&" * MEGABYTE,
    "blanks before the root": b" " * MEGABYTE + b"<MD_Metadata/>",
    "undecodable": b"<MD_Metadata>" + b"\xff" * MEGABYTE,
    "links without an end": iso("<CI_OnlineResource><linkage>https://e.gov/" * 2).encode(),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_megabyte_ends_soon_and_raises_nothing(body: bytes) -> None:
    with ends_soon():
        read(body)


@given(st.binary(max_size=300), st.integers(0, 3000))
def test_rubbish_anywhere_raises_nothing(rubbish: bytes, place: int) -> None:
    body = ISO.encode()

    read(body[:place] + rubbish + body[place:])
    read(rubbish)
