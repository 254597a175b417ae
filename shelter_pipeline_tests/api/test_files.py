"""Held bytes by their hash: whole or not at all, in parts, from either kind of store, and never run."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.overrules import Scope, Word, reject
from shelter_pipeline.vault.store import digest_path
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.held import hold
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.seaweedfs import SeaweedFS

MIB = 1024 * 1024
BODY = random.Random(5).randbytes(3 * MIB + 7)


@pytest.fixture(params=["folder", "bucket"])
def keeper(
    request: pytest.FixtureRequest, catalog: Catalog, catalog_url: str, tmp_path: Path
) -> Iterator[ApiUnderTest]:
    """An API over each kind of store."""
    changes: dict[str, Any] = {}
    if request.param == "bucket":
        server: SeaweedFS = request.getfixturevalue("seaweedfs")
        place = request.getfixturevalue("s3_place")
        changes = {"store": place, "s3_endpoint_url": server.endpoint, "scratch": tmp_path / "scratch"}
    with an_api(catalog_url, tmp_path / "store", **changes) as running:
        yield running


def in_the_store(api: ApiUnderTest, sha256: str) -> Path:
    return Path(api.workplace.settings.store) / "blobs" / digest_path(sha256)


def open_files_of(path: Path) -> int:
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            found += link.readlink() == path
        except FileNotFoundError:
            continue
    return found


def test_a_held_file_is_handed_out_with_all_that_is_known_of_it(keeper: ApiUnderTest) -> None:
    sha256 = hold(keeper.workplace, BODY, url="https://files.example/data/caf%C3%A9.csv").sha256

    answer = keeper.get(f"/files/{sha256}")

    assert answer.status_code == 200
    assert answer.content == BODY
    head = answer.headers
    assert head["ETag"] == f'"{sha256}"'
    assert head["Content-Length"] == str(len(BODY))
    assert head["Accept-Ranges"] == "bytes"
    assert head["Content-Type"].startswith("text/csv")
    assert head["Content-Disposition"] == "attachment; filename=\"caf_.csv\"; filename*=UTF-8''caf%C3%A9.csv"
    assert head["Repr-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
    assert "immutable" in head["Cache-Control"]
    assert head["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in head["Content-Security-Policy"]
    glance = keeper.ask("HEAD", f"/files/{sha256}/caf%C3%A9.csv")
    assert glance.status_code == 200
    kept = {name: value for name, value in head.items() if name != "date"}
    assert {name: value for name, value in glance.headers.items() if name != "date"} == kept


def test_parts_and_conditions_are_answered_as_the_rfc_says(keeper: ApiUnderTest) -> None:
    sha256 = hold(keeper.workplace, BODY).sha256
    size, tag = len(BODY), f'"{sha256}"'

    def asked(**headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return keeper.get(f"/files/{sha256}", headers=named)

    for header, first, last in [
        ("bytes=0-0", 0, 0),
        (f"bytes={MIB}-{2 * MIB}", MIB, 2 * MIB),
        ("bytes=-5", size - 5, size - 1),
        (f"bytes={size - 1}-", size - 1, size - 1),
        (f"bytes=7-{size * 2}", 7, size - 1),
    ]:
        part = asked(Range=header, If_Range=tag)
        assert (part.status_code, part.content) == (206, BODY[first : last + 1]), header
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert asked(Range="bytes=0-1", If_Range='"other"').content == BODY
    beyond = asked(Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert beyond.json()["error"] == "range-not-satisfiable"
    known = asked(If_None_Match=tag)
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    assert asked(If_Modified_Since=known.headers["Last-Modified"]).status_code == 304
    assert asked(If_Match='"other"').status_code == 412
    assert keeper.ask("HEAD", f"/files/{sha256}", headers={"Range": "bytes=0-1"}).status_code == 200


def test_a_download_that_broke_off_is_resumed_by_curl(keeper: ApiUnderTest, tmp_path: Path) -> None:
    sha256 = hold(keeper.workplace, BODY).sha256
    target = tmp_path / "file"
    target.write_bytes(BODY[:MIB])

    subprocess.run(
        ["curl", "-sS", "--fail", "-C", "-", "-o", target, f"{keeper.url}/files/{sha256}"],
        check=True,
        timeout=60,
    )

    assert target.read_bytes() == BODY


@pytest.mark.parametrize("rot", [BODY[:-1] + bytes([BODY[-1] ^ 1]), bytes([BODY[0] ^ 1]) + BODY[1:]])
@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=0-"}], ids=["whole", "a range of all"])
def test_bytes_that_have_rotted_are_never_handed_out_as_whole(
    api: ApiUnderTest, rot: bytes, asked: dict[str, str]
) -> None:
    sha256 = hold(api.workplace, BODY).sha256
    in_the_store(api, sha256).write_bytes(rot)

    got = bytearray()
    with (
        requests.get(f"{api.url}/files/{sha256}", headers=asked, stream=True, timeout=20) as answer,
        pytest.raises(requests.exceptions.RequestException),
    ):
        got.extend(piece for block in answer.iter_content(MIB) for piece in block)

    assert len(got) < len(BODY)
    assert api.get("/health").status_code == 200


def test_a_file_that_was_cut_is_called_damaged_before_a_byte_of_it_is_sent(api: ApiUnderTest) -> None:
    sha256 = hold(api.workplace, BODY).sha256
    in_the_store(api, sha256).write_bytes(BODY[:100])

    for method in ("GET", "HEAD"):
        answer = api.ask(method, f"/files/{sha256}")
        assert answer.status_code == 404
    assert api.get(f"/files/{sha256}").json()["error"] == "damaged"
    assert api.get(f"/files/{sha256}", headers={"Range": "bytes=0-9"}).content == BODY[:10]


def test_what_is_not_held_is_not_found(api: ApiUnderTest) -> None:
    workplace = api.workplace
    with workplace.store.receive() as partial:
        partial.write(b"<html>log in</html>")
        evidence = workplace.store.keep_suspect(partial).sha256
    with workplace.store.receive() as partial:
        partial.write(b"stored, and no capture says so")
        unsettled = workplace.store.publish(partial).sha256
    moved = hold(workplace, b"in quarantine now").sha256
    in_the_store(api, moved).unlink()

    for sha256 in (evidence, unsettled, moved, "0" * 64):
        for method in ("GET", "HEAD"):
            assert api.ask(method, f"/files/{sha256}").status_code == 404
        assert api.get(f"/files/{sha256}").json()["error"] == "not-found"
    for path in ("ABC", "0" * 63, "G" * 64, "..%2f..%2fetc%2fpasswd", "0" * 64 + "%00"):
        assert api.get(f"/files/{path}").status_code in (404, 422), path


def test_bytes_that_a_person_rejected_are_not_handed_out(api: ApiUnderTest) -> None:
    workplace = api.workplace
    sha256 = hold(workplace, b"a page that says: not found").sha256
    with workplace.catalog.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO capture (asset_id, verdict, reason, sha256, size)"
            " SELECT id, 'stored', 'stored', sha256, size FROM asset"
        )
        identity = connection.exec_driver_sql("SELECT id FROM asset").scalar_one()
    assert api.get(f"/files/{sha256}").status_code == 200

    reject(workplace.catalog, Scope(asset_id=identity), Word("ann", "it is an error page"))

    assert api.get(f"/files/{sha256}").status_code == 404


def test_a_name_is_one_that_the_file_was_found_under(api: ApiUnderTest) -> None:
    sha256 = hold(api.workplace, b"x,y\n1,2\n", url="https://files.example/a/second.csv").sha256
    hold(api.workplace, b"x,y\n1,2\n", url="https://files.example/a/first.csv")

    def saved_as(name: str) -> str:
        return api.get(f"/files/{sha256}/{name}").headers["Content-Disposition"]

    assert saved_as("second.csv") == 'attachment; filename="second.csv"'
    for name in ("setup.exe", "second.csv%0d%0aSet-Cookie:%20a=b", "%2e%2e%5csecond.csv", "\u202esecond.csv"):
        assert saved_as(name) in ('attachment; filename="first.csv"', 'attachment; filename="second.csv"')
        assert "Set-Cookie" not in api.get(f"/files/{sha256}/{name}").headers


def test_a_type_that_a_server_made_up_does_not_reach_the_head(api: ApiUnderTest) -> None:
    sha256 = hold(api.workplace, b"<script>", media_type="text/html\r\nSet-Cookie: a=b").sha256

    head = api.get(f"/files/{sha256}").headers

    assert head["Content-Type"] == "application/octet-stream"
    assert "Set-Cookie" not in head
    assert head["Content-Disposition"].startswith("attachment")


def test_a_store_that_is_away_is_said_so(
    catalog: Catalog, catalog_url: str, tmp_path: Path, s3_credentials: None
) -> None:
    [port] = free_ports(1)
    with an_api(catalog_url, tmp_path / "store") as api:
        sha256 = hold(api.workplace, b"held elsewhere").sha256
    away = {"store": "s3://rescued/x", "s3_endpoint_url": f"http://127.0.0.1:{port}", "s3_max_attempts": 1}

    with an_api(catalog_url, tmp_path / "store", **away) as api:
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Range": "bytes=0-1"})):
            answer = api.ask(method, f"/files/{sha256}", headers=headers)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0


def test_a_caller_that_hangs_up_leaves_nothing_open(api: ApiUnderTest) -> None:
    sha256 = hold(api.workplace, os.urandom(30 * MIB)).sha256
    path, port = in_the_store(api, sha256), int(api.url.rpartition(":")[2])

    callers = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
    for number, caller in enumerate(callers):
        part = f"Range: bytes={number}-\r\n" if number % 2 else ""
        caller.sendall(f"GET /files/{sha256} HTTP/1.1\r\nHost: x\r\n{part}\r\n".encode())
        assert caller.recv(1000)
    assert open_files_of(path) == len(callers)
    for caller in callers:
        caller.close()

    until = time.monotonic() + 20
    while open_files_of(path) and time.monotonic() < until:
        time.sleep(0.02)
    assert open_files_of(path) == 0


def test_a_blob_says_where_it_was_found_and_who_holds_it(api: ApiUnderTest) -> None:
    sha256 = hold(api.workplace, b"x,y\n", url="https://files.example/a.csv").sha256

    told = api.get(f"/blobs/{sha256}").json()

    assert told["found_at"] == ["https://files.example/a.csv"]
    assert [(copy["kind"], copy["state"], copy["proved_by"]) for copy in told["copies"]] == [
        ("store", "good", "store")
    ]
    assert api.workplace.settings.store not in str(told)  # folders of ours are nobody's business
    assert api.get(f"/blobs/{'1' * 64}").status_code == 404
