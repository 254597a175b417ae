"""OSF: identifiers, storage, folders, components, single files."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

API = "https://api.osf.io/v2"
GUID = f"{API}/guids/f3szh/?resolve=false"
STORAGE = f"{API}/nodes/f3szh/files/osfstorage/?page[size]=100"
FOLDER = "5b3ba7fd4c6f2e0010e5a1b2"
FILE = "5f0ba7fd4c6f2e0010e5a1b3"


def referent(kind: str, identity: str) -> dict[str, Any]:
    data = {"type": kind, "id": identity}
    return {"data": {"id": "f3szh", "type": "guids", "relationships": {"referent": {"data": data}}}}


def stored(identity: str, kind: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "type": "files",
        "attributes": {
            "kind": kind,
            "name": name,
            "materialized_path": f"/raw/{name}",
            "size": 1301939 if kind == "file" else None,
            "extra": {"hashes": {"md5": "0" * 32}},
            **attributes,
        },
        "links": {"download": f"https://osf.io/download/{identity}/"},
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://osf.io/f3szh/",
        "http://osf.io/f3szh",
        "https://osf.io/f3szh/files/osfstorage",
        "https://osf.io/f3szh/overview",
        "https://doi.org/10.17605/OSF.IO/F3SZH",
    ],
)
def test_every_address_of_a_project_leads_to_what_its_identifier_stands_for(url: str) -> None:
    assert entered(url) == ("osf", [("page", GUID)])


def test_a_download_is_a_file_at_once() -> None:
    for url in ("https://osf.io/f3szh/download", "https://osf.io/download/f3szh/"):
        assert entered(url) == ("osf", [("file", "https://osf.io/download/f3szh/")])


@pytest.mark.parametrize(
    "url", ["https://osf.io/", "https://osf.io/about/", "https://osf.io/preprints/psyarxiv/abcde"]
)
def test_other_pages_are_not_ours(url: str) -> None:
    assert entered(url) is None


@pytest.mark.parametrize("kind", ["nodes", "registrations"])
def test_a_project_leads_to_its_storage_and_its_components(kind: str) -> None:
    assert brief(read("osf", referent(kind, "f3szh"), GUID)) == [
        ("page", f"{API}/{kind}/f3szh/files/osfstorage/?page[size]=100"),
        ("page", f"{API}/{kind}/f3szh/children/?page[size]=100"),
    ]


def test_an_identifier_of_a_file_leads_to_the_files_record_and_that_to_the_file() -> None:
    assert brief(read("osf", referent("files", FILE), GUID)) == [("more", f"{API}/files/{FILE}/")]
    record = {"data": stored(FILE, "file", "a.csv")}
    assert brief(read("osf", record, f"{API}/files/{FILE}/")) == [
        ("file", f"https://osf.io/download/{FILE}/")
    ]


def test_a_person_or_preprint_holds_no_dataset() -> None:
    assert read("osf", referent("users", "f3szh"), GUID).outcome == "landing-page-only"


def test_storage_gives_files_folders_and_its_next_part() -> None:
    listing = {
        "data": [
            stored(FILE, "file", "a.csv"),
            stored(FOLDER, "folder", "2024"),
            stored("../x", "file", "b.csv"),
            7,
        ],
        "links": {
            "next": f"{API}/nodes/f3szh/files/osfstorage/?page%5Bsize%5D=100&page=2",
            "meta": {"total": 103},
        },
    }

    reading = read("osf", listing, STORAGE)

    assert brief(reading) == [
        ("file", f"https://osf.io/download/{FILE}/"),
        ("directory", f"{API}/nodes/f3szh/files/osfstorage/{FOLDER}/?page[size]=100"),
        ("more", f"{API}/nodes/f3szh/files/osfstorage/?page%5Bsize%5D=100&page=2"),
    ]
    assert reading.notes == ("raw/b.csv has no identifier and was passed over",)


def test_nothing_is_promised_of_files_that_may_be_replaced() -> None:
    [lead] = leads(read("osf", {"data": [stored(FILE, "file", "a.csv")]}, STORAGE))

    assert (lead.label, lead.size, lead.promised, lead.checksum) == ("raw/a.csv", 1301939, False, None)


def test_components_lead_to_their_own_storage() -> None:
    reading = read(
        "osf", {"data": [{"type": "nodes", "id": "e2uct"}]}, f"{API}/nodes/f3szh/children/?page[size]=100"
    )

    assert brief(reading)[0] == ("page", f"{API}/nodes/e2uct/files/osfstorage/?page[size]=100")


def test_a_next_part_elsewhere_is_never_asked_for() -> None:
    listing = {
        "data": [stored(FILE, "file", "a.csv")],
        "links": {"next": "https://evil.example/v2/nodes/f3szh/files/osfstorage/"},
    }

    assert [lead.to for lead in read("osf", listing, STORAGE).leads] == [To.FILE]


def test_what_is_no_identifier_is_an_error() -> None:
    with pytest.raises(PermanentError):
        read("osf", {"errors": [{"detail": "Not found."}]}, GUID)
