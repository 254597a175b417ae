"""A directory of an FTP server is read whole as its listing, or it failed with a reason; it is never kept as a file."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.discovery.ftp_listing import ONLY_LISTINGS, read_ftp_listing
from shelter_pipeline.discovery.leads import Lead, Reading, To, What
from shelter_pipeline.domain.errors import RefusedError, ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.door import Door, Reply
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import RESET, SILENCE, Drip, Endless, FaultServer
from shelter_pipeline_tests.support.fetching import (
    LOOPBACK,
    SHORT,
    USER_AGENT,
    bodies_in,
    door,
    downloader,
)
from shelter_pipeline_tests.support.ftp_fault_server import HANG_UP, FtpFaultServer
from shelter_pipeline_tests.support.ftp_server import VSFTPD, LocalFtp, ftp_server, vsftpd_server

MLSD = b"type=cdir; .\r\ntype=pdir; ..\r\ntype=dir; 2023\r\ntype=file;size=7;modify=20240102030405; a.csv\r\n"
LIST = (
    b"total 8\r\ndrwxr-xr-x 2 ftp ftp 4096 Jan  2 2024 2023\r\n-rw-r--r-- 1 ftp ftp 7 Jan  2 2024 a.csv\r\n"
)
NLST = b"2023\r\na.csv\r\n"
NAMES = (
    "a.csv",
    "README",
    "  two spaces.txt",
    "#hash ?query;type=a %41.csv",
    "prüf.csv",
    "50%.csv",
    "a+b&c=d.txt",
)

needs_vsftpd = pytest.mark.skipif(not VSFTPD.exists(), reason="vsftpd is not installed")
Serve = Callable[[Path], AbstractContextManager[LocalFtp]]


def reading_of(url: str, **how: Any) -> Reading:
    return read_ftp_listing(door(**how).read(url), parse_url(url))


def reason_of(url: str, *, headers: dict[str, str] | None = None, **limits: Any) -> str:
    with pytest.raises(ShelterError) as failure:
        door(**limits).read(url, headers=headers or {})
    return failure.value.reason


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Names of every kind, one of them in Latin-1, a link to a directory beside, and a link in a circle."""
    root = tmp_path / "tree"
    (root / "pub" / "deep er" / "2024").mkdir(parents=True)
    for name in NAMES:
        (root / "pub" / name).write_bytes(name.encode())
    Path(os.fsdecode(os.fsencode(root / "pub") + b"/m\xfcll.csv")).write_bytes(b"latin")
    (root / "pub" / "deep er" / "2024" / "x.nc").write_bytes(b"x" * 1000)
    (root / "pub" / "deep er" / "loop").symlink_to(".")
    (root / "pub" / "latest").symlink_to("deep er/2024")
    root.chmod(0o755)
    return root


@pytest.fixture(params=["mlsd", "list", "nlst", "vsftpd"])
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Serve:
    if request.param == "vsftpd":
        if not VSFTPD.exists():
            pytest.skip("vsftpd is not installed")
        return partial(vsftpd_server, place=tmp_path / "vsftpd")
    without = {"mlsd": (), "list": ("MLSD", "MLST"), "nlst": ("MLSD", "MLST", "LIST")}[request.param]
    return partial(ftp_server, without=without)


def test_what_a_real_server_lists_can_be_fetched_by_the_url_of_its_lead(serve: Serve, tree: Path) -> None:
    with serve(tree) as ftp:
        leads = {lead.label: lead for lead in reading_of(ftp.url("/pub/")).leads}
        bodies = {name: door().read(leads[name].url).body for name in NAMES}

    assert {name: body.decode() for name, body in bodies.items()} == {name: name for name in NAMES}
    assert all(
        lead.size in (None, len(name.encode()), 5) for name, lead in leads.items() if lead.to is To.FILE
    )


def test_a_real_server_is_walked_to_its_end_although_it_has_a_circle(serve: Serve, tree: Path) -> None:
    found, pages = [], 0
    with serve(tree) as ftp:
        waiting: list[tuple[str, tuple[bytes, ...]]] = [(ftp.url("/"), (b"",))]
        while waiting:
            url, above = waiting.pop()
            pages += 1
            page = door().read(url, headers=ONLY_LISTINGS)
            reading = read_ftp_listing(page, parse_url(url))
            if reading.digest not in above:
                leads = list(reading.leads)
                found += [parse_url(lead.url).path for lead in leads if lead.to is To.FILE]
                waiting += [(lead.url, (*above, reading.digest)) for lead in leads if lead.to is To.DIRECTORY]
            assert pages < 40

    assert "/pub/deep%20er/2024/x.nc" in found
    assert len({path for path in found if path.count("/") == 2}) >= len(NAMES)


