"""A worker that is asked to end by a signal gives back what it holds, and the next one goes on where it stopped."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.crash.test_kill_batch import assert_whole, begin, scalar, wait_until, worker
from shelter_pipeline_tests.support.fault_server import SILENCE, FaultServer, Pause, Step, field, head, whole
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

BODY = bytes(range(256)) * 4096
SENT = 300_000


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store", lease_seconds=60) as opened:
        yield opened


def stuck_until_asked_for_the_rest(request: str) -> tuple[Step, ...]:
    etag = 'ETag: "v1"'
    if field(request, "Range") is None:
        return (head(f"Content-Length: {len(BODY)}", etag) + BODY[:SENT], SILENCE)
    rest = (f"Content-Range: bytes {SENT}-{len(BODY) - 1}/{len(BODY)}", f"Content-Length: {len(BODY) - SENT}")
    return (head(etag, *rest, status="206 Partial Content") + BODY[SENT:],)


@pytest.mark.timeout(120)
def test_an_interrupted_worker_gives_back_its_claims_and_its_successor_asks_for_the_rest(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELTER_FETCH_STOP_SECONDS", "1")
    with FaultServer() as server:
        urls = [server.serves_in_turn("/large.bin", stuck_until_asked_for_the_rest)]
        urls += [server.serves(f"/{n}.csv", Pause(0.2), *whole(b"a,b\n%d,1\n" % n)) for n in range(20)]
        portal = add_portal(workplace, "datagov:https://portal.example")
        resources = [a_resource(url, key=str(n), position=n) for n, url in enumerate(urls)]
        harvested(workplace.catalog, portal, [a_dataset("1", *resources)])
        discovered(workplace.catalog, portal)
        (key,) = plan_organization(workplace, "epa-gov", urgent=False)["new"]

        with worker(workplace, "asked", [key]) as asked:
            begin(asked)
            wait_until(lambda: server.requests("/large.bin") == 1)
            time.sleep(0.3)
            began = time.monotonic()
            asked.send_signal(signal.SIGINT)
            asked.wait(timeout=40)
            took = time.monotonic() - began
        held = scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'held'")
        kept = {path.suffix for path in files_in(workplace.store.root, "partial")}
        before = scalar(workplace, "SELECT count(*) FROM asset WHERE state = 'held'")
        result = rescue_batch(workplace, key, run_id="next")
        asked_for = [field(one, "Range") for one in server.heads("/large.bin")]

    assert took < 30
    assert asked.returncode != 0
    assert (held, kept) == (0, {".part", ".json"})
    assert (result.state, result.leftover) == ("done", 0)
    assert result.reasons == {"stored": 21 - before}
    assert asked_for == [None, f"bytes={SENT}-"]
    assert workplace.store.size_of(hashlib.sha256(BODY).hexdigest()) == len(BODY)
    assert_whole(workplace)
