"""Captures by the hour: each counted once, however they come, and none forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog import throughput
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.reading import reading
from shelter_pipeline.catalog.throughput import refresh_throughput, throughput_by
from shelter_pipeline.operations import upkeep
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

URL = "https://files.example/a.csv"
_CAPTURES = """
INSERT INTO capture (asset_id, verdict, reason, late, sha256, size, wire_bytes, started_at, finished_at)
SELECT asset.id, :verdict, CASE :verdict WHEN 'stored' THEN 'stored' ELSE 'not-found' END, :late,
       CASE :verdict WHEN 'stored' THEN asset.sha256 END, 5, 7, :at, :at
  FROM asset, generate_series(1, :count)
"""
_TRUTH = """
SELECT date_trunc('hour', finished_at, 'UTC') AS begins, verdict, count(*) AS captures,
       count(*) FILTER (WHERE verdict = 'stored' AND NOT late) AS files,
       (coalesce(sum(size) FILTER (WHERE verdict = 'stored' AND NOT late), 0))::bigint AS bytes,
       sum(wire_bytes)::bigint AS wire_bytes, min(finished_at) AS first_at
  FROM capture GROUP BY 1, 2 ORDER BY 1, 2
"""
LONG_AGO = datetime(2020, 1, 1, 5, 59, tzinfo=UTC)


@pytest.fixture
def shelf(catalog: Catalog) -> Catalog:
    """A catalog with one file, which is held, and whose captures are still to come."""
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("1", a_resource(URL))])
    discovered(catalog, portal)
    captured(catalog, URL, "stored")
    with catalog.begin() as connection:
        connection.execute(sa.text("DELETE FROM capture"))
        connection.execute(sa.text("DELETE FROM claim"))
    return catalog


def capture(
    connection: sa.Connection, count: int, at: datetime, *, verdict: str = "stored", late: bool = False
) -> None:
    connection.execute(sa.text(_CAPTURES), {"count": count, "at": at, "verdict": verdict, "late": late})


def counted(catalog: Catalog) -> Sequence[dict[str, Any]]:
    with reading(catalog) as connection:
        return throughput_by(connection, "hour", datetime(1990, 1, 1, tzinfo=UTC))


def truth(catalog: Catalog) -> Sequence[dict[str, Any]]:
    with reading(catalog) as connection:
        return [dict(row) for row in connection.execute(sa.text(_TRUTH)).mappings()]


def let_time_pass(catalog: Catalog) -> None:
    """What was seen last was seen a minute ago."""
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE throughput_mark SET seen_at = seen_at - interval '1 minute',"
                " counted_at = counted_at - interval '1 hour'"
            )
        )


def test_every_hour_says_what_was_captured_in_it(shelf: Catalog) -> None:
    with shelf.begin() as connection:
        capture(connection, 3, LONG_AGO)
        capture(connection, 2, LONG_AGO + timedelta(minutes=1))
        capture(connection, 4, LONG_AGO, verdict="permanent")
        capture(connection, 1, LONG_AGO, late=True)

    assert refresh_throughput(shelf)

    assert [
        (row["begins"].hour, row["verdict"], row["captures"], row["files"]) for row in counted(shelf)
    ] == [
        (5, "permanent", 4, 0),
        (5, "stored", 4, 3),
        (6, "stored", 2, 2),
    ]
    assert counted(shelf) == truth(shelf)


def test_what_is_counted_for_good_and_what_is_counted_anew_are_the_whole(
    shelf: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throughput, "_PORTION", 2)
    for number in range(4):
        with shelf.begin() as connection:  # the last of them restored from a store: captures of years ago
            capture(connection, 3, LONG_AGO - timedelta(days=100 * number))
        let_time_pass(shelf)
        assert refresh_throughput(shelf)
        assert counted(shelf) == truth(shelf)

    with shelf.begin() as connection:
        settled = connection.scalar(sa.text("SELECT counted_id FROM throughput_mark"))
    assert settled


def test_a_long_past_is_counted_over_several_calls_and_other_counts_do_not_wait_for_it(
    shelf: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throughput, "_PORTION", 2)
    monkeypatch.setattr(throughput, "_MOST_UNSETTLED", 0)
    monkeypatch.setattr(upkeep, "_PORTIONS", 3)
    with shelf.begin() as connection:
        capture(connection, 20, LONG_AGO)
    refresh_throughput(shelf)  # sees them; they are settled when all who may have drawn a number have ended
    let_time_pass(shelf)

    with a_workplace(shelf.url.render_as_string(hide_password=False), tmp_path) as workplace:
        calls = [upkeep.refresh_counts(workplace)]
        assert 0 < sum(row["captures"] for row in counted(shelf)) <= 6
        while counted(shelf) != truth(shelf):
            calls.append(upkeep.refresh_counts(workplace))

    assert calls == [True, False, False, False]


def test_a_capture_that_is_told_after_later_ones_is_not_forgotten(shelf: Catalog) -> None:
    with shelf.engine.connect() as slow:
        capture(slow, 1, LONG_AGO)  # its id is drawn, and nobody else sees it
        with shelf.begin() as connection:
            capture(connection, 2, LONG_AGO)
        for _ in range(3):
            refresh_throughput(shelf)
            let_time_pass(shelf)
        slow.commit()
    for _ in range(3):
        refresh_throughput(shelf)
        let_time_pass(shelf)

    assert counted(shelf) == truth(shelf)
    assert [row["captures"] for row in counted(shelf)] == [3]


def test_many_that_count_at_the_same_time_count_each_capture_once(
    shelf: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        throughput, "_PORTION", 1
    )  # many short turns, any of which may meet the end of another
    with ThreadPoolExecutor(8) as several:
        for _ in range(3):
            with shelf.begin() as connection:
                capture(connection, 150, LONG_AGO)
            refresh_throughput(shelf)
            let_time_pass(shelf)
            list(several.map(lambda _: [refresh_throughput(shelf) for _ in range(30)], range(8)))

            assert counted(shelf) == truth(shelf)


def test_a_dump_restored_into_another_server_is_counted_on(shelf: Catalog) -> None:
    with shelf.begin() as connection:
        capture(connection, 2, LONG_AGO)
    refresh_throughput(shelf)
    with shelf.begin() as connection:  # numbers of transactions begin anew there
        connection.execute(sa.text("UPDATE throughput_mark SET seen_before = 1000000000000"))
    let_time_pass(shelf)

    refresh_throughput(shelf)

    with shelf.begin() as connection:
        assert connection.scalar(
            sa.text("SELECT counted_id = seen_id OR counted_id > 0 FROM throughput_mark")
        )
    assert counted(shelf) == truth(shelf)


def test_counting_is_not_repeated_before_its_rest_is_over(shelf: Catalog) -> None:
    assert refresh_throughput(shelf, older_than_seconds=3600)
    assert not refresh_throughput(shelf, older_than_seconds=3600)
