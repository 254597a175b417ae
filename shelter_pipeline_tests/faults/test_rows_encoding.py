"""Rows B of the fault list: an encoded body is kept as it came, proved by unfolding it, and no bomb goes off."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.behaviours import bomb, chunked, encoded, noise
from shelter_pipeline_tests.support.fault_server import FaultServer, field, head, whole
from shelter_pipeline_tests.support.fetching import bodies_in, fetched

TEXT = b"station,depth\n" + b"".join(b"%d,%d\n" % (number, number * 7 % 991) for number in range(5000))
CODINGS = ("gzip", "deflate", "br", "zstd")


def _rows(row: str, what: str) -> list[str]:
    """The codings as cases of a row."""
    return [f"{row}-{coding} {what}" for coding in CODINGS]


def _coding(case: str) -> str:
    return case.partition("-")[2].partition(" ")[0]


@pytest.mark.parametrize("case", _rows("B1", "nobody asked for"))
def test_an_encoded_body_is_kept_as_it_came_and_the_record_says_so(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    coding = _coding(case)
    wire = encoded(TEXT, coding)
    url = server.serves("/data.csv", *whole(wire, f"Content-Encoding: {coding}"))

    said = fetched(url, tmp_path)

    assert field(server.heads("/data.csv")[0], "Accept-Encoding") == "identity"
    assert (said["verdict"], f"encoded-{coding}" in said["flags"]) == ("stored", True)
    with LocalStore(tmp_path).open(said["sha256"]) as blob:
        assert blob.read() == wire


@pytest.mark.parametrize("case", _rows("B1", "in chunks"))
def test_an_encoded_body_in_chunks_is_kept_too(server: FaultServer, tmp_path: Path, case: str) -> None:
    coding = _coding(case)
    wire = encoded(TEXT, coding)
    pieces = [wire[at : at + 999] for at in range(0, len(wire), 999)]
    steps = chunked(*(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces))
    steps = (steps[0].replace(b"\r\n\r\n", f"\r\nContent-Encoding: {coding}\r\n\r\n".encode(), 1), *steps[1:])  # type: ignore[attr-defined]

    said = fetched(server.serves("/data.csv", *steps), tmp_path)

    assert (said["verdict"], said["size"]) == ("stored", len(wire))


@pytest.mark.parametrize("case", _rows("B2", "cut in half, of a true length"))
def test_an_encoded_body_cut_in_half_is_damaged(server: FaultServer, tmp_path: Path, case: str) -> None:
    wire = encoded(TEXT, _coding(case))
    url = server.serves("/file", *whole(wire[: len(wire) // 2], f"Content-Encoding: {_coding(case)}"))

    said = fetched(url, tmp_path)

    assert (said["verdict"], said["reason"]) == ("damaged", "truncated-encoding")
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("case", _rows("B2", "without its last byte"))
def test_an_encoded_body_without_its_last_byte_is_damaged(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    wire = encoded(noise(3000), _coding(case))
    url = server.serves("/file", *whole(wire[:-1], f"Content-Encoding: {_coding(case)}"))

    said = fetched(url, tmp_path)

    assert said["verdict"] == "damaged"
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("case", _rows("B3", "that is none"))
def test_a_body_that_is_not_encoded_as_it_says_is_damaged(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    url = server.serves("/file", *whole(b"<" + TEXT, f"Content-Encoding: {_coding(case)}"))

    said = fetched(url, tmp_path)

    assert (said["verdict"], said["reason"]) == ("damaged", "bad-encoding")
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("case", _rows("B5", "bomb of 300 MB"))
def test_a_bomb_ends_soon_and_leaves_nothing(server: FaultServer, tmp_path: Path, case: str) -> None:
    url = server.serves("/bomb", *whole(bomb(_coding(case)), f"Content-Encoding: {_coding(case)}"))
    began = time.monotonic()

    said = fetched(url, tmp_path, fetch_max_bytes=10**10)

    assert time.monotonic() - began < 2
    assert said["verdict"] in ("damaged", "permanent")
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("case", _rows("B5", "above the byte cap"))
def test_the_byte_cap_holds_for_what_a_body_unfolds_to(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    coding = _coding(case)
    url = server.serves("/file", *whole(encoded(bytes(2_000_000), coding), f"Content-Encoding: {coding}"))

    said = fetched(url, tmp_path, fetch_max_bytes=1_000_000)

    assert (said["verdict"], said["reason"]) == ("permanent", "too-large")
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("names", [("gzip", "gzip"), ("br", "gzip"), ("deflate", "br")], ids=str)
def test_a_stack_of_codings_is_kept_as_it_came_and_proved_to_its_end(
    server: FaultServer, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """B1 and B2."""
    wire, field_line = encoded(TEXT, *names), f"Content-Encoding: {', '.join(names)}"
    good = server.serves("/good", *whole(wire, field_line))
    inner = encoded(encoded(TEXT, names[0])[:-9], *names[1:])
    cut = server.serves("/cut", *whole(inner, field_line))

    said = [fetched(url, tmp_path / url[-4:]) for url in (good, cut)]

    assert [one["verdict"] for one in said] == ["stored", "damaged"]
    assert said[0]["size"] == len(wire)
    assert {f"encoded-{name}" for name in names} <= set(said[0]["flags"])


def test_a_bomb_within_a_bomb_ends_soon(server: FaultServer, tmp_path: Path) -> None:
    wire = encoded(bomb("gzip"), "gzip")
    url = server.serves("/B5", *whole(wire, "Content-Encoding: gzip, gzip"))
    began = time.monotonic()

    said = fetched(url, tmp_path, fetch_max_bytes=10**10)

    assert time.monotonic() - began < 4
    assert said["verdict"] in ("damaged", "permanent")
    assert bodies_in(tmp_path) == []


def test_two_gzip_members_are_one_body_and_both_must_be_whole(server: FaultServer, tmp_path: Path) -> None:
    two = encoded(TEXT[:999], "gzip") + encoded(TEXT[999:], "gzip")
    good = server.serves("/B1-two", *whole(two, "Content-Encoding: gzip"))
    cut = server.serves("/B2-two", *whole(two[:-9], "Content-Encoding: gzip"))

    said = [fetched(url, tmp_path / str(number)) for number, url in enumerate((good, cut))]

    assert [one["verdict"] for one in said] == ["stored", "damaged"]


def test_an_encoding_nobody_knows_is_kept_and_flagged(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves("/B1", *whole(TEXT, "Content-Encoding: x-foo\x09"))

    said = fetched(url, tmp_path)

    assert said["verdict"] == "stored"
    assert {"encoded-x-foo", "encoding-unverified"} <= set(said["flags"])


def test_a_gzip_file_that_says_so_is_no_bomb(server: FaultServer, tmp_path: Path) -> None:
    """Many servers give a file's own gzip as its encoding."""
    wire = encoded(TEXT, "gzip")
    url = server.serves("/table.csv.gz", *whole(wire, "Content-Encoding: gzip", "Content-Type: text/csv"))

    said = fetched(url, tmp_path)

    assert (said["verdict"], said["size"]) == ("stored", len(wire))


def test_a_gzip_file_that_says_nothing_is_kept_whatever_it_unfolds_to(
    server: FaultServer, tmp_path: Path
) -> None:
    url = server.serves("/zeros.gz", head(f"Content-Length: {len(bomb('gzip'))}") + bomb("gzip"))

    said = fetched(url, tmp_path, fetch_max_bytes=10**10)

    assert (said["verdict"], said["flags"]) == ("stored", [])
