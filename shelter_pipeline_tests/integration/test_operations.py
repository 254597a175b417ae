"""The main job against a real portal, catalog and store: harvest, rescue, rescue again, and what may go wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.batches import find_batch
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.errors import SetupError, ShelterError
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal, organization_keys
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.report import report_all, report_organization, report_status
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.manifest import read_manifests
from shelter_pipeline.vault.scrub import scrub
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.fault_server import RESET, SILENCE, FaultServer, head, whole
from shelter_pipeline_tests.support.postgres import PostgresForTests, reachable_folder
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

KINDS = ("datagov", "ckan", "dcat_us")


@dataclass(frozen=True)
class Rescued:
    """A whole rescue of the sample portal."""

    portal: SamplePortal
    workplace: Workplace
    reports: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def sample() -> Iterator[SamplePortal]:
    """A portal for tests that do not look at its log."""
    with SamplePortal() as portal:
        yield portal


@pytest.fixture(scope="module")
def rescued(postgres: PostgresForTests) -> Iterator[Rescued]:
    """Everything harvested and every organization rescued; for tests that only look, or repeat."""
    with ExitStack() as opened:
        portal = opened.enter_context(SamplePortal())
        url = opened.enter_context(postgres.fresh_database(filled_by=_migrated))
        folder = opened.enter_context(reachable_folder())
        workplace = opened.enter_context(a_workplace(url, folder / "store"))
        harvest(workplace, portal)
        reports = {key: rescue_organization(workplace, key) for key in organization_keys(workplace)}
        yield Rescued(portal, workplace, reports)


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that pauses between attempts for as short as tests like it."""
    monkeypatch.setattr("shelter_pipeline.portals.reading.FIRST_PAUSE_SECONDS", 0.01)


def portal_text(portal: SamplePortal, kind: str) -> str:
    return f"{kind}:{portal.base_url}" + ("/data.json" if kind == "dcat_us" else "")


def harvest(workplace: Workplace, portal: SamplePortal, kind: str = "datagov") -> dict[str, Any]:
    return harvest_portal(workplace, add_portal(workplace, portal_text(portal, kind)).slug, mode="full")


def scalar(workplace: Workplace, query: str) -> Any:
    with workplace.catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def execute(workplace: Workplace, statement: str) -> None:
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text(statement))


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Harvest


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_portal_shows_the_same_datasets_and_refuses_with_the_field(
    workplace: Workplace, sample: SamplePortal, kind: str
) -> None:
    report = harvest(workplace, sample, kind)

    assert (report["verdict"], report["seen"], report["new"], report["refused"]) == ("complete", 300, 300, 3)
    assert all(refusal["field"] and refusal["problem"] for refusal in report["refusals"])
    expected = {dataset.title for dataset in sample.catalogue.datasets}
    with workplace.catalog.begin() as connection:
        assert set(connection.scalars(sa.text("SELECT title FROM dataset"))) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_harvest_finds_nothing_new(workplace: Workplace, sample: SamplePortal, kind: str) -> None:
    harvest(workplace, sample, kind)

    report = harvest(workplace, sample, kind)

    assert (report["new"], report["changed"], report["unchanged"]) == (0, 0, 300)
    assert (report["verdict"], report["delisted"], report["message"]) == ("complete", 0, None)


@pytest.mark.usefixtures("impatient")
def test_a_portal_that_is_down_is_a_verdict_in_one_sentence_and_no_loss(workplace: Workplace) -> None:
    with SamplePortal() as portal:
        harvest(workplace, portal)

    report = harvest(workplace, portal)

    assert (report["verdict"], report["seen"], report["delisted"]) == ("unreachable", 0, 0)
    assert portal.base_url in report["message"]
    assert "\n" not in report["message"]
    assert scalar(workplace, "SELECT count(*) FROM dataset WHERE state = 'listed'") == 300
    assert scalar(workplace, "SELECT count(*) FROM loss") == 0


def serve_pages(server: FaultServer, sample: SamplePortal, workplace: Workplace) -> list[str]:
    """The sample's catalogue on another server, 100 datasets a page; returns the paths of the pages."""
    organizations = workplace.door.read(f"{sample.base_url}/api/organizations").body
    server.serves("/api/organizations", *whole(organizations, "Content-Type: application/json"))
    paths: list[str] = []
    cursor: str | None = None
    while not paths or cursor:
        query: dict[str, str | int] = {"after": cursor} if cursor else {}
        page = workplace.door.read(f"{sample.base_url}/search?" + urlencode(query | {"per_page": 100})).body
        path = "/search?" + urlencode(query | {"per_page": 1000})
        server.serves(path, *whole(page, "Content-Type: application/json"))
        paths.append(path)
        cursor = json.loads(page).get("after")
    return paths


