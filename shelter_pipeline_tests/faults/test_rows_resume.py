"""Rows F of the fault list: a broken transfer is continued where that is safe, and two versions are never mixed."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.behaviours import cut_after, noise, only_to_ranges, ranged, rest_of
from shelter_pipeline_tests.support.fault_server import (
    RESET,
    Behaviour,
    FaultServer,
    Pause,
    Step,
    field,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import fetched
from shelter_pipeline_tests.support.shelter_process import command, environment, measured_fetch

SIZE, CUT = 100_000, 40_000
OLD, NEW = noise(SIZE, 1), noise(SIZE, 2)
TAG, OTHER = 'ETag: "v1"', 'ETag: "v2"'

# The answers to a request for the rest, given the version the server has now and that version's tag.
ANSWERS: dict[str, Callable[[bytes, str], tuple[Step, ...]]] = {
    "F1-the right rest": lambda body, tag: rest_of(body, CUT, tag),
    "F2-all of it": whole,
    "F2-all of it with a range": lambda body, tag: whole(
        body, tag, f"Content-Range: bytes {CUT}-99999/100000"
    ),
    "F3-from the first byte on": lambda body, tag: rest_of(body, 0, tag),
    "F3-from a block before": lambda body, tag: rest_of(body, 32_768, tag),
    "F3-from a byte later": lambda body, tag: rest_of(body, CUT + 1, tag),
    "F5-a weak tag": lambda body, _tag: rest_of(body, CUT, 'ETag: W/"v1"'),
    "F5-no tag": lambda body, _tag: rest_of(body, CUT),
    "another total": lambda body, tag: rest_of(body, CUT, tag, total=SIZE * 2),
    "no such range": lambda _body, _tag: whole(
        b"", f"Content-Range: bytes */{SIZE}", status="416 Range Not Satisfiable"
    ),
    "many parts": lambda body, tag: whole(
        b"--x\r\n\r\n" + body[CUT:] + b"\r\n--x--",
        tag,
        "Content-Type: multipart/byteranges; boundary=x",
        status="206 Partial Content",
    ),
    "a part without its range": lambda body, tag: whole(body[CUT:], tag, status="206 Partial Content"),
    "a part of a part": lambda body, tag: rest_of(body[:90_000], CUT, tag, total=SIZE),
    "an encoded rest": lambda body, tag: rest_of(body, CUT, tag, "Content-Encoding: gzip"),
    "a range in other units": lambda body, tag: whole(
        body[CUT:], tag, f"Content-Range: items {CUT}-99999/100000", status="206 Partial Content"
    ),
    "an unknown total": lambda body, tag: whole(
        body[CUT:], tag, f"Content-Range: bytes {CUT}-99999/*", status="206 Partial Content"
    ),
    "a cut rest": lambda body, tag: (rest_of(body, CUT, tag)[0][:-9], RESET),  # type: ignore[index]
    "a surplus rest": lambda body, tag: (rest_of(body, CUT, tag)[0] + b"more",),  # type: ignore[operator]
    "nothing at all": lambda _body, _tag: (RESET,),
    "an unasked 304": lambda _body, tag: (head(tag, status="304 Not Modified"),),
    "an error": lambda _body, _tag: whole(b"busy", status="500 Oops"),
}


def _kept(store: Path, sha256: str) -> bytes:
    with LocalStore(store).open(sha256) as blob:
        return blob.read()


@pytest.mark.parametrize("changed", [False, True], ids=["same", "changed"])
@pytest.mark.parametrize("case", ANSWERS)
def test_whatever_answers_a_resume_the_file_is_of_one_version(
    server: FaultServer, tmp_path: Path, case: str, changed: bool
) -> None:
    now, tag = (NEW, OTHER) if changed else (OLD, TAG)
    first = [cut_after(OLD, CUT, TAG)]
    answer = ANSWERS[case](now, tag)
    url = server.serves_in_turn("/file", *first, only_to_ranges(answer, whole(now, tag)))

    said = fetched(url, tmp_path, fetch_max_attempts=4)

    if said["verdict"] == "stored":
        assert _kept(tmp_path, said["sha256"]) == now
    else:
        assert said["verdict"] in ("transient", "permanent", "damaged")
    safe = case in ("F1-the right rest", "a surplus rest") and not changed
    assert server.sent["/file"] <= SIZE + 2048 if safe else server.requests("/file") <= 4


def test_the_rest_is_asked_for_by_its_tag_and_nothing_is_sent_twice(
    server: FaultServer, tmp_path: Path
) -> None:
    url = server.serves_in_turn("/F1", cut_after(OLD, CUT, TAG), ranged(OLD, '"v1"'))

    said = fetched(url, tmp_path)

    asked = server.heads("/F1")[1]
    assert (field(asked, "Range"), field(asked, "If-Range")) == (f"bytes={CUT}-", '"v1"')
    assert said["sha256"] == hashlib.sha256(OLD).hexdigest()
    assert server.sent["/F1"] <= SIZE + 2 * 1024


@pytest.mark.parametrize("cuts", [[1], [99_999], [50_000, 70_000], [20_000, 40_000, 60_000, 80_000]])
def test_a_transfer_that_breaks_again_and_again_saves_nine_tenths(
    server: FaultServer, tmp_path: Path, cuts: list[int]
) -> None:
    honest = ranged(OLD, '"v1"')

    def broken_at(place: int) -> Behaviour:
        def answer(request: str) -> tuple[Step, ...]:
            reply = honest(request)[0]
            assert isinstance(reply, bytes)
            return (reply[: len(reply) - (SIZE - place)],)

        return answer

    url = server.serves_in_turn("/F1", *map(broken_at, cuts), honest)

    said = fetched(url, tmp_path, fetch_max_attempts=len(cuts) + 1)

    assert said["sha256"] == hashlib.sha256(OLD).hexdigest()
    assert server.sent["/F1"] <= SIZE * 1.1


@pytest.mark.parametrize(
    "validator",
    [
        *('ETag: W/"v1"', "ETag: v1", 'ETag: "v1', "X-No: tag", 'ETag: "a"b"', "ETag: "),
        "Last-Modified: Mon, 06 Jul 2026 10:00:00 GMT",
    ],
)
def test_without_a_strong_tag_the_file_is_fetched_from_its_beginning(
    server: FaultServer, tmp_path: Path, validator: str
) -> None:
    url = server.serves_in_turn("/F5", cut_after(OLD, CUT, validator), whole(NEW))

    said = fetched(url, tmp_path)

    assert field(server.heads("/F5")[1], "Range") is None
    assert _kept(tmp_path, said["sha256"]) == NEW


def test_another_process_asks_only_for_the_rest(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves_in_turn("/F1", cut_after(OLD, CUT, TAG), ranged(OLD, '"v1"'))
    first = measured_fetch(url, tmp_path, fetch_max_attempts=1).said

    second = measured_fetch(url, tmp_path, fetch_max_attempts=1).said

    asked = server.heads("/F1")[1]
    assert (first["verdict"], second["verdict"]) == ("transient", "stored")
    assert (field(asked, "Range"), field(asked, "If-Range")) == (f"bytes={CUT}-", '"v1"')
    assert _kept(tmp_path, second["sha256"]) == OLD


@pytest.mark.parametrize("changed", [False, True], ids=["same", "changed"])
@pytest.mark.parametrize("case", sorted(ANSWERS))
def test_no_answer_makes_a_later_fetch_mix_two_versions(
    server: FaultServer, tmp_path: Path, case: str, changed: bool
) -> None:
    now, tag = (NEW, OTHER) if changed else (OLD, TAG)
    answer = only_to_ranges(ANSWERS[case](now, tag), whole(now, tag))
    url = server.serves_in_turn("/file", cut_after(OLD, CUT, TAG), answer)
    fetched(url, tmp_path, fetch_max_attempts=1)

    for _ in range(3):
        said = fetched(url, tmp_path, fetch_max_attempts=2)
        if said["verdict"] == "stored":
            break

    assert said["verdict"] == "stored"
    assert _kept(tmp_path, said["sha256"]) == now


def test_what_was_left_without_a_strong_tag_is_never_continued(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves_in_turn("/F5", cut_after(OLD, CUT, 'ETag: W/"v1"'), ranged(NEW, '"v1"'))
    fetched(url, tmp_path, fetch_max_attempts=1)

    said = fetched(url, tmp_path, fetch_max_attempts=1)

    assert field(server.heads("/F5")[1], "Range") is None
    assert _kept(tmp_path, said["sha256"]) == NEW


@pytest.mark.timeout(60)
def test_after_kill_9_only_what_was_not_here_yet_is_sent_again(server: FaultServer, tmp_path: Path) -> None:
    mebibyte, blocks = 2**20, 64
    body = noise(mebibyte, 3) * blocks

    def answer(request: str) -> tuple[Step, ...]:
        first = int((field(request, "Range") or "bytes=0-")[6:-1])
        span = [f"Content-Range: bytes {first}-{len(body) - 1}/{len(body)}"] if first else []
        reply = head(
            f"Content-Length: {len(body) - first}",
            'ETag: "v1"',
            *span,
            status="206 Partial Content" if first else "200 OK",
        )
        pieces = (body[at : at + mebibyte] for at in range(first, len(body), mebibyte))
        return (reply, *(step for piece in pieces for step in (piece, Pause(0.02))))

    url = server.serves_in_turn("/F1", answer)
    settings = {"fetch_max_bytes": 10**9, "fetch_total_deadline_seconds": 50}
    with subprocess.Popen(
        command("fetch", url, "--store", str(tmp_path), "--json"),
        env=environment(**settings),
        stdout=subprocess.DEVNULL,
    ) as victim:
        while server.sent["/F1"] < 40 * mebibyte:
            time.sleep(0.01)
        victim.send_signal(signal.SIGKILL)
    time.sleep(0.1)
    sent_before = server.sent["/F1"]

    run = measured_fetch(url, tmp_path, **settings)

    assert run.said["sha256"] == hashlib.sha256(body).hexdigest()
    assert server.sent["/F1"] - sent_before <= (blocks - 16) * mebibyte
