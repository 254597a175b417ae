"""ERDDAP: one question about a dataset, then its descriptions and, where there are some, its files."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.discovery.leads import What
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import leads_of, outcome_of, read

BASE = "https://coastwatch.example.gov/erddap"
ROW = f"{BASE}/tabledap/allDatasets.json?datasetID,accessible,dataStructure,files,title&datasetID=%22jplMURSST41%22"


def table(*row: Any) -> dict[str, Any]:
    names = ["datasetID", "accessible", "dataStructure", "files", "title"]
    types = ["String"] * 5
    rows = [list(row)] if row else []
    return {"table": {"columnNames": names, "columnTypes": types, "columnUnits": [None] * 5, "rows": rows}}


@pytest.mark.parametrize(
    "path",
    [
        "/griddap/jplMURSST41",
        "/griddap/jplMURSST41.html",
        "/griddap/jplMURSST41.graph?analysed_sst[(last)]",
        "/griddap/jplMURSST41.das",
        "/info/jplMURSST41/index.html",
        "/wms/jplMURSST41/request?service=WMS&request=GetCapabilities",
        "/files/jplMURSST41",
    ],
)
def test_a_dataset_is_asked_for_in_the_table_of_all_datasets(path: str) -> None:
    assert outcome_of(BASE + path) == ("erddap", "", [("page", "dataset-description", ROW)])


def test_a_request_for_data_is_taken_as_it_is_listed() -> None:
    url = f"{BASE}/griddap/jplMURSST41.nc?analysed_sst%5B(last)%5D"

    assert outcome_of(url) == (
        "erddap",
        "",
        [("file", "listed-request", url), ("page", "dataset-description", ROW)],
    )


def test_a_grid_with_files_leads_to_its_descriptions_and_its_directory() -> None:
    reading = read(
        "erddap", ROW, table("jplMURSST41", "public", "grid", f"{BASE}/files/jplMURSST41/", "MUR SST")
    )

    assert reading.outcome == ""
    assert leads_of(reading) == [
        ("file", "capabilities", f"{BASE}/info/jplMURSST41/index.json"),
        ("file", "capabilities", f"{BASE}/griddap/jplMURSST41.das"),
        ("file", "capabilities", f"{BASE}/griddap/jplMURSST41.dds"),
        ("directory", "erddap-files", f"{BASE}/files/jplMURSST41/"),
    ]


def test_a_table_without_files_is_a_service() -> None:
    reading = read("erddap", ROW, table("cwwcNDBCMet", "public", "table", "", "Buoys"))

    assert reading.outcome == "service"
    assert leads_of(reading) == [
        ("file", "capabilities", f"{BASE}/info/cwwcNDBCMet/index.json"),
        ("file", "capabilities", f"{BASE}/tabledap/cwwcNDBCMet.das"),
        ("file", "capabilities", f"{BASE}/tabledap/cwwcNDBCMet.dds"),
    ]


def test_the_directory_is_the_servers_own_whatever_the_table_says() -> None:
    reading = read(
        "erddap", ROW, table("a", "public", "grid", "https://elsewhere.example/erddap/files/a/", "")
    )

    assert leads_of(reading)[-1] == ("directory", "erddap-files", f"{BASE}/files/a/")


@pytest.mark.parametrize("accessible", ["no", "log in"])
def test_a_private_dataset_is_a_login(accessible: str) -> None:
    reading = read("erddap", ROW, table("a", accessible, "grid", "", ""))

    assert (reading.what, reading.outcome, leads_of(reading)) == (What.LOGIN, "login-required", [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (table(), "not-found"),
        (table("a/../b", "public", "grid", "", ""), "wrong-type"),
        (table(7), "wrong-type"),
        ({"table": {"columnNames": [], "rows": [[1]]}}, "wrong-type"),
        ({"table": {"columnNames": ["datasetID"], "rows": [None]}}, "wrong-type"),
        ({"table": 3}, "wrong-type"),
        ([], "wrong-type"),
    ],
)
def test_what_tells_of_no_dataset_gives_no_leads(body: Any, reason: str) -> None:
    with pytest.raises(PermanentError) as failure:
        read("erddap", ROW, body)

    assert failure.value.reason == reason


@pytest.mark.parametrize("path", ["", "/", "/index.html", "/info/index.html?page=1", "/tabledap/index.html"])
def test_the_server_itself_is_a_service_with_a_list_of_its_datasets(path: str) -> None:
    everything = f"{BASE}/info/index.json?page=1&itemsPerPage=1000000000"

    assert outcome_of(BASE + path) == ("erddap", "service", [("file", "capabilities", everything)])


@pytest.mark.parametrize(
    ("path", "outcome", "lead"),
    [
        ("/files/jplMURSST41/", "", ("directory", "erddap-files")),
        ("/files/jplMURSST41/2020/", "", ("directory", "erddap-files")),
        ("/files/a/2020/b.nc", "", ("file", "erddap-files")),
        ("/metadata/iso19115/xml/a_iso19115.xml", "service", ("file", "capabilities")),
    ],
)
def test_directories_files_and_records_are_taken_as_they_are(
    path: str, outcome: str, lead: tuple[str, str]
) -> None:
    assert outcome_of(BASE + path) == ("erddap", outcome, [(*lead, BASE + path)])


def test_a_picture_of_the_servers_pages_is_none_of_its_datasets() -> None:
    assert enter(parse_url(f"{BASE}/images/logo.png")) is None
