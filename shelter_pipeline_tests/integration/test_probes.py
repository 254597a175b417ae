"""Which files are probed and in which order, what their probes leave in the catalog, and what a killed run costs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.batches import plannable_assets
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.probes import (
    DueAsset,
    Probed,
    record_probes,
    release_probes,
    renew_probes,
    take_probes,
)
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.probing import OK, Bounds, Probe, after_probe
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.probe_assets import probe_assets, probe_organization, size_class
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline_tests.support.behaviours import by_method
from shelter_pipeline_tests.support.fault_server import KEEP, FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.workplaces import a_workplace, settings_for

LEASE_SECONDS = 600.0


@pytest.fixture
def portal(catalog: Catalog) -> Catalog:
    """A portal with two organizations, a dataset and a resource of each."""
    with catalog.begin() as connection:
        for line in (
            "INSERT INTO asset_kind (slug, label, family) VALUES ('csv', 'CSV', 'table')",
            "INSERT INTO portal (slug, kind, url) VALUES ('p', 'ckan', 'https://p.example')",
            (
                "INSERT INTO organization (portal_id, slug, key, name)"
                " SELECT id, name, name, name FROM portal, unnest(ARRAY['epa', 'noaa']) AS name"
            ),
            (
                "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)"
                " SELECT portal_id, id, slug, slug, slug, '{}', sha256('') FROM organization"
            ),
            (
                "INSERT INTO resource (dataset_id, key, position, role, url, discovered_at, outcome)"
                " SELECT id, 'r', 1, 'download', 'https://a.example/', now(), 'found' FROM dataset"
            ),
        ):
            connection.execute(sa.text(line))
    return catalog


def add(catalog: Catalog, *urls: str, organization: str = "epa", **columns: Any) -> list[int]:
    """Assets of an organization, in this order."""
    ids = []
    with catalog.begin() as connection:
        if columns.get("sha256"):
            for line in (
                "INSERT INTO store (name) VALUES ('s') ON CONFLICT DO NOTHING",
                "INSERT INTO blob (sha256, size) VALUES (:sha256, :size) ON CONFLICT DO NOTHING",
                ("INSERT INTO copy (sha256, store_id) SELECT :sha256, id FROM store ON CONFLICT DO NOTHING"),
            ):
                connection.execute(sa.text(line), columns)
        for text in urls:
            url = parse_url(text)
            row = {"url": url.text, "url_hash": url.digest, "host": url.host, "kind": "csv"} | columns
            connection.execute(
                sa.text("INSERT INTO host (name) VALUES (:h) ON CONFLICT DO NOTHING"), {"h": url.host}
            )
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            insert = f"INSERT INTO asset ({names}) VALUES ({values}) RETURNING id"  # noqa: S608
            ids.append(connection.execute(sa.text(insert), row).scalar_one())
            connection.execute(
                sa.text(
                    "INSERT INTO asset_resource (asset_id, resource_id, via) SELECT :id, resource.id, 'direct'"
                    " FROM resource JOIN dataset ON dataset.id = dataset_id"
                    " JOIN organization ON organization.id = organization_id WHERE organization.slug = :slug"
                ),
                {"id": ids[-1], "slug": organization},
            )
    return ids


def held(**changes: Any) -> dict[str, Any]:
    """The columns of an asset that we hold, due for nothing."""
    month = datetime.now(UTC) + timedelta(days=30)
    return {
        "state": "held",
        "reason": "stored",
        "sha256": "a" * 64,
        "size": 10,
        "etag": '"v1"',
        "next_attempt_at": month,
    } | changes


def take(catalog: Catalog, **changes: Any) -> list[DueAsset]:
    options: dict[str, Any] = {
        "portal_id": None,
        "organization_id": None,
        "limit": 100,
        "per_host": 100,
        "lease_seconds": LEASE_SECONDS,
    }
    return take_probes(catalog, **(options | changes))


def ids_of(taken: Sequence[DueAsset]) -> list[int]:
    return [asset.history.asset_id for asset in taken]


def told(asset: DueAsset, reason: str = OK, **facts: Any) -> Probed:
    probe = Probe(asset.url, asset.url, reason, datetime.now(UTC), **facts)
    return Probed(asset, probe, after_probe(asset.history, probe, Bounds()))


def probe_all(catalog: Catalog, reason: str = OK, **facts: Any) -> list[int]:
    taken = take(catalog)
    record_probes(catalog, [told(asset, reason, **facts) for asset in taken])
    return ids_of(taken)


def make_due(catalog: Catalog) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE probe SET due_at = now() - interval '1 minute'"))


def row(catalog: Catalog, table: str, asset_id: int) -> dict[str, Any]:
    key = "id" if table == "asset" else "asset_id"
    with catalog.begin() as connection:
        found = connection.execute(sa.text(f"SELECT * FROM {table} WHERE {key} = :id"), {"id": asset_id})  # noqa: S608
        return dict(found.mappings().one())


def test_wanted_files_without_a_size_come_first_then_what_is_due_then_what_we_hold(portal: Catalog) -> None:
    (again,) = add(portal, "https://a.example/again")
    probe_all(portal)
    make_due(portal)
    (kept,) = add(portal, "https://a.example/kept", **held())
    (sized,) = add(portal, "https://a.example/sized", expected_size=7)
    (unsized,) = add(portal, "https://a.example/unsized")

    assert ids_of(take(portal)) == [unsized, sized, again, kept]


def test_hosts_take_turns_and_none_has_more_than_its_share(portal: Catalog) -> None:
    one = add(portal, *(f"https://a.example/{n}" for n in range(5)))
    other = add(portal, *(f"https://b.example/{n}" for n in range(2)))

    assert ids_of(take(portal, limit=4)) == [one[0], other[0], one[1], other[1]]
    assert ids_of(take(portal, per_host=2)) == [one[2], one[3]]
    assert ids_of(take(portal, busy_hosts=["a.example:443"])) == []


def test_a_host_that_rests_is_passed_over(portal: Catalog) -> None:
    add(portal, "https://a.example/f")
    with portal.begin() as connection:
        connection.execute(sa.text("UPDATE host SET rest_until = now() + interval '1 hour'"))

    assert take(portal) == []


@pytest.mark.parametrize(
    "columns", [{"state": "failed", "reason": "not-found"}, {"state": "dead", "reason": "interrupted"}]
)
def test_what_is_given_up_or_rests_after_a_failure_is_not_probed(
    portal: Catalog, columns: dict[str, Any]
) -> None:
    add(portal, "https://a.example/f", **columns)

    assert take(portal) == []


def test_files_on_ftp_servers_are_probed_as_all_others(portal: Catalog) -> None:
    (asset_id,) = add(portal, "ftp://a.example/f.csv")

    assert ids_of(take(portal)) == [asset_id]


def test_only_the_portal_or_organization_asked_for_is_probed(portal: Catalog) -> None:
    (epa,) = add(portal, "https://a.example/epa")
    (noaa,) = add(portal, "https://a.example/noaa", organization="noaa")
    with portal.begin() as connection:
        owners = dict(connection.execute(sa.text("SELECT slug, id FROM organization")).all())
        portal_id = connection.execute(sa.text("SELECT id FROM portal")).scalar_one()

    assert ids_of(take(portal, portal_id=portal_id + 1)) == []
    assert ids_of(take(portal, organization_id=owners["noaa"])) == [noaa]
    assert ids_of(take(portal, portal_id=portal_id)) == [epa]


def test_two_runs_never_take_the_same_file(portal: Catalog) -> None:
    wanted = add(portal, *(f"https://h{n % 7}.example/{n}" for n in range(200)))

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: ids_of(take(portal, limit=20)), range(20)))

    taken = [asset_id for part in parts for asset_id in part]
    assert len(taken) == len(set(taken))
    rest = ids_of(take(portal, limit=1000, per_host=1000))
    assert sorted([*taken, *rest]) == sorted(wanted)


def test_what_was_taken_and_never_told_is_anybodys_when_the_lease_is_over(portal: Catalog) -> None:
    wanted = add(portal, "https://a.example/1", "https://a.example/2")

    assert ids_of(take(portal, lease_seconds=0.2)) == wanted
    assert take(portal) == []
    renew_probes(portal, wanted[:1], lease_seconds=LEASE_SECONDS)
    time.sleep(0.25)
    assert ids_of(take(portal)) == wanted[1:]
    release_probes(portal, wanted)
    assert ids_of(take(portal)) == wanted


def test_what_a_probe_told_is_kept_and_its_size_is_an_estimate_only(portal: Catalog) -> None:
    (asset_id,) = add(portal, "https://a.example/f")
    facts = {"size": 99, "etag": '"e"', "media_type": "text/csv", "accepts_ranges": True, "filename": "f.csv"}

    probe_all(portal, method="HEAD", status=200, requests=1, **facts)

    kept, asset = row(portal, "probe", asset_id), row(portal, "asset", asset_id)
    assert {name: kept[name] for name in facts} == facts
    assert (kept["reason"], kept["interval_seconds"], kept["taken_until"]) == (OK, 86_400, None)
    assert timedelta(hours=19) < kept["due_at"] - datetime.now(UTC) <= timedelta(hours=24)
    assert (asset["estimated_size"], asset["expected_size"], asset["size"]) == (99, None, None)
    assert (asset["state"], asset["media_type"], asset["probed"]) == ("pending", None, True)


def test_an_estimate_makes_batches_and_scores_but_gives_way_to_a_promise(portal: Catalog) -> None:
    add(portal, "https://a.example/1")
    add(portal, "https://a.example/2", expected_size=5)
    probe_all(portal, size=99)
    with portal.begin() as connection:
        owner = connection.execute(sa.text("SELECT id FROM organization WHERE slug = 'epa'")).scalar_one()

    assert [asset.size for asset in plannable_assets(portal, owner)] == [99, 5]


def test_a_failure_takes_nothing_away_that_an_earlier_probe_saw(portal: Catalog) -> None:
    (asset_id,) = add(portal, "https://a.example/f")
    probe_all(portal, size=99, etag='"e"')
    make_due(portal)

    assert probe_all(portal, "dns-failed", detail="no \x00 name") == [asset_id]

    kept = row(portal, "probe", asset_id)
    assert (kept["reason"], kept["failures"], kept["detail"]) == ("dns-failed", 1, "no \ufffd name")
    assert (kept["size"], kept["etag"]) == (99, '"e"')
    assert row(portal, "asset", asset_id)["estimated_size"] == 99


def test_looks_are_counted_as_the_same_version_or_another(portal: Catalog) -> None:
    (asset_id,) = add(portal, "https://a.example/f")
    for etag in ('"1"', '"1"', '"1"', '"2"'):
        probe_all(portal, etag=etag)
        make_due(portal)

    kept = row(portal, "probe", asset_id)

    assert (kept["same"], kept["changed"], kept["interval_seconds"]) == (2, 1, 2 * 86_400)


@pytest.mark.parametrize(
    ("reason", "facts", "alarm"),
    [
        (OK, {"etag": '"v2"'}, "changed"),
        (OK, {"etag": '"v1"', "size": 10}, None),
        ("not-found", {}, "gone"),
        ("gone", {}, "gone"),
        ("server-error", {}, None),
    ],
)
def test_a_held_file_is_due_at_once_if_it_changed_or_is_gone_and_stays_held(
    portal: Catalog, reason: str, facts: dict[str, Any], alarm: str | None
) -> None:
    (asset_id,) = add(portal, "https://a.example/f", **held())

    probe_all(portal, reason, **facts)

    asset = row(portal, "asset", asset_id)
    assert (asset["next_attempt_at"] <= datetime.now(UTC)) == (alarm is not None)
    assert (asset["state"], asset["reason"], asset["etag"]) == ("held", "stored", '"v1"')
    assert row(portal, "probe", asset_id)["alarm"] == alarm


def test_what_only_a_person_brings_back_is_brought_back_by_a_change(portal: Catalog) -> None:
    (asset_id,) = add(portal, "https://a.example/f", **held(next_attempt_at=None))

    probe_all(portal, etag='"v2"')

    assert row(portal, "asset", asset_id)["next_attempt_at"] is not None


def test_recording_twice_counts_once(portal: Catalog) -> None:
    (asset_id,) = add(portal, "https://a.example/f")
    probe_all(portal, etag='"1"')
    make_due(portal)
    probed = [told(asset, etag='"2"') for asset in take(portal)]

    record_probes(portal, probed)
    record_probes(portal, probed)

    assert row(portal, "probe", asset_id)["changed"] == 1


# The operation


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def workplace(portal: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


def test_a_run_probes_all_that_is_due_and_says_what_it_learned(
    workplace: Workplace, server: FaultServer
) -> None:
    sizes = (10, 5_000, 2_000_000)
    files = [
        server.serves(
            f"/{size}",
            head(f"Content-Length: {size}", "Accept-Ranges: bytes", "Content-Type: text/csv"),
            KEEP,
        )
        for size in sizes
    ]
    part = (
        head("Content-Length: 1", "Content-Range: bytes 0-0/77", status="206 Partial Content") + b"x",
        KEEP,
    )
    files += [
        server.serves_in_turn("/lie", by_method(head=(head("Content-Length: 0"), KEEP), get=part)),
        server.serves("/gone", *whole(b"", status="410 Gone")),
        server.serves("/page", *whole(b"<html>", "Content-Type: text/html")),
    ]
    add(workplace.catalog, *files)
    counts: list[int] = []

    result = probe_assets(workplace, "p", progress=counts.append)

    assert result.pop("seconds") < 30
    assert result == {
        "probed": 6,
        "requests": 9,
        "by_reason": {OK: 4, "gone": 1, "html-instead": 1},
        "sizes": {"up to 1 kB": 2, "up to 1 MB": 1, "up to 100 MB": 1},
        "known_bytes": 2_005_087,
        "with_ranges": 4,
        "changed": 0,
        "gone": 0,
    }
    assert counts[-1] == 6
    assert probe_assets(workplace, "p")["probed"] == 0


def test_a_run_ends_at_its_limit_and_none_at_zero(workplace: Workplace, server: FaultServer) -> None:
    add(workplace.catalog, *(server.serves(f"/{n}", head("Content-Length: 9"), KEEP) for n in range(30)))

    assert probe_assets(workplace, "p", limit=0)["probed"] == 0
    assert probe_assets(workplace, "p", limit=7)["probed"] == 7
    assert len(server.log) == 8  # one is for the robots.txt
    assert probe_organization(workplace, "epa")["probed"] == 23
    with pytest.raises(SetupError):
        probe_organization(workplace, "nobody")


def test_more_files_of_one_host_than_are_in_hand_are_all_probed(
    workplace: Workplace, server: FaultServer
) -> None:
    wanted = add(
        workplace.catalog, *(server.serves(f"/{n}", head("Content-Length: 9"), KEEP) for n in range(230))
    )

    assert probe_assets(workplace, None)["probed"] == len(wanted)
    assert len(server.log) == len(wanted) + 1


def test_a_host_that_asks_for_rest_is_left_alone_for_the_rest_of_the_run(
    workplace: Workplace, server: FaultServer
) -> None:
    busy = (head("Retry-After: 7200", "Content-Length: 0", status="429 Slow"), KEEP)
    urls = [server.serves(f"/{n}", *busy) for n in range(40)]
    wanted = add(workplace.catalog, *urls)

    result = probe_assets(workplace, "p")

    assert set(result["by_reason"]) <= {"rate-limited", "host-rests"}
    assert result["by_reason"]["rate-limited"] <= 8  # what was under way when it said so
    kept = row(workplace.catalog, "probe", wanted[0])
    assert kept["due_at"] - datetime.now(UTC) > timedelta(minutes=59)
    assert take(workplace.catalog) == []


def run_for_the_kill(settings: Any) -> None:
    with open_workplace(settings, migrated=False) as opened:
        probe_assets(opened, "p")


def test_a_run_that_is_killed_loses_nothing_and_the_next_one_does_the_rest(
    portal: Catalog, catalog_url: str, tmp_path: Path, server: FaultServer
) -> None:
    urls = [
        server.serves(f"/{n}", Pause(0.02), head("Content-Length: 9", "Content-Type: text/csv"), KEEP)
        for n in range(600)
    ]
    wanted = add(portal, *urls)
    settings = settings_for(catalog_url, tmp_path / "store", lease_seconds=1.5, host_connections=2)
    worker = multiprocessing.get_context("spawn").Process(
        target=run_for_the_kill, args=(settings,), daemon=True
    )
    worker.start()
    until = time.monotonic() + 60
    while (done := counted(portal)) < 50 and time.monotonic() < until:
        time.sleep(0.02)
    assert worker.pid is not None
    with suppress(ProcessLookupError):
        os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    assert 0 < done < len(wanted)
    time.sleep(1.6)  # the lease

    # More at once, for the slots of the one that was killed are its own for a while.
    with a_workplace(catalog_url, tmp_path / "store", host_connections=4) as opened:
        result = probe_assets(opened, "p")

    assert result["by_reason"] == {OK: result["probed"]}
    assert counted(portal) == len(wanted)
    assert len(server.log) < len(wanted) + 250  # what was in hand is asked for once more


def counted(catalog: Catalog) -> int:
    with catalog.begin() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM probe WHERE reason = 'ok'")).scalar_one())


def test_a_run_that_is_interrupted_keeps_what_it_knows_and_gives_the_rest_back(
    workplace: Workplace, server: FaultServer
) -> None:
    urls = [server.serves(f"/{n}", Pause(0.02), head("Content-Length: 9"), KEEP) for n in range(600)]
    add(workplace.catalog, *urls)

    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probe_assets(workplace, "p", progress=stop)

    known = counted(workplace.catalog)
    assert known > 0
    assert len(take(workplace.catalog, limit=1000, per_host=1000)) == len(urls) - known


@pytest.mark.parametrize(
    ("size", "name"),
    [(None, "unknown"), (1000, "up to 1 kB"), (1001, "up to 1 MB"), (10**10 + 1, "more")],
)
def test_sizes_fall_into_classes(size: int | None, name: str) -> None:
    assert size_class(size) == name
