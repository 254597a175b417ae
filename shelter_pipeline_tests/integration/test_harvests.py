"""Harvests as operators run them, night after night: continued, compared, and never believed too soon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal, broken_harvests, portal_table
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.living_ckan import CkanSite, living_ckan
from shelter_pipeline_tests.support.local_site import Answered, Asked
from shelter_pipeline_tests.support.workplaces import a_workplace

FORTY = [f"p{number:03d}" for number in range(40)]


@pytest.fixture
def site() -> Iterator[CkanSite]:
    with living_ckan() as opened:
        yield opened


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    # One request a page, and a transaction a page: what is broken off is broken off there.
    with a_workplace(catalog_url, tmp_path / "store", harvest_attempts=1, harvest_group_records=1) as opened:
        yield opened


def harvest(workplace: Workplace, site: CkanSite, **options: Any) -> dict[str, Any]:
    row = add_portal(workplace, f"ckan:{site.url}", slug="site")
    return harvest_portal(workplace, row.slug, **({"mode": "full"} | options))


def value(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.execute(sa.text(query)).scalar()


def values(catalog: Catalog, query: str) -> list[Any]:
    with catalog.begin() as connection:
        return list(connection.execute(sa.text(query)).scalars())


def fails_from(start: int) -> Any:
    """500 for every page of packages from there on: unlike 503 it does not make the host rest."""

    def instead(asked: Asked) -> Answered | None:
        is_page = asked.path.endswith("package_search") and asked.query.get("rows") != "0"
        return Answered(b"down", 500) if is_page and int(asked.query.get("start", 0)) >= start else None

    return instead


# --- going on ---


def test_a_harvest_that_was_broken_off_goes_on_where_it_stopped(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    site.instead = fails_from(20)
    first = harvest(workplace, site)
    site.instead = lambda _: None
    site.site.asked.clear()

    second = harvest(workplace, site)

    assert (first["verdict"], first["seen"], first["resumed"]) == ("partial", 20, 0)
    assert "500" in first["message"]
    assert site.starts()[0] == 20
    assert (second["verdict"], second["seen"], second["resumed"]) == ("complete", 40, 1)
    assert value(catalog, "SELECT count(*) FROM harvest") == 1
    assert value(catalog, "SELECT count(*) FROM dataset WHERE state = 'listed'") == 40


def test_a_harvest_begins_anew_when_a_person_says_so_or_what_was_broken_off_is_old(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    site.instead = fails_from(20)
    harvest(workplace, site)
    harvest(workplace, site, fresh=True)
    site.instead = lambda _: None
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE harvest SET touched_at = now() - interval '3 days'"))
    site.site.asked.clear()

    third = harvest(workplace, site)

    assert site.starts()[0] == 0
    assert (third["verdict"], third["seen"], third["resumed"]) == ("complete", 40, 0)
    assert value(catalog, "SELECT count(*) FROM harvest") == 3


def test_a_portal_that_is_down_is_a_verdict_and_is_listed_as_broken_off(
    workplace: Workplace, site: CkanSite
) -> None:
    site.adds(*FORTY)
    site.instead = fails_from(10)
    assert harvest(workplace, site)["verdict"] == "partial"
    site.instead = lambda _: Answered(b"<html><h1>Down for maintenance</h1></html>", 500)

    still_down = harvest(workplace, site)

    assert (still_down["verdict"], still_down["seen"]) == ("partial", 10)
    assert broken_harvests(workplace) == ["site"]
    site.instead = lambda _: None
    assert harvest(workplace, site)["verdict"] == "complete"
    assert broken_harvests(workplace) == []


def test_a_harvest_of_a_portal_that_nobody_answers_for_is_unreachable(workplace: Workplace) -> None:
    add_portal(workplace, "ckan:http://127.0.0.1:9", slug="nobody")

    report = harvest_portal(workplace, "nobody", mode="full")

    assert (report["verdict"], report["seen"]) == ("unreachable", 0)
    assert "127.0.0.1:9" in report["message"]


# --- witnesses ---


def test_what_the_pages_leave_out_is_found_on_the_portals_own_list_and_asked_for(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    site.hidden = {"p007", "p031"}

    report = harvest(workplace, site)

    assert (report["verdict"], report["seen"], report["missing"], report["surplus"]) == ("complete", 40, 0, 0)
    assert value(catalog, "SELECT count(*) FROM dataset WHERE identifier IN ('p007', 'p031')") == 2
    assert value(catalog, "SELECT count(*) FROM listing_entry") == 0


def test_what_cannot_be_had_by_any_way_keeps_a_harvest_from_being_complete(
    workplace: Workplace, site: CkanSite
) -> None:
    site.adds(*FORTY)
    site.hidden = {"p007"}
    site.instead = lambda asked: Answered(b"", 500) if asked.path.endswith("package_show") else None

    report = harvest(workplace, site)

    assert (report["verdict"], report["seen"], report["missing"]) == ("partial", 39, 1)


def test_a_list_that_breaks_off_is_no_witness_and_says_so(workplace: Workplace, site: CkanSite) -> None:
    site.adds(*FORTY)
    site.instead = lambda asked: Answered(b"", 500) if "fl" in asked.query else None

    report = harvest(workplace, site)

    assert (report["verdict"], report["missing"]) == ("complete", None)
    assert "list could not be read" in report["message"]


def test_pages_without_end_end_the_harvest(workplace: Workplace, site: CkanSite) -> None:
    site.adds(*FORTY)

    def endless(asked: Asked) -> Answered | None:
        if not asked.path.endswith("package_search") or asked.query.get("rows") == "0":
            return None
        start = int(asked.query.get("start", 0))
        page = [{"id": f"{start}-{n}", "name": f"{start}-{n}", "title": "t"} for n in range(1000)]
        return Answered({"success": True, "result": {"count": 10**9, "results": page}})

    site.instead = endless

    report = harvest(workplace, site)

    assert report["verdict"] == "partial"
    assert "says it has 40 datasets" in report["message"]


# --- losses ---


def test_what_a_complete_harvest_misses_is_asked_for_before_it_is_called_lost(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    gone = site.packages.pop("p003")
    site.hidden = {"p004"}
    site.instead = lambda asked: Answered(b"", 500) if "fl" in asked.query else None

    report = harvest(workplace, site)

    # The index no longer counts p003, and p004 is in no page and on no list, but answers to its name.
    assert report["delisted"] == (1 if report["verdict"] == "complete" else 0)
    site.hidden, site.instead = set(), lambda _: None
    report = harvest(workplace, site, fresh=True)
    assert values(catalog, "SELECT identifier FROM dataset WHERE state = 'absent'") == ["p003"]
    site.packages["p003"] = gone
    assert harvest(workplace, site)["recovered"] == 1
    assert values(catalog, "SELECT state FROM loss") == ["recovered"]


def test_a_loss_is_confirmed_by_harvests_and_days_and_not_before(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    del site.packages["p003"]
    reports = [harvest(workplace, site) for _ in range(4)]

    assert [report["delisted"] for report in reports] == [1, 0, 0, 0]
    assert sum(report["confirmed"] for report in reports) == 0
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE loss SET suspected_at = now() - interval '15 days'"))
    assert harvest(workplace, site)["confirmed"] == 1
    assert values(catalog, "SELECT state || ' ' || kind FROM loss") == ["confirmed delisted"]


def test_a_mass_drop_alarms_nobody_and_is_dismissed_when_it_was_a_fault(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    kept = dict(site.packages)
    site.packages = {key: kept[key] for key in FORTY[:10]}

    report = harvest(workplace, site)

    assert (report["verdict"], report["delisted"], report["withheld"]) == ("complete", 0, 30)
    assert "fault" in report["message"]
    assert value(catalog, "SELECT count(*) FROM dataset WHERE state = 'absent'") == 0
    site.packages = kept
    harvest(workplace, site)
    assert set(values(catalog, "SELECT state || ' ' || kind FROM loss")) == {"dismissed harvest-fault"}


def test_only_a_complete_harvest_marks_absences(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    del site.packages["p003"]
    site.instead = fails_from(30)

    report = harvest(workplace, site)

    assert (report["verdict"], report["delisted"]) == ("partial", 0)
    assert value(catalog, "SELECT count(*) FROM loss") == 0


# --- increments ---


def test_an_increment_reads_only_what_changed_and_marks_nothing_as_lost(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    del site.packages["p000"]
    site.adds("p001", title="Another title", metadata_modified="2026-02-01T00:00:00.000000")
    site.adds("q001", metadata_modified="2026-02-02T00:00:00.000000")

    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE portal SET watermark = '2026-01-20T00:00:00Z'"))
    report = harvest(workplace, site, mode="auto")

    assert (report["mode"], report["verdict"]) == ("increment", "plausible")
    assert (report["seen"], report["new"], report["changed"]) == (2, 1, 1)
    assert report["delisted"] == 0
    assert (
        value(catalog, "SELECT watermark FROM portal WHERE slug = 'site'")
        .isoformat()
        .startswith("2026-02-02")
    )


def test_what_a_portal_cannot_tell_apart_is_read_whole(workplace: Workplace, site: CkanSite) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    site.refuses_windows = True

    report = harvest(workplace, site, mode="increment")

    assert (report["mode"], report["verdict"], report["seen"]) == ("full", "complete", 40)


def test_everything_is_read_when_the_last_full_harvest_is_old(
    workplace: Workplace, site: CkanSite, catalog: Catalog
) -> None:
    site.adds(*FORTY)
    harvest(workplace, site)
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE harvest SET started_at = now() - interval '8 days'"))

    assert harvest(workplace, site, mode="auto")["mode"] == "full"
    assert harvest(workplace, site, mode="auto")["mode"] == "increment"


def test_a_mode_that_is_none_is_refused(workplace: Workplace, site: CkanSite) -> None:
    with pytest.raises(SetupError, match="auto, full, increment"):
        harvest(workplace, site, mode="everything")


# --- private portals ---


def test_a_private_portal_gets_its_secret_and_the_catalog_never_does(
    workplace: Workplace, site: CkanSite, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.adds(*FORTY[:3])
    add_portal(
        workplace, f"ckan:{site.url}", slug="private", headers=["Authorization: ${SHELTER_SECRET_SITE}"]
    )
    with pytest.raises(SetupError, match="SHELTER_SECRET_SITE is not set"):
        harvest_portal(workplace, "private", mode="full")
    monkeypatch.setenv("SHELTER_SECRET_SITE", "hunter2")

    report = harvest_portal(workplace, "private", mode="full")

    assert report["verdict"] == "complete"
    assert {
        asked.headers.get("Authorization") for asked in site.site.asked if "robots" not in asked.path
    } == {"hunter2"}
    assert "hunter2" not in str(values(catalog, "SELECT portal::text FROM portal")) + str(report)
    assert portal_table(workplace)[-1]["headers"] == ["Authorization"]


def test_adding_a_portal_again_changes_only_what_is_given(workplace: Workplace, site: CkanSite) -> None:
    add_portal(workplace, f"ckan:{site.url}", slug="site", delay_seconds=0, nightly=False)
    add_portal(workplace, f"ckan:{site.url}")

    default, row = portal_table(workplace)

    assert default["portal"] == "catalog-data-gov"
    assert (row["portal"], row["nightly"], row["delay_seconds"]) == ("site", False, 0)
    add_portal(workplace, f"ckan:{site.url}", nightly=True)
    assert portal_table(workplace)[1]["nightly"] is True
