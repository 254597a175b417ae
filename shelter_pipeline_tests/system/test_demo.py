"""`shelter demo` and then `shelter up`, as a new user runs them, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.ports import free_port_row, free_ports
from shelter_pipeline_tests.support.postgres import reachable_folder

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SHELTER = (sys.executable, "-m", "shelter_pipeline.cli")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder / "home"


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    dagster_port, code_port, api_port = free_ports(3)
    return {
        **os.environ,
        "SHELTER_HOME": str(home),
        "SHELTER_DAGSTER_PORT": str(dagster_port),
        "SHELTER_CODE_SERVER_PORT": str(code_port),
        "SHELTER_API_PORT": str(api_port),
        "SHELTER_SAMPLE_PORT": str(free_port_row(4)),
        "COLUMNS": "120",
    }


@pytest.fixture(scope="module")
def demo(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The first demo on an empty home."""
    return run(environment, "demo")


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SHELTER, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


def left_running(home: Path) -> list[str]:
    """Processes whose command line or environment names the home."""
    found = []
    for process in psutil.process_iter():
        try:
            named = str(home) in " ".join(process.cmdline()) or process.environ().get("SHELTER_HOME") == str(
                home
            )
            if named and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_the_demo_ends_with_exactly_what_is_right(demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Every expected file is held and verified" in demo.stdout
    assert "noaa-gov" in demo.stdout
    assert "Where the time went" in demo.stdout


def test_the_demo_leaves_nothing_running(demo: subprocess.CompletedProcess[str], home: Path) -> None:
    assert demo.returncode == 0
    assert left_running(home) == []


def test_afterwards_the_status_says_what_is_held(
    demo: subprocess.CompletedProcess[str], environment: dict[str, str]
) -> None:
    status = run(environment, "status", "--json")

    assert status.returncode == 0, status.stderr
    totals = json.loads(status.stdout)
    assert (totals["datasets"], totals["files"], totals["held_files"]) == (300, 599, 587)
    assert len(totals["by_organization"]) == 12


def test_every_blob_of_the_demo_stands_up_to_a_scrub(
    demo: subprocess.CompletedProcess[str], environment: dict[str, str]
) -> None:
    scrub = run(environment, "scrub", "--json")

    report = json.loads(scrub.stdout)
    assert scrub.returncode == 0
    assert report["ok"] > 500
    assert (report["damaged"], report["missing"], report["extra"]) == (0, 0, 0)


def test_up_shows_the_demos_history_and_stops_at_sigterm(
    demo: subprocess.CompletedProcess[str], environment: dict[str, str], home: Path
) -> None:
    url = f"http://127.0.0.1:{environment['SHELTER_DAGSTER_PORT']}/graphql"
    with subprocess.Popen(
        [*SHELTER, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            await_line(process, "Ctrl-C stops everything")

            second = run(environment, "up")
            health = requests.get(
                f"http://127.0.0.1:{environment['SHELTER_API_PORT']}/health", timeout=30
            ).json()
            runs = ask(url, "query { runsOrError { ... on Runs { results { jobName status } } } }")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    assert health["status"] == "healthy"
    assert second.returncode == 2
    assert "already running as process" in second.stderr
    jobs = {(one["jobName"], one["status"]) for one in runs["runsOrError"]["results"]}
    assert {
        ("refresh_portal", "SUCCESS"),
        ("download", "SUCCESS"),
        ("report_organizations", "SUCCESS"),
        ("overview", "SUCCESS"),
    } <= jobs
    assert process.returncode == 0
    assert left_running(home) == []


def test_the_demo_again_asks_for_nothing_twice_and_ends_the_same(
    demo: subprocess.CompletedProcess[str], environment: dict[str, str]
) -> None:
    again = run(environment, "demo")

    assert again.returncode == 0, again.stdout + again.stderr


def test_a_demo_at_another_port_is_told_the_port_of_the_first(
    demo: subprocess.CompletedProcess[str], environment: dict[str, str], home: Path
) -> None:
    port = free_port_row(4)

    other = run({**environment, "SHELTER_SAMPLE_PORT": str(port)}, "demo")

    assert other.returncode == 2, other.stdout + other.stderr
    assert f"set SHELTER_SAMPLE_PORT={environment['SHELTER_SAMPLE_PORT']} again" in other.stderr
    assert left_running(home) == []


def test_a_home_with_another_portal_is_refused_before_anything_of_it_is_rescued(
    environment: dict[str, str],
) -> None:
    with reachable_folder() as folder, SamplePortal() as another:
        theirs = {**environment, "SHELTER_HOME": str(folder / "home")}
        opened = {**theirs, "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8"}
        assert run(opened, "harvest", "--portal", f"ckan:{another.base_url}").returncode == 0
        asked = len(another.requests)

        refused = run(theirs, "demo")

        assert refused.returncode == 2, refused.stdout + refused.stderr
        assert "needs a home of its own" in refused.stderr
        assert f"ckan:{another.base_url}" in refused.stderr
        assert "SHELTER_HOME" in refused.stderr
        assert len(another.requests) == asked
        assert not (folder / "home" / "dagster").exists()
        assert left_running(folder / "home") == []


def await_line(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if wanted in line:
            return
    raise AssertionError("".join(lines))


def ask(url: str, query: str) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(20):
            reply = session.post(url, json={"query": query}, timeout=30)
            if reply.ok:
                return reply.json()["data"]
            time.sleep(0.5)
    raise AssertionError(reply.text)
