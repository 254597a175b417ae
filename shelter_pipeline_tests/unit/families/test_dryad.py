"""Dryad: from a dataset to its version and to its files, part by part."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

HOME = "https://datadryad.org"
DATASET = f"{HOME}/api/v2/datasets/doi%3A10.5061%2Fdryad.h44j0zpwg"
FILES = f"{HOME}/api/v2/versions/126667/files"
SHA256 = "2b8328db94a71e66b89e67e62a9d9b88407e0d4f705e87ff26be05c6379675a2"


def file(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "_links": {
            "self": {"href": f"/api/v2/files/{number}"},
            "stash:version": {"href": "/api/v2/versions/126667"},
            "stash:download": {"href": f"/api/v2/files/{number}/download"},
        },
        "path": "salt tolerance.csv",
        "size": 51234,
        "mimeType": "text/csv",
        "status": "copied",
        "digest": SHA256,
        "digestType": "sha-256",
        "description": "",
        **changes,
    }


@pytest.mark.parametrize(
    "url",
    [
        f"{HOME}/dataset/doi:10.5061/dryad.h44j0zpwg",
        f"{HOME}/stash/dataset/doi%3A10.5061%2Fdryad.h44j0zpwg",
        f"{HOME}/api/v2/datasets/doi%3A10.5061%2Fdryad.h44j0zpwg",
        "https://doi.org/10.5061/dryad.h44j0zpwg",
        "http://dx.doi.org/10.5061/DRYAD.H44J0ZPWG",
    ],
)
def test_every_address_of_a_dataset_leads_to_its_api_page(url: str) -> None:
    assert entered(url) == ("dryad", [("page", DATASET)])


def test_a_download_is_a_file_at_once() -> None:
    assert entered(f"{HOME}/stash/downloads/file_stream/88205") == (
        "dryad",
        [("file", f"{HOME}/stash/downloads/file_stream/88205")],
    )


def test_a_dataset_leads_to_the_files_of_its_latest_version() -> None:
    dataset = {
        "identifier": "doi:10.5061/dryad.h44j0zpwg",
        "_links": {"stash:version": {"href": "/api/v2/versions/126667"}},
    }

    assert brief(read("dryad", dataset, DATASET)) == [("more", FILES)]


def test_files_come_with_size_and_digest_as_promises_and_the_next_part_follows() -> None:
    listing = {
        "_links": {
            "self": {"href": "/api/v2/versions/126667/files?page=1"},
            "next": {"href": "/api/v2/versions/126667/files?page=2"},
        },
        "count": 2,
        "total": 21,
        "_embedded": {
            "stash:files": [file(88205), file(88206, status="deleted"), file(88207, _links={}), "rubbish"]
        },
    }

    reading = read("dryad", listing, FILES)

    assert leads(reading)[0] == Lead(
        f"{HOME}/api/v2/files/88205/download",
        To.FILE,
        "dryad-file",
        label="salt tolerance.csv",
        asset_kind="csv",
        format="csv",
        size=51234,
        promised=True,
        checksum=f"sha256:{SHA256}",
    )
    assert brief(reading)[1:] == [("more", f"{FILES}?page=2")]
    assert reading.notes == ("salt tolerance.csv has no number and was passed over",)


def test_links_to_other_hosts_are_never_asked_for() -> None:
    links = {"next": {"href": "https://evil.example/api/v2/versions/126667/files?page=2"}}
    strange = file(1, _links={"stash:download": {"href": "https://evil.example/api/v2/files/1/download"}})

    assert brief(read("dryad", {"_links": links, "_embedded": {"stash:files": [strange]}}, FILES)) == []
    with pytest.raises(PermanentError):
        read(
            "dryad",
            {"_links": {"stash:version": {"href": "https://evil.example/api/v2/versions/1"}}},
            DATASET,
        )
