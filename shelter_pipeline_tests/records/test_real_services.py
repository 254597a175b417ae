"""Every URL that real catalogues list, shown to the families: services are known by them, and files are not."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from shelter_pipeline.discovery.classify import Kind, classify
from shelter_pipeline.discovery.families import enter
from shelter_pipeline.discovery.families.query_service import declared
from shelter_pipeline.domain.urls import parse_url

REPOSITORY = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("SHELTER_FIXTURES", REPOSITORY.parent / "shared" / "fixtures"))
SERVICES = frozenset(
    "arcgis-rest bucket-browser ckan-datastore erddap ogc ogc-api opendap query-service socrata thredds-service".split()  # noqa: SIM905
)

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]


@pytest.fixture(scope="module")
def urls() -> list[str]:
    texts = (path.read_text("utf-8", "replace") for path in FIXTURES.rglob("*.json*"))
    return sorted({url for text in texts for url in re.findall(r"https?://[^\s\"\\<>]+", text)})


def test_whatever_is_a_service_by_its_address_has_a_reading(urls: list[str]) -> None:
    verdicts = [verdict for url in urls if (verdict := classify(url)).kind is Kind.SERVICE and verdict.url]

    for verdict in verdicts:
        url = parse_url(verdict.url or "")
        found = enter(url)
        reading = found[1] if found else declared(verdict.rule, url)
        assert reading.outcome or list(reading.leads), url.text

    assert len(verdicts) > 50


def test_what_is_a_file_by_its_extension_is_taken_for_a_service_by_none_but_socrata(urls: list[str]) -> None:
    files = [verdict for url in urls if (verdict := classify(url)).rule == "extension" and verdict.url]

    found = [(file.url, enter(parse_url(file.url or ""))) for file in files]
    taken = [(url, known[0]) for url, known in found if known is not None and known[0] in SERVICES]

    assert len(files) > 500
    assert {slug for _, slug in taken} <= {"socrata"}
    assert all("/download/" in (url or "") for url, _ in taken)
