"""Troubles of a real catalog told to real channels: once, again after a day, at their end, and never as a flood."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.gauges import read_gauges
from shelter_pipeline.catalog.scrubs import note_scrub
from shelter_pipeline.domain.troubles import Trouble
from shelter_pipeline.operations.alerts import (
    EngineSigns,
    alerts_report,
    look,
    look_and_tell,
    send_test,
    stand_in,
    tell,
)
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.hook_server import HookServer, serving_hooks
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.workplaces import a_workplace

FOUND: dict[str, Any] = {
    "ok": 7,
    "damaged": 0,
    "missing": 0,
    "extra": 0,
    "bytes_read": 7,
    "damaged_files": [],
    "missing_files": [],
}
DAMAGED = FOUND | {"damaged": 1, "damaged_files": ["blobs/sha256/aa\x00"]}
HARVEST = (
    "INSERT INTO portal (slug, kind, url) VALUES ('night', 'ckan', 'https://night.example') ON CONFLICT DO NOTHING;"
    " INSERT INTO harvest (portal_id, verdict, message, finished_at)"
    " SELECT id, 'unreachable', 'it <!channel> said\nno', now() FROM portal WHERE slug = 'night'"
)
WORKER = (
    "INSERT INTO worker (name, host, release, slots, queues, clock_offset_seconds, started_at, beat_at, ending)"
    " SELECT name, host, '1', 1, '{}', 0, now() - CAST(started AS interval), now() - CAST(beat AS interval), ending"
    " FROM (VALUES ('w1', 'machine', '2 hours', '1 hour', false), ('older', 'machine', '3 days', '2 days', false),"
    " ('ended', 'machine', '2 hours', '1 hour', true), ('b.1', 'busy', '2 hours', '1 hour', false),"
    " ('b.2', 'busy', '30 minutes', '0 hours', false)) AS said (name, host, started, beat, ending)"
)


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with serving_hooks(HookServer()) as server:
        yield server


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path, hooks: HookServer) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store", alert_webhook_url=f"{hooks.url}/hook") as opened:
        yield opened


def change(catalog: Catalog, text: str, **parameters: Any) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text(text), parameters)


def later(catalog: Catalog, interval: str = "11 minutes") -> None:
    """Time goes by for everything that alerts remember."""
    for table, columns in {
        "alert": ("first_seen_at", "last_seen_at", "cleared_at"),
        "alert_telling": ("told_at", "end_told_at"),
        "alert_channel": ("told_at", "busy_until"),
    }.items():
        moved = ", ".join(f"{name} = {name} - CAST('{interval}' AS interval)" for name in columns)
        change(catalog, f"UPDATE {table} SET {moved}")  # noqa: S608


def told(hooks: HookServer) -> list[tuple[str, str, str]]:
    """Standing, kind and thing of all that was sent so far, which is forgotten."""
    found = [
        (trouble["standing"], trouble["kind"], trouble["thing"])
        for document in hooks.documents
        for trouble in document["troubles"]
    ]
    hooks.taken.clear()
    return found


def test_a_trouble_is_told_once_reminded_after_a_day_and_its_end_is_told(
    workplace: Workplace, hooks: HookServer
) -> None:
    catalog, name = workplace.catalog, workplace.store.name
    note_scrub(catalog, name, DAMAGED)
    tick: Callable[[], dict[str, str]] = lambda: look_and_tell(workplace, EngineSigns())  # noqa: E731

    assert tick() == {"webhook": "told 1"}
    assert told(hooks) == [("new", "blobs-damaged", name)]
    later(catalog, "31 minutes")
    assert tick() == {"webhook": "told 0"}
    later(catalog, "1 day")
    tick()
    assert told(hooks) == [("still", "blobs-damaged", name)]

    note_scrub(catalog, name, FOUND)
    tick()  # it may be back in a minute
    assert told(hooks) == []
    later(catalog, "31 minutes")
    tick()
    assert told(hooks) == [("ended", "blobs-damaged", name)]
    later(catalog, "31 minutes")
    assert tick() == {"webhook": "told 0"}
    assert alerts_report(workplace)["open"] == []


def test_what_happens_soon_after_a_message_waits_and_is_told_as_one(
    workplace: Workplace, hooks: HookServer
) -> None:
    first = [Trouble("run-failed", "rescore", "run 1")]
    look_and_tell(workplace, EngineSigns(first))
    for number in range(30):
        more = [Trouble("run-failed", f"plan_organizations o{n}", "run") for n in range(number)]
        assert look_and_tell(workplace, EngineSigns(first + more)) == {"webhook": "rests"}
    later(workplace.catalog, "31 minutes")
    look_and_tell(workplace, EngineSigns(first + more))

    assert [document["counts"]["new"] for document in hooks.documents] == [1, 29]


def test_every_kind_of_trouble_is_seen_where_the_catalog_shows_it(
    workplace: Workplace, hooks: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = workplace.catalog
    for statement in (HARVEST, WORKER):
        change(catalog, statement)
    change(
        catalog,
        "INSERT INTO organization (portal_id, slug, key, name) SELECT id, o, o, o FROM portal,"
        " unnest(ARRAY['epa', 'noaa']) AS o WHERE portal.slug = 'night'",
    )
    change(
        catalog,
        "INSERT INTO batch (key, organization_id, number, state, files, bytes, not_before)"
        " SELECT key || '.mixed.' || n, id, n, CASE WHEN n = 1 THEN 'planned' ELSE 'failed' END, 1, 1,"
        " now() - interval '7 hours' FROM organization, generate_series(1, 3) AS n WHERE key = 'epa'",
    )
    change(
        catalog,
        "WITH lost AS (INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw,"
        " record_hash) SELECT portal_id, id, 'a', 'a', 'A', '{}', sha256('') FROM organization WHERE key = 'noaa'"
        " RETURNING id, portal_id) INSERT INTO loss (portal_id, dataset_id, kind, harvest_id, state, evidence)"
        " SELECT lost.portal_id, lost.id, 'delisted', harvest.id, 'withheld', '{\"breaker\": \"noaa\"}'"
        " FROM lost, harvest",
    )
    note_scrub(catalog, workplace.store.name, DAMAGED)
    full = replace(workplace, settings=workplace.settings.model_copy(update={"store_reserve_bytes": 2**60}))
    monkeypatch.setattr(type(workplace.store), "room_bytes", lambda *_: 0)

    look_and_tell(
        full,
        EngineSigns(
            [Trouble("run-failed", "refresh_portal night", "r"), Trouble("run-failed", "fixity", "r")]
        ),
    )

    assert sorted(told(hooks)) == [
        ("new", "batches-failed", "epa"),
        ("new", "blobs-damaged", workplace.store.name),
        ("new", "breaker-tripped", "night noaa"),
        ("new", "harvest-failed", "night"),
        ("new", "no-room", workplace.store.name),
        ("new", "queue-stuck", "downloads"),
        ("new", "run-failed", "fixity"),
        ("new", "worker-lost", "w1"),
    ]
    kinds = {row["kind"] for row in alerts_report(workplace)["open"]}
    gauges = {row["kind"]: row["value"] for row in read_gauges(catalog) if row["name"] == "shelter_alerts"}
    assert gauges == dict.fromkeys(kinds, 1)


def test_a_queue_that_a_person_paused_is_not_stuck_and_one_that_moves_is_not_either(
    workplace: Workplace, hooks: HookServer
) -> None:
    change(workplace.catalog, HARVEST.replace("unreachable", "complete"))
    change(
        workplace.catalog,
        "INSERT INTO organization (portal_id, slug, key, name) SELECT id, 'epa', 'epa', 'EPA' FROM portal"
        " WHERE slug = 'night'",
    )
    change(
        workplace.catalog,
        "INSERT INTO batch (key, organization_id, number, files, bytes, not_before)"
        " SELECT 'epa.mixed.1', id, 1, 1, 1, now() - interval '7 hours' FROM organization",
    )
    look_and_tell(workplace, EngineSigns(downloads_paused=True))
    assert told(hooks) == []

    change(
        workplace.catalog,
        "INSERT INTO batch (key, organization_id, number, state, files, bytes, finished_at)"
        " SELECT 'epa.mixed.2', id, 2, 'done', 1, 1, now() - interval '1 hour' FROM organization",
    )
    look_and_tell(workplace, EngineSigns())
    assert told(hooks) == []


def test_a_channel_that_is_away_blocks_no_other_rests_and_catches_up(
    catalog_url: str, tmp_path: Path, hooks: HookServer
) -> None:
    (port,) = free_ports(1)
    channels = {
        "alert_webhook_url": f"{hooks.url}/hook",
        "alert_slack_url": f"http://127.0.0.1:{port}/T0/secret-token",
    }
    with a_workplace(catalog_url, tmp_path / "store", **channels) as workplace:
        note_scrub(workplace.catalog, workplace.store.name, DAMAGED)
        outcomes = look_and_tell(workplace, EngineSigns())

        assert outcomes == {"webhook": "told 1", "slack": "failed: nobody listens there"}
        assert tell(workplace)["slack"] == "rests"
        (_, slack) = alerts_report(workplace)["channels"]
        assert (slack["failures"], slack["problem"]) == (1, "nobody listens there")
        gauges = {(row["name"], row["kind"]): row["value"] for row in read_gauges(workplace.catalog)}
        assert gauges["shelter_alert_channel_failures", "slack"] == 1

    hooks.taken.clear()
    with a_workplace(
        catalog_url, tmp_path / "store", **channels | {"alert_slack_url": f"{hooks.url}/T0/x"}
    ) as workplace:
        later(workplace.catalog)
        look_and_tell(workplace, EngineSigns())
        assert [
            "Damaged or missing" in str(document) for path, document in hooks.taken if path == "/T0/x"
        ] == [True]
        assert alerts_report(workplace)["channels"][1]["problem"] is None


def test_a_test_message_that_arrives_ends_the_rest_of_a_channel(
    workplace: Workplace, hooks: HookServer
) -> None:
    note_scrub(workplace.catalog, workplace.store.name, DAMAGED)
    hooks.status = 500
    assert look_and_tell(workplace, EngineSigns()) == {"webhook": "failed: it answers 500"}
    assert send_test(workplace.settings) == {"webhook": "it answers 500"}
    assert tell(workplace) == {"webhook": "rests"}

    hooks.status = 200
    assert send_test(workplace.settings) == {"webhook": "sent"}
    assert tell(workplace) == {"webhook": "told 1"}


def test_eight_that_look_and_tell_at_once_tell_once(workplace: Workplace, hooks: HookServer) -> None:
    note_scrub(workplace.catalog, workplace.store.name, DAMAGED)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: look_and_tell(workplace, EngineSigns()), range(8)))

    assert len(hooks.documents) == 1


def test_without_the_engine_what_only_it_can_tell_stays_open(workplace: Workplace) -> None:
    look(workplace, EngineSigns([Trouble("run-failed", "rescore", "run 1")]))
    later(workplace.catalog)

    look(workplace)

    assert [row["thing"] for row in alerts_report(workplace)["open"]] == ["rescore"]


def test_a_dagster_that_fell_silent_is_told_by_whoever_stands_in_until_it_looks_again(
    workplace: Workplace, hooks: HookServer
) -> None:
    assert stand_in(workplace) == {}  # there is none to miss
    look(workplace, EngineSigns([Trouble("run-failed", "rescore", "run 1")]))
    assert stand_in(workplace) == {}

    change(workplace.catalog, "UPDATE alert_look SET looked_at = now() - interval '1 hour'")
    stand_in(workplace)
    assert sorted(told(hooks)) == [("new", "daemon-silent", "Dagster"), ("new", "run-failed", "rescore")]
    later(workplace.catalog, "31 minutes")
    assert stand_in(workplace) == {"webhook": "told 0"}

    look(workplace, EngineSigns())
    later(workplace.catalog, "31 minutes")
    look_and_tell(workplace, EngineSigns())
    assert ("ended", "daemon-silent", "Dagster") in told(hooks)


def test_the_report_is_plain_enough_for_json(workplace: Workplace) -> None:
    note_scrub(workplace.catalog, workplace.store.name, DAMAGED)
    look(workplace, EngineSigns())

    report = json.loads(json.dumps(alerts_report(workplace), default=str))

    assert report["open"][0]["severity"] == "urgent"
    assert report["channels"][0]["told_at"] is None
