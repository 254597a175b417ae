"""A small catalog to read from: two organizations, files that are held, wait or failed."""

from __future__ import annotations

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

NOAA = OrganizationRecord("noaa-gov", "NOAA")
HELD = "https://data.example.gov/rain.csv"
FAILED = "https://data.example.gov/snow.csv"
WAITING = "https://files.example.gov/wind.csv"


def a_shelf(catalog: Catalog, *more: DatasetRecord) -> None:
    """Rain is held, snow is gone upstream, wind waits; and whatever else is given."""
    portal = a_portal(catalog)
    records = [
        a_dataset(
            "rain",
            a_resource(HELD, format="CSV", name="Rain of every day"),
            title="Daily rainfall of Alaska",
            description="Rain gauges measured the precipitation of <b>every</b> day.",
            keywords=("rain", "climate"),
            organization=NOAA,
        ),
        a_dataset(
            "snow",
            a_resource(FAILED, format="csv"),
            title="Snow depth",
            description="How deep the snow lies, and where it rains instead.",
            organization=NOAA,
        ),
        a_dataset("wind", a_resource(WAITING), title="Winds aloft"),
        *more,
    ]
    harvested(catalog, portal, records)
    discovered(catalog, portal)
    captured(catalog, HELD, "stored", size=1234)
    captured(catalog, FAILED, "not-found", status=404)
