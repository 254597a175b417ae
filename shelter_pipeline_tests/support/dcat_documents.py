"""DCAT-US documents for tests: a dataset with every default unremarkable, and what a driver makes of a document."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import LocalSite, open_door


def dataset(identifier: Any = "A-1", **changes: Any) -> dict[str, Any]:
    return {
        "@type": "dcat:Dataset",
        "identifier": identifier,
        "title": f"Title of {identifier}",
        "publisher": {"name": "Office of Things"},
        "distribution": [{"downloadURL": "https://example.gov/a.csv", "mediaType": "text/csv"}],
    } | changes


def portal_of(site: LocalSite, document: Any) -> DcatUsPortal:
    url = site.serves("/data.json", document)
    return DcatUsPortal(url, PageReader(open_door(), max_bytes=10**8, attempts=1))


def read(site: LocalSite, document: Any) -> list[DatasetRecord | Refusal]:
    return [record for page in portal_of(site, document).pages() for record in page.records]


def read_one(site: LocalSite, raw: Any) -> DatasetRecord:
    record = read(site, {"dataset": [raw]})[0]
    assert isinstance(record, DatasetRecord)
    return record


def as_far_as_it_goes(portal: DcatUsPortal) -> tuple[list[DatasetRecord | Refusal], ShelterError | None]:
    records: list[DatasetRecord | Refusal] = []
    try:
        for page in portal.pages():
            records += page.records
    except ShelterError as error:
        return records, error
    return records, None
