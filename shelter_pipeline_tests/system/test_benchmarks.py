"""The benchmarks at a small size: who is compared must have done the same work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fetching_peers import PEERS as FETCHING_PEERS
from benchmarks.fetching_peers import is_installed
from benchmarks.fetching_site import can_wait, find_nginx, make_sets
from shelter_pipeline_tests.support.postgres import reachable_folder

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
BENCHMARK = (sys.executable, "-m", "benchmarks.harvest")
SIZES = ("--datasets", "300", "--resources", "1141", "--document-megabytes", "1")
PEERS = "copy,copy-binary,copy-bare,executemany,orm,pandas,pandas-multi"


@pytest.fixture(scope="module")
def run() -> Iterator[tuple[str, dict[str, Any]]]:
    """What one run printed, and its results."""
    with reachable_folder() as folder:
        results = folder / "results.json"
        ended = subprocess.run(
            [*BENCHMARK, *SIZES, "--peers", PEERS, "--folder", str(folder), "--json", str(results)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=800,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert [path.name for path in folder.iterdir()] == [results.name]
        yield ended.stdout, json.loads(results.read_text())


def test_every_contestant_stores_the_same_rows(run: tuple[str, dict[str, Any]]) -> None:
    loads = run[1]["loading"]

    assert [load["contestant"] for load in loads] == ["ours", *PEERS.split(",")]
    assert {load["stored"]["rows"] for load in loads} == {300 + 1141 + 300}
    assert len({load["stored"]["digest"] for load in loads}) == 1


def test_every_harvest_sees_what_the_portal_has(run: tuple[str, dict[str, Any]]) -> None:
    harvests = {one["run"]: one for one in run[1]["harvests"]}

    counted = {
        name: (one["seen"], one["new"], one["changed"], one["resources"]) for name, one in harvests.items()
    }
    document = counted.pop("DCAT-US document")
    assert counted == {
        "data.gov, first load": (300, 300, 0, 1141),
        "data.gov, unchanged": (300, 0, 0, 1141),
        "data.gov, increment": (151, 0, 0, 570),
        "data.gov, 1 % changed": (300, 0, 3, 1141),
        "CKAN, first load": (300, 300, 0, 1141),
    }
    assert document[0] == document[1] > 300
    assert {one["verdict"] for name, one in harvests.items() if "increment" not in name} == {"complete"}


def test_every_goal_is_said_to_be_met_or_not(run: tuple[str, dict[str, Any]]) -> None:
    printed = run[0]

    verdicts = [line for line in printed.splitlines() if line.strip().startswith(("met:", "NOT met:"))]
    assert len(verdicts) == 5
    assert "not measured" not in printed
    assert "stored the same rows" in printed


def test_a_peer_that_is_not_known_is_refused_by_name() -> None:
    refused = subprocess.run(
        [*BENCHMARK, "--peers", "copy,speedy"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 2
    assert "there is no speedy" in refused.stderr


FETCHING = (sys.executable, "-m", "benchmarks.fetching")


@pytest.fixture(scope="module")
def fetching() -> Iterator[tuple[str, dict[str, Any]]]:
    """What one run of the benchmark of fetching printed, and its results."""
    if find_nginx() is None or not can_wait():
        pytest.skip("nginx with its echo module is not installed (Debian: nginx-light)")
    with reachable_folder() as folder:
        results = folder / "results.json"
        ended = subprocess.run(
            [*FETCHING, "--scale", "0.001", "--folder", str(folder), "--json", str(results)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert [path.name for path in folder.iterdir()] == [results.name]
        yield ended.stdout, json.loads(results.read_text())


def test_every_contestant_saves_every_file(fetching: tuple[str, dict[str, Any]]) -> None:
    sets = fetching[1]["sets"]

    installed = {"ours", "ours, engine alone", *filter(is_installed, FETCHING_PEERS)}
    assert set(sets["small"]["runs"]) == installed
    assert set(sets["latency"]["runs"]) == installed - {"rclone"}
    assert {name: one["files"] for name, one in sets.items()} == {
        "small": 20,
        "medium": 2,
        "large": 4,
        "latency": 200,
    }
    wrong = [
        (name, contestant, run["trouble"])
        for name, one in sets.items()
        for contestant, run in one["runs"].items()
        if run["right"] != one["files"]
    ]
    assert wrong == []


def test_every_goal_of_fetching_is_said_to_be_met_or_not(fetching: tuple[str, dict[str, Any]]) -> None:
    printed = fetching[0]

    verdicts = [line for line in printed.splitlines() if line.strip().startswith(("met:", "NOT met:"))]
    not_measured = printed.count("not measured:")
    assert len(verdicts) + not_measured == 7
    assert not_measured == sum(
        not is_installed(peer) for peer in ("rclone", "aria2c", "curl", "curl", "curl")
    )


def test_the_files_of_a_benchmark_are_the_same_in_every_run() -> None:
    one, other = make_sets(0.01), make_sets(0.01)

    assert one == other
    assert len(set(one["small"].names)) == len(one["small"].sizes) == 200


def test_an_unknown_set_is_refused_by_name() -> None:
    refused = subprocess.run(
        [*FETCHING, "--sets", "small,tiny"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "there is no tiny" in refused.stderr


@pytest.fixture(scope="module")
def listing() -> Iterator[tuple[str, dict[str, Any]]]:
    """What one run of the benchmark of listings printed, and its results."""
    with reachable_folder() as folder:
        results = folder / "results.json"
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.listing", "--entries", "250", "--json", str(results)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        yield ended.stdout, json.loads(results.read_text())


def test_every_reader_of_listings_finds_every_entry(listing: tuple[str, dict[str, Any]]) -> None:
    found = {(kind, one): run["found"] for kind, runs in listing[1].items() for one, run in runs.items()}

    assert {kind for kind, _ in found} == {"apache fancy", "apache table", "nginx", "s3", "thredds"}
    assert {one for _, one in found} >= {"ours", "lxml", "parsel"}
    assert set(found.values()) == {250}


def test_every_goal_of_listing_is_said_to_be_met_or_not(listing: tuple[str, dict[str, Any]]) -> None:
    assert sum(line.startswith(("met:", "NOT met:")) for line in listing[0].splitlines()) == 5
