"""Files of a real FTP server: fetched by hand, and as part of an organization's rescue."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.fetch_url import fetch_url
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.settings import Settings, load_settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.dcat_documents import dataset
from shelter_pipeline_tests.support.fault_server import SILENCE, FaultServer, whole
from shelter_pipeline_tests.support.fetching import downloader
from shelter_pipeline_tests.support.ftp_fault_server import FtpFaultServer
from shelter_pipeline_tests.support.ftp_server import ftp_server
from shelter_pipeline_tests.support.local_site import local_site
from shelter_pipeline_tests.support.workplaces import a_workplace

BODY = b"year,catch\n2025,17\n" * 5000


@pytest.fixture
def served(tmp_path: Path) -> Path:
    root = tmp_path / "served"
    (root / "pub" / "deep er").mkdir(parents=True)
    (root / "pub" / "deep er" / "prüf.csv").write_bytes(BODY)
    for name in "abc":
        (root / "pub" / f"{name}.csv").write_bytes(BODY + name.encode())
    return root


def test_a_file_fetched_by_hand_is_stored_and_then_unchanged(served: Path, tmp_path: Path) -> None:
    settings = Settings(allowed_networks="127.0.0.0/8", fetch_retry_delay_seconds=0.01)  # type: ignore[arg-type]
    store = tmp_path / "store"

    with ftp_server(served) as ftp:
        url = ftp.url("/pub/deep%20er/pr%C3%BCf.csv")
        first, second = (fetch_url(url, settings=settings, store=str(store)) for _ in range(2))
        missing = fetch_url(ftp.url("/pub/d.csv"), settings=settings, store=str(store))
        folder = fetch_url(ftp.url("/pub"), settings=settings, store=str(store))

    assert first == {
        "verdict": "stored",
        "reason": "stored",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "size": len(BODY),
        "requests": 1,
        "flags": [],
        "final_url": url,
    }
    assert second == {**first, "verdict": "unchanged", "reason": "unchanged", "flags": ["by-date-and-size"]}
    assert (missing["reason"], folder["reason"]) == ("not-found", "directory")
    assert scrub_store(str(store), load_settings())["ok"] == 1


def test_ftp_files_of_a_dataset_are_rescued_in_a_batch(
    catalog_url: str, served: Path, tmp_path: Path
) -> None:
    with (
        ftp_server(served) as ftp,
        local_site() as site,
        a_workplace(catalog_url, tmp_path / "store") as workplace,
    ):
        links: list[dict[str, Any]] = [{"downloadURL": ftp.url(f"/pub/{name}.csv")} for name in "abcd"]
        links.append({"accessURL": ftp.url("/pub/")})
        site.serves("/data.json", {"dataset": [dataset(distribution=links)]})
        slug = add_portal(workplace, f"dcat_us:{site.url}/data.json").slug
        harvest_portal(workplace, slug)
        found = discover_resources(workplace, slug)
        (key,) = plan_organization(workplace, "office-of-things", urgent=False)["new"]

        result = rescue_batch(workplace, str(key), run_id="one")

        # The directory lists three of the four, and one below it.
        assert (found["resources"], found["assets"]) == (5, 5)
        assert dict(result.reasons) == {"stored": 4, "not-found": 1}
        assert (result.state, result.leftover) == ("done", 0)
        assert ftp.logins <= workplace.settings.host_connections


def test_silent_ftp_servers_hold_up_nobody_else(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    polite = Politeness(connections=8, delay_seconds=0, allowed_networks=())

    with FaultServer() as web, FtpFaultServer(BODY, closing=SILENCE) as ftp:
        urls = [web.serves(f"/{number}.csv", *whole(BODY)) for number in range(50)]
        began = time.monotonic()
        with Engine(
            downloader(store, max_attempts=1, stall_window_seconds=9), store, polite, connections=20, lanes=1
        ) as engine:
            for number in range(8):
                engine.fetch("ftp", ftp.url(f"/{number}.csv"), Promise())
            for url in urls:
                engine.fetch("web", url, Promise())
            captures = []
            while sum(tag == "web" for tag, _ in captures) < len(urls) and time.monotonic() - began < 8:
                captures += engine.results(0.2)
            took = time.monotonic() - began
            engine.cancel()
            while engine.pending and time.monotonic() - began < 12:
                captures += engine.results(0.2)

    assert took < 3
    assert {(tag, capture.reason) for tag, capture in captures} == {
        ("web", "stored"),
        ("ftp", "interrupted"),
    }


def test_an_engine_that_is_left_takes_its_ftp_transfers_with_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    polite = Politeness(connections=8, delay_seconds=0, allowed_networks=())

    with FtpFaultServer(BODY, data=[BODY[:100], SILENCE]) as ftp:
        with Engine(downloader(store), store, polite, connections=4, lanes=1) as engine:
            engine.fetch("ftp", ftp.url("/a.csv"), Promise())
            while not ftp.said("RETR"):
                engine.results(0.05)
            began = time.monotonic()

        assert time.monotonic() - began < 3
