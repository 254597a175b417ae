"""Many transfers on one thread: each ends once, with its own error, and leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.http_transfer import HttpTransfer
from shelter_pipeline.fetching.multi import Ended, Multi
from shelter_pipeline.fetching.transfer import Transfer
from shelter_pipeline_tests.support.engines import open_descriptors, wait_until
from shelter_pipeline_tests.support.fault_server import RESET, SILENCE, FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.fetching import LOOPBACK, SHORT, door

BODY = b"0123456789" * 10


@contextmanager
def a_multi(kind: type[Multi] = Multi) -> Iterator[Multi]:
    multi = kind()
    try:
        yield multi
    finally:
        multi.close()


def a_transfer(
    url: str, sink: Callable[[bytes], Any] = len, tick: Callable[[], None] | None = None
) -> HttpTransfer:
    return HttpTransfer(
        parse_url(url),
        SHORT,
        seconds=SHORT.total_seconds,
        max_bytes=SHORT.max_bytes,
        headers=["User-Agent: tests"],
        allowed_networks=LOOPBACK,
        on_head=lambda _head: None,
        sink=sink,
        tick=tick,
    )


def all_ended(multi: Multi, *, seconds: float = 20) -> dict[Transfer, BaseException | None]:
    until, ended = time.monotonic() + seconds, list[Ended]()
    while len(multi):
        assert time.monotonic() < until, f"{len(multi)} still run"
        ended += multi.wait(0.2)
    assert len(ended) == len(dict(ended))
    return dict(ended)


def test_transfers_run_beside_one_another_and_each_body_goes_to_its_own_sink(server: FaultServer) -> None:
    bodies = {f"/{number}": f"body {number}".encode() * 50 for number in range(40)}
    for path, body in bodies.items():
        server.serves(path, Pause(0.2), *whole(body))
    arrived = {path: bytearray() for path in bodies}

    began = time.monotonic()
    with a_multi() as multi:
        for path in bodies:
            multi.start(a_transfer(server.url(path), arrived[path].extend))
        ended = all_ended(multi)

    assert arrived == bodies
    assert set(ended.values()) == {None}
    assert time.monotonic() - began < 4  # one after another they would take eight seconds


def test_one_connection_serves_one_transfer_after_another(server: FaultServer) -> None:
    url = server.serves("/file", *whole(BODY))

    with a_multi() as multi:
        for _ in range(50):
            multi.start(a_transfer(url))
            all_ended(multi)

    assert server.requests("/file") == 50
    assert server.accepted == 1


class Late(Multi):
    """Hears of every end a moment later, as on a busy machine."""

    def _collect(self) -> list[Ended]:
        time.sleep(0.02)
        return super()._collect()


def test_the_reply_of_the_next_request_is_not_taken_for_surplus_of_the_last(server: FaultServer) -> None:
    first = server.serves("/first", Pause(0.2), *whole(BODY))
    second = server.serves("/second", *whole(BODY))

    with a_multi(Late) as multi:
        for _ in range(5):
            one, two = a_transfer(first), a_transfer(second)
            multi.start(one)
            while not one.request_lines:
                assert multi.wait(0.0) == []
            time.sleep(0.3)  # its reply is here, and nobody has read it
            multi.start(two)
            ended = all_ended(multi)

            assert ended == {one: None, two: None}
            assert one.flags == two.flags == ()
    assert server.accepted == 1


def test_each_transfer_ends_in_its_own_error_and_disturbs_no_other(server: FaultServer) -> None:
    def too_much(_data: bytes) -> None:
        raise ZeroDivisionError

    good = a_transfer(server.serves("/good", Pause(0.1), *whole(BODY)))
    reset = a_transfer(server.serves("/reset", head("Content-Length: 100") + b"x", RESET))
    cut = a_transfer(server.serves("/cut", head("Content-Length: 100") + b"x"))
    full = a_transfer(server.serves("/full", *whole(BODY)), too_much)
    private = a_transfer("http://10.255.255.1:8080/")

    with a_multi() as multi:
        for transfer in (good, reset, cut, full, private):
            multi.start(transfer)
        ended = all_ended(multi)

    reasons = {transfer: getattr(error, "reason", type(error)) for transfer, error in ended.items()}
    assert reasons == {
        good: type(None),
        reset: "connection-lost",
        cut: "wrong-length",
        full: ZeroDivisionError,
        private: "private-address",
    }


def test_a_transfer_that_is_no_longer_wanted_ends_within_half_a_second(server: FaultServer) -> None:
    wanted = threading.Event()

    def tick() -> None:
        if wanted.is_set():
            raise TransientError("no longer", reason="interrupted")

    silent = a_transfer(server.serves("/silent", SILENCE), tick=tick)
    with a_multi() as multi:
        multi.start(silent)
        assert multi.wait(0.3) == []
        wanted.set()
        began = time.monotonic()
        (error,) = all_ended(multi).values()

    assert time.monotonic() - began < 0.5
    assert isinstance(error, ShelterError)
    assert error.reason == "interrupted"


def test_who_waits_is_woken_by_another_thread() -> None:
    with a_multi() as multi:
        threading.Timer(0.1, multi.wake).start()
        began = time.monotonic()
        multi.wait(30.0)

    assert time.monotonic() - began < 5
    multi.wake()  # closed: nothing happens


def test_a_thousand_calls_to_wake_are_one() -> None:
    with a_multi() as multi:
        for _ in range(100_000):
            multi.wake()
        while True:
            began = time.monotonic()
            multi.wait(0.1)
            if time.monotonic() - began > 0.05:
                break


def test_five_hundred_transfers_leave_no_descriptor_behind(server: FaultServer) -> None:
    urls = [
        server.serves("/good", *whole(BODY)),
        server.serves("/reset", head("Content-Length: 100") + b"x", RESET),
        server.serves("/closed", head("Connection: close", "Content-Length: 1") + b"x"),
        server.serves("/bad", b"no head at all"),
        "http://10.255.255.1:8080/",
    ]
    with a_multi() as multi:
        multi.start(a_transfer(urls[0]))
        all_ended(multi)
        before = open_descriptors()
        for _ in range(10):
            for number in range(50):
                multi.start(a_transfer(urls[number % len(urls)]))
            all_ended(multi)
        # Connections that may serve again stay, and are of this host only.
        at_most = before + 50
        after = open_descriptors()
        multi.start(a_transfer(server.serves("/silent", SILENCE)))
        wait_until(lambda: multi.wait(0.05) == [] and server.requests("/silent") == 1)

    assert after <= at_most
    wait_until(
        lambda: open_descriptors() <= before
    )  # the one that the silent server holds is in place of the first


def test_a_closed_loop_breaks_off_what_runs_and_keeps_nothing_open(server: FaultServer) -> None:
    url = server.serves("/silent", SILENCE)
    before = open_descriptors()

    multi = Multi()
    for _ in range(20):
        multi.start(a_transfer(url))
    wait_until(lambda: multi.wait(0.05) == [] and server.busy == 20)
    multi.close()

    own = 20  # of the server, which still listens on its side
    assert len(multi) == 0
    assert open_descriptors() <= before + own


def test_the_connections_of_a_thread_end_with_the_thread(server: FaultServer) -> None:
    url = server.serves("/page", *whole(BODY))
    shared = door()
    gc.collect()
    gc.disable()  # whatever is left for it is left open for long
    try:
        shared.read(url)
        before = open_descriptors()
        for _ in range(10):
            thread = threading.Thread(target=shared.read, args=(url,))
            thread.start()
            thread.join()
        wait_until(lambda: open_descriptors() <= before)
    finally:
        gc.enable()

    assert server.accepted == 11


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_read_leaves_the_door_usable(server: FaultServer, kind: type[BaseException]) -> None:
    url = server.serves("/page", *whole(BODY))
    shared = door()

    def interrupt(_data: bytes) -> None:
        raise kind

    with pytest.raises(kind):
        shared.exchange(url, on_head=lambda _head: None, sink=interrupt)

    assert shared.read(url).body == BODY
