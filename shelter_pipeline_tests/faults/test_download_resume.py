"""A broken transfer is continued only where it is certain to be the same version; never a splice."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import FaultServer, Step, field, head, whole
from shelter_pipeline_tests.support.fetching import downloader

CUT = 40_000
OLD = random.Random(1).randbytes(100_000)
NEW = random.Random(2).randbytes(100_000)
TAG = 'ETag: "v1"'


def broken(*fields: str) -> tuple[Step, ...]:
    return (head(f"Content-Length: {len(OLD)}", *(fields or (TAG,))), OLD[:CUT])


def part(
    body: bytes, first: int, *fields: str, total: int | None = None, last: int | None = None
) -> tuple[Step, ...]:
    rest = body[first:]
    span = f"Content-Range: bytes {first}-{len(body) - 1 if last is None else last}/{total or len(body)}"
    return whole(rest, span, *(fields or (TAG,)), status="206 Partial Content")


def _refuse_range(answer: tuple[Step, ...]) -> Callable[[str], tuple[Step, ...]]:
    """`answer` to a range, the whole new file to anything else."""
    return lambda request: answer if field(request, "Range") else whole(NEW, 'ETag: "v2"')


def test_the_rest_of_the_same_version_is_appended(server: FaultServer, store: LocalStore) -> None:
    url = server.serves_in_turn("/file", broken(), part(OLD, CUT))

    capture = downloader(store).fetch(url)

    again = server.heads("/file")[1]
    assert (field(again, "Range"), field(again, "If-Range")) == (f"bytes={CUT}-", '"v1"')
    assert capture.wire_bytes < len(OLD) + 1024
    with store.open(capture.sha256 or "") as blob:
        assert blob.read() == OLD


@pytest.mark.parametrize(
    "answer",
    [
        part(NEW, 0),
        part(NEW, 32_768),
        part(NEW, CUT + 1),
        part(NEW, CUT, 'ETag: "v2"'),
        part(NEW, CUT, 'ETag: W/"v1"'),
        part(NEW, CUT, "X-No-Tag: 1"),
        part(NEW, CUT, total=200_000),
        part(NEW, CUT, last=99_000),
        part(NEW, CUT, TAG, "Content-Encoding: gzip"),
        part(NEW, CUT, TAG, "Content-Range: bytes 0-1/2"),
        whole(NEW[CUT:], TAG, status="206 Partial Content"),
        whole(NEW[CUT:], TAG, "Content-Range: bytes */100000", status="206 Partial Content"),
        whole(b"--x", TAG, "Content-Type: multipart/byteranges; boundary=x", status="206 Partial Content"),
        whole(b"", "Content-Range: bytes */100000", status="416 Range Not Satisfiable"),
        whole(NEW, 'ETag: "v2"'),
    ],
    ids=[
        "it starts at zero",
        "it starts earlier",
        "it starts later",
        "another tag",
        "a weak tag",
        "no tag",
        "another total",
        "it ends earlier",
        "it is encoded",
        "two ranges",
        "no range",
        "an unsatisfied range",
        "many parts",
        "not satisfiable",
        "the whole new file",
    ],
)
def test_any_other_answer_begins_again(
    server: FaultServer, store: LocalStore, answer: tuple[Step, ...]
) -> None:
    url = server.serves_in_turn("/file", broken(), _refuse_range(answer))

    capture = downloader(store, max_attempts=3).fetch(url)

    assert capture.verdict == "stored"
    with store.open(capture.sha256 or "") as blob:
        assert blob.read() == NEW


@pytest.mark.parametrize(
    "fields", [('ETag: W/"v1"',), ("ETag: v1",), ("Last-Modified: Mon, 06 Jul 2026 10:00:00 GMT",)]
)
def test_without_a_strong_validator_no_rest_is_asked_for(
    server: FaultServer, store: LocalStore, fields: tuple[str, ...]
) -> None:
    url = server.serves_in_turn("/file", broken(*fields), whole(NEW))

    capture = downloader(store).fetch(url)

    assert field(server.heads("/file")[1], "Range") is None
    with store.open(capture.sha256 or "") as blob:
        assert blob.read() == NEW


def test_a_resume_may_break_again(server: FaultServer, store: LocalStore) -> None:
    middle = (head(f"Content-Length: {len(OLD) - CUT}", TAG, f"Content-Range: bytes {CUT}-99999/100000",
                   status="206 Partial Content"), OLD[CUT:70_000])  # fmt: skip
    url = server.serves_in_turn("/file", broken(), middle, part(OLD, 70_000))

    capture = downloader(store, max_attempts=3).fetch(url)

    assert capture.requests == 3
    with store.open(capture.sha256 or "") as blob:
        assert blob.read() == OLD


def test_progress_says_how_much_of_the_file_is_here(server: FaultServer, store: LocalStore) -> None:
    url = server.serves_in_turn("/file", broken(), whole(NEW))
    told: list[int] = []

    downloader(store).fetch(url, progress=told.append)

    assert CUT in told
    assert told[-1] == len(NEW)
