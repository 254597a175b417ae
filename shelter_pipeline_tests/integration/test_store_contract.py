"""What a store promises, one promise a test, of a folder and of a bucket alike."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import DamagedError, TransientError
from shelter_pipeline.vault.s3 import S3Store
from shelter_pipeline.vault.s3_client import S3Options, S3Place
from shelter_pipeline.vault.store import Blob
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.stores import FolderUnderTest, StoreUnderTest

HELLO = b"hello, archive"
HELLO_SHA256 = hashlib.sha256(HELLO).hexdigest()
HELLO_BLOB = f"blobs/sha256/{HELLO_SHA256[:2]}/{HELLO_SHA256[2:4]}/{HELLO_SHA256}"
FULL = b"no room for this"


def receive(store: Any, data: bytes, *, expected_size: int | None = None) -> Blob:
    with store.receive() as partial:
        partial.write(data)
        blob = store.publish(partial, expected_size=expected_size)
        assert isinstance(blob, Blob)
        return blob


def held(store: Any, data: bytes) -> bool:
    digest = hashlib.sha256(data).hexdigest()
    try:
        with store.open(digest) as body:
            return bool(body.read() == data)
    except FileNotFoundError:
        return False


@pytest.fixture
def a_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever begins with FULL cannot be written."""
    really = os.pwrite

    def pwrite(descriptor: int, data: memoryview, offset: int) -> int:
        if bytes(data[: len(FULL)]) == FULL:
            raise OSError(errno.ENOSPC, "No space left on device")
        return really(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)


def test_bytes_are_held_under_their_digest(place: StoreUnderTest) -> None:
    blob = receive(place.store, HELLO)

    assert blob == Blob(HELLO_SHA256, len(HELLO), HELLO_BLOB)
    assert place.locations() == [HELLO_BLOB]
    assert place.read(HELLO_BLOB) == HELLO
    assert place.store.size_of(HELLO_SHA256) == len(HELLO)
    assert list(place.store.blobs()) == [blob]
    assert held(place.store, HELLO)


@pytest.mark.parametrize("size", [0, 1, 128 * 1024 - 1, 128 * 1024, 700_000])
def test_many_small_writes_are_one_file(place: StoreUnderTest, size: int) -> None:
    body = os.urandom(size)

    with place.store.receive() as partial:
        for start in range(0, len(body), 1000):
            partial.write(body[start : start + 1000])
        seen = (partial.size, partial.read_head(10), partial.read_tail(10), partial.sha256)
        blob = place.store.publish(partial)
        assert (partial.sha256, partial.size) == (seen[3], size)

    assert seen == (len(body), body[:10], body[-10:], hashlib.sha256(body).hexdigest())
    assert (blob.sha256, blob.size) == (seen[3], size)
    assert held(place.store, body)
    assert place.waiting() == []


def test_a_partial_that_was_reset_begins_again(place: StoreUnderTest) -> None:
    with place.store.receive() as partial:
        partial.write(b"x" * 600_000)
        partial.reset()
        partial.write(HELLO)
        blob = place.store.publish(partial)

    assert blob.sha256 == HELLO_SHA256
    assert place.read(HELLO_BLOB) == HELLO


@pytest.mark.parametrize("size", [10, 600_000])
def test_what_is_not_published_leaves_no_trace(place: StoreUnderTest, size: int) -> None:
    with place.store.receive() as partial:
        partial.write(b"x" * size)

    assert place.locations() == place.waiting() == []


@pytest.mark.parametrize("promised", [len(HELLO) + 1, len(HELLO) - 1, 0])
def test_a_body_of_the_wrong_length_is_never_published(place: StoreUnderTest, promised: int) -> None:
    with pytest.raises(TransientError) as end:
        receive(place.store, HELLO, expected_size=promised)

    assert end.value.reason == "wrong-length"
    assert place.locations() == place.waiting() == []


@pytest.mark.parametrize(
    "rot", [b"rot of 14 byte", b"cut", b""], ids=["other bytes", "a cut", "nothing left"]
)
def test_a_rotten_blob_is_healed_by_the_next_download(place: StoreUnderTest, rot: bytes) -> None:
    receive(place.store, HELLO)
    place.replace(HELLO_BLOB, rot)

    receive(place.opened(), HELLO)

    assert place.read(HELLO_BLOB) == HELLO


def test_suspects_are_kept_apart_from_blobs(place: StoreUnderTest) -> None:
    with place.store.receive() as partial:
        partial.write(HELLO)
        suspect = place.store.keep_suspect(partial)

    assert suspect.location == HELLO_BLOB.replace("blobs/", "suspect/")
    assert place.read(suspect.location) == HELLO
    assert place.store.size_of(HELLO_SHA256) is None
    assert list(place.store.blobs()) == []