def test_a_path_without_a_slash_is_a_directory_if_one_can_change_into_it(serve: Serve, tree: Path) -> None:
    with serve(tree) as ftp:
        bare, slashed = (reading_of(ftp.url(f"/pub/deep%20er{slash}")) for slash in ("", "/"))

        assert [lead.url for lead in bare.leads] == [lead.url for lead in slashed.leads] != []
        assert bare.digest == slashed.digest


def test_of_a_file_without_an_extension_only_the_facts_come(serve: Serve, tree: Path) -> None:
    with serve(tree) as ftp:
        url = ftp.url("/pub/README")
        reply = door().read(url, headers=ONLY_LISTINGS)
        whole = door().read(url)
        reading = read_ftp_listing(reply, parse_url(url))
        (lead,) = reading.leads

        assert (reading.what, lead.url, lead.to, lead.size) == (What.FILE, url, To.FILE, 6)
        assert lead.modified is not None
        assert (whole.body, read_ftp_listing(whole, parse_url(url)).what) == (b"README", What.FILE)
        assert reason_of(ftp.url("/pub/missing"), headers=dict(ONLY_LISTINGS)) == "not-found"
        assert reason_of(ftp.url("/pub/missing")) == "not-found"
        assert reason_of(ftp.url("/pub/README/")) == "not-found"


@needs_vsftpd
def test_a_name_in_latin_1_is_asked_for_in_latin_1(tree: Path, tmp_path: Path) -> None:
    with vsftpd_server(tree, tmp_path / "vsftpd") as ftp:
        leads = {lead.label: lead.url for lead in reading_of(ftp.url("/pub/")).leads}
        reply = door().read(leads["müll.csv"])

    assert (reply.url.rpartition("/")[2], reply.body) == ("m%FCll.csv", b"latin")


@needs_vsftpd
def test_a_directory_that_vsftpd_may_not_open_is_forbidden_and_not_empty(tree: Path, tmp_path: Path) -> None:
    (tree / "locked").mkdir()
    (tree / "locked").chmod(0o311)
    with vsftpd_server(tree, tmp_path / "vsftpd") as ftp:
        if os.geteuid():
            pytest.skip("vsftpd gives up its rights only if it has some")

        assert reason_of(ftp.url("/locked/")) == "forbidden"


@pytest.mark.parametrize(
    ("lists", "form"),
    [
        ({"MLSD": [MLSD], "LIST": [LIST], "NLST": [NLST]}, "mlsd"),
        ({"LIST": [LIST], "NLST": [NLST]}, "list"),
        ({"NLST": [NLST]}, "nlst"),
    ],
)
def test_the_best_command_that_the_server_knows_is_used(lists: dict[str, Any], form: str) -> None:
    with FtpFaultServer(lists=lists) as server:
        url = server.url("/pub/")
        reply = door().read(url)
        leads = tuple(read_ftp_listing(reply, parse_url(url)).leads)

        assert reply.head.get("content-type") == f"text/x-ftp-listing; form={form}"
        assert [(lead.to, lead.label) for lead in leads] == [(To.DIRECTORY, "2023"), (To.FILE, "a.csv")]
        assert (server.said("CWD"), server.said(form.upper())) == (["pub"], [""])
        assert server.said("PORT") == server.said("EPRT") == []


@pytest.mark.parametrize(
    "refusal", [b"500 what?\r\n", b"550 not here\r\n", b"503 bad sequence\r\n", b"450 no\r\n"]
)
def test_a_server_that_only_claims_to_know_mlsd_is_asked_for_list(refusal: bytes) -> None:
    with FtpFaultServer(lists={"MLSD": [MLSD], "LIST": [LIST]}, replies={"MLSD": refusal}) as server:
        reply = door().read(server.url("/pub/"))

    assert reply.head.get("content-type") == "text/x-ftp-listing; form=list"
    assert reply.body == LIST.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (b"421 Too many connections\r\n", "rate-limited"),
        (b"421 closing\r\n", "server-error"),
        (b"425 cannot open data connection\r\n", "connection-lost"),
        (HANG_UP, "connection-lost"),
    ],
)
def test_a_server_that_has_enough_of_us_is_not_asked_another_way(refusal: Any, reason: str) -> None:
    with FtpFaultServer(lists={"MLSD": [MLSD], "LIST": [LIST]}, replies={"MLSD": refusal}) as server:
        assert reason_of(server.url("/pub/")) == reason
        assert server.said("LIST") == []


def test_the_size_of_a_file_is_told_however_large_it_is() -> None:
    with FtpFaultServer(replies={"SIZE": b"213 99999999999\r\n"}) as server:
        url = server.url("/pub/file.tar")
        (lead,) = read_ftp_listing(door().read(url, headers=ONLY_LISTINGS), parse_url(url)).leads

    assert lead.size == 99_999_999_999


