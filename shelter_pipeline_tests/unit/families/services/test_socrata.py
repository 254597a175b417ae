"""Socrata: the rows of a view as one CSV, uploads, attachments and links; and only where a view is described."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.discovery.leads import What
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import entered, leads_of, outcome_of, read

SITE = "https://data.example.gov"
VIEW = f"{SITE}/api/views/22ew-dxez.json"
CSV = ("file", "socrata-export", f"{SITE}/api/views/22ew-dxez/rows.csv?accessType=DOWNLOAD")
DESCRIPTION = ("file", "capabilities", VIEW)


def view(**changes: Any) -> dict[str, Any]:
    told = {
        "id": "22ew-dxez",
        "name": "Traffic counts",
        "assetType": "dataset",
        "viewType": "tabular",
        "displayType": "table",
        "newBackend": True,
        "rowsUpdatedAt": 1739900000,
        "columns": [{"id": 1, "name": "Year", "dataTypeName": "number", "fieldName": "year", "position": 1}],
        "metadata": {"rowLabel": "Count", "availableDisplayTypes": ["table", "fatrow", "page"]},
        "flags": ["default", "ownerMayBeContacted"],
    }
    return told | changes


@pytest.mark.parametrize(
    "path",
    [
        "/api/views/22ew-dxez",
        "/api/views/22ew-dxez.json",
        "/api/v3/views/22ew-dxez/query.json",
        "/resource/22ew-dxez",
        "/resource/22ew-dxez.json?$limit=1000",
        "/d/22ew-dxez",
        "/d/22ew-dxez/about_data",
        "/w/22ew-dxez/8j2a-x9yz",
        "/dataset/Traffic-counts/22ew-dxez",
        "/Transportation/Traffic-counts/22ew-dxez/data",
        "/Transportation/Traffic-counts/22ew-dxez/about_data",
        "/api/odata/v4/22ew-dxez",
        "/OData.svc/22ew-dxez",
    ],
)
def test_a_view_under_any_of_its_addresses_is_asked_what_it_is(path: str) -> None:
    slug, reading = entered(SITE + path)
    (lead,) = reading.leads

    assert (slug, reading.outcome) == ("socrata", "")
    assert (lead.to.value, lead.why, lead.url, lead.reader) == ("page", "view-description", VIEW, "socrata")
    assert dict(lead.headers) == {"Accept": "application/json"}


def test_plain_http_is_asked_over_tls() -> None:
    assert outcome_of("http://data.example.gov/d/22ew-dxez")[2] == [("page", "view-description", VIEW)]


@pytest.mark.parametrize("query", ["?accessType=DOWNLOAD", "", "?accessType=DOWNLOAD&bom=true&format=true"])
def test_an_export_as_csv_is_the_one_csv_of_the_view(query: str) -> None:
    assert outcome_of(f"{SITE}/api/views/22ew-dxez/rows.csv{query}") == ("socrata", "", [CSV, DESCRIPTION])


@pytest.mark.parametrize(
    ("form", "kind"),
    [("json", "json"), ("xml", "xml"), ("rdf", "rdf"), ("tsv", "tsv"), ("geojson", "geojson")],
)
def test_another_form_that_is_listed_is_taken_with_the_csv_and_no_third(form: str, kind: str) -> None:
    listed = f"{SITE}/api/views/22ew-dxez/rows.{form}?accessType=DOWNLOAD"

    _, reading = entered(listed)
    leads = list(reading.leads)

    assert [(lead.why, lead.url, lead.asset_kind) for lead in leads] == [
        ("socrata-export", CSV[2], "csv"),
        ("listed-request", listed, kind),
        ("capabilities", VIEW, "json"),
    ]


def test_an_uploaded_file_is_taken_as_it_is_listed() -> None:
    upload = (
        f"{SITE}/api/views/22ew-dxez/files/0cf6a2ed-9bf8-4f2e-a1f4-5d1f2ad4f3a6?download=true&filename=a.xlsx"
    )
    older = f"{SITE}/download/22ew-dxez/application%2Fpdf"

    assert outcome_of(upload)[2] == [("file", "socrata-file", upload), DESCRIPTION]
    assert enter(parse_url(older)) is None
    (lead, _) = entered(f"{SITE}/download/22ew-dxez/application/pdf")[1].leads
    assert (lead.asset_kind, lead.media_type) == ("pdf", "application/pdf")


@pytest.mark.parametrize(
    ("form", "kind"), [("GeoJSON", "geojson"), ("Shapefile", "zip"), ("KMZ", "kmz"), ("Original", None)]
)
def test_a_geospatial_export_is_taken_as_it_is_listed(form: str, kind: str | None) -> None:
    url = f"{SITE}/api/geospatial/22ew-dxez?method=export&format={form}"

    lead, description = entered(url)[1].leads

    assert (lead.url, lead.why, lead.asset_kind) == (url, "listed-request", kind)
    assert description.url == VIEW


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/api/views/22ew-dxez/columns.json",
        "https://doi.example/10.7927/89j7-zw60",  # 0 and 1, l and o are in no identity
        "https://cve.example/records/year/2014-0160",
        "https://resources.example.gov/vocab/file-type/TODO/CSV",
        "https://h.example/about/open/data-sets",
        "https://h.example/a/b/22EW-DXEZ",
        "https://h.example/a/b/22ew-dxezz",
        "https://h.example/22ew-dxez",
    ],
)
def test_what_only_resembles_a_view_is_none(url: str) -> None:
    assert enter(parse_url(url)) is None


def test_a_table_leads_to_its_rows_and_its_description() -> None:
    reading = read("socrata", VIEW, view())
    rows, _ = reading.leads

    assert (reading.outcome, leads_of(reading)) == ("", [CSV, DESCRIPTION])
    assert (rows.label, rows.asset_kind, rows.format) == ("Traffic counts", "csv", "csv")
    assert rows.modified == datetime(2025, 2, 18, 17, 33, 20, tzinfo=UTC)


def test_an_uploaded_file_leads_to_itself_and_its_size_is_no_promise() -> None:
    blob = {
        "blobId": "0cf6a2ed-9bf8-4f2e-a1f4-5d1f2ad4f3a6",
        "blobFilename": "Counts 2024 (final).xlsx",
        "blobFileSize": 52_113,
        "blobMimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; charset=binary",
    }
    reading = read("socrata", VIEW, view(viewType="blobby", displayType="blob", columns=[], **blob))
    lead, _ = reading.leads

    assert lead.url == (
        f"{SITE}/api/views/22ew-dxez/files/0cf6a2ed-9bf8-4f2e-a1f4-5d1f2ad4f3a6"
        "?download=true&filename=Counts%202024%20%28final%29.xlsx"
    )
    assert (lead.why, lead.asset_kind, lead.size, lead.promised) == ("socrata-file", "xlsx", 52_113, False)


def test_a_map_without_rows_leads_to_its_geospatial_exports() -> None:
    reading = read(
        "socrata", VIEW, view(viewType="geo", metadata={"geo": {"owsUrl": "/api/geospatial/22ew-dxez"}})
    )

    export = f"{SITE}/api/geospatial/22ew-dxez?method=export&format="
    assert leads_of(reading) == [
        ("file", "socrata-geospatial-export", export + "GeoJSON"),
        ("file", "socrata-geospatial-export", export + "Shapefile"),
        DESCRIPTION,
    ]


def test_attachments_are_taken_beside_the_rows() -> None:
    attachments = [
        {"filename": "dictionary.pdf", "name": "Dictionary", "assetId": "9f3a-bb", "blobId": ""},
        {"filename": "older.zip", "blobId": "11AA-22"},
        {"filename": "broken", "assetId": "../../etc"},
        "no object",
    ]

    reading = read("socrata", VIEW, view(metadata={"attachments": attachments}))

    files = f"{SITE}/api/views/22ew-dxez/files"
    assert leads_of(reading) == [
        CSV,
        ("file", "socrata-attachment", f"{files}/9f3a-bb?download=true&filename=dictionary.pdf"),
        ("file", "socrata-attachment", f"{files}/11AA-22?download=true&filename=older.zip"),
        DESCRIPTION,
    ]
    assert reading.notes == ("2 addresses could not be asked for",)


@pytest.mark.parametrize("key", ["accessPoints", "additionalAccessPoints"])
def test_a_view_that_stands_for_addresses_elsewhere_leads_to_them(key: str) -> None:
    urls = {
        "csv": "https://other.example/table.csv",
        "html": "http://other.example/page",
        "bad": "javascript:x()",
    }
    points = urls if key == "accessPoints" else [{"title": "Elsewhere", "urls": urls}, {"uid": "aaaa-bbb2"}]

    reading = read("socrata", VIEW, view(viewType="href", displayType="href", metadata={key: points}))

    assert leads_of(reading) == [
        ("page", "access-point", "https://other.example/table.csv"),
        ("page", "access-point", "http://other.example/page"),
        DESCRIPTION,
    ]
    assert not any(lead.reader for lead in reading.leads)
    assert reading.notes == ("1 addresses could not be asked for",)


def test_a_story_has_nothing_but_its_description() -> None:
    reading = read("socrata", VIEW, view(viewType="story", displayType="story"))

    assert (reading.outcome, leads_of(reading)) == ("landing-page-only", [DESCRIPTION])


@pytest.mark.parametrize("code", ["permission_denied", "authentication_required"])
def test_a_private_view_is_a_login(code: str) -> None:
    reading = read("socrata", VIEW, {"code": code, "error": True, "message": "You must be logged in"})

    assert (reading.what, reading.outcome) == (What.LOGIN, "login-required")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (
            {"code": "not_found", "error": True, "message": "Cannot find view with id 22ew-dxez"},
            404,
            "not-found",
        ),
        ({"code": "dataset.missing", "error": True, "message": "Not found"}, 200, "not-found"),
        ({"code": "invalid_request", "error": True, "message": "no"}, 200, "http-status"),
        ({"code": "permission_denied", "error": True, "message": "no"}, 403, "forbidden"),
        (view(id="aaaa-bbb2"), 200, "wrong-type"),
        ({"id": "22ew-dxez"}, 200, "wrong-type"),
        ({}, 200, "wrong-type"),
        ([view()], 200, "wrong-type"),
        (b"<!doctype html><title>Portal</title>", 200, "html-instead"),
    ],
)
def test_what_describes_no_view_of_that_name_gives_no_leads(body: Any, status: int, reason: str) -> None:
    with pytest.raises(PermanentError) as failure:
        read("socrata", VIEW, body, status=status)

    assert failure.value.reason == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"rowsUpdatedAt": 10**30},
        {"rowsUpdatedAt": "soon"},
        {"name": 7, "metadata": []},
        {"metadata": {"attachments": {}, "accessPoints": 3}},
        {"viewType": "href", "metadata": {"accessPoints": {"csv": ["x"], "xml": None}}},
        {"viewType": "blobby", "blobId": {"a": 1}, "blobFilename": 3, "blobFileSize": -4},
    ],
)
def test_fields_of_the_wrong_kind_cost_no_more_than_themselves(changes: dict[str, Any]) -> None:
    leads = leads_of(read("socrata", VIEW, view(**changes)))

    assert DESCRIPTION in leads


def test_half_a_character_in_a_name_is_left_out_of_the_url() -> None:
    blob = {"viewType": "blobby", "blobId": "1a-2b", "blobFilename": "a\ud800b.csv" + "c" * 9000}

    _, _, url = leads_of(read("socrata", VIEW, json.dumps(view(**blob)).encode()))[0]

    assert url.startswith(f"{SITE}/api/views/22ew-dxez/files/1a-2b?download=true&filename=ab.csvccc")
    assert len(url) < 400
