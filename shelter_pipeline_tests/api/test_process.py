"""`shelter api` as a process: what its callers see when PostgreSQL hangs or is gone, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.embedded.postmaster import find_postmaster
from shelter_pipeline_tests.support.event_stream import listening
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.raw_http import converse

PATIENCE_SECONDS = 60
SHELTER = [sys.executable, "-m", "shelter_pipeline.cli"]


@dataclass
class Running:
    """An API process, its database server, and what it writes."""

    url: str
    server: EmbeddedPostgres
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs, and wait until all is well."""
        if self.process is None or self.process.poll() is not None:
            with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
                self.process = subprocess.Popen(
                    [*SHELTER, "api"], env=self.environment, stdout=out, stderr=err
                )
        eventually(lambda: answers(self) == 200)

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=PATIENCE_SECONDS, **more)

    def shelter(self, *arguments: str) -> str:
        return subprocess.run(
            [*SHELTER, *arguments], env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    @property
    def access_log(self) -> list[str]:
        return (self.folder / "out").read_text().splitlines()

    def postgres(self) -> list[psutil.Process]:
        leader = find_postmaster(self.server.data).process
        return [leader, *leader.children(recursive=True)]


@pytest.fixture(scope="module")
def started() -> Iterator[Running]:
    [port] = free_ports(1)
    with reachable_folder() as folder, EmbeddedPostgres(folder / "server") as server:
        server.ensure_database("shelter")
        environment = {
            **os.environ,
            "SHELTER_HOME": str(folder / "home"),
            "SHELTER_DATABASE_URL": server.url("shelter"),
            "SHELTER_API_PORT": str(port),
            "SHELTER_API_STATEMENT_SECONDS": "1",
        }
        one = Running(f"http://127.0.0.1:{port}", server, folder, environment)
        try:
            yield one
        finally:
            one.process.kill()
            one.process.wait()


@pytest.fixture
def running(started: Running) -> Running:
    """The API, started again if a former test ended it."""
    started.start()
    return started


def answers(running: Running) -> int:
    try:
        return running.get("/health").status_code
    except requests.ConnectionError:
        return 0


def eventually(question: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > until:
            pytest.fail("it did not happen")
        time.sleep(0.2)


@pytest.mark.parametrize("how", ["stopped", "gone"])
def test_without_its_database_it_says_when_to_come_again_and_recovers_by_itself(
    running: Running, how: str
) -> None:
    frozen = running.postgres()
    if how == "stopped":
        for process in frozen:
            process.suspend()
    else:
        running.server.stop()
    try:
        eventually(lambda: answers(running) == 503)
        health, metrics = running.get("/health"), running.get("/metrics")
    finally:
        if how == "stopped":
            for process in reversed(frozen):
                process.resume()
        else:
            running.server.start()

    assert health.json()["error"] == "catalog-away"
    assert int(health.headers["Retry-After"]) > 0
    assert "Traceback" not in health.text
    assert metrics.status_code == 200
    eventually(lambda: answers(running) == 200)
    assert running.process.poll() is None


def test_who_listens_is_told_that_the_database_is_gone_and_that_it_is_back(running: Running) -> None:
    with listening(f"{running.url}/browse/events") as events:
        events.await_event("now")
        running.server.stop()
        try:
            told = events.await_event("trouble")
            page = running.get("/", headers={"Accept": "text/html"})
        finally:
            running.server.start()

        assert "does not answer" in told["message"]
        assert "Traceback" not in page.text
        events.await_event("now")


def test_every_request_is_one_line_of_json_without_secrets_or_control_characters(running: Running) -> None:
    hostile = b"GET /a%0d%0ab%1b%5b31m%e2%80%ae?key=secret HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    converse(running.url, hostile + b"X-A: b\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n")

    eventually(lambda: any("u202e" in line for line in running.access_log))

    records = [json.loads(line) for line in running.access_log]
    assert all(line.isascii() and line.isprintable() for line in running.access_log)
    assert {record["path"] for record in records} >= {"/health", "/a\r\nb\x1b[31m\u202e"}
    assert "secret" not in "".join(running.access_log)


def test_tokens_are_made_shown_once_listed_and_revoked_by_commands(running: Running) -> None:
    made = running.shelter("token", "create", "--label", "a curator", "--expires", "90d").splitlines()[0]
    listed = json.loads(running.shelter("token", "list", "--json"))["tokens"]
    row = next(one for one in listed if one["label"] == "a curator")

    revoked = json.loads(running.shelter("token", "revoke", row["prefix"], "--json"))

    assert made.startswith(f"shelter_operator_{row['prefix']}_")
    assert row["expires_at"] is not None
    assert made[-43:] not in json.dumps(listed)
    assert revoked["revoked_at"] is not None


def test_asked_to_end_it_ends_in_order(running: Running) -> None:
    with requests.Session() as kept_open:
        kept_open.get(f"{running.url}/health", timeout=PATIENCE_SECONDS)

        running.process.send_signal(signal.SIGTERM)

        assert running.process.wait(PATIENCE_SECONDS) == 0
    assert "Traceback" not in (running.folder / "err").read_text()
