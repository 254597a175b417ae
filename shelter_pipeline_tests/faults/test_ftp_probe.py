"""Files on FTP servers are probed by SIZE and MDTM: no transfer is opened, and one login serves many files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.discovery.probe import probe
from shelter_pipeline.domain.probing import LARGEST_SIZE, OK, Probe
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.runner import Runner
from shelter_pipeline_tests.support.fault_server import SILENCE
from shelter_pipeline_tests.support.fetching import LOOPBACK, door, short_settings
from shelter_pipeline_tests.support.ftp_fault_server import HANG_UP, FtpFaultServer
from shelter_pipeline_tests.support.ftp_server import VSFTPD, LocalFtp, ftp_server, vsftpd_server

CHANGED = "Tue, 02 Jan 2024 03:04:05 GMT"


@pytest.fixture(params=["pyftpdlib", "without MLSD", "vsftpd"])
def ftp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalFtp]:
    root = tmp_path / "tree"
    (root / "pub" / "folder").mkdir(parents=True)
    for name, size in (("a.csv", 7), ("README", 6), ("prüf #1.csv", 5), ("empty.csv", 0)):
        (root / "pub" / name).write_bytes(b"x" * size)
        os.utime(root / "pub" / name, (1_704_164_645, 1_704_164_645))
    root.chmod(0o755)
    if request.param == "vsftpd":
        if not VSFTPD.exists():
            pytest.skip("vsftpd is not installed")
        with vsftpd_server(root, tmp_path / "vsftpd") as running:
            yield running
    else:
        with ftp_server(root, without=("MLSD", "MLST") if request.param != "pyftpdlib" else ()) as running:
            yield running


def probed(url: str, *, robots: RobotsBook | None = None, **limits: Any) -> Probe:
    opened = door(**limits)
    return opened.drive(probe(opened.passage, opened.limits, url, robots=robots))


@pytest.mark.parametrize(("name", "size"), [("a.csv", 7), ("README", 6), ("pr%C3%BCf%20%231.csv", 5)])
def test_a_real_server_tells_size_and_date_of_a_file(ftp: LocalFtp, name: str, size: int) -> None:
    url = ftp.url(f"/pub/{name}")

    found = probed(url)

    assert (found.reason, found.status, found.size, found.last_modified) == (OK, 200, size, CHANGED)
    assert (found.method, found.requests, found.url, found.final_url) == ("SIZE", 1, url, url)
    assert (found.media_type, found.etag, found.accepts_ranges) == (None, None, None)


@pytest.mark.parametrize(
    ("path", "reason", "requests"),
    [
        ("/pub/empty.csv", "empty", 1),
        ("/pub/missing.csv", "not-found", 1),
        ("/pub/missing/a.csv", "not-found", 1),
        ("/pub/folder", "directory", 1),
        ("/pub/folder/", "directory", 0),
        ("/pub/a%0D%0ADELE%20a.csv", "bad-url", 0),
    ],
)
def test_what_is_no_file_with_bytes_ends_with_its_reason(
    ftp: LocalFtp, path: str, reason: str, requests: int
) -> None:
    found = probed(ftp.url(path))

    assert (found.reason, found.requests, found.size) == (reason, requests, 0 if reason == "empty" else None)


def test_many_files_are_probed_with_one_login_and_no_transfer() -> None:
    with FtpFaultServer(b"1234567") as server:
        sizes = [probed(server.url(f"/pub/{number}.csv")).size for number in range(5)]

        assert sizes == [7] * 5
        assert len(server.said("PASS")) == 1
        assert server.said("RETR") == server.said("PASV") == server.said("EPSV") == []


def test_files_are_probed_beside_one_another_within_the_connections_of_their_host(ftp: LocalFtp) -> None:
    opened = door()
    url = ftp.url("/pub/a.csv")
    with (
        Politeness(connections=2, delay_seconds=0, allowed_networks=LOOPBACK) as politeness,
        closing(RobotsBook.of(short_settings(), politeness)) as robots,
        Runner(politeness, connections=20, robots=robots) as runner,
    ):
        for number in range(20):
            runner.submit(number, parse_url(url), probe(opened.passage, opened.limits, url, robots=robots))
        found = []
        while runner.pending:
            found += runner.results(1)

    assert [value.size for _, value in found] == [7] * 20


@pytest.mark.parametrize(
    ("replies", "size", "last_modified"),
    [
        ({"SIZE": b"500 what?\r\n"}, None, CHANGED),
        ({"MDTM": b"500 what?\r\n"}, 3, None),
        ({"SIZE": b"502 no\r\n", "MDTM": b"502 no\r\n"}, None, None),
        ({"SIZE": b"213 %d\r\n" % (LARGEST_SIZE + 1)}, None, CHANGED),
        ({"SIZE": b"213 99999999999\r\n"}, 99_999_999_999, CHANGED),
        ({"SIZE": b"213 " + b"9" * 400 + b"\r\n"}, None, CHANGED),
    ],
)
def test_what_a_server_does_not_tell_or_no_file_can_be_is_not_known(
    replies: dict[str, bytes], size: int | None, last_modified: str | None
) -> None:
    with FtpFaultServer(b"abc", replies=replies) as server:
        found = probed(server.url("/pub/a.csv"))

    assert (found.reason, found.size, found.last_modified) == (OK, size, last_modified)


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ({"PASS": b"530 Login incorrect\r\n"}, "login-required"),
        ({"PASS": b"421 Too many connections\r\n"}, "rate-limited"),
        ({"SIZE": b"550 No such file\r\n", "MDTM": b"550 No such file\r\n"}, "not-found"),
        ({"CWD": b"550 pub: Permission denied\r\n"}, "forbidden"),
        ({"SIZE": HANG_UP}, "connection-lost"),
        ({"SIZE": SILENCE}, "too-slow"),
    ],
)
def test_a_server_that_refuses_fails_or_is_silent_ends_a_probe_with_the_reason(
    replies: dict[str, Any], reason: str
) -> None:
    with FtpFaultServer(b"abc", replies=replies) as server:
        found = probed(server.url("/pub/a.csv"), head_seconds=1, total_seconds=3)

    assert (found.reason, found.size) == (reason, None)


def test_no_private_address_is_asked() -> None:
    found = probed("ftp://10.0.0.1/pub/a.csv")

    assert (found.reason, found.requests) == ("private-address", 0)
