"""Rows A of the fault list: whatever a server does to the frame of a reply, nothing that is not whole is kept."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.behaviours import chunked, noise
from shelter_pipeline_tests.support.fault_server import (
    KEEP,
    RESET,
    FaultServer,
    Pause,
    Repeated,
    Step,
    chunks,
    field,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import bodies_in, door, fetched
from shelter_pipeline_tests.support.shelter_process import measured_fetch

BODY = noise(10_240)
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
END = b"0\r\n\r\n"

KEPT: dict[str, tuple[tuple[Step, ...], tuple[str, ...]]] = {
    "A3-a surplus of one byte": ((head(LENGTH) + BODY + b"!",), ("surplus",)),
    "A3-a surplus as long as the body": ((head(LENGTH) + BODY * 2,), ("surplus",)),
    "A3-a second reply nobody asked for": ((head(LENGTH) + BODY + head(LENGTH) + BODY,), ("surplus",)),
    "A3-nothing but line ends beyond": ((head(LENGTH) + BODY + b"\r\n\r\n",), ("surplus",)),
    "A4-no length in HTTP/1.1": ((head("Connection: close"), BODY), ("length-unverified",)),
    "A4-no length in HTTP/1.0": ((head(version="HTTP/1.0"), BODY), ("length-unverified",)),
    "A4-a coding that is none, and no length": (
        (head("Transfer-Encoding: identity"), BODY),
        ("length-unverified",),
    ),
    "A5-chunks of one byte": (chunked(chunks(*(bytes([one]) for one in BODY))), ()),
    "A5-sizes in capitals with zeros before": (
        chunked(b"0000002800\r\n" + BODY + b"\r\n"),
        (),
    ),
    "A5-a chunk extension": (chunked(b'2800;name="value"\r\n' + BODY + b"\r\n"), ()),
    "A5-trailers": (chunked(chunks(BODY), last=b"0\r\nX-One: 1\r\nContent-Length: 3\r\n\r\n"), ()),
    "A5-the coding in capitals": ((head("Transfer-Encoding: CHUNKED") + chunks(BODY) + END, KEEP), ()),
    "A7-chunks and a length of 3": (
        (head("Content-Length: 3", CHUNKED) + chunks(BODY) + END, KEEP),
        ("both-framings",),
    ),
    "A7-chunks and the right length": (
        (head(LENGTH, CHUNKED) + chunks(BODY) + END, KEEP),
        ("both-framings",),
    ),
    "one length, written twice in a line": (whole(BODY, f"Content-Length: {len(BODY)}, {len(BODY)}"), ()),
    "another minor version": ((head(LENGTH, version="HTTP/1.0") + BODY, KEEP), ()),
    "no reason phrase": ((head(LENGTH, status="200 ") + BODY, KEEP), ()),
    "sixty interim replies": ((b"HTTP/1.1 102 Processing\r\n\r\n" * 60, *whole(BODY)), ()),
    "a header of bytes that are no ASCII": (whole(BODY, "X-Name: caf\xe9"), ()),
}

# The verdicts that may end each of these; which of them is not promised, that nothing is kept is.
TRANSIENT, DAMAGED, SUSPECT, PERMANENT = "transient", "damaged", "suspect", "permanent"
LOST: dict[str, tuple[tuple[Step, ...], str, str | None]] = {
    "A1-half of it": ((head("Content-Length: 20480"), BODY), TRANSIENT, "wrong-length"),
    "A1-all but one byte": ((head("Content-Length: 10241"), BODY), TRANSIENT, "wrong-length"),
    "A1-nothing of it": ((head(LENGTH),), TRANSIENT, None),
    "A1-half of it in HTTP/1.0": (
        (head("Content-Length: 20480", version="HTTP/1.0"), BODY),
        TRANSIENT,
        "wrong-length",
    ),
    "A5-no last chunk": ((head(CHUNKED), chunks(BODY)), TRANSIENT, None),
    "A5-half of the last chunk's line": (chunked(chunks(BODY), last=b"0\r")[:1], TRANSIENT, None),
    "A5-no end of the trailers": (chunked(chunks(BODY), last=b"0\r\nX-One: 1\r\n")[:1], TRANSIENT, None),
    "A5-a size without its chunk": ((head(CHUNKED), chunks(BODY) + b"10\r\n"), TRANSIENT, None),
    "A5-a chunk longer than its size": (chunked(b"5\r\n" + BODY + b"\r\n"), TRANSIENT, None),
    "A7-chunks and a length of all, and no last chunk": (
        (head(LENGTH, CHUNKED) + chunks(BODY[:99]),),
        TRANSIENT,
        None,
    ),
    "A10-204 with a body": ((head(LENGTH, status="204 No Content") + BODY,), SUSPECT, "empty"),
    "A10-205 with a body": ((head(LENGTH, status="205 Reset Content") + BODY,), SUSPECT, "empty"),
    "A10-zero bytes by length": (whole(b""), SUSPECT, "empty"),
    "A10-zero bytes in chunks": (chunked(), SUSPECT, "empty"),
    "A10-zero bytes by close": ((head(),), SUSPECT, "empty"),
    "A10-zero bytes under gzip": (whole(b"", "Content-Encoding: gzip"), SUSPECT, "empty"),
    "A13-NUL in a header": ((head("X-Name: a\x00b", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "A13-a bell in a header": ((head("X-Name: a\x07b", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "A13-a carriage return in a header": ((head("X-Name: a\rb", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "A13-NUL in the type": ((head("Content-Type: text/\x00csv", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "A13-delete in the tag": ((head('ETag: "\x7f"', LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "A13-a control byte in a header's name": ((head("X\x01: a", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "A14-a header of a megabyte": ((head("X: " + "a" * 1_000_000, LENGTH) + BODY,), DAMAGED, "head-too-large"),
    "A14-20,000 headers": ((head(*["X: a"] * 20_000, LENGTH) + BODY,), DAMAGED, "head-too-large"),
    "A14-a status line of 64 KiB": (
        (head(LENGTH, status="200 " + "a" * 65_536) + BODY,),
        DAMAGED,
        "head-too-large",
    ),
    "A14-20,000 interim replies": (
        (Repeated(b"HTTP/1.1 100 Continue\r\n\r\n", 20_000), *whole(BODY)),
        DAMAGED,
        "head-too-large",
    ),
    "A14-20,000 trailers": (
        (head(CHUNKED) + chunks(BODY) + b"0\r\n", Repeated(b"X-Trailer: a\r\n", 20_000), b"\r\n"),
        DAMAGED,
        "head-too-large",
    ),
    "A14-a header name of a megabyte": ((head("a" * 1_000_000 + ": 1") + BODY,), DAMAGED, "head-too-large"),
    "A15-closed after the request": ((), TRANSIENT, "connection-lost"),
    "A15-reset at byte 0": ((RESET,), TRANSIENT, "connection-lost"),
    "A15-reset within the head": ((head(LENGTH)[:20], RESET), TRANSIENT, "connection-lost"),
    "A15-reset in the middle": ((head(LENGTH), BODY[:5000], RESET), TRANSIENT, None),
    "A15-reset before the last byte": ((head(LENGTH), BODY[:-1], RESET), TRANSIENT, None),
    "A15-reset within chunks": ((head(CHUNKED), chunks(BODY[:99]), RESET), TRANSIENT, "connection-lost"),
    "A15-reset where only the close tells the end": ((head(), BODY, RESET), TRANSIENT, "connection-lost"),
    "HTTP/0.9": ((BODY,), DAMAGED, "head-invalid"),
    "a status of two digits": ((head(LENGTH, status="20 OK") + BODY,), DAMAGED, "head-invalid"),
    "a status of four digits": ((head(LENGTH, status="2000 OK") + BODY,), DAMAGED, "head-invalid"),
    "another protocol": ((head(LENGTH, version="ICY") + BODY,), DAMAGED, "head-invalid"),
    "a header without a colon": ((head("nonsense", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "a header without a name": ((head(": nonsense", LENGTH) + BODY,), DAMAGED, "head-invalid"),
    "a space before the colon": ((head(f"Content-Length : {len(BODY)}") + BODY,), DAMAGED, "head-invalid"),
    "an empty length": ((head("Content-Length:") + BODY,), DAMAGED, "head-invalid"),
    "a length in hexadecimal": ((head("Content-Length: 0x2800") + BODY,), DAMAGED, "head-invalid"),
    "a length with a point": ((head("Content-Length: 10240.0") + BODY,), DAMAGED, "head-invalid"),
    "a length in odd digits": ((head("Content-Length: 10\xb2") + BODY,), DAMAGED, "head-invalid"),
    "two lengths in a line": ((head("Content-Length: 10240, 5") + BODY,), DAMAGED, "head-invalid"),
    "a length with an underscore": ((head("Content-Length: 10_240") + BODY,), DAMAGED, "head-invalid"),
    "chunks within chunks": ((head("Transfer-Encoding: chunked, chunked") + chunks(BODY) + END,), DAMAGED, None),
    "a coding of a wrong name": ((head("Transfer-Encoding: xchunked") + chunks(BODY) + END,), DAMAGED, None),
}  # fmt: skip


CHUNK_SIZES = {
    "negative": b"-2800",
    "signed": b"+2800",
    "with underscores": b"2_8_00",
    "in words": b"ZZ",
    "with a prefix": b"0x2800",
    "of 17 digits": b"f" * 17,
    "of 16 digits": b"f" * 16,
    "of 4,000 digits": b"f" * 4000,
    "missing": b"",
    "with a space before": b" 2800",
    "with a NUL": b"28\x0000",
    "in full-width digits": "\uff12\uff18\uff10\uff10".encode(),
}


@pytest.mark.parametrize("case", sorted(KEPT))
def test_a_whole_body_in_an_odd_frame_is_kept_and_flagged(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    steps, flags = KEPT[case]
    url = server.serves("/file", *steps)

    said = fetched(url, tmp_path)

    assert (said["verdict"], said["size"], tuple(said["flags"])) == ("stored", len(BODY), flags)
    assert [path.read_bytes() for path in bodies_in(tmp_path)] == [BODY]


@pytest.mark.parametrize("case", sorted(LOST))
def test_a_broken_frame_has_its_verdict_and_nothing_is_kept(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    steps, verdict, reason = LOST[case]
    url = server.serves("/file", *steps)

    said = fetched(url, tmp_path)

    assert said["verdict"] == verdict
    assert reason in (None, said["reason"])
    assert not said["size"]
    assert 1 <= server.requests("/file") == said["requests"] <= 2
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("size", CHUNK_SIZES, ids=lambda name: f"A5-{name}")
def test_a_chunk_size_that_is_none_ends_the_transfer(server: FaultServer, tmp_path: Path, size: str) -> None:
    url = server.serves("/file", head(CHUNKED), CHUNK_SIZES[size] + b"\r\n" + BODY + b"\r\n" + END)

    said = fetched(url, tmp_path)

    assert said["verdict"] in (TRANSIENT, DAMAGED)
    assert bodies_in(tmp_path) == []


def test_a_connection_that_contradicted_itself_is_not_used_again(server: FaultServer, tmp_path: Path) -> None:
    redirect = head("Location: /second", "Content-Length: 3", CHUNKED, status="302 Found")
    server.serves("/first", redirect + chunks(b"away") + END, KEEP)
    server.serves("/second", *whole(BODY))

    said = fetched(server.url("/first"), tmp_path)

    assert said["verdict"] == "stored"
    assert server.accepted >= 2


def test_a_length_nobody_vouched_for_is_verified_by_fetching_all_again(
    server: FaultServer, tmp_path: Path
) -> None:
    url = server.serves("/A4", head('ETag: "1"'), BODY)

    first, second = fetched(url, tmp_path), fetched(url, tmp_path)

    assert (first["flags"], second["verdict"]) == (["length-unverified"], "unchanged")
    assert not any(field(sent, "If-None-Match") for sent in server.heads("/A4"))


def test_a_cut_reply_without_a_length_is_found_out_by_the_second_fetch(
    server: FaultServer, tmp_path: Path
) -> None:
    url = server.serves_in_turn("/A4", (head(), BODY[:-1]), (head(), BODY))

    first, second = fetched(url, tmp_path), fetched(url, tmp_path)

    assert first["flags"] == second["flags"] == ["length-unverified"]
    assert (second["verdict"], second["size"]) == ("stored", len(BODY))


@pytest.mark.parametrize(
    "greeting", [(RESET,), (b"",)], ids=["A15-reset on connect", "A15-closed on connect"]
)
def test_a_connection_that_ends_before_the_request_is_transient(
    tmp_path: Path, greeting: tuple[Step, ...]
) -> None:
    with FaultServer(on_connect=(*greeting, RESET)) as server:
        said = fetched(server.url("/file"), tmp_path)

    assert (said["verdict"], said["sha256"]) == (TRANSIENT, None)
    assert 1 <= server.accepted <= 4


def test_a_late_reply_nobody_asked_for_is_not_taken_for_the_answer_to_the_next_request(
    server: FaultServer,
) -> None:
    """A3, where the surplus comes when the first reply has long been read."""
    forged = head("Content-Length: 6") + b"forged"
    first = server.serves("/first", head("Content-Length: 5") + b"first", Pause(0.1), forged, KEEP)
    second = server.serves("/second", *whole(b"second"))
    one_door = door()

    bodies = [one_door.read(first).body]
    time.sleep(0.4)
    bodies.append(one_door.read(second).body)

    assert bodies == [b"first", b"second"]
    assert server.accepted == 2


def test_no_control_byte_of_a_header_reaches_the_output_or_the_store(
    server: FaultServer, tmp_path: Path
) -> None:
    evil = "X-Name: \x1b[31mred\x00\r\x07"
    urls = [
        server.serves("/A13", head(evil, LENGTH) + BODY),
        server.serves("/A13-type", *whole(BODY, "Content-Type: text/\x1b[31m")),
        server.serves("/A13-status", head(LENGTH, status="200 \x1b[2J") + BODY),
    ]

    runs = [measured_fetch(url, tmp_path / "store") for url in urls]

    written = b"".join(
        [
            *(run.output for run in runs),
            *(path.read_bytes() for path in (tmp_path / "store/manifests").rglob("*.jsonl")),
        ]
    )
    assert {byte for byte in written if byte < 32 or byte == 127} <= {10}


def test_no_control_byte_of_the_second_set_reaches_the_store(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves("/A13", *whole(BODY, "X-Name: \x9b31m"))

    fetched(url, tmp_path)

    (manifest,) = (tmp_path / "manifests").rglob("*.jsonl")
    assert b"\xc2\x9b" not in manifest.read_bytes()


@pytest.mark.parametrize(
    "step", [1, 7], ids=["A15-in every place of the head", "A15-in every place of the body"]
)
def test_a_reset_at_any_byte_publishes_nothing(server: FaultServer, tmp_path: Path, step: int) -> None:
    reply = head(LENGTH) + BODY
    places = range(len(head(LENGTH))) if step == 1 else range(len(head(LENGTH)), len(reply), 257)
    said = [
        fetched(server.serves(f"/{place}", reply[:place], RESET), tmp_path, fetch_max_attempts=1)
        for place in places
    ]

    assert {one["verdict"] for one in said} == {TRANSIENT}
    assert bodies_in(tmp_path) == []