@pytest.mark.usefixtures("impatient")
def test_a_portal_that_dies_half_way_is_partial_and_nothing_is_missed(
    workplace: Workplace, sample: SamplePortal
) -> None:
    with FaultServer() as server:
        paths = serve_pages(server, sample, workplace)
        slug = add_portal(workplace, f"datagov:{server.url('')}").slug
        first = harvest_portal(workplace, slug, mode="full")
        server.serves(paths[-2], head("Content-Length: 100"), RESET)

        second = harvest_portal(workplace, slug, mode="full")

    assert (first["verdict"], first["seen"], len(paths) > 3) == ("complete", 300, True)
    assert (second["verdict"], second["delisted"]) == ("partial", 0)
    assert 0 < second["seen"] < 300
    assert paths[-2] in second["message"]
    assert scalar(workplace, "SELECT count(*) FROM dataset WHERE state = 'absent'") == 0
    assert scalar(workplace, "SELECT count(*) FROM loss") == 0


@pytest.mark.usefixtures("impatient")
def test_a_harvest_that_broke_off_is_finished_by_the_next(workplace: Workplace, sample: SamplePortal) -> None:
    with FaultServer() as server:
        paths = serve_pages(server, sample, workplace)
        whole_page = server._behaviours[paths[1]]
        server.serves(paths[1], RESET)
        slug = add_portal(workplace, f"datagov:{server.url('')}").slug
        broken = harvest_portal(workplace, slug)
        server._behaviours[paths[1]] = whole_page

        healed = harvest_portal(workplace, slug)

    assert broken["verdict"] == "partial"
    # It is the same harvest, and counts what it read before it broke off.
    assert (healed["verdict"], healed["resumed"], healed["new"]) == ("complete", 1, 300)


# Rescue


def test_every_organization_ends_exactly_as_is_right(rescued: Rescued) -> None:
    expected = rescued.portal.expectations.by_organization

    assert set(rescued.reports) == set(expected)
    for key, right in expected.items():
        report = rescued.reports[key]
        compared = {name: report[name] for name in right.__dataclass_fields__}
        assert compared == {name: getattr(right, name) for name in right.__dataclass_fields__}, key
        assert report["waiting_files"] == 0
        assert report["verdict"] == ("complete" if not right.failed else "partial")


def sources(rescued: Rescued) -> set[str]:
    """The blobs that are publishers' own records."""
    kept = scalar(rescued.workplace, "SELECT array_agg(DISTINCT sha256) FROM source_record")
    assert kept
    return set(kept)


def test_every_held_file_is_the_file_that_was_published(rescued: Rescued) -> None:
    with rescued.workplace.catalog.begin() as connection:
        rows = connection.execute(sa.text("SELECT url, sha256 FROM asset WHERE state = 'held'"))
        held = {row.url: row.sha256 for row in rows}

    assert held == rescued.portal.expectations.sha256
    assert {blob.sha256 for blob in rescued.workplace.store.blobs()} == set(held.values()) | sources(rescued)


def test_the_totals_are_those_of_the_portal(rescued: Rescued) -> None:
    totals = report_status(rescued.workplace)
    right = rescued.portal.expectations.overall

    assert (totals["datasets"], totals["files"]) == (right.datasets, right.expected_files)
    assert totals["held_files"] == right.held_files
    assert (totals["live_claims"], totals["running_batches"], totals["suspected_losses"]) == (0, 0, 0)


def test_no_invariant_is_broken_after_a_rescue(rescued: Rescued) -> None:
    assert set(audit(rescued.workplace.catalog).values()) == {0}


def test_a_scrub_of_the_store_finds_all_ok_and_all_listed(rescued: Rescued) -> None:
    report = scrub(rescued.workplace.store)

    files = set(rescued.portal.expectations.sha256.values())
    assert report.ok == len(files | sources(rescued))
    assert (report.damaged, report.missing, report.extra, report.unlisted) == ([], [], [], 0)
    assert list((rescued.workplace.store.root / "partial").iterdir()) == []


