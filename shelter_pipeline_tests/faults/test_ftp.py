"""Whatever an FTP server does, its file is held whole and proved, or it failed with a reason."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from typing import Any

import pytest

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.fetching.aside import LOGINS
from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import RESET, SILENCE, Drip, Endless, FaultServer, whole
from shelter_pipeline_tests.support.fetching import SHORT, USER_AGENT, door, downloader, files_in
from shelter_pipeline_tests.support.ftp_fault_server import HANG_UP, FtpFaultServer

BODY = b"year,catch\n2025,17\n" * 100
NO_EPSV = {"EPSV": b"500 not here\r\n"}


def fetched(
    store: LocalStore, *, promise: Promise | None = None, body: bytes = BODY, **faults: Any
) -> Capture:
    """What comes of one attempt at a server with these faults."""
    with FtpFaultServer(body, **faults) as server:
        return downloader(store, max_attempts=1).fetch(server.url("/pub/a.csv"), promise or Promise())


def test_a_file_is_held_with_the_date_and_the_dialogue_as_evidence(store: LocalStore) -> None:
    with FtpFaultServer(BODY) as server:
        capture = downloader(store).fetch(server.url("/pub/deep/a%20b.csv"))

        assert server.said("USER") == ["anonymous"]
        assert server.said("PASS") == ["anonymous@"]
        assert (server.said("CWD"), server.said("RETR")) == (["pub/deep"], ["a b.csv"])
        assert server.said("PORT") == server.said("EPRT") == []
    assert (capture.verdict, capture.size, capture.flags) == ("stored", len(BODY), ())
    assert capture.last_modified == "Tue, 02 Jan 2024 03:04:05 GMT"
    assert ("RETR", "a b.csv") in capture.request_headers
    assert ("FTP-Reply", "226 done") in capture.response_headers


@pytest.mark.parametrize(
    "faults",
    [
        {"replies": {"RETR": b"125 already open\r\n"}},
        {"replies": {"MDTM": b"500 what?\r\n"}},
        {"replies": NO_EPSV},
        {"greeting": b"220-hello\r\n 550 not the end\r\n220-more\r\n220 ready\r\n"},
        {"closing": b"250 fine\r\n"},
    ],
)
def test_what_servers_differ_in_is_understood(store: LocalStore, faults: dict[str, Any]) -> None:
    capture = fetched(store, **faults)

    assert (capture.verdict, capture.size, capture.flags) == ("stored", len(BODY), ())


@pytest.mark.parametrize("refusal", [b"500 what?\r\n", b"550 SIZE not allowed\r\n", b"213 many\r\n"])
def test_a_file_whose_length_nobody_told_is_flagged(store: LocalStore, refusal: bytes) -> None:
    capture = fetched(store, replies={"SIZE": refusal})

    assert (capture.verdict, capture.flags, capture.etag) == ("stored", ("length-unverified",), None)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"data": [BODY[:-1]]}, "wrong-length"),
        ({"data": []}, "wrong-length"),
        ({"data": [BODY, b"and more"]}, "wrong-length"),
        ({"data": [Endless(b"x" * 65536)]}, "wrong-length"),
        ({"data": [Endless(b"x" * 65536)], "replies": {"SIZE": b"500 what?\r\n"}}, "too-large"),
        ({"replies": {"SIZE": b"213 99999999999\r\n"}}, "too-large"),
        ({"closing": HANG_UP}, "connection-lost"),
        ({"closing": HANG_UP, "replies": {"SIZE": b"500 what?\r\n"}}, "connection-lost"),
        ({"closing": b"426 broken off\r\n"}, "connection-lost"),
        ({"closing": b"550 read error\r\n"}, "connection-lost"),
        ({"data": [BODY[:500], RESET], "replies": {"SIZE": b"500 what?\r\n"}}, "connection-lost"),
        ({"replies": {"RETR": HANG_UP}}, "connection-lost"),
        ({"greeting": HANG_UP}, "connection-lost"),
        ({"body": b""}, "empty"),
        ({"greeting": Endless(b"220-" + b"blah " * 100 + b"\r\n")}, "head-too-large"),
        ({"greeting": Endless(b"220-" + b"x" * 4000)}, "head-too-large"),
        ({"replies": {**NO_EPSV, "PASV": b"227 huh?\r\n"}}, "head-invalid"),
    ],
)
def test_what_is_not_whole_is_never_published(store: LocalStore, faults: dict[str, Any], reason: str) -> None:
    capture = fetched(store, **faults)

    assert capture.reason == reason
    assert files_in(store.root, "blobs", "partial") == []


@pytest.mark.parametrize(
    "faults",
    [
        {"greeting": SILENCE},
        {"replies": {"PASS": SILENCE}},
        {"replies": {"RETR": SILENCE}},
        {"data": [BODY[:50], SILENCE]},
        {"data": [Drip(BODY, 0.05)]},
        {"closing": SILENCE},
    ],
)
def test_a_server_that_says_or_sends_too_little_is_left(store: LocalStore, faults: dict[str, Any]) -> None:
    with FtpFaultServer(BODY, **faults) as server:
        fetch = downloader(store, max_attempts=1, connect_seconds=1, stall_window_seconds=1).fetch

        capture = fetch(server.url("/pub/a.csv"))

    assert capture.reason == "too-slow"
    assert (capture.finished_at - capture.started_at).total_seconds() < 4


def test_a_transfer_that_is_fast_enough_still_ends_at_the_deadline(store: LocalStore) -> None:
    with FtpFaultServer(BODY, data=[Drip(BODY, 0.001)], replies={"SIZE": b"500 what?\r\n"}) as server:
        capture = downloader(store, max_attempts=1, total_seconds=1).fetch(server.url("/pub/a.csv"))

    assert capture.reason == "deadline"


@pytest.mark.parametrize(
    ("faults", "verdict", "reason", "status"),
    [
        ({"RETR": b"550 No such file or directory\r\n"}, "permanent", "not-found", 404),
        ({"CWD": b"550 Failed to change directory.\r\n"}, "permanent", "not-found", 404),
        ({"RETR": b"550-Sorry:\r\n550 permission denied\r\n"}, "permanent", "forbidden", 403),
        ({"RETR": b"550 a.csv: not a plain file.\r\n"}, "permanent", "directory", 404),
        ({"PASS": b"530 Login incorrect.\r\n"}, "permanent", "login-required", 401),
        ({"PASS": b"331 and again?\r\n"}, "permanent", "login-required", 401),
        ({"USER": b"530 Maximum number of clients reached\r\n"}, "transient", "rate-limited", 429),
        ({"RETR": b"421 Too many connections\r\n"}, "transient", "rate-limited", 429),
        ({"RETR": b"421 closing\r\n"}, "transient", "server-error", 503),
        ({"RETR": b"425 cannot open data connection\r\n"}, "transient", "connection-lost", 500),
        ({"RETR": b"450 file busy\r\n"}, "transient", "server-error", 500),
        ({"RETR": b"502 not implemented\r\n"}, "permanent", "http-status", 501),
    ],
)
def test_a_refusal_ends_in_its_reason_and_is_quoted(
    store: LocalStore, faults: dict[str, bytes], verdict: str, reason: str, status: int
) -> None:
    capture = fetched(store, replies=faults)

    assert (capture.verdict, capture.reason, capture.status) == (verdict, reason, status)
    assert f"the server answered {capture.detail[20:23]}" in capture.detail
    assert files_in(store.root) == []


def test_a_busy_server_is_recognised_by_its_greeting(store: LocalStore) -> None:
    capture = fetched(store, greeting=b"421 Too many users, try later\r\n")

    assert capture.reason == "rate-limited"


@pytest.mark.parametrize("address", ["10,0,0,1", "169,254,169,254", "127,0,0,2"])
def test_the_address_that_a_server_names_for_its_data_is_never_dialled(
    store: LocalStore, address: str
) -> None:
    with ExitStack() as opened:
        nobody = opened.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))  # where the server itself would be asked, no one else answers
        port = nobody.getsockname()[1]
        elsewhere = opened.enter_context(FaultServer("127.0.0.2", port=port))
        capture = fetched(
            store,
            replies={**NO_EPSV, "PASV": f"227 go ({address},{port >> 8},{port & 255})\r\n".encode()},
        )

        assert capture.reason == "connect-failed"  # that port was asked of the server itself
        assert elsewhere.accepted == 0


@pytest.mark.parametrize(
    "replies",
    [
        {**NO_EPSV, "PASV": b"227 go (127,0,0,1,0,25)\r\n"},
        {"EPSV": b"229 go (|||25|)\r\n"},
    ],
)
def test_the_port_that_a_server_names_is_not_one_of_another_protocol(
    store: LocalStore, replies: dict[str, bytes]
) -> None:
    capture = fetched(store, replies=replies)

    assert (capture.verdict, capture.reason) == ("refused", "port-not-allowed")


def test_the_guard_is_asked_about_an_ftp_server_too() -> None:
    with FtpFaultServer(BODY) as server, pytest.raises(RefusedError, match="may not dial") as refusal:
        Door(SHORT, user_agent=USER_AGENT).read(server.url("/a.csv"))

    assert refusal.value.reason == "private-address"
    assert server.log == []


@pytest.mark.parametrize("port", [22, 25, 80, 990, 6379])
def test_an_ftp_url_may_not_lead_to_another_protocol(store: LocalStore, port: int) -> None:
    capture = downloader(store).fetch(f"ftp://127.0.0.1:{port}/a.csv")

    assert (capture.reason, capture.requests) == ("port-not-allowed", 0)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/a%0d%0aDELE%20b.csv", "bad-url"),
        ("/a%0aDELE%20b.csv", "bad-url"),
        ("/x%0D/b.csv", "bad-url"),
        ("/a%00.csv", "bad-url"),
        ("/a.csv;type=a", "bad-url"),
        ("/a.csv;TYPE=D", "bad-url"),
        ("/a.csv?b", "bad-url"),
        ("/x" * 66 + "/a.csv", "bad-url"),
        ("/pub/", "directory"),
        ("/pub%2F", "directory"),
        ("", "directory"),
    ],
)
def test_a_path_that_is_no_file_or_more_than_one_sends_nothing(
    store: LocalStore, path: str, reason: str
) -> None:
    with FtpFaultServer(BODY) as server:
        capture = downloader(store).fetch(server.url(path))

        assert (capture.reason, capture.requests, server.log) == (reason, 0, [])


def test_a_redirect_from_the_web_to_ftp_is_not_followed(server: FaultServer, store: LocalStore) -> None:
    with FtpFaultServer(BODY) as ftp:
        url = server.serves("/go", *whole(b"", f"Location: {ftp.url('/a.csv')}", status="302 Found"))

        capture = downloader(store).fetch(url)

        assert (capture.reason, ftp.log) == ("bad-redirect", [])


def test_what_has_the_same_date_and_size_is_not_sent_again(store: LocalStore) -> None:
    with FtpFaultServer(BODY) as server:
        url = server.url("/pub/a.csv")
        first = downloader(store).fetch(url)
        promise = Promise(etag=first.etag, last_modified=first.last_modified, held_sha256=first.sha256)

        capture = downloader(store).fetch(url, promise)

        assert len(server.said("RETR")) == len(server.said("USER")) == 1
    assert (capture.verdict, capture.sha256, capture.size) == ("unchanged", first.sha256, len(BODY))
    assert capture.flags == ("by-date-and-size",)


@pytest.mark.parametrize(
    "etag", ['W/"20240102030405-1"', 'W/"20230102030405-1900"', '"20240102030405-1900"', None]
)
def test_what_has_another_date_or_size_is_fetched_whole(store: LocalStore, etag: str | None) -> None:
    promise = Promise(etag=etag, last_modified="Tue, 02 Jan 2024 03:04:05 GMT", held_sha256="0" * 64)

    capture = fetched(store, promise=promise)

    assert (capture.verdict, capture.size, capture.flags) == ("stored", len(BODY), ())


def test_asking_first_whether_it_changed_does_not_lengthen_the_deadline(store: LocalStore) -> None:
    promise = Promise(etag='W/"1"', held_sha256="0" * 64)
    with FtpFaultServer(
        BODY, data=[Drip(BODY, 0.001)], replies={"SIZE": b"500 what?\r\n"}, pause_seconds=0.1
    ) as server:
        capture = downloader(store, max_attempts=1, total_seconds=1).fetch(server.url("/pub/a.csv"), promise)

    assert capture.reason == "deadline"
    assert (capture.finished_at - capture.started_at).total_seconds() < 1.5


def test_a_broken_transfer_begins_again_from_nothing(store: LocalStore) -> None:
    long = BODY * 20
    with FtpFaultServer(long, data=[long[:30_000]]) as server:
        capture = downloader(store, max_attempts=3).fetch(server.url("/pub/a.csv"))

        assert (capture.reason, capture.requests, server.said("REST")) == ("wrong-length", 3, [])


def test_a_login_serves_many_files_and_is_renewed_when_the_server_ended_it(store: LocalStore) -> None:
    with FtpFaultServer(BODY) as server:
        captures = [downloader(store).fetch(server.url(f"/pub/{name}.csv")) for name in "abc"]
        logins_before = len(server.said("USER"))
        server.hang_up()
        captures.append(downloader(store).fetch(server.url("/pub/d.csv")))

        assert [capture.verdict.value for capture in captures] == ["stored"] * 4
        assert (logins_before, len(server.said("USER"))) == (1, 2)


def test_a_server_that_never_says_good_bye_is_left_without_one(store: LocalStore) -> None:
    with FtpFaultServer(BODY, replies={"QUIT": SILENCE}) as server:
        downloader(store).fetch(server.url("/pub/a.csv"))
        began = time.monotonic()

        LOGINS.close()

        assert time.monotonic() - began < 0.5


def test_a_missing_file_does_not_cost_the_login(store: LocalStore) -> None:
    with FtpFaultServer(BODY, replies={"RETR": b"550 No such file\r\n"}) as server:
        for name in "abc":
            downloader(store).fetch(server.url(f"/pub/{name}.csv"))

        assert (len(server.said("RETR")), len(server.said("USER"))) == (3, 1)


def test_a_fetch_that_is_no_longer_wanted_ends_soon(store: LocalStore) -> None:
    unwanted = threading.Event()
    with FtpFaultServer(BODY, data=[BODY[:50], SILENCE]) as server:
        threading.Timer(0.3, unwanted.set).start()
        began = time.monotonic()

        capture = downloader(store, stall_window_seconds=9).fetch(
            server.url("/pub/a.csv"), cancelled=unwanted.is_set
        )

    assert capture.reason == "interrupted"
    assert time.monotonic() - began < 3


def test_head_over_ftp_is_a_mistake_of_the_caller() -> None:
    with FtpFaultServer(BODY) as server, pytest.raises(ValueError, match="HEAD"):
        door().exchange(server.url("/a.csv"), method="HEAD", on_head=print, sink=print)


def test_a_small_file_can_be_read_through_the_door() -> None:
    with FtpFaultServer(BODY) as server:
        reply = door().read(server.url("/a.csv"))

    assert (reply.head.status, reply.body) == (200, BODY)
