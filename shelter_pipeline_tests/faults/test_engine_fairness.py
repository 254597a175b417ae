"""Slow hosts and large files: what is quick or small does not wait for them, and memory does not grow with them."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.engines import NO_PROMISE, an_engine, results_of
from shelter_pipeline_tests.support.fault_server import SILENCE, FaultServer, Step, head, whole
from shelter_pipeline_tests.support.fetching import files_in

MIB = 1024 * 1024


@pytest.fixture
def silent() -> Iterator[list[FaultServer]]:
    """Thirty hosts that take a request and never answer."""
    with ExitStack() as stack:
        servers = [stack.enter_context(FaultServer(f"127.0.4.{1 + number}")) for number in range(30)]
        for server in servers:
            server.serves("/never.csv", SILENCE)
        yield servers


def test_more_silent_hosts_than_connections_do_not_keep_quick_ones_waiting(
    store: LocalStore, silent: list[FaultServer], server: FaultServer
) -> None:
    """A request counts as slow after five seconds; its head may take twenty here."""
    quick = [server.serves(f"/{number}.csv", *whole(f"a,b\n{number},2\n".encode())) for number in range(500)]
    ended: list[float] = []

    with an_engine(
        store, connections=16, max_attempts=1, head_seconds=20, total_seconds=60, stall_window_seconds=60
    ) as engine:
        began = time.monotonic()
        for host in silent:
            engine.fetch(host, host.url("/never.csv"), NO_PROMISE)
        for url in quick:
            engine.fetch(url, url, NO_PROMISE)
        captures = []
        while len(captures) < len(quick):
            assert time.monotonic() - began < 40
            captures += engine.results(0.2)
        ended.append(time.monotonic() - began)
        engine.cancel()
        rest = results_of(engine)

    assert {capture.reason for _, capture in captures} == {"stored"}
    assert Counter(capture.reason for capture in rest.values()) == {"interrupted": 30}
    assert ended[0] < 18  # none of the silent ones has given its place back before


def test_large_files_go_to_disk_and_not_to_memory(store: LocalStore, server: FaultServer) -> None:
    block = bytes(range(256)) * 4096
    pieces = 200
    digest = hashlib.sha256()
    process = psutil.Process()

    def large(mark: bytes) -> tuple[Step, ...]:
        return (head(f"Content-Length: {pieces * len(block) + 1}") + mark, *[block] * pieces)

    urls = {name: server.serves(f"/{name}.bin", *large(name.encode())) for name in "abcd"}
    before, seen, lanes = process.memory_info().rss, list[int](), set[str]()

    def look() -> None:
        seen.append(process.memory_info().rss - before)
        lanes.update(str(number) for number, lane in enumerate(engine._lanes) if lane._running)

    with an_engine(
        store,
        connections=4,
        total_seconds=120,
        max_bytes=1000 * MIB,
        stall_window_seconds=60,
        min_bytes_per_second=1,
    ) as engine:
        for name, url in urls.items():
            engine.fetch(name, url, NO_PROMISE)
        captures = results_of(engine, seconds=100, look=look)

    assert {capture.size for capture in captures.values()} == {pieces * len(block) + 1}
    for name in "abcd":
        digest = hashlib.sha256(name.encode())
        for _ in range(pieces):
            digest.update(block)
        assert captures[name].sha256 == digest.hexdigest()
    assert max(seen) < 100 * MIB
    assert lanes == {"0", "1"}
    assert files_in(store.root, "partial") == []


def test_small_files_waiting_for_a_slow_store_are_bounded(
    store: LocalStore, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"a,b\n" + b"1,2\n" * 25_000
    urls = [server.serves(f"/{number}.csv", *whole(f"{number}\n".encode() + body)) for number in range(1500)]
    publish_all = store.publish_all
    sizes: list[int] = []

    def slowly(partials: list[object]) -> object:
        sizes.append(len(partials))
        time.sleep(0.3)
        return publish_all(partials)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "publish_all", slowly)
    process = psutil.Process()
    before, seen = process.memory_info().rss, list[int]()

    with an_engine(store, connections=32, per_host=32) as engine:
        for url in urls:
            engine.fetch(url, url, NO_PROMISE)
        captures = results_of(engine, look=lambda: seen.append(process.memory_info().rss - before))

    assert Counter(capture.reason for capture in captures.values()) == {"stored": len(urls)}
    assert max(sizes) <= 256
    assert max(seen) < 200 * MIB  # all of them together have 150 MB, and the server holds them too