@pytest.mark.parametrize(
    "refusal",
    [b"550 No files found.\r\n", b"450 No files found\r\n", b"550 No such file or directory.\r\n"],
)
def test_a_directory_that_a_server_refuses_to_list_because_it_is_empty_is_empty(refusal: bytes) -> None:
    with FtpFaultServer(replies={"LIST": refusal}) as server:
        reply = door().read(server.url("/pub/"))

        assert (reply.head.status, reply.body, server.said("NLST")) == (200, b"", [])


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ({"LIST": b"550 .: Permission denied\r\n"}, "forbidden"),
        ({"LIST": b"450 .: Permission denied\r\n"}, "server-error"),
        ({"LIST": b"421 Too many connections\r\n"}, "rate-limited"),
        ({"LIST": b"425 cannot open data connection\r\n"}, "connection-lost"),
        ({"LIST": HANG_UP}, "connection-lost"),
        ({"CWD": b"550 pub: Permission denied\r\n"}, "forbidden"),
        ({"CWD": b"550 Too many users\r\n"}, "rate-limited"),
        ({"CWD": HANG_UP}, "connection-lost"),
        ({"PASS": b"530 Login incorrect.\r\n"}, "login-required"),
        ({"EPSV": b"229 go (|||25|)\r\n"}, "port-not-allowed"),
        ({"EPSV": b"500 no\r\n", "PASV": b"227 huh?\r\n"}, "head-invalid"),
        ({"FEAT": Endless(b"211-more\r\n")}, "head-too-large"),
    ],
)
def test_a_directory_that_cannot_be_listed_ends_in_a_reason(replies: dict[str, Any], reason: str) -> None:
    with FtpFaultServer(lists={"LIST": [LIST]}, replies=replies) as server:
        assert reason_of(server.url("/pub/")) == reason


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"lists": {"LIST": [Endless(LIST)]}}, "too-large"),
        ({"lists": {"LIST": [LIST, SILENCE]}}, "too-slow"),
        ({"lists": {"LIST": [SILENCE]}}, "too-slow"),
        ({"lists": {"LIST": [Drip(LIST, 0.05)]}}, "too-slow"),
        ({"lists": {"LIST": [LIST[:20], RESET]}}, "connection-lost"),
        ({"lists": {"LIST": [LIST]}, "closing": HANG_UP}, "connection-lost"),
        ({"lists": {"LIST": [LIST]}, "closing": b"426 broken off\r\n"}, "connection-lost"),
        ({"lists": {"LIST": [LIST]}, "closing": b"451 local error\r\n"}, "connection-lost"),
        ({"lists": {"LIST": [LIST]}, "closing": SILENCE}, "too-slow"),
        ({"replies": {"CWD": SILENCE}}, "too-slow"),
        ({"replies": {"FEAT": SILENCE}}, "too-slow"),
    ],
)
def test_a_listing_that_is_not_whole_is_no_listing(faults: dict[str, Any], reason: str) -> None:
    with FtpFaultServer(**faults) as server:
        began = time.monotonic()

        assert reason_of(server.url("/pub/"), stall_window_seconds=1) == reason
        assert time.monotonic() - began < 5


def test_a_listing_that_the_server_admits_to_have_cut_says_so() -> None:
    with FtpFaultServer(
        lists={"LIST": [LIST]}, closing=b"226-Options: -l\r\n226 Output truncated to 2 matches\r\n"
    ) as server:
        reading = reading_of(server.url("/pub/"))

    assert len(list(reading.leads)) == 2
    assert any("left entries out" in note for note in reading.notes)


def test_a_listing_of_a_hundred_thousand_entries_comes_whole() -> None:
    rows = b"".join(
        b"type=file;size=%d;modify=20240102030405; file_%06d.nc\r\n" % (n, n) for n in range(100_000)
    )
    with FtpFaultServer(lists={"MLSD": [rows]}) as server:
        reading = reading_of(server.url("/pub/"), max_bytes=50_000_000, total_seconds=60)

    assert sum(1 for lead in reading.leads if lead.to is To.FILE) == 100_000


def test_zero_bytes_and_broken_lines_cost_only_their_own_entry() -> None:
    rows = (
        b"type=file; a\0b.csv\r\n\xff\xfe\0\r\ntype=file; ../x.csv\r\ntype=dir; ..\r\ntype=file; good.csv\r\n"
    )
    with FtpFaultServer(lists={"MLSD": [rows]}) as server:
        reading = reading_of(server.url("/pub/"))

    assert [lead.url.rpartition("/")[2] for lead in reading.leads] == ["good.csv"]
    assert len(reading.notes) == 2


