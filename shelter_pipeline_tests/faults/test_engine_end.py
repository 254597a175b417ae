"""How an engine ends: asked to stop, cancelled, broken, or left in the middle of everything."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.exchange import Trace
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.engines import (
    NO_PROMISE,
    an_engine,
    open_descriptors,
    results_of,
    wait_until,
)
from shelter_pipeline_tests.support.fault_server import (
    RESET,
    SILENCE,
    FaultServer,
    Pause,
    Step,
    field,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import files_in

LARGE = bytes(range(256)) * 1200  # more than is kept in memory
ETAG = 'ETag: "v1"'


def a_broken_off(server: FaultServer, path: str, *end: Step) -> str:
    """A large file that stops in the middle, and goes on for whoever asks for the rest."""

    def steps(request: str) -> tuple[Step, ...]:
        offset = int((field(request, "Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if not offset:
            return (head(f"Content-Length: {len(LARGE)}", ETAG) + LARGE[:200_000], *end)
        rest = (
            f"Content-Range: bytes {offset}-{len(LARGE) - 1}/{len(LARGE)}",
            f"Content-Length: {len(LARGE) - offset}",
        )
        return (head(ETAG, *rest, status="206 Partial Content") + LARGE[offset:],)

    return server.serves_in_turn(path, steps)


def engine_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("fetch-")}


def test_asked_to_stop_it_begins_nothing_new_and_lets_requests_end(
    store: LocalStore, server: FaultServer
) -> None:
    slow = server.serves("/slow.csv", Pause(0.5), *whole(b"a,b\n1,2\n"))
    for number in range(50):
        server.serves(f"/{number}.csv", *whole(b"a,b\n3,4\n"))

    with an_engine(store, per_host=1) as engine:
        engine.fetch("slow", slow, NO_PROMISE)
        wait_until(lambda: server.busy == 1)
        for number in range(50):
            engine.fetch(number, server.url(f"/{number}.csv"), NO_PROMISE)
        engine.stop()
        assert engine.pending == 1
        captures = results_of(engine)

    assert {tag: capture.reason for tag, capture in captures.items()} == {"slow": "stored"}
    assert len(server.log) == 1


def test_what_breaks_after_a_stop_is_not_asked_for_again(store: LocalStore, server: FaultServer) -> None:
    broken = a_broken_off(server, "/broken.bin", Pause(0.3), RESET)
    there = server.serves("/there.csv", *whole(b"a,b\n1,2\n"))
    moved = server.serves(
        "/moved.csv", Pause(0.3), head(f"Location: {there}", "Content-Length: 0", status="302 F")
    )

    with an_engine(store) as engine:
        engine.fetch("broken", broken, NO_PROMISE)
        engine.fetch("moved", moved, NO_PROMISE)
        wait_until(lambda: server.busy == 2)
        engine.stop()
        began = time.monotonic()
        captures = results_of(engine)

    assert captures == {}
    assert time.monotonic() - began < 2
    assert len(server.log) == 2
    assert len(files_in(store.root, "partial")) == 2  # the bytes and their note


def test_who_waits_for_results_is_told_when_none_is_left(store: LocalStore, server: FaultServer) -> None:
    server.serves("/silent.csv", SILENCE)

    with an_engine(store, per_host=1) as engine:
        engine.fetch("running", server.url("/silent.csv"), NO_PROMISE)
        wait_until(lambda: server.busy == 1)
        engine.cancel()
        engine.stop()
        began = time.monotonic()
        assert [tag for tag, _ in engine.results(30)] == ["running"]
        assert engine.results(30) == []

    assert time.monotonic() - began < 5


def test_cancelled_it_leaves_behind_what_can_be_continued(store: LocalStore, server: FaultServer) -> None:
    url = a_broken_off(server, "/large.bin", SILENCE)

    with an_engine(store, stall_window_seconds=30) as engine:
        engine.fetch(1, url, NO_PROMISE)
        wait_until(lambda: engine.wire_bytes > 200_000)
        began = time.monotonic()
        engine.cancel()
        (first,) = results_of(engine).values()
        took = time.monotonic() - began
    kept = {path.suffix for path in files_in(store.root, "partial")}
    with an_engine(LocalStore(store.root)) as engine:
        engine.fetch(1, url, NO_PROMISE)
        (second,) = results_of(engine).values()

    assert (first.reason, took < 1, kept) == ("interrupted", True, {".part", ".json"})
    assert second.reason == "stored"
    assert second.sha256 == hashlib.sha256(LARGE).hexdigest()
    assert field(server.heads("/large.bin")[-1], "Range") == "bytes=200000-"
    assert second.wire_bytes < len(LARGE) - 200_000 + 1000
    assert files_in(store.root, "partial") == []


def test_one_fetch_that_is_no_longer_wanted_ends_and_no_other(store: LocalStore, server: FaultServer) -> None:
    unwanted = threading.Event()
    slow = server.serves("/slow.csv", Pause(1.0), *whole(b"a,b\n1,2\n"))
    silent = server.serves("/silent.csv", SILENCE)

    with an_engine(store) as engine:
        engine.fetch("wanted", slow, NO_PROMISE, cancelled=lambda: False)
        engine.fetch("unwanted", silent, NO_PROMISE, cancelled=unwanted.is_set)
        wait_until(lambda: server.busy == 2)
        unwanted.set()
        began = time.monotonic()
        ((tag, capture),) = engine.results(10)
        took = time.monotonic() - began
        rest = results_of(engine)

    assert (tag, capture.reason, took < 0.7) == ("unwanted", "interrupted", True)
    assert {tag: capture.reason for tag, capture in rest.items()} == {"wanted": "stored"}


def test_bytes_received_never_become_fewer(store: LocalStore, server: FaultServer) -> None:
    for number in range(30):
        a_broken_off(server, f"/{number}.bin", RESET)
    seen: list[int] = []

    with an_engine(store, connections=8) as engine:
        watching = threading.Event()

        def watch() -> None:
            while not watching.is_set():
                seen.append(engine.wire_bytes)

        watcher = threading.Thread(target=watch)
        watcher.start()
        for number in range(30):
            engine.fetch(number, server.url(f"/{number}.bin"), NO_PROMISE)
        captures = results_of(engine)
        watching.set()
        watcher.join()
        total = engine.wire_bytes

    assert seen == sorted(seen)
    assert total == sum(capture.wire_bytes for capture in captures.values())


@pytest.mark.parametrize("spoilt", [b"SPOILT", b""])
def test_a_disk_that_is_full_for_some_is_the_outcome_of_those(
    store: LocalStore, server: FaultServer, spoilt: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        server.serves(
            f"/{number}.csv", *whole(b"a,b\n" + (b"SPOILT" if number % 10 == 0 else b"good") + b"%d" % number)
        )
    pwrite = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if spoilt in bytes(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    with an_engine(store) as engine:
        for number in range(40):
            engine.fetch(number, server.url(f"/{number}.csv"), NO_PROMISE)
        captures = results_of(engine)

    counted = Counter(capture.reason for capture in captures.values())
    assert counted == ({"stored": 36, "no-space": 4} if spoilt else {"no-space": 40})
    assert len(files_in(store.root, "blobs")) == counted["stored"]
    assert files_in(store.root, "partial") == []


def test_a_group_that_cannot_be_synced_is_not_held(
    store: LocalStore, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("shelter_pipeline.vault.group.sync_file_system", failing)
    monkeypatch.setattr("shelter_pipeline.vault.partial.sync_file", failing)
    with an_engine(store) as engine:
        for number in range(30):
            engine.fetch(number, server.serves(f"/{number}.csv", *whole(b"a,b\n%d,1\n" % number)), NO_PROMISE)
        captures = results_of(engine)

    assert Counter(capture.reason for capture in captures.values()) == {"store-failed": 30}
    assert files_in(store.root) == []


def silent_and_kept(server: FaultServer) -> list[str]:
    return [a_broken_off(server, "/large.bin", SILENCE), server.serves("/silent.csv", SILENCE)]


def fetch_all(store: LocalStore, urls: list[str]) -> None:
    with an_engine(store) as engine:
        for url in urls:
            engine.fetch(url, url, NO_PROMISE)
        results_of(engine)


@pytest.mark.parametrize("error", [ZeroDivisionError, SetupError])
def test_a_store_that_breaks_ends_the_engine_with_its_error_and_nothing_stays_open(
    store: LocalStore, server: FaultServer, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise error("the store is broken")

    monkeypatch.setattr(store, "publish_all", breaks)
    good = server.serves("/good.bin", *whole(LARGE))
    before = open_descriptors()

    with pytest.raises(error, match="broken"):
        fetch_all(store, [*silent_and_kept(server), good])

    assert engine_threads() == set()
    assert {path.suffix for path in files_in(store.root, "partial")} <= {".part", ".json"}
    assert len(files_in(store.root, "partial")) <= 2
    assert open_descriptors() <= before + server.accepted


@pytest.mark.parametrize("error", [ZeroDivisionError, SetupError, KeyboardInterrupt])
def test_a_lane_that_breaks_ends_the_engine_with_its_error_and_nothing_stays_open(
    store: LocalStore, server: FaultServer, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Trace.take

    def breaks(self: Trace, transfer: Any) -> None:
        if transfer.url.text.endswith("/bug.csv"):
            raise error("a bug")
        take(self, transfer)

    monkeypatch.setattr(Trace, "take", breaks)
    server.serves("/bug.csv", Pause(0.3), *whole(b"a,b\n1,2\n"))
    before = open_descriptors()

    with pytest.raises(error, match="a bug"):
        fetch_all(store, [*silent_and_kept(server), server.url("/bug.csv")])

    assert engine_threads() == set()
    assert len(files_in(store.root, "partial")) == 2  # what the silent one had sent, and its note
    assert open_descriptors() <= before + server.accepted


def test_left_in_the_middle_it_closes_everything(
    store: LocalStore, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    before = open_descriptors()

    def noted(steps: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(self: Downloader, url: str, *arguments: Any, **named: Any) -> Any:
            try:
                return (yield from steps(self, url, *arguments, **named))
            finally:
                closed.append(url)

        return wrapped

    def leave() -> None:
        with an_engine(store, connections=4, per_host=2) as engine:
            for url in urls:
                engine.fetch(url, url, NO_PROMISE)
            wait_until(lambda: engine.wire_bytes > 200_000 and server.busy == 2)
            for number in range(100):
                engine.fetch(number, server.url(f"/{number}"), NO_PROMISE)
            raise RuntimeError("enough")

    monkeypatch.setattr(Downloader, "steps", noted(Downloader.steps))
    urls = silent_and_kept(server)
    with pytest.raises(RuntimeError, match="enough"):
        leave()

    assert sorted(closed) == sorted(urls)  # what had not begun has nothing to close
    assert engine_threads() == set()
    assert {path.suffix for path in files_in(store.root, "partial")} == {".part", ".json"}
    assert open_descriptors() <= before + server.accepted


def test_left_while_kept_bytes_are_taken_up_it_lets_go_of_them_and_keeps_them(
    store: LocalStore, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [a_broken_off(server, f"/{number}.bin") for number in range(6)]
    with an_engine(store, max_attempts=1) as engine:
        for url in urls:
            engine.fetch(url, url, NO_PROMISE)
        results_of(engine)
    kept = files_in(store.root, "partial")
    before, take_up, begun = open_descriptors(), store.partial, threading.Semaphore(0)

    def slowly(key: str | None = None) -> Any:
        begun.release()
        partial = take_up(key)
        time.sleep(0.5)
        return partial

    monkeypatch.setattr(store, "partial", slowly)
    with an_engine(store, max_attempts=1) as engine:
        for url in urls:
            engine.fetch(url, url, NO_PROMISE)
        assert begun.acquire(timeout=10)

    assert files_in(store.root, "partial") == kept
    assert len(kept) == 12
    wait_until(lambda: open_descriptors() <= before)
    monkeypatch.undo()
    for url in urls:
        with store.receive(parse_url(url).digest.hex()) as partial:
            assert partial.note is not None  # nobody holds its lock
            assert partial.size == 200_000
