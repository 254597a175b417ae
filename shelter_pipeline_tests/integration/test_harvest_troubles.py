"""Harvests of portals that lie, never end or say what nobody can keep: each ends with a verdict to be believed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import open_harvest
from shelter_pipeline.catalog.portals import find_portal
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.merge_pages import MOST_BYTES
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.living_ckan import CkanSite, living_ckan
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site
from shelter_pipeline_tests.support.workplaces import a_workplace

FORTY = [f"p{number:03d}" for number in range(40)]


@pytest.fixture
def site() -> Iterator[CkanSite]:
    with living_ckan() as opened:
        opened.adds(*FORTY)
        yield opened


@pytest.fixture
def datagov() -> Iterator[LocalSite]:
    with local_site() as opened:
        yield opened


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store", harvest_attempts=1, harvest_max_lookups=20) as opened:
        yield opened


def harvest(workplace: Workplace, site: CkanSite, mode: str = "full") -> dict[str, Any]:
    return harvest_portal(workplace, add_portal(workplace, f"ckan:{site.url}", slug="site").slug, mode=mode)


def harvest_datagov(workplace: Workplace, site: LocalSite) -> dict[str, Any]:
    return harvest_portal(workplace, add_portal(workplace, f"datagov:{site.url}").slug, mode="full")


def value(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def found(*packages: dict[str, Any], count: int) -> Answered:
    return Answered({"success": True, "result": {"count": count, "results": packages}})


# --- down, and overtaken ---


def test_an_increment_of_a_portal_that_is_down_is_unreachable(workplace: Workplace, site: CkanSite) -> None:
    harvest(workplace, site)
    site.instead = lambda _: Answered(b"down", 500)

    report = harvest(workplace, site, "increment")

    assert (report["mode"], report["verdict"], report["seen"]) == ("increment", "unreachable", 0)


@pytest.mark.parametrize("resume_hours", [0, 1], ids=["with a new one", "with the same one"])
@pytest.mark.parametrize("phase", ["its pages", "its list"])
def test_a_harvest_that_another_one_overtakes_stops_and_says_so(
    workplace: Workplace, site: CkanSite, catalog: Catalog, resume_hours: int, phase: str
) -> None:
    def overtake(asked: Asked) -> None:
        is_list = "fl" in asked.query
        if asked.query.get("start") == "20" and is_list == (phase == "its list"):
            open_harvest(catalog, find_portal(catalog, "site"), resume_hours=resume_hours)

    site.instead = overtake

    report = harvest(workplace, site)

    assert (report["verdict"], report["delisted"]) == ("interrupted", 0)
    assert "another harvest of this portal was started" in report["message"]
    # What the other one does with its harvest is its own affair.
    assert value(catalog, "SELECT verdict FROM harvest ORDER BY id DESC LIMIT 1") == "running"


# --- what never ends ---


def test_a_list_without_end_is_left_and_the_harvest_is_not_complete(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    def endless(asked: Asked) -> Answered | None:
        if "fl" not in asked.query:
            return None
        start = int(asked.query["start"])
        return found(*({"id": f"e{start + number}"} for number in range(1000)), count=10**9)

    site.instead = endless

    report = harvest(workplace, site)

    assert (report["verdict"], report["seen"]) == ("partial", 40)
    assert report["missing"] > 1000
    assert "no further than 11000 entries" in report["message"]
    assert value(catalog, "SELECT count(*) FROM listing_entry") == 0


def test_changes_without_end_end_the_increment(workplace: Workplace, site: CkanSite) -> None:
    harvest(workplace, site)

    def endless(asked: Asked) -> Answered | None:
        if "fq" not in asked.query:
            return None
        start = int(asked.query["start"])
        dated = {"title": "t", "metadata_modified": "2026-02-01T00:00:00"}
        return found(*({"id": f"e{start + number}"} | dated for number in range(1000)), count=10**9)

    site.instead = endless

    report = harvest(workplace, site, "increment")

    assert report["verdict"] == "partial"
    assert "says it has 40 datasets" in report["message"]


# --- what is said of it ---


def test_every_request_is_counted_whether_it_brought_something_or_not(
    workplace: Workplace, site: CkanSite
) -> None:
    whole = harvest(workplace, site)
    asked = len(site.site.asked)
    down = Answered(b"down", 503, {"Retry-After": "1"})
    site.instead = lambda asked: down if asked.query.get("start") == "20" else None
    site.site.asked.clear()

    broken_off = harvest(workplace, site)

    assert whole["requests"] == asked
    assert (broken_off["verdict"], broken_off["requests"]) == ("partial", len(site.site.asked))


def test_what_was_read_is_merged_while_the_next_page_is_waited_for(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    merged: list[int] = []

    def slow(asked: Asked) -> None:
        if asked.query.get("start") == "10" and "fl" not in asked.query:
            deadline = time.monotonic() + 30
            while not value(catalog, "SELECT max(seen) FROM harvest") and time.monotonic() < deadline:
                time.sleep(0.05)
            merged.append(value(catalog, "SELECT max(seen) FROM harvest"))

    site.instead = slow

    report = harvest(workplace, site)

    assert merged == [10]
    assert report["verdict"] == "complete"


def test_large_records_are_merged_before_many_of_them_are_in_memory(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY, notes="x" * (MOST_BYTES // 8))

    assert harvest(workplace, site)["verdict"] == "complete"
    assert value(catalog, "SELECT groups FROM harvest") >= 5


def test_a_mark_in_the_future_does_not_hide_what_changed(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    harvest(workplace, site)
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE portal SET watermark = now() + interval '900 days'"))
    site.adds("q001")

    report = harvest(workplace, site, "increment")

    assert (report["mode"], report["new"]) == ("full", 1)
    assert value(catalog, "SELECT watermark < now() FROM portal WHERE slug = 'site'")


def test_a_portal_that_shows_nothing_is_not_empty_as_long_as_one_witness_counts_something(
    workplace: Workplace, datagov: LocalSite
) -> None:
    datagov.serves(
        "/api/organizations", {"organizations": [{"slug": "epa", "name": "E", "dataset_count": 0}]}
    )
    datagov.serves("/api/stats", {"results": {"datasets": 5000}})
    datagov.serves("/search", {"results": []})

    report = harvest_datagov(workplace, datagov)

    assert (report["verdict"], report["expected"], report["seen"]) == ("partial", 0, 0)


# --- what nobody can keep ---


@pytest.mark.parametrize("slug", ["\ud800", "a\x00b", "x" * 100_000])
def test_an_organization_that_cannot_be_asked_for_costs_no_other_one(
    workplace: Workplace, datagov: LocalSite, slug: str
) -> None:
    organizations = [{"slug": one, "name": one, "dataset_count": 1} for one in ("epa", slug)]
    datagov.serves("/api/organizations", json.dumps({"organizations": organizations}).encode())
    hit = {"slug": "air", "title": "Air", "organization": {"slug": "epa", "name": "EPA"}}
    datagov.answers(
        "/search", lambda asked: Answered({"results": [hit] if asked.query["org_slug"] == "epa" else []})
    )

    report = harvest_datagov(workplace, datagov)

    assert (report["verdict"], report["seen"]) == ("partial", 1)
    assert len(report["message"] or "") <= 4000


def test_names_that_no_url_can_hold_are_refusals(workplace: Workplace, site: CkanSite) -> None:
    unknown = Answered({"success": False, "error": {"message": "Action name not known"}}, 404)
    site.instead = lambda asked: unknown if asked.path.endswith("package_search") else None
    names = ["p000", "\ud800", "a\x00b"]
    site.site.answers(
        "/api/3/action/package_list",
        lambda asked: Answered({"success": True, "result": names[int(asked.query.get("offset", 0)) :]}),
    )

    report = harvest(workplace, site)

    assert (report["seen"], report["refused"]) == (1, 2)
    assert [refused["identifier"] for refused in report["refusals"]] == ["?", "a\ufffdb"]
