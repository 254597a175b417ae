"""The whole at a glance says what the catalog holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.summaries import refresh_summaries
from shelter_pipeline.operations.overview import read_live, read_overview
from shelter_pipeline.operations.upkeep import refresh_counts
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.api.shelves import WAITING, a_shelf
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.workplaces import a_workplace


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """A workplace whose counts are always old enough."""
    with a_workplace(catalog_url, tmp_path / "store", api_statistics_seconds=0) as opened:
        yield opened


def recount(workplace: Workplace) -> None:
    """Count although it has just been done."""
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text("UPDATE summary SET seconds = 0"))
        connection.execute(sa.text("UPDATE throughput_mark SET seconds = 0"))
    assert refresh_counts(workplace)


def test_nothing_is_told_before_it_was_counted(workplace: Workplace) -> None:
    assert read_overview(workplace) is None

    live = read_live(workplace)
    assert live.figures["held_files"] is None
    assert live.activity == []


def test_a_report_that_an_older_release_did_not_make_is_made_at_once(
    workplace: Workplace, catalog: Catalog
) -> None:
    assert refresh_summaries(catalog, older_than_seconds=3600)
    assert not refresh_summaries(catalog, older_than_seconds=3600)
    with catalog.begin() as connection:
        connection.execute(sa.text("DELETE FROM summary WHERE name = 'holdings'"))
    assert read_overview(workplace) is None

    assert refresh_summaries(catalog, older_than_seconds=3600)

    assert read_overview(workplace) is not None


def test_the_overview_counts_what_there_is(workplace: Workplace, catalog: Catalog) -> None:
    a_shelf(catalog)
    recount(workplace)

    whole = read_overview(workplace)

    assert whole is not None
    assert whole["files"] == {
        "expected": 3,
        "held": 1,
        "waiting": 1,
        "resting": 0,
        "failed": 1,
        "dead": 0,
        "excluded": 0,
    }
    assert whole["reasons"] == {"not-found": 1}
    assert whole["bytes"] == {"expected": 1234, "held": 1234, "waiting": 0, "unsized_files": 2}
    assert (whole["contents"]["blobs"], whole["contents"]["recent_bytes"]) == (1, 1234)
    assert [row["contents"] for row in whole["copies"]["spread"]] == [0, 1, 0, 0]
    assert whole["copies"]["in_stores"] == 1
    assert whole["captures"] == {"stored": 1, "permanent": 1}
    assert [(row["files"], row["bytes"], row["failed"]) for row in whole["days"]] == [(1, 1234, 1)]
    assert [card["name"] for card in whole["largest"]] == ["NOAA", "Agency"] or len(whole["largest"]) == 2
    assert whole["pace"]["estimate"]["reason"] == "too-young"
    assert whole["at_risk"]["single"] == 1


def test_days_without_captures_stand_in_the_timeline(workplace: Workplace, catalog: Catalog) -> None:
    a_shelf(catalog)
    captured(catalog, WAITING, "stored", days_ago=3)
    recount(workplace)

    whole = read_overview(workplace)

    assert whole is not None
    assert len(whole["days"]) == 4
    assert [row["files"] for row in whole["days"]] == [1, 0, 0, 1]
    assert whole["pace"]["estimate"]["reason"] in (None, "nothing-remains")


def test_what_is_stored_after_the_count_is_seen_at_once(workplace: Workplace, catalog: Catalog) -> None:
    a_shelf(catalog)
    recount(workplace)
    before = read_live(workplace)

    captured(catalog, WAITING, "stored", size=100)
    after = read_live(workplace)

    assert (before.figures["held_files"], after.figures["held_files"]) == (1, 2)
    assert after.figures["held_bytes"] - before.figures["held_bytes"] == 100
    assert after.figures["waiting_files"] == 0
    newest = after.activity[0]
    assert (newest["url"], newest["title"], newest["verdict"]) == (WAITING, "Winds aloft", "stored")
    assert newest["finished_at"] > datetime.now(UTC) - timedelta(hours=1)


def test_what_was_found_and_stored_after_the_count_is_seen_and_is_never_more_than_is_known(
    workplace: Workplace, catalog: Catalog
) -> None:
    recount(workplace)
    a_shelf(catalog)
    captured(catalog, WAITING, "stored", size=100)

    figures = read_live(workplace).figures

    assert figures["held_files"] == figures["files"] == 2
    assert figures["held_bytes"] == figures["expected_bytes"] > 100


def test_a_catalog_that_was_empty_is_counted_again_soon(
    catalog_url: str, catalog: Catalog, tmp_path: Path
) -> None:
    with a_workplace(catalog_url, tmp_path / "store", api_statistics_seconds=3600) as workplace:
        assert refresh_counts(workplace)
        a_shelf(catalog)
        with catalog.begin() as connection:
            connection.execute(
                sa.text("UPDATE summary SET counted_at = counted_at - interval '10 seconds', seconds = 0")
            )

        assert refresh_counts(workplace)
        whole = read_overview(workplace)
        assert whole is not None
        assert whole["datasets"]

        with catalog.begin() as connection:
            connection.execute(
                sa.text("UPDATE summary SET counted_at = counted_at - interval '10 seconds', seconds = 0")
            )
        assert not refresh_counts(workplace)


def test_a_new_version_of_a_held_file_is_no_more_files(workplace: Workplace, catalog: Catalog) -> None:
    a_shelf(catalog)
    recount(workplace)

    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO capture (asset_id, verdict, reason, sha256, size)"
                " SELECT asset_id, verdict, reason, sha256, size FROM capture WHERE verdict = 'stored'"
            )
        )

    assert read_live(workplace).figures["held_files"] == 1