def test_each_batch_has_a_manifest_that_lists_its_files(rescued: Rescued) -> None:
    store, catalog = rescued.workplace.store, rescued.workplace.catalog
    listed: dict[str, set[str]] = {}
    for manifest in read_manifests(store):
        listed.setdefault(manifest.batch_key, set()).update(entry["url"] for entry in manifest.entries)

    with catalog.begin() as connection:
        rows = connection.execute(
            sa.text("SELECT key, url FROM asset JOIN batch ON batch.id = asset.batch_id")
        ).all()

    with catalog.begin() as connection:
        batches = set(connection.scalars(sa.text("SELECT key FROM batch")))
    assert {key for key in listed if not key.startswith("source-records-")} == batches
    assert all(row.url in listed[row.key] for row in rows)


def test_a_manifest_names_datasets_whose_records_are_in_the_store(rescued: Rescued) -> None:
    store = rescued.workplace.store
    manifests = list(read_manifests(store))
    named = {dataset["record"] for manifest in manifests for dataset in manifest.datasets}
    entries = [entry for manifest in manifests for entry in manifest.entries]
    named |= {entry["record"] for entry in entries if entry.get("kind") == "source-record"}

    kept = {Path(name).stem: data for name, data in store.documents("records/")}

    assert named == set(kept)
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in kept.items())
    assert all(isinstance(json.loads(data), dict) for data in kept.values())


def test_rescuing_again_asks_for_no_file_that_is_held(rescued: Rescued) -> None:
    asked_before = len(rescued.portal.requests)

    again = {key: rescue_organization(rescued.workplace, key) for key in rescued.reports}

    asked = {
        f"http://127.0.0.1:{request.port}{request.path}" for request in rescued.portal.requests[asked_before:]
    }
    assert again == rescued.reports
    assert not asked & set(rescued.portal.expectations.sha256)


def test_every_organization_is_in_the_report(rescued: Rescued) -> None:
    assert {report["organization"] for report in report_all(rescued.workplace)} == set(rescued.reports)


def test_an_unknown_organization_is_refused_with_the_known_ones(rescued: Rescued) -> None:
    with pytest.raises(SetupError, match=r"'epa-gob'.*epa-gov"):
        report_organization(rescued.workplace, "epa-gob")


def test_planning_again_plans_nothing_new(workplace: Workplace, sample: SamplePortal) -> None:
    harvest(workplace, sample)
    rescue_organization(workplace, "city-of-riverton")

    plan = plan_organization(workplace, "city-of-riverton", urgent=False)

    assert (plan["new"], plan["open"], plan["files"]) == ([], [], 0)


def test_a_store_outlives_its_catalog(rescued: Rescued, catalog_url: str, tmp_path: Path) -> None:
    root = tmp_path / "copied"
    shutil.copytree(rescued.workplace.store.root, root)
    with a_workplace(catalog_url, root) as second:
        harvest(second, rescued.portal)
        # What changes by itself has changed since: the record says the same, in other bytes.
        execute(second, "UPDATE dataset SET raw = raw || ' '")

        report = rescue_organization(second, "city-of-riverton")

    assert report["held_files"] == report["expected_files"]
    assert scrub(LocalStore(root)).damaged == []


def test_a_record_that_goes_back_to_what_it_was_can_be_kept_again(workplace: Workplace) -> None:
    with FaultServer() as server:
        url = server.serves("/a.csv", *whole(b"a,b\n1,2\n"))
        (key,) = planned(workplace, [url])
        rescue_batch(workplace, key, run_id="first")
        execute(workplace, "UPDATE asset SET next_attempt_at = now()")
        execute(workplace, "UPDATE dataset SET raw = raw || ' '")

        (key,) = plan_organization(workplace, "epa-gov", urgent=False)["new"]
        result = rescue_batch(workplace, key, run_id="second")

    assert (result.state, dict(result.reasons)) == ("done", {"unchanged": 1})


# What may go wrong


def planned(workplace: Workplace, urls: list[str]) -> list[str]:
    """Batches of these files, of one organization."""
    portal = add_portal(workplace, "datagov:https://portal.example")
    resources = [a_resource(url, key=str(at), position=at) for at, url in enumerate(urls)]
    harvested(workplace.catalog, portal, [a_dataset("1", *resources)])
    discovered(workplace.catalog, portal)
    return list(plan_organization(workplace, "epa-gov", urgent=False)["new"])


