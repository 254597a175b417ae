"""Volunteers rescue the sample portal: one honest, one killed half-way, one lying, and nobody else fetches.

Everything is a process of its own, as operators and volunteers start it; only the liar is this test,
speaking the protocol.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal, audit_catalog
from shelter_pipeline.operations.overrides import override
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.invariants import assert_invariants
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.volunteers import rows
from shelter_pipeline_tests.support.workplaces import a_workplace

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
SHELTER = (sys.executable, "-m", "shelter_pipeline.cli")
PATIENCE_SECONDS = 120
LEASE_SECONDS = 5
NOT_TODAY = (
    "census-gov",
    "nasa-gov",
    "noaa-gov",
    "usda-gov",
    "hhs-gov",
    "dot-gov",
)  # more than half of all files


@dataclass(frozen=True)
class Rescue:
    """A catalogue that was read, the API that hands it out, and the workplace behind both."""

    api: str
    folder: Path
    environment: dict[str, str]
    workplace: Workplace
    portal: SamplePortal

    def json(self, *arguments: str) -> Any:
        """What a command says."""
        ended = subprocess.run(
            [*SHELTER, *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """What the catalog says."""
        return rows(self.workplace.catalog, query, **parameters)

    def expected(self) -> dict[str, str]:
        """The hash of each file that can be had and is not excluded, by its URL."""
        wanted = "SELECT url FROM asset JOIN priority ON asset_id = asset.id WHERE NOT excluded"
        right = self.portal.expectations.sha256
        return {url: right[url] for (url,) in self.rows(wanted) if url in right}

    def held(self) -> dict[str, str]:
        """The hash of each file that is held in the store, by its URL."""
        return dict(
            self.rows(
                "SELECT asset.url, asset.sha256 FROM asset JOIN copy USING (sha256)"
                " WHERE asset.state = 'held' AND copy.store_id IS NOT NULL AND copy.state = 'good'"
            )
        )

    def owed_by(self, node: str) -> set[str]:
        """The files, by URL, that this node has reported and not sent yet."""
        query = (
            "SELECT url FROM asset JOIN proof ON proof.asset_id = asset.id JOIN node ON node.id = node_id"
            " WHERE node.name = :node AND proof.kind = 'upload' AND proof.state = 'open'"
        )
        return {url for (url,) in self.rows(query, node=node)}

    def live_claims(self, node: str) -> int:
        """How many files are this node's at the moment."""
        query = (
            "SELECT count(*) FROM claim JOIN node ON node.id = node_id WHERE name = :node AND state = 'held'"
        )
        return int(self.rows(query, node=node)[0][0])

    def standing(self, node: str) -> str:
        """How the files stand, and what the node of this name told last."""
        counts = self.rows("SELECT state, reason, count(*) FROM asset GROUP BY state, reason ORDER BY 3 DESC")
        return f"{counts}\n{self.log(node).read_text()[-2000:]}"

    @contextmanager
    def node(self, name: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
        """`shelter node run` for the length of a block."""
        with self.log(name).open("wb") as told:
            process = subprocess.Popen(
                [
                    *SHELTER,
                    *("node", "run", "--api", self.api, "--space", "1GB", "--reserve", "1MB"),
                    *("--folder", str(self.folder / name), "--name", name),
                    *more,
                ],
                env=self.environment,
                stdout=told,
                stderr=subprocess.STDOUT,
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def log(self, name: str) -> Path:
        """What the node of this name told."""
        return self.folder / f"{name}.log"


class Liar:
    """A program that speaks the protocol and lies."""

    def __init__(self, api: str, name: str) -> None:
        self._api, self._name = api, name
        self._token = self._asks("POST", "/nodes", json={"name": name}).json()["token"]
        self.work = self._asks(
            "POST", "/allocate", json={"node_id": name, "free_space_gb": 1, "limit": 20}
        ).json()

    def reports(self, item: dict[str, Any], data: bytes) -> str:
        """Say that a file is these bytes; returns where they have to be sent."""
        said = {
            "asset_id": item["id"],
            "token": item["token"],
            "verdict": "stored",
            "reason": "stored",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "media_type": "text/csv",
        }
        reply = self._asks("POST", "/complete", json={"node_id": self._name, "results": [said]}).json()
        return str(reply["results"][0]["proof"]["upload"])

    def sends(self, path: str, data: bytes) -> requests.Response:
        """Upload these bytes."""
        return self._asks("PUT", path, data=data)

    def _asks(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if hasattr(self, "_token") else {}
        return requests.request(method, self._api + path, headers=headers, timeout=PATIENCE_SECONDS, **more)


def made_up(item: dict[str, Any], digit: str) -> bytes:
    """A table as large as the catalogue says that the file is."""
    size = item["expected_size"] or 1000
    return b"station,value\n".ljust(size - 1, digit.encode()) + b"\n"


@pytest.fixture
def rescue(catalog_url: str) -> Iterator[Rescue]:
    """The sample portal, harvested, discovered and scored, and `shelter api` over it."""
    (port,) = free_ports(1)
    with ExitStack() as opened:
        folder = opened.enter_context(reachable_folder())
        workplace = opened.enter_context(a_workplace(catalog_url, folder / "store"))
        portal = opened.enter_context(SamplePortal())
        environment = {
            **os.environ,
            "SHELTER_HOME": str(folder / "home"),
            "SHELTER_STORE": str(folder / "store"),
            "SHELTER_DATABASE_URL": catalog_url,
            "SHELTER_API_PORT": str(port),
            "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8",
            "SHELTER_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        ready = Rescue(f"http://127.0.0.1:{port}", folder, environment, workplace, portal)
        slug = add_portal(workplace, f"datagov:{portal.base_url}").slug
        harvest_portal(workplace, slug)
        discover_resources(workplace, slug)
        score_all(workplace)
        for organization in NOT_TODAY:
            override(workplace, "exclude", organization, who="Ada", why="so that the test is short")
        log = opened.enter_context((folder / "api.log").open("wb"))
        api = subprocess.Popen([*SHELTER, "api"], env=environment, stdout=log, stderr=log)
        opened.callback(api.wait)
        opened.callback(api.terminate)
        eventually(lambda: answers(ready.api), "the API answers")
        yield ready


def answers(api: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"{api}/health", timeout=PATIENCE_SECONDS).ok
    return False


def eventually(question: Callable[[], object], what: str, seen: Callable[[], object] = lambda: "") -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not question():
        assert time.monotonic() < until, f"it did not come to pass that {what}: {seen()}"
        time.sleep(0.2)


def test_the_honest_one_finishes_what_the_killed_one_left_and_the_liar_falsified(rescue: Rescue) -> None:
    expected = rescue.expected()
    liar = Liar(rescue.api, "shark")
    # Of the others it is never heard again.
    falsified, swapped, *_ = [
        item for item in liar.work if item["name"].endswith(".csv") and not item["checksum"]
    ]
    place = liar.reports(falsified, made_up(falsified, "1"))
    assert (
        liar.sends(place, made_up(falsified, "1")).json()["outcome"] == "counted"
    )  # nobody can know better yet
    place = liar.reports(swapped, made_up(swapped, "1"))
    assert liar.sends(place, made_up(swapped, "2")).json()["error"] == "wrong-upload"

    with rescue.node("seal", "--bandwidth", "64kB/s") as killed:
        eventually(
            lambda: rescue.live_claims("seal") > 0 and b"kept" in rescue.log("seal").read_bytes(), "it works"
        )
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    left = rescue.live_claims("seal")
    eventually(
        lambda: rescue.live_claims("seal") == rescue.live_claims("shark") == 0, "what they held comes back"
    )

    others = expected.items() - {(falsified["url"], expected[falsified["url"]])}

    def missing() -> set[str]:
        return {url for url, _ in others - rescue.held().items()}

    with rescue.node("whale") as honest:
        eventually(
            lambda: missing() <= rescue.owed_by("seal") or honest.poll() is not None,
            "all is held that the killed one had not reported",
            lambda: rescue.standing("whale"),
        )
        honest.send_signal(signal.SIGTERM)
        assert honest.wait(PATIENCE_SECONDS) == 0, rescue.standing("whale")
    with rescue.node("seal"):  # it still has what it reported, and sends it
        eventually(lambda: not missing(), "all is held", lambda: rescue.standing("seal"))
    by_whom = rescue.rows(
        "SELECT DISTINCT node.name FROM claim LEFT JOIN node ON node.id = node_id ORDER BY 1"
    )
    # Whatever is held on a liar's word alone, the server's own next run looks at again.
    rescue.json("rescue", "--organization", falsified["dataset"]["organization"])
    rescue.json("node", "prove")
    shown = rescue.json("node", "show", "shark")
    public = requests.get(f"{rescue.api}/nodes/shark", timeout=PATIENCE_SECONDS).json()

    assert left > 0
    assert by_whom == [("seal",), ("shark",), ("whale",)]
    assert rescue.held() == expected
    assert (shown["trust"], shown["copies_counted"]) == (public["trust"], public["copies_counted"]) == (0, 0)
    lies = {event["kind"] for event in public["events"]}
    assert "wrong-upload" in lies
    assert lies & {"differs", "contradicted"}
    assert not any(audit_catalog(rescue.workplace).values())
    store = rescue.workplace.store
    assert isinstance(store, LocalStore)
    assert_invariants(rescue.workplace.catalog, store)
