"""Files, links and captures as researchers read them; organizations and counts of the whole."""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa

from shelter_pipeline.api.shapes import Capture, File, OwnedFile, Resource, WholeCapture
from shelter_pipeline.api.standings import FileTypes, Organization, OrganizationStatistics, Overview
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.summaries import read_summary, refresh_summaries
from shelter_pipeline_tests.api.shelves import FAILED, HELD, WAITING, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.records import a_dataset, a_portal, harvested


def found(api: ApiUnderTest, path: str, **parameters: Any) -> dict[str, Any]:
    answer = api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_files_are_found_by_url_hash_host_state_size_and_owner(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    every = found(api, "/assets")["items"]
    [rain] = [item for item in every if item["url"] == HELD]
    [dataset] = found(api, "/datasets", slug="dataset-rain")["items"]
    [resource] = found(api, "/resources", dataset=dataset["id"])["items"]
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({"state": "held"}, [HELD]),
        ({"state": "failed", "reason": "not-found"}, [FAILED]),
        ({"reason": "legal"}, []),
        ({"host": "files.example.gov"}, [WAITING]),
        ({"host": "DATA.example.gov:443"}, [HELD, FAILED]),
        ({"host": "data.example.gov:8080"}, []),
        ({"kind": "csv", "organization": "noaa-gov"}, [HELD, FAILED]),
        ({"dataset": dataset["id"]}, [HELD]),
        ({"resource": resource["id"]}, [HELD]),
        ({"min_size": 1000, "max_size": 1234}, [HELD]),
        ({"min_size": 1235}, []),
        ({"sha256": rain["sha256"]}, [HELD]),
        ({"url": WAITING.upper().replace("/WIND.CSV", "/wind.csv")}, [WAITING]),
    ]

    for item in every:
        File.model_validate(item, strict=False)
    assert [{item["url"] for item in found(api, "/assets", **asked)["items"]} for asked, _ in expected] == [
        set(urls) for _, urls in expected
    ]
    assert api.get("/assets?reason=because").status_code == 422
    assert api.get("/assets?min_size=-1").status_code == 422
    assert api.get(f"/assets?max_size={2**63}").status_code == 422


def test_a_file_tells_who_lists_it_and_every_attempt_at_it(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    captured(catalog, HELD, "unchanged", size=1234)
    [rain] = found(api, "/assets", url=HELD)["items"]

    whole = found(api, f"/assets/{rain['id']}")
    newest = found(api, f"/assets/{rain['id']}/captures", limit=1)
    oldest = found(api, f"/assets/{rain['id']}/captures", limit=1, after=newest["next"])
    one = found(api, f"/captures/{whole['capture_id']}")

    OwnedFile.model_validate(whole, strict=False)
    Capture.model_validate(newest["items"][0], strict=False)
    WholeCapture.model_validate(one, strict=False)
    assert [(owner["dataset"], owner["via"]) for owner in whole["datasets"]] == [("dataset-rain", "direct")]
    assert [page["items"][0]["reason"] for page in (newest, oldest)] == ["unchanged", "stored"]
    assert oldest["next"] is None
    assert (one["id"], one["url"], one["explanation"]) == (
        newest["items"][0]["id"],
        HELD,
        "The server still has the bytes we hold.",
    )


def test_links_are_found_by_dataset_format_and_outcome(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    by_format = found(api, "/resources", format="CsV", organization="noaa-gov")["items"]
    [rain] = [item for item in by_format if item["url"] == HELD]
    one = found(api, f"/resources/{rain['id']}")

    Resource.model_validate(one, strict=False)
    assert {item["url"] for item in by_format} == {HELD, FAILED}
    assert (one["dataset"], one["name"], one["files"], one["held_files"]) == (
        "dataset-rain",
        "Rain of every day",
        1,
        1,
    )
    assert found(api, "/resources", outcome="service")["items"] == []
    assert len(found(api, "/resources", listed=True, role="download")["items"]) == 3


def test_the_rescue_is_told_in_numbers_that_agree_with_the_lists(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    overview = found(api, "/stats/overview")
    organizations = found(api, "/stats/organizations", limit=1)
    types = found(api, "/stats/file-types")
    kinds = found(api, "/assets/by-type")
    listed = found(api, "/organizations", limit=1)
    rest = found(api, "/organizations", limit=1, after=listed["next"])
    one = found(api, "/organizations/noaa-gov")
    counted = found(api, "/datasets/by-organization")
    datasets = found(api, "/datasets/by-organization", organization="epa-gov")

    Overview.model_validate(overview, strict=False)
    OrganizationStatistics.model_validate(organizations, strict=False)
    FileTypes.model_validate(types, strict=False)
    Organization.model_validate(one, strict=False)
    assert (overview["datasets"], overview["files"], overview["held_files"], overview["held_bytes"]) == (
        3,
        3,
        1,
        1234,
    )
    assert overview["organizations_by_verdict"] == {"partial": 1, "waiting": 1}
    assert [portal["portal"] for portal in overview["portal_list"]] == ["catalog-data-gov", "portal-example"]
    assert [item["organization"] for item in organizations["items"]] == ["noaa-gov"]  # the larger one
    assert (one["verdict"], one["held_files"], one["failed"]) == ("partial", 1, {"not-found": 1})
    assert {item["organization"] for item in listed["items"] + rest["items"]} == {"noaa-gov", "epa-gov"}
    assert {item["organization"]: item["datasets"] for item in counted["items"]} == {
        "noaa-gov": 2,
        "epa-gov": 1,
    }
    assert [item["title"] for item in datasets["items"]] == ["Winds aloft"]
    assert (
        types["kinds"]
        == kinds["items"]
        == [
            {
                "name": "csv",
                "files": 3,
                "held_files": 1,
                "pending_files": 1,
                "failed_files": 1,
                "held_bytes": 1234,
            }
        ]
    )
    assert {item["name"]: item["files"] for item in types["formats"]} == {None: 3}
    assert api.get("/organizations/nobody").status_code == 404


def test_counts_are_made_again_when_they_are_old_by_one_at_a_time(catalog: Catalog) -> None:
    a_shelf(catalog)

    assert refresh_summaries(catalog, older_than_seconds=60)
    harvested(catalog, a_portal(catalog), [a_dataset("more")])
    assert not refresh_summaries(catalog, older_than_seconds=60)
    before = read_summary(catalog, "overview")
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE summary SET counted_at = now() - interval '1 hour'"))
    done: list[bool] = []
    threads = [
        threading.Thread(target=lambda: done.append(refresh_summaries(catalog, older_than_seconds=60)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = read_summary(catalog, "overview")

    assert sorted(done) == [False, False, False, True]
    assert before is not None
    assert after is not None
    assert (before.body["datasets"], after.body["datasets"]) == (3, 4)
    assert after.counted_at > before.counted_at
