"""PANGAEA: tables, archives, collections without one, and what is not free."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

HOME = "https://doi.pangaea.de/10.1594/PANGAEA"
PAGE = f"{HOME}.734969?format=metadata_jsonld"

RECORD: dict[str, Any] = {
    "@context": "http://schema.org/",
    "@id": "https://doi.org/10.1594/PANGAEA.734969",
    "@type": "Dataset",
    "name": "Physical oceanography during POLARSTERN cruise",
    "isAccessibleForFree": True,
    "conditionsOfAccess": "unrestricted",
    "distribution": [
        {
            "@type": "DataDownload",
            "encodingFormat": "text/tab-separated-values",
            "contentUrl": f"{HOME}.734969?format=textfile",
        },
        {"@type": "DataDownload", "encodingFormat": "text/html", "contentUrl": f"{HOME}.734969?format=html"},
    ],
}


@pytest.mark.parametrize(
    "url",
    [
        f"{HOME}.734969",
        "http://doi.pangaea.de/10.1594/pangaea.734969?format=html",
        "https://doi.org/10.1594/PANGAEA.734969",
    ],
)
def test_every_address_of_a_dataset_leads_to_its_record(url: str) -> None:
    assert entered(url) == ("pangaea", [("page", PAGE)])


def test_a_download_is_a_file_at_once() -> None:
    assert entered(f"{HOME}.734969?format=zip") == ("pangaea", [("file", f"{HOME}.734969?format=zip")])


def test_the_table_is_taken_and_the_page_is_not() -> None:
    reading = read("pangaea", RECORD, PAGE)

    assert brief(reading) == [("file", f"{HOME}.734969?format=textfile")]
    [lead] = leads(reading)
    assert (lead.asset_kind, lead.size, lead.promised) == ("tsv", None, False)


def test_a_collection_is_its_archive_else_its_parts() -> None:
    archive = {
        "@type": "DataDownload",
        "encodingFormat": "application/zip",
        "contentUrl": f"{HOME}.831732?format=zip",
    }
    parts = [
        {"@id": "https://doi.org/10.1594/PANGAEA.1"},
        {"url": f"{HOME}.2"},
        {"url": "https://evil.example/3"},
    ]

    assert brief(read("pangaea", {**RECORD, "distribution": archive, "hasPart": parts}, PAGE)) == [
        ("file", f"{HOME}.831732?format=zip")
    ]
    assert brief(read("pangaea", {**RECORD, "distribution": [], "hasPart": parts}, PAGE)) == [
        ("page", f"{HOME}.1?format=metadata_jsonld"),
        ("page", f"{HOME}.2?format=metadata_jsonld"),
    ]


def test_what_is_not_free_asks_for_a_login() -> None:
    closed = {**RECORD, "isAccessibleForFree": False, "conditionsOfAccess": "access rights needed"}

    reading = read("pangaea", closed, PAGE)

    assert (leads(reading), reading.outcome) == ([], "login-required")
    assert "access rights needed" in reading.detail


def test_what_is_no_record_is_an_error() -> None:
    with pytest.raises(PermanentError):
        read("pangaea", {"message": "no"}, PAGE)
