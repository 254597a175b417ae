"""Zenodo and other InvenioRDM sites: records in both forms, their lists of files, and what they withhold."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

API = "https://zenodo.org/api/records/3615172"
MD5 = "46db452e1d72171b1693b971207786b7"

# The form that zenodo.org answers with: one entry a file, sizes and MD5 sums of the bytes.
RECORD: dict[str, Any] = {
    "created": "2020-01-21T10:36:29.463913+00:00",
    "modified": "2020-01-21T20:20:40.036741+00:00",
    "id": 3615172,
    "conceptrecid": "3615171",
    "doi": "10.5281/zenodo.3615172",
    "conceptdoi": "10.5281/zenodo.3615171",
    "metadata": {
        "title": "Stream temperatures of the upper basin",
        "access_right": "open",
        "resource_type": {"title": "Dataset", "type": "dataset"},
    },
    "files": [
        {
            "id": "1e3744d0-6ae1-41a2-a628-2ebf59e9a142",
            "key": "stream temperatures.csv",
            "size": 4188421,
            "checksum": f"md5:{MD5}",
            "links": {"self": f"{API}/files/stream%20temperatures.csv/content"},
        },
        {"id": "2", "key": "README.md", "size": 311, "checksum": f"md5:{MD5[::-1]}"},
    ],
    "links": {"self": API, "latest": API, "files": f"{API}/files", "archive": f"{API}/files-archive"},
}
# The native form of InvenioRDM, as CaltechDATA and CERN answer.
NATIVE: dict[str, Any] = {
    "id": "gcs3r-7t851",
    "access": {"record": "public", "files": "public", "embargo": {"active": False}, "status": "open"},
    "files": {
        "enabled": True,
        "count": 1,
        "total_bytes": 2048,
        "entries": {
            "profile.nc": {
                "checksum": f"md5:{MD5}",
                "size": 2048,
                "mimetype": "application/x-netcdf",
                "key": "profile.nc",
            }
        },
    },
    "metadata": {"title": "Profiles"},
    "versions": {"index": 2, "is_latest": True},
}


@pytest.mark.parametrize(
    "url",
    [
        "https://zenodo.org/records/3615172",
        "http://www.zenodo.org/record/3615172",
        "https://zenodo.org/record/3615172/",
        "https://zenodo.org/records/3615172/latest",
        "https://zenodo.org/deposit/3615172",
        "https://zenodo.org/doi/10.5281/zenodo.3615172",
        "https://zenodo.org/api/records/3615172",
        "https://doi.org/10.5281/zenodo.3615172",
        "http://dx.doi.org/10.5281/ZENODO.3615172",
        "https://doi.org/10.5281%2Fzenodo.3615172",
        "https://doi.org/10.5281/zenodo.3615172.",
        "https://doi.org/10.5281/zenodo.3615172)",
    ],
)
def test_every_address_of_a_record_leads_to_its_api_page(url: str) -> None:
    assert entered(url) == ("zenodo", [("page", API)])


@pytest.mark.parametrize(
    "url",
    [
        "https://zenodo.org/",
        "https://zenodo.org/search?q=records/3615172",
        "https://zenodo.org/records/not-a-number",
        "https://zenodo.org.example.net/records/3615172",
        "https://example.org/records/3615172",
    ],
)
def test_other_pages_and_other_hosts_are_not_ours(url: str) -> None:
    assert entered(url) is None


def test_a_file_of_a_record_is_a_file_at_once() -> None:
    assert entered("https://zenodo.org/record/3615172/files/notes%20of%20May") == (
        "zenodo",
        [("file", "https://zenodo.org/records/3615172/files/notes%20of%20May?download=1")],
    )
    assert entered(f"{API}/files-archive") == ("zenodo", [("file", f"{API}/files-archive")])


def test_other_sites_of_the_same_software_are_asked_on_their_own_host() -> None:
    assert entered("https://data.caltech.edu/records/gcs3r-7t851") == (
        "zenodo",
        [("page", "https://data.caltech.edu/api/records/gcs3r-7t851")],
    )


def test_files_come_with_size_and_checksum_as_promises() -> None:
    found = leads(read("zenodo", RECORD, API))

    assert found[0] == Lead(
        f"{API}/files/stream%20temperatures.csv/content",
        To.FILE,
        "zenodo-file",
        label="stream temperatures.csv",
        asset_kind="csv",
        format="csv",
        size=4188421,
        promised=True,
        checksum=f"md5:{MD5}",
    )
    assert [lead.label for lead in found] == ["stream temperatures.csv", "README.md"]


def test_a_concept_gives_the_files_of_the_version_it_redirected_to() -> None:
    found = read("zenodo", RECORD, "https://zenodo.org/api/records/3615171", final=API)

    assert brief(found)[1] == ("file", f"{API}/files/README.md/content")


def test_the_native_form_gives_the_same() -> None:
    home = "https://data.caltech.edu/api/records/gcs3r-7t851"

    [lead] = leads(read("zenodo", NATIVE, home))

    assert (lead.url, lead.size, lead.promised) == (f"{home}/files/profile.nc/content", 2048, True)
    assert (lead.checksum, lead.asset_kind, lead.format) == (f"md5:{MD5}", "netcdf", "nc")


def test_a_record_without_its_entries_is_asked_for_their_list() -> None:
    bare = {**NATIVE, "files": {"enabled": True, "count": 1}}
    home = "https://repository.cern/api/records/gcs3r-7t851"

    [lead] = leads(read("zenodo", bare, home))

    assert (lead.to, lead.url, lead.reader) == (To.MORE, f"{home}/files", "zenodo")


def test_a_list_of_files_is_read_part_by_part() -> None:
    listing = {
        "enabled": True,
        "entries": [
            {"key": "a.csv", "size": 1, "checksum": f"md5:{MD5}", "status": "completed"},
            {"key": "b.csv", "size": 2, "status": "pending"},
        ],
        "links": {"self": f"{API}/files", "next": f"{API}/files?page=2"},
    }

    reading = read("zenodo", listing, f"{API}/files")

    assert brief(reading) == [("file", f"{API}/files/a.csv/content"), ("more", f"{API}/files?page=2")]
    assert reading.notes == ("b.csv is not whole at its repository",)


def test_a_next_part_on_another_host_is_never_asked_for() -> None:
    listing = {
        "entries": [{"key": "a.csv"}],
        "links": {"next": "https://evil.example/api/records/3615172/files?page=2"},
    }

    assert brief(read("zenodo", listing, f"{API}/files")) == [("file", f"{API}/files/a.csv/content")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {"access_right": "restricted"}, "files": []}, "restricted"),
        (
            {"metadata": {"access_right": "embargoed", "embargo_date": "2031-01-01"}},
            "embargoed until 2031-01-01",
        ),
        ({"access": {"files": "restricted", "status": "restricted"}}, "restricted"),
    ],
)
def test_a_withheld_record_asks_for_a_login_and_says_until_when(change: dict[str, Any], said: str) -> None:
    reading = read("zenodo", RECORD | change, API)

    assert (leads(reading), reading.outcome) == ([], "login-required")
    assert said in reading.detail


def test_a_record_without_files_is_a_landing_page() -> None:
    reading = read("zenodo", {**RECORD, "files": []}, API)

    assert (leads(reading), reading.outcome) == ([], "landing-page-only")


def test_a_community_is_no_dataset() -> None:
    assert entered("https://zenodo.org/communities/hydrology") == ("zenodo", [])


@pytest.mark.parametrize("body", [b'{"status": 404}', b"[1, 2]", b'"text"', b"null"])
def test_json_that_is_no_record_is_an_error(body: bytes) -> None:
    with pytest.raises(PermanentError):
        read("zenodo", body, API)