def test_what_is_not_held_cannot_be_opened(place: StoreUnderTest) -> None:
    with pytest.raises(FileNotFoundError):
        place.store.open(HELLO_SHA256)

    assert place.store.size_of(HELLO_SHA256) is None


def test_any_part_of_a_blob_can_be_read(place: StoreUnderTest) -> None:
    body = random.Random(6).randbytes(700_001)
    sha256 = receive(place.store, body).sha256

    for first, last in [
        (0, 0),
        (0, 700_000),
        (1, 5),
        (299_999, 300_000),
        (300_000, 700_000),
        (700_000, 700_000),
    ]:
        with place.store.read_range(sha256, first, last) as pieces:
            assert b"".join(pieces) == body[first : last + 1], (first, last)
    with place.store.read_range(sha256, 0, 700_000) as pieces:
        assert body.startswith(next(pieces))
    assert list(pieces) == []  # who has closed it gets no more


def test_a_part_that_is_not_all_there_is_an_error_and_no_shorter_part(place: StoreUnderTest) -> None:
    sha256 = receive(place.store, HELLO).sha256

    for first, last in [(0, len(HELLO)), (len(HELLO), len(HELLO)), (10**12, 10**12 + 5)]:
        with pytest.raises(DamagedError, match=r"ends before byte|shorter"):
            list(place.store.read_range(sha256, first, last))
    for first, last in [(-1, 3), (3, 2)]:
        with pytest.raises(ValueError, match="no range"):
            place.store.read_range(sha256, first, last)
    place.replace(HELLO_BLOB, None)
    with pytest.raises(FileNotFoundError):
        place.store.read_range(sha256, 0, 3)


def test_a_store_that_is_away_says_nothing_of_what_it_holds(tmp_path: Path, s3_credentials: None) -> None:
    folder = FolderUnderTest(tmp_path / "store")
    receive(folder.store, HELLO)
    folder.root.rename(tmp_path / "not mounted")
    [port] = free_ports(1)
    options = S3Options(endpoint_url=f"http://127.0.0.1:{port}", timeout_seconds=1, max_attempts=1)
    bucket = S3Store(S3Place("rescued", ""), tmp_path / "scratch", options)

    for store in (folder.store, bucket):
        with pytest.raises(TransientError) as end:
            store.read_range(HELLO_SHA256, 0, 3)
        assert end.value.reason == "store-failed"


def test_a_blob_can_be_read_in_pieces(place: StoreUnderTest) -> None:
    body = os.urandom(700_001)
    sha256 = receive(place.store, body).sha256

    with place.store.open(sha256) as opened:
        pieces = [opened.read(7), opened.read(300_000), opened.read(), opened.read()]

    assert b"".join(pieces) == body
    assert pieces[3] == b""


def test_things_that_are_no_blobs_are_not_taken_for_blobs(place: StoreUnderTest) -> None:
    blob = receive(place.store, HELLO)
    for location in ("blobs/readme", f"blobs/sha256/{'0' * 64}", "blobs/sha256/00/00/" + "1" * 64):
        place.replace(location, b"x")

    assert list(place.store.blobs()) == [blob]


def test_eight_workers_store_the_same_bytes_a_thousand_times_as_one_blob(place: StoreUnderTest) -> None:
    stores = [place.opened() for _ in range(8)]

    def store_all(store: Any) -> set[str]:
        return {receive(store, HELLO).sha256 for _ in range(125)}

    with ThreadPoolExecutor(8) as pool:
        digests = set.union(*pool.map(store_all, stores))

    assert digests == {HELLO_SHA256}
    assert place.locations() == [HELLO_BLOB]
    assert place.waiting() == []


