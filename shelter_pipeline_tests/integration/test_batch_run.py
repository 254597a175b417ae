"""A large batch in a small hand: claims as they are needed, progress that only grows, nothing forgotten at the end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.operations import batch_run
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.fault_server import SILENCE, FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

FILES = 3000
HAND = 200
LARGE = bytes(range(256)) * 1200


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    changes = {
        "batch_max_files": 5000,
        "batch_max_bytes": 10**15,
        "fetch_stop_seconds": 0.5,
        "lease_seconds": 60,
    }
    with a_workplace(catalog_url, tmp_path / "store", **changes) as opened:
        yield opened


def a_batch_of(workplace: Workplace, urls: list[str]) -> str:
    """The key of one batch of these files."""
    portal = add_portal(workplace, "datagov:https://portal.example")
    resources = [a_resource(url, key=str(n), position=n) for n, url in enumerate(urls)]
    harvested(workplace.catalog, portal, [a_dataset("1", *resources)])
    discovered(workplace.catalog, portal)
    (key,) = plan_organization(workplace, "epa-gov", urgent=False)["new"]
    return str(key)


def scalar(workplace: Workplace, query: str) -> Any:
    with workplace.catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def test_a_batch_is_larger_than_the_hand_that_works_on_it(
    workplace: Workplace, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [server.serves(f"/{n}.csv", *whole(f"a,b\n{n},{n}\n".encode())) for n in range(FILES)]
    key = a_batch_of(workplace, urls)
    monkeypatch.setattr(batch_run, "_IN_HAND", HAND)
    in_hand, seen = list[int](), list[tuple[int, int]]()
    fetch = Engine.fetch

    def counted(self: Engine, *arguments: Any, **named: Any) -> None:
        fetch(self, *arguments, **named)
        in_hand.append(self.pending)

    monkeypatch.setattr(Engine, "fetch", counted)
    result = rescue_batch(
        workplace, key, run_id="run", progress=lambda files, received: seen.append((files, received))
    )

    assert (result.state, result.settled, result.leftover) == ("done", FILES, 0)
    assert result.reasons == {"stored": FILES}
    assert len(files_in(workplace.store.root, "blobs")) == FILES
    assert max(in_hand) <= HAND
    assert seen == sorted(seen)
    assert [files for files, _ in seen] == sorted(files for files, _ in seen)
    assert [received for _, received in seen] == sorted(received for _, received in seen)
    # The robots.txt was received too, and is no file of the batch.
    assert seen[-1] == (FILES, result.wire_bytes + server.sent["/robots.txt"])
    assert len(server.log) == FILES + server.requests("/robots.txt") == FILES + 1


def test_asked_to_stop_it_gives_back_what_it_has_not_begun_and_keeps_what_can_be_continued(
    workplace: Workplace, server: FaultServer
) -> None:
    large = server.serves(
        "/large.bin", head(f"Content-Length: {len(LARGE)}", 'ETag: "v1"') + LARGE[:200_000], SILENCE
    )
    urls = [server.serves(f"/{n}.csv", Pause(0.1), *whole(f"a,b\n{n},1\n".encode())) for n in range(200)]
    key = a_batch_of(workplace, [large, *urls])
    stop = threading.Event()

    def look(_files: int, received: int) -> None:
        if received > 200_000:
            stop.set()

    began = time.monotonic()
    result = rescue_batch(workplace, key, run_id="run", stop=stop, progress=look)

    assert time.monotonic() - began < 15
    assert result.reasons["interrupted"] == 1
    assert result.reasons["stored"] == result.settled - 1 == len(files_in(workplace.store.root, "blobs"))
    assert scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'held'") == 0
    assert scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'released'") == 201 - result.settled
    assert {path.suffix for path in files_in(workplace.store.root, "partial")} == {".part", ".json"}


def test_interrupted_while_the_catalog_is_away_it_still_ends_soon(
    workplace: Workplace, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease is ten minutes and more; whoever asks a process to end does not wait for that."""
    urls = [server.serves(f"/{n}.csv", SILENCE) for n in range(4)]
    key = a_batch_of(workplace, urls)
    monkeypatch.setattr(batch_run, "_CANCEL_SECONDS", 1.0)

    def away(*_: object, **__: object) -> set[int]:
        raise CatalogAwayError("the catalog did not answer")

    def interrupt(_files: int, _received: int) -> None:
        if server.busy == 4:
            monkeypatch.setattr(batch_run, "settle_claims", away)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        rescue_batch(workplace, key, run_id="run", progress=interrupt)

    assert time.monotonic() - began < 15
    assert scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'released'") == 4


@pytest.mark.timeout(60)
def test_interrupted_where_it_shares_something_with_the_lanes_it_keeps_none_of_them_waiting(
    workplace: Workplace, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [server.serves(f"/{n}.csv", *whole(f"a,b\n{n},{n}\n".encode())) for n in range(20)]
    key = a_batch_of(workplace, urls)
    queue, asked = Engine._queue, 0

    def interrupted(engine: Engine, url: Any, job: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == 10:
            engine._something.acquire()
            signal.raise_signal(signal.SIGINT)  # would be raised before the condition is entered
            engine._something.release()
        queue(engine, url, job)

    monkeypatch.setattr(Engine, "_queue", interrupted)

    with pytest.raises(KeyboardInterrupt):
        rescue_batch(workplace, key, run_id="run")

    assert asked == 20
    assert scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'held'") == 0
    assert rescue_batch(workplace, key, run_id="next").state == "done"


def test_what_has_ended_is_settled_although_an_interrupt_comes_with_it(
    workplace: Workplace, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = a_batch_of(workplace, [server.serves("/1.csv", *whole(b"a,b\n1,1\n"))])
    results = Engine.results

    def interrupted(engine: Engine, *asked: Any, **more: Any) -> Any:
        found = results(engine, *asked, **more)
        if found:
            signal.raise_signal(signal.SIGINT)
        return found

    monkeypatch.setattr(Engine, "results", interrupted)

    with pytest.raises(KeyboardInterrupt):
        rescue_batch(workplace, key, run_id="run")

    assert scalar(workplace, "SELECT state FROM asset") == "held"


def test_a_bug_in_a_fetch_gives_back_every_claim(
    workplace: Workplace, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [server.serves(f"/{n}.csv", *whole(b"a,b\n")) for n in range(10)]
    key = a_batch_of(workplace, urls)

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("shelter_pipeline.fetching.exchange.Trace.take", bug)
    with pytest.raises(ZeroDivisionError):
        rescue_batch(workplace, key, run_id="run")

    assert scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'held'") == 0
    assert scalar(workplace, "SELECT count(*) FROM asset WHERE state = 'pending'") == 10
    assert files_in(workplace.store.root) == []
