"""CKAN's DataStore: one dump and one description for one table, however it was asked for."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import entered, outcome_of

TABLE = "0a5b4508-03ab-431f-940a-bae972ef2382"


@pytest.mark.parametrize(
    "request_",
    [
        f"/datastore/dump/{TABLE}",
        f"/datastore/dump/{TABLE.upper()}?bom=True&format=json",
        f"/api/3/action/datastore_search?resource_id={TABLE}&limit=5",
        f"/api/action/datastore_search?resource_id={TABLE}",
        f"/api/3/action/datastore_info?id={TABLE}",
        f"/api/3/action/datastore_search_sql?sql=SELECT%20*%20from%20%22{TABLE}%22%20LIMIT%205",
    ],
)
@pytest.mark.parametrize("base", ["https://data.example.gov", "https://data.example.au/data"])
def test_a_table_is_dumped_whole_and_described(base: str, request_: str) -> None:
    assert outcome_of(base + request_) == (
        "ckan-datastore",
        "",
        [
            ("file", "datastore-dump", f"{base}/datastore/dump/{TABLE}"),
            ("file", "capabilities", f"{base}/api/3/action/datastore_search?resource_id={TABLE}&limit=0"),
        ],
    )


def test_the_dump_is_promised_as_csv() -> None:
    dump, _ = entered(f"https://data.example.gov/datastore/dump/{TABLE}")[1].leads

    assert (dump.asset_kind, dump.format, dump.media_type) == ("csv", "csv", "text/csv")


@pytest.mark.parametrize(
    "path",
    [
        "/api/3/action/package_show?id=traffic",
        "/api/3/action/help_show?name=package_search",
        "/api/3/action/datastore_search?resource_id=traffic",
        f"/api/3/action/package_show?id={TABLE}",
    ],
)
def test_other_actions_are_the_portals_own(path: str) -> None:
    assert outcome_of("https://data.example.gov" + path) == ("ckan-datastore", "service", [])


@pytest.mark.parametrize("path", ["/datastore/dump/all", f"/dataset/a/resource/{TABLE}", "/api/3/actions/x"])
def test_what_only_resembles_the_interface_is_none(path: str) -> None:
    assert enter(parse_url("https://data.example.gov" + path)) is None