@pytest.mark.timeout(30)
def test_an_error_of_ours_does_not_wait_for_downloads_and_frees_all_claims(workplace: Workplace) -> None:
    def fail(settled: int, _bytes: int) -> None:
        raise RuntimeError("the terminal went away")

    with FaultServer() as server:
        slow = [server.serves(f"/{n}.csv", head("Content-Length: 9"), b"a", SILENCE) for n in range(5)]
        keys = planned(workplace, [server.serves("/quick.csv", *whole(b"a,b\n1,2\n")), *slow])

        with pytest.raises(RuntimeError, match="the terminal"):
            rescue_batch(workplace, keys[0], run_id="run", progress=fail)

    assert scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'held'") == 0
    assert find_batch(workplace.catalog, keys[0]).state == "planned"


def test_a_batch_that_does_not_exist_is_named(workplace: Workplace) -> None:
    with pytest.raises(SetupError, match=r"no batch 'epa-gov\.x\.1'"):
        rescue_batch(workplace, "epa-gov.x.1", run_id="run")


def test_an_odd_wish_for_patience_ends_no_batch(workplace: Workplace) -> None:
    with FaultServer() as server, FaultServer() as other:  # the host that wishes so is given a rest
        odd = server.serves(
            "/odd.csv", *whole(b"", "Retry-After: " + "9" * 300, status="503 Service Unavailable")
        )
        good = other.serves("/good.csv", *whole(b"a,b\n1,2\n"))
        (key,) = planned(workplace, [odd, good])

        result = rescue_batch(workplace, key, run_id="run")

    assert (result.state, result.leftover) == ("planned", 1)
    assert result.reasons["stored"] == 1


def test_the_next_manifest_lists_what_a_run_left_that_could_not_write_one(workplace: Workplace) -> None:
    with FaultServer() as server:
        (key,) = planned(workplace, [server.serves("/a.csv", *whole(b"a,b\n1,2\n"))])
        manifests = workplace.store.root / "manifests"
        manifests.rmdir()
        manifests.write_bytes(b"no folder")
        with pytest.raises(ShelterError):
            rescue_batch(workplace, key, run_id="first")
        manifests.unlink()
        manifests.mkdir()

        result = rescue_batch(workplace, key, run_id="second")

    assert (result.state, result.requests) == ("done", 0)
    assert scrub(workplace.store).unlisted == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A file system of 1 MB, and how to make it larger."""
    where = tmp_path / "disk"
    where.mkdir()

    def mount(*options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(where)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def enlarge(size: str) -> None:
        assert mount("remount", f"size={size}")

    if os.geteuid() != 0 or not mount("size=1m"):
        pytest.skip("only root, where mounting is allowed, can make a file system that is full soon")
    yield where, enlarge
    subprocess.run(["umount", str(where)], check=True)


def test_a_full_store_loses_nothing_and_a_later_run_finishes(
    catalog: Catalog,
    catalog_url: str,
    sample: SamplePortal,
    small_disk: tuple[Path, Callable[[str], None]],
) -> None:
    disk, enlarge = small_disk
    with a_workplace(catalog_url, disk / "store", store_reserve_bytes=0) as workplace:
        harvest(workplace, sample)
        try:
            full = rescue_organization(workplace, "usda-gov")
        except ShelterError as error:  # not even a manifest could be written
            assert error.reason == "no-space"  # noqa: PT017 - both ends are right
            full = report_organization(workplace, "usda-gov")
        held_then = full["held_files"]
        assert full["failed"]["no-space"] >= 1
        assert scrub(workplace.store).damaged == []

        enlarge("50m")
        end = rescue_organization(workplace, "usda-gov")

        assert 0 < held_then < end["expected_files"]
        assert (end["verdict"], end["failed"]) == ("complete", {})
        report = scrub(workplace.store)
        assert (report.damaged, report.missing, report.unlisted) == ([], [], 0)


def test_no_file_is_begun_while_less_than_the_reserve_is_free(
    catalog_url: str, sample: SamplePortal, small_disk: tuple[Path, Callable[[str], None]]
) -> None:
    disk, enlarge = small_disk
    with a_workplace(catalog_url, disk / "store", store_reserve_bytes=2 * 1024**2) as workplace:
        filled = disk / "filled"
        filled.write_bytes(bytes(995 * 1024))
        slug = harvest(workplace, sample)["portal"]
        discover_resources(workplace, slug)
        (key, *_) = plan_organization(workplace, "usda-gov", urgent=True)["new"]
        stop = threading.Event()
        waiting = threading.Timer(1.5, stop.set)
        waiting.start()

        idle = rescue_batch(workplace, key, run_id="full", stop=stop)
        filled.unlink()
        enlarge("50m")
        done = rescue_batch(workplace, key, run_id="room")

    assert (idle.state, idle.requests, idle.settled) == ("planned", 0, 0)
    assert done.settled > 0