@pytest.mark.parametrize("address", ["10,0,0,1", "169,254,169,254", "127,0,0,2"])
def test_the_address_named_for_a_listing_is_never_dialled(address: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # where the server itself would be asked, no one else answers
        port = nobody.getsockname()[1]
        passive = f"227 go ({address},{port >> 8},{port & 255})\r\n".encode()
        with (
            FaultServer("127.0.0.2", port=port) as elsewhere,
            FtpFaultServer(
                lists={"LIST": [LIST]}, replies={"EPSV": b"500 no\r\n", "PASV": passive}
            ) as server,
        ):
            # that port was asked of the server itself
            assert reason_of(server.url("/pub/")) == "connect-failed"
            assert elsewhere.accepted == 0


def test_the_guard_is_asked_about_a_directory_too() -> None:
    with FtpFaultServer(lists={"LIST": [LIST]}) as server, pytest.raises(RefusedError, match="may not dial"):
        Door(SHORT, user_agent=USER_AGENT).read(server.url("/pub/"))

    assert server.log == []


@pytest.mark.parametrize("path", ["/a%0d%0aDELE%20b/", "/a%00/", "/pub/;type=d", "/pub/?x", "/x" * 66 + "/"])
def test_a_directory_that_is_more_than_one_sends_nothing(path: str) -> None:
    with FtpFaultServer(lists={"LIST": [LIST]}) as server:
        assert reason_of(server.url(path)) == "bad-url"
        assert server.log == []


@pytest.mark.parametrize("path", ["/pub/", "/pub%2F", "/", "/pub"])
def test_a_download_of_a_directory_is_never_kept(store: LocalStore, path: str) -> None:
    with FtpFaultServer(
        lists={"MLSD": [MLSD], "LIST": [LIST], "NLST": [NLST]},
        replies={"RETR": b"550 pub: Is a directory\r\n"},
    ) as server:
        capture = downloader(store).fetch(server.url(path), headers=ONLY_LISTINGS)

        assert (capture.reason, bodies_in(store.root)) == ("directory", [])
        assert server.said("MLSD") == server.said("LIST") == server.said("NLST") == []


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"SIZE": b"213 7\r\n"}, (7, True)),
        ({"SIZE": b"500 what?\r\n"}, (None, True)),
        ({"SIZE": b"550 no\r\n", "MDTM": b"500 what?\r\n"}, None),
        ({"SIZE": b"502 what?\r\n", "MDTM": b"502 what?\r\n"}, (None, False)),
        ({"SIZE": b"550 no\r\n", "MDTM": b"550 no\r\n"}, None),
    ],
)
def test_what_no_one_can_change_into_is_a_file_unless_the_server_denies_it(
    answers: dict[str, bytes], expected: tuple[int | None, bool] | None
) -> None:
    with FtpFaultServer(
        replies={"CWD": lambda path: b"550 no\r\n" if "file" in path else b"250 ok\r\n", **answers}
    ) as server:
        url = server.url("/pub/file")
        if expected is None:
            assert reason_of(url, headers=dict(ONLY_LISTINGS)) == "not-found"
            return
        reading = read_ftp_listing(door().read(url, headers=ONLY_LISTINGS), parse_url(url))
        (lead,) = reading.leads

        assert (reading.what, lead.size, lead.modified is not None) == (What.FILE, *expected)
        assert server.said("RETR") == server.said("EPSV") == []


def test_many_directories_and_files_share_one_login_and_take_turns() -> None:
    polite = Politeness(connections=1, delay_seconds=0.05, allowed_networks=())
    reader = PoliteDoor(Door(SHORT, allowed_networks=LOOPBACK, user_agent=USER_AGENT), polite)
    with FtpFaultServer(b"body", lists={"LIST": [LIST]}) as server:
        began = time.monotonic()
        replies: list[Reply] = [
            reader.read(server.url(path)) for path in ("/", "/pub/", "/pub", "/a.csv", "/b/c/")
        ]
        took = time.monotonic() - began

        assert [len(reply.body) > 0 for reply in replies] == [True] * 5
        assert (len(server.said("USER")), took >= 0.2) == (1, True)


def test_a_missing_directory_does_not_cost_the_login() -> None:
    with FtpFaultServer(lists={"LIST": [LIST]}, replies={"CWD": b"550 no such directory\r\n"}) as server:
        assert [reason_of(server.url(path)) for path in ("/a/", "/b/", "/c/")] == ["not-found"] * 3
        assert len(server.said("USER")) == 1


def test_a_lead_of_a_listing_is_a_plain_value() -> None:
    with FtpFaultServer(lists={"LIST": [LIST]}) as server:
        url = server.url("/pub/")
        leads = list(reading_of(url).leads)

    assert leads[0] == Lead(url + "2023/", To.DIRECTORY, "listing", label="2023", modified=leads[0].modified)