@pytest.mark.usefixtures("a_disk_that_fills_up")
@pytest.mark.parametrize("count", [1, 3, 300])
def test_each_of_many_files_has_its_own_outcome(place: StoreUnderTest, count: int) -> None:
    bodies = [os.urandom(random.choice([0, 10, 5000, 200_000])) for _ in range(count)]
    bodies += [bodies[0], FULL + os.urandom(200_000), *bodies[: count // 3]]
    partials = [place.store.partial() for _ in bodies]
    for partial, body in zip(partials, bodies, strict=True):
        try:
            partial.write(body)
        except TransientError:
            assert body.startswith(FULL)

    outcomes = place.store.publish_all(partials)

    for body, outcome in zip(bodies, outcomes, strict=True):
        if body.startswith(FULL):
            assert isinstance(outcome, TransientError)
            assert outcome.reason == "no-space"
        else:
            assert isinstance(outcome, Blob)
            assert (outcome.sha256, outcome.size) == (hashlib.sha256(body).hexdigest(), len(body))
    whole = {body for body in bodies if not body.startswith(FULL)}
    assert {place.read(location) for location in place.locations()} == whole
    for partial in partials:
        partial.discard()
    assert place.waiting() == []


def test_no_files_are_published_together_without_a_fuss(place: StoreUnderTest) -> None:
    assert place.store.publish_all([]) == []


@pytest.mark.usefixtures("a_disk_that_fills_up")
def test_a_disk_that_fills_up_publishes_nothing(place: StoreUnderTest) -> None:
    with place.store.receive() as partial:
        with pytest.raises(TransientError):
            partial.write(FULL + bytes(500_000))
        with pytest.raises(TransientError) as end:
            place.store.publish(partial)

    assert end.value.reason == "no-space"
    assert place.locations() == place.waiting() == []


def test_a_document_is_written_once(place: StoreUnderTest) -> None:
    place.store.put_document("manifests/2026/one.jsonl", b"1")
    place.store.put_document("manifests/2026/one.jsonl", b"1")

    with pytest.raises(DamagedError, match=r"one\.jsonl") as end:
        place.store.put_document("manifests/2026/one.jsonl", b"2")

    assert end.value.reason == "mismatch"
    assert list(place.store.documents("manifests/")) == [("manifests/2026/one.jsonl", b"1")]
    assert place.waiting() == []


def test_of_many_writers_of_one_document_one_wins_and_the_others_are_told(place: StoreUnderTest) -> None:
    def put(number: int) -> bool:
        try:
            place.store.put_document("records/ab/one.json", str(number).encode())
        except DamagedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number, won in enumerate(pool.map(put, range(24))) if won]

    assert len(winners) == 1
    assert place.read("records/ab/one.json") == str(winners[0]).encode()


@pytest.mark.parametrize(
    ("prefix", "numbers"),
    [
        ("", [2, 0, 1, 3, 4]),
        ("manifests/", [2, 0, 1]),
        ("manifests/2026", [0, 1]),
        ("manifests/2026/a.1.jsonl", [0]),
        ("records/", [3, 4]),
        ("records/ab/", [3]),
        ("blobs/", []),
    ],
)
def test_documents_are_listed_by_the_beginning_of_their_names_and_sorted(
    place: StoreUnderTest, prefix: str, numbers: list[int]
) -> None:
    names = [
        "manifests/2026/a.1.jsonl",
        "manifests/2026/a/b.jsonl",
        "manifests/2025/z.jsonl",
        "records/ab/1.json",
        "records/cd/1.json",
    ]
    for number in (3, 1, 0, 4, 2):
        place.store.put_document(names[number], str(number).encode())

    listed, read = list(place.store.document_names(prefix)), list(place.store.documents(prefix))

    assert listed == [names[number] for number in numbers]
    assert read == [(names[number], str(number).encode()) for number in numbers]


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "manifests/../x",
        "/etc/passwd",
        "manifests/",
        "blobs/x",
        "manifests/.x",
        "manifests/a b",
        "records",
    ],
)
def test_a_document_cannot_be_named_out_of_its_folder(place: StoreUnderTest, name: str) -> None:
    with pytest.raises(ValueError, match="does not name a document"):
        place.store.put_document(name, b"1")


@pytest.mark.parametrize("size", [0, 5, 700_000])
def test_a_file_is_stored_as_a_document_once_and_never_replaced(
    place: StoreUnderTest, tmp_path: Path, size: int
) -> None:
    source, name, data = tmp_path / "source", "reports/2026-11-26T060000Z/files.parquet", os.urandom(size)
    source.write_bytes(data)

    for _ in range(2):
        place.store.put_document_file(name, source)
    source.write_bytes(b"other")
    with pytest.raises(DamagedError, match="already there with other bytes"):
        place.store.put_document_file(name, source)

    with place.store.open_document(name) as body:
        assert body.read() == data
    assert place.locations() == [name]
    assert list(place.store.document_names("reports/")) == [name]
    assert place.waiting() == []
    with pytest.raises(FileNotFoundError):
        place.store.open_document("reports/2026-11-26T060000Z/missing.csv")


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_only_a_digest_opens_a_blob(place: StoreUnderTest, name: str) -> None:
    with pytest.raises(ValueError, match="is not a SHA-256"):
        place.store.open(name)


def test_the_room_that_is_left_is_known(place: StoreUnderTest) -> None:
    room = os.statvfs(place.partials)

    assert place.store.room_bytes() == pytest.approx(room.f_bavail * room.f_frsize, rel=0.1)


def test_a_partial_of_another_kind_is_refused(place: StoreUnderTest, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="another store"):
        place.store.publish(object())
