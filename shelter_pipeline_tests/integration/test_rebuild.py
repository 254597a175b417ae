"""The database is gone and the store is there: the catalog comes back, and nothing is made up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal, organization_keys
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.rebuilding import (
    NEW,
    Rescued,
    a_rescue_without_database,
    count,
    execute,
    rows,
)
from shelter_pipeline_tests.support.snapshots import assert_equal, snapshot
from shelter_pipeline_tests.support.workplaces import a_workplace

REPORT = {
    *("store", "manifests", "damaged_manifests", "captures", "assets", "blobs", "copies", "missing_blobs"),
    *("unlisted_blobs", "datasets", "organizations", "seconds"),
}


@pytest.fixture(scope="module")
def rescued(postgres: PostgresForTests) -> Iterator[Rescued]:
    """Everything harvested, discovered and rescued; for tests that leave its store alone."""
    with a_rescue_without_database(postgres) as found:
        yield found


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """An empty catalog, and a store that is not the one that it is rebuilt from."""
    with a_workplace(catalog_url, tmp_path / "other") as opened:
        yield opened


@pytest.fixture
def copied(rescued: Rescued, tmp_path: Path) -> LocalStore:
    """The store of the rescue, to be damaged."""
    shutil.copytree(rescued.store, tmp_path / "copied")
    return LocalStore(tmp_path / "copied")


def test_a_catalog_that_was_dropped_comes_back_whole_from_the_store(
    rescued: Rescued, workplace: Workplace
) -> None:
    report = rebuild_catalog(workplace, LocalStore(rescued.store))

    assert set(report) >= REPORT
    assert all(rescued.said[kind] for kind in ("portal", "dataset", "link", "capture", "copy", "batch"))
    assert_equal(snapshot(workplace.catalog), rescued.said)
    assert [report[name] for name in NEW] == [
        len(rescued.said[kind]) for kind in ("capture", "asset", "blob", "copy", "dataset", "organization")
    ]
    assert (report["damaged"], report["missing"], report["problems"]) == ([], [], [])
    assert report["unlisted_blobs"] == 0
    assert set(audit(workplace.catalog).values()) == {0}


def test_rebuilding_twice_is_rebuilding_once(rescued: Rescued, workplace: Workplace) -> None:
    rebuild_catalog(workplace, LocalStore(rescued.store))

    again = rebuild_catalog(workplace, LocalStore(rescued.store))

    assert [again[name] for name in NEW] == [0] * len(NEW)
    assert_equal(snapshot(workplace.catalog), rescued.said)


def test_the_harvest_after_a_rebuild_finds_what_was_restored_unchanged(
    rescued: Rescued, workplace: Workplace
) -> None:
    rebuild_catalog(workplace, LocalStore(rescued.store))
    slug = rescued.said["portal"][0][0]

    report = harvest_portal(workplace, slug, mode="full")
    found = discover_resources(workplace, slug)

    assert report["verdict"] == "complete"
    assert (report["unchanged"], report["changed"]) == (len(rescued.said["dataset"]), 0)
    assert (found["assets"], count(workplace, "asset")) == (0, len(rescued.said["asset"]))
    now = snapshot(workplace.catalog)
    # What rests is looked at sooner where a harvest suspects a loss, as without a rebuild.
    assert_equal(now, {kind: rows for kind, rows in rescued.said.items() if kind != "asset"})


@pytest.mark.parametrize("kind", ["ckan", "dcat_us"])
def test_datasets_of_other_portals_come_back_and_are_unchanged_to_the_next_harvest(
    kind: str, postgres: PostgresForTests, workplace: Workplace
) -> None:
    with a_rescue_without_database(postgres, kind=kind, organizations=2) as rescued:
        rebuild_catalog(workplace, LocalStore(rescued.store))
        found = snapshot(workplace.catalog)
        report = harvest_portal(workplace, rescued.said["portal"][0][0], mode="full")

    assert rescued.said["dataset"]
    rescued.said["asset"] = [row for row in rescued.said["asset"] if row[-1] is not None]  # those of a batch
    assert_equal(
        found, {kind: rescued.said[kind] for kind in ("portal", "dataset", "resource", "asset", "capture")}
    )
    assert (report["changed"], report["unchanged"]) == (0, len(rescued.said["dataset"]))


def test_damaged_manifests_are_named_and_the_rest_is_used(
    rescued: Rescued, copied: LocalStore, workplace: Workplace
) -> None:
    names = [name for name in copied.document_names("manifests/") if "source-records" not in name]
    flip_a_bit(copied.root / names[0])
    stray = copied.root / "manifests" / "2026" / "notes.jsonl"
    stray.write_bytes(b"not a manifest\n")

    report = rebuild_catalog(workplace, copied)

    assert set(report["damaged"]) == {names[0], "manifests/2026/notes.jsonl"}
    assert report["damaged_manifests"] == 2
    assert 0 < report["captures"] < len(rescued.said["capture"])
    assert report["blobs"] == len(rescued.said["blob"])
    assert report["unlisted_blobs"] > 0


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_blob_that_is_missing_is_named_and_its_file_is_wanted_again(
    rescued: Rescued, copied: LocalStore, workplace: Workplace
) -> None:
    sha256 = next(row[10] for row in rescued.said["asset"] if row[8] == "held")
    blob = next(blob for blob in copied.blobs() if blob.sha256 == sha256)
    (copied.root / blob.location).unlink()

    report = rebuild_catalog(workplace, copied)

    assert (report["missing_blobs"], report["missing"]) == (1, [sha256])
    assert count(workplace, "copy", "sha256 = :sha256", sha256=sha256) == 0
    lost = rows(
        workplace,
        "SELECT DISTINCT state, asset.sha256, etag, next_attempt_at <= now() FROM asset"
        " JOIN capture ON capture.asset_id = asset.id WHERE capture.sha256 = :sha256 AND NOT late",
        sha256=sha256,
    )
    assert lost == [("pending", None, None, True)]


def test_a_blob_that_comes_back_makes_its_file_held_again(
    rescued: Rescued, copied: LocalStore, workplace: Workplace
) -> None:
    blob = next(iter(copied.blobs()))
    aside = copied.root / "aside"
    (copied.root / blob.location).rename(aside)
    rebuild_catalog(workplace, copied)
    aside.rename(copied.root / blob.location)

    report = rebuild_catalog(workplace, copied)

    assert (report["missing_blobs"], report["copies"]) == (0, 1)
    assert count(workplace, "asset", "state = 'held'") == sum(
        row[8] == "held" for row in rescued.said["asset"]
    )
    assert set(audit(workplace.catalog).values()) == {0}


def test_a_blob_of_another_size_than_its_manifest_says_is_damaged(
    rescued: Rescued, copied: LocalStore, workplace: Workplace
) -> None:
    sha256 = next(row[10] for row in rescued.said["asset"] if row[8] == "held")
    blob = next(blob for blob in copied.blobs() if blob.sha256 == sha256)
    path = copied.root / blob.location
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])

    report = rebuild_catalog(workplace, copied)

    assert report["missing"] == [sha256]
    assert rows(workplace, "SELECT state FROM copy WHERE sha256 = :sha256", sha256=sha256) == [("damaged",)]
    assert count(workplace, "asset", "sha256 = :sha256", sha256=sha256) == 0
    assert rows(workplace, "SELECT size FROM blob WHERE sha256 = :sha256", sha256=sha256) == [(blob.size,)]


def test_with_verify_bytes_that_rotted_are_found_and_the_others_proved_now(
    rescued: Rescued, copied: LocalStore, workplace: Workplace
) -> None:
    rotten = next(iter(copied.blobs()))
    flip_a_bit(copied.root / rotten.location)
    begin = datetime.now(UTC)

    report = rebuild_catalog(workplace, copied, verify=True)

    assert (len(report["damaged"]), report["missing"]) == (1, [rotten.sha256])
    (oldest,) = rows(workplace, "SELECT min(verified_at) FROM copy")[0]
    assert oldest >= begin


def test_without_verify_a_copy_is_as_proved_as_its_last_download(
    rescued: Rescued, workplace: Workplace
) -> None:
    begin = datetime.now(UTC)

    rebuild_catalog(workplace, LocalStore(rescued.store))

    assert count(workplace, "copy", "verified_at >= :begin", begin=begin) == 0
    assert count(workplace, "copy", "verified_at = to_timestamp(0)") == 0


def test_a_record_that_is_missing_or_damaged_costs_its_dataset_alone(
    rescued: Rescued, copied: LocalStore, workplace: Workplace
) -> None:
    gone, rotten = list(copied.document_names("records/"))[:2]
    (copied.root / gone).unlink()
    flip_a_bit(copied.root / rotten)

    report = rebuild_catalog(workplace, copied)

    named = {problem["where"] for problem in report["problems"]}
    assert named >= {gone, rotten}
    assert all("source-records" in name for name in named - {gone, rotten})
    assert report["datasets"] == len(rescued.said["dataset"]) - 2
    assert report["captures"] == len(rescued.said["capture"])


def test_what_the_catalog_knows_from_a_later_capture_stays(rescued: Rescued, workplace: Workplace) -> None:
    rebuild_catalog(workplace, LocalStore(rescued.store))
    execute(workplace, "UPDATE dataset SET title = 'Newer', changed_at = now()")
    execute(
        workplace, "UPDATE asset SET state = 'failed', reason = 'gone', sha256 = NULL WHERE sha256 IS NULL"
    )
    execute(
        workplace,
        "INSERT INTO capture (asset_id, verdict, reason, started_at, finished_at)"
        " SELECT id, 'permanent', 'gone', now() + interval '1 hour', now() + interval '1 hour' FROM asset",
    )
    execute(workplace, "UPDATE asset SET reason = 'gone', next_attempt_at = '2100-01-01'")
    before = snapshot(workplace.catalog)

    report = rebuild_catalog(workplace, LocalStore(rescued.store))

    assert [report[name] for name in NEW] == [0] * len(NEW)
    assert_equal(snapshot(workplace.catalog), before)


def test_a_catalog_from_an_older_backup_is_brought_up_to_the_store(
    rescued: Rescued, workplace: Workplace
) -> None:
    rebuild_catalog(workplace, LocalStore(rescued.store))
    execute(workplace, "DELETE FROM capture")
    execute(workplace, "UPDATE asset SET state = 'pending', sha256 = NULL, size = NULL, batch_id = NULL")
    execute(workplace, "DELETE FROM source_record; DELETE FROM copy; DELETE FROM blob")
    execute(
        workplace,
        "UPDATE dataset SET title = 'Older', raw = '{}', record_hash = sha256('older'), changed_at = '2020-01-01'",
    )

    rebuild_catalog(workplace, LocalStore(rescued.store))

    assert_equal(snapshot(workplace.catalog), rescued.said)


def test_manifests_of_several_runs_of_a_batch_tell_each_capture_once(
    catalog_url: str, tmp_path: Path, postgres: PostgresForTests
) -> None:
    with SamplePortal() as sample, postgres.fresh_database(filled_by=_migrated) as url:
        with a_workplace(url, tmp_path / "store", asset_max_attempts=50) as first:
            slug = add_portal(first, f"datagov:{sample.base_url}").slug
            harvest_portal(first, slug)
            discover_resources(first, slug)
            (key,) = plan_organization(first, "hhs-gov", urgent=False)["new"]
            for run in range(3):
                rescue_batch(first, key, run_id=f"run-{run}")
                execute(first, "UPDATE asset SET next_attempt_at = now() WHERE state <> 'held' OR id % 2 = 0")
                execute(first, "UPDATE batch SET state = 'planned'")
            result = rescue_batch(first, key, run_id="last")
            said = snapshot(first.catalog)
        with a_workplace(catalog_url, tmp_path / "other") as rebuilt:
            report = rebuild_catalog(rebuilt, LocalStore(tmp_path / "store"))
            found = snapshot(rebuilt.catalog)

    assert result.manifest is not None
    assert report["manifests"] == 4
    assert report["captures"] == len(said["capture"]) > report["assets"]
    said["asset"] = [row for row in said["asset"] if row[-1] is not None]  # those of a batch
    assert_equal(found, {kind: said[kind] for kind in ("capture", "asset", "blob", "copy")})


def test_a_link_that_was_found_after_the_manifest_is_found_again_by_discovery(
    catalog_url: str, tmp_path: Path, postgres: PostgresForTests
) -> None:
    with SamplePortal() as sample, postgres.fresh_database(filled_by=_migrated) as url:
        with a_workplace(url, tmp_path / "store") as first:
            slug = add_portal(first, f"datagov:{sample.base_url}").slug
            harvest_portal(first, slug)
            for key in organization_keys(first):  # discovered one after the other, and files are shared
                rescue_organization(first, key)
            said = snapshot(first.catalog)
        with a_workplace(catalog_url, tmp_path / "other") as rebuilt:
            rebuild_catalog(rebuilt, LocalStore(tmp_path / "store"))
            lacking = len(said["link"]) - len(snapshot(rebuilt.catalog)["link"])
            harvest_portal(rebuilt, slug, mode="full")
            found = discover_resources(rebuilt, slug)
            links = {"link": snapshot(rebuilt.catalog)["link"]}

    assert lacking > 0
    assert found["assets"] == 0
    assert_equal(links, {"link": said["link"]})
