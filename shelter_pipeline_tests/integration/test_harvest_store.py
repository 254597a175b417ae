"""A harvest is opened, continued, overtaken and ended; only one process at a time may move it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import (
    Harvest,
    end_harvest,
    open_harvest,
    record_group,
    record_witnesses,
    resumable_harvest,
)
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal, Witness
from shelter_pipeline_tests.support.records import a_dataset, a_portal

Group = list[DatasetRecord | Refusal]


def scalar(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def execute(catalog: Catalog, *statements: str) -> None:
    with catalog.begin() as connection:
        for one in statements:
            connection.exec_driver_sql(one)


FIRST: list[Group] = [
    [a_dataset(str(number)) for number in range(10)],
    [a_dataset(str(number)) for number in range(10, 20)],
]


def written(catalog: Catalog) -> tuple[Any, ...]:
    """What a harvest that was overtaken must not have moved."""
    query = "SELECT (SELECT count(*) FROM dataset), (SELECT jsonb_agg(to_jsonb(harvest) ORDER BY id) FROM harvest)"
    with catalog.begin() as connection:
        return tuple(connection.execute(sa.text(query)).one())


def test_pages_that_are_read_twice_after_a_resumption_count_once(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    killed = open_harvest(catalog, portal)
    record_group(catalog, portal, killed, FIRST[0], cursor="0", requests=1)

    harvest = open_harvest(catalog, portal, resume_hours=1)
    counts = record_group(catalog, portal, harvest, FIRST[0] + FIRST[1], cursor="1", requests=1)

    assert (counts.seen, counts.duplicates) == (10, 10)
    assert harvest.read == 20


def test_a_harvest_is_continued_whether_it_was_killed_or_ended_too_early(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    ids = set()
    for verdict in (None, "interrupted", "partial", "unreachable"):
        harvest = open_harvest(catalog, portal, resume_hours=1)
        ids.add(harvest.id)
        record_group(catalog, portal, harvest, [], cursor="next", requests=1)
        if verdict:
            end_harvest(catalog, harvest, verdict=verdict, message="broke off")

    last = open_harvest(catalog, portal, resume_hours=1)

    assert (len(ids), last.id, last.resumed) == (1, ids.pop(), 4)
    assert scalar(catalog, "SELECT count(*) FROM harvest WHERE message IS NULL AND finished_at IS NULL") == 1


@pytest.mark.parametrize(
    "broken_off",
    [
        "UPDATE harvest SET cursor = NULL, verdict = 'partial'",
        "UPDATE harvest SET verdict = 'complete'",
        "UPDATE harvest SET verdict = 'plausible'",
        "UPDATE harvest SET mode = 'increment'",
        "UPDATE harvest SET touched_at = now() - interval '61 minutes'",
        "INSERT INTO harvest (portal_id, mode, verdict) SELECT id, 'increment', 'plausible' FROM portal",
    ],
)
def test_a_harvest_that_cannot_be_continued_is_followed_by_a_new_one(
    catalog: Catalog, broken_off: str
) -> None:
    portal = a_portal(catalog)
    before = open_harvest(catalog, portal)
    record_group(catalog, portal, before, [a_dataset("1")], cursor="next", requests=1)
    execute(catalog, broken_off)

    after = open_harvest(catalog, portal, resume_hours=1)

    assert resumable_harvest(catalog, portal, resume_hours=1) is None
    assert after.id > before.id
    assert (after.cursor, after.groups, after.resumed, after.read) == (None, 0, 0, 0)


def test_an_increment_never_continues_a_full_harvest(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    full = open_harvest(catalog, portal)
    record_group(catalog, portal, full, [a_dataset("1")], cursor="next", requests=1)
    since = datetime(2026, 1, 1, tzinfo=UTC)

    increment = open_harvest(catalog, portal, mode="increment", since=since, resume_hours=1)

    assert (increment.mode, increment.since) == ("increment", since)
    assert increment.id > full.id


def test_a_harvest_that_never_ended_is_closed_by_the_next(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    open_harvest(catalog, portal)

    open_harvest(catalog, portal)

    assert scalar(catalog, "SELECT verdict FROM harvest ORDER BY id LIMIT 1") == "interrupted"
    assert scalar(catalog, "SELECT verdict FROM harvest ORDER BY id DESC LIMIT 1") == "running"


@pytest.mark.parametrize("resume_hours", [0, 1], ids=["a new one", "the same one continued"])
def test_a_harvest_that_another_process_took_over_writes_nothing_more(
    catalog: Catalog, resume_hours: float
) -> None:
    portal = a_portal(catalog)
    slow = open_harvest(catalog, portal)
    record_group(catalog, portal, slow, FIRST[0], cursor="0", requests=1)
    quick = open_harvest(catalog, portal, resume_hours=resume_hours)
    before = written(catalog)

    with pytest.raises(TransientError, match="another harvest of this portal"):
        record_group(catalog, portal, slow, FIRST[0], cursor="1", requests=1)
    with pytest.raises(TransientError, match="another harvest of this portal"):
        record_witnesses(catalog, portal, slow, [Witness("late", 1)])
    row = end_harvest(catalog, slow, verdict="complete", delisted=5)

    assert row["verdict"] == ("running" if resume_hours else "interrupted")
    assert written(catalog) == before
    assert quick.resumed == (1 if resume_hours else 0)


def test_a_group_that_skips_one_is_refused(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    stale = replace(harvest)
    record_group(catalog, portal, harvest, FIRST[0], cursor="0", requests=1)
    record_group(catalog, portal, harvest, FIRST[1], cursor="1", requests=1)

    with pytest.raises(TransientError, match="another harvest of this portal"):
        record_group(catalog, portal, stale, FIRST[0], cursor="0", requests=1)


def test_of_many_processes_that_open_a_harvest_at_once_one_goes_on(catalog: Catalog) -> None:
    portal = a_portal(catalog)

    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: open_harvest(catalog, portal), range(12)))

    still_ours = [harvest for harvest in opened if _may_go_on(catalog, portal, harvest)]
    assert len(still_ours) == 1
    assert scalar(catalog, "SELECT count(*) FROM harvest WHERE verdict = 'running'") == 1


def _may_go_on(catalog: Catalog, portal: PortalRow, harvest: Harvest) -> bool:
    try:
        record_group(catalog, portal, harvest, [], cursor=None, requests=0)
    except TransientError:
        return False
    return True


def test_an_ended_harvest_says_how_long_it_took_and_cannot_be_ended_again(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)

    row = end_harvest(catalog, harvest.id, verdict="partial", message="why", missing=2, surplus=1)
    again = end_harvest(catalog, harvest, verdict="complete")

    assert (row["verdict"], row["message"], row["missing"], row["surplus"]) == ("partial", "why", 2, 1)
    assert row["seconds"] > 0
    assert again == row
