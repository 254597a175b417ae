"""What the local store promises, one promise a test."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import DamagedError, SetupError, TransientError
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.store import Blob
from shelter_pipeline_tests.support.fetching import files_in

HELLO = b"hello, archive"
HELLO_SHA256 = hashlib.sha256(HELLO).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def receive(store: LocalStore, data: bytes, *, expected_size: int | None = None) -> Blob:
    with store.receive() as partial:
        partial.write(data)
        return store.publish(partial, expected_size=expected_size)


def test_bytes_are_held_under_their_digest(store: LocalStore) -> None:
    blob = receive(store, HELLO)

    path = store.root / "blobs" / "sha256" / HELLO_SHA256[:2] / HELLO_SHA256[2:4] / HELLO_SHA256
    assert blob == Blob(HELLO_SHA256, len(HELLO), path.relative_to(store.root).as_posix())
    assert path.read_bytes() == HELLO
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert store.size_of(HELLO_SHA256) == len(HELLO)
    assert list(store.blobs()) == [blob]


def test_many_small_writes_are_one_file(store: LocalStore) -> None:
    body = os.urandom(700_000)

    with store.receive() as partial:
        for start in range(0, len(body), 1000):
            partial.write(body[start : start + 1000])
        sizes = (partial.size, partial.read_head(10))
        blob = store.publish(partial)

    assert sizes == (len(body), body[:10])
    assert blob.sha256 == hashlib.sha256(body).hexdigest()
    with store.open(blob.sha256) as held:
        assert held.read() == body


def test_a_partial_that_was_reset_begins_again(store: LocalStore) -> None:
    with store.receive() as partial:
        partial.write(b"x" * 600_000)
        partial.reset()
        partial.write(HELLO)
        blob = store.publish(partial)

    assert blob.sha256 == HELLO_SHA256
    assert store.size_of(blob.sha256) == len(HELLO)


def test_what_is_not_published_leaves_no_trace(store: LocalStore) -> None:
    with store.receive() as partial:
        partial.write(HELLO)

    assert files_in(store.root) == []


@pytest.mark.parametrize("promised", [len(HELLO) + 1, len(HELLO) - 1, 0])
def test_a_body_of_the_wrong_length_is_never_published(store: LocalStore, promised: int) -> None:
    with pytest.raises(TransientError) as end:
        receive(store, HELLO, expected_size=promised)

    assert end.value.reason == "wrong-length"
    assert files_in(store.root) == []


def test_a_rotten_blob_is_healed_by_the_next_download(store: LocalStore) -> None:
    path = store.root / receive(store, HELLO).location
    path.chmod(0o644)
    path.write_bytes(b"rot of 14 byte")

    receive(store, HELLO)

    assert path.read_bytes() == HELLO


def test_suspects_are_kept_apart_from_blobs(store: LocalStore) -> None:
    with store.receive() as partial:
        partial.write(HELLO)
        suspect = store.keep_suspect(partial)

    assert suspect.location.startswith("suspect/sha256/")
    assert (store.root / suspect.location).read_bytes() == HELLO
    assert store.size_of(HELLO_SHA256) is None
    assert list(store.blobs()) == []


@pytest.mark.parametrize(
    ("code", "reason"), [(errno.ENOSPC, "no-space"), (errno.EDQUOT, "no-space"), (errno.EIO, "store-failed")]
)
@pytest.mark.parametrize("failing", ["pwrite", "fsync", "replace", "mkdir", "open"])
def test_a_failing_disk_is_an_outcome_and_leaves_no_trace(
    store: LocalStore, failing: str, code: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, fail)
        with pytest.raises(TransientError) as end:
            receive(store, HELLO)

    assert end.value.reason == reason
    assert files_in(store.root) == []


def test_a_disk_that_fills_up_in_the_middle_publishes_nothing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [300_000]
    really = os.pwrite

    def pwrite(descriptor: int, data: memoryview, offset: int) -> int:
        fits = min(len(data), room[0])
        room[0] -= fits
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        return really(descriptor, data[:fits], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with store.receive() as partial:
        with pytest.raises(TransientError):
            partial.write(b"x" * 500_000)
        with pytest.raises(TransientError) as end:
            store.publish(partial)

    assert end.value.reason == "no-space"
    assert files_in(store.root) == []


def test_eight_threads_publish_the_same_bytes_as_one_blob(store: LocalStore) -> None:
    bodies = [f"body {number}".encode() for number in range(25)]

    with ThreadPoolExecutor(8) as pool:
        blobs = list(pool.map(lambda number: receive(store, bodies[number % 25]), range(200)))

    assert {blob.sha256 for blob in blobs} == {hashlib.sha256(body).hexdigest() for body in bodies}
    assert len(files_in(store.root, "blobs")) == 25
    assert files_in(store.root, "partial") == []


def test_old_partials_are_swept_and_young_ones_left(store: LocalStore) -> None:
    old, young = store.root / "partial" / "old", store.root / "partial" / "young"
    for path in (old, young):
        path.write_bytes(b"left behind")
    os.utime(old, (1, 1))

    swept = store.sweep_partials(3600)

    assert swept == 1
    assert files_in(store.root) == [young]


def test_a_document_is_written_once(store: LocalStore) -> None:
    store.put_document("manifests/2026/one.jsonl", b"1")
    store.put_document("manifests/2026/one.jsonl", b"1")

    with pytest.raises(DamagedError, match=r"one\.jsonl"):
        store.put_document("manifests/2026/one.jsonl", b"2")

    assert list(store.documents("manifests/")) == [("manifests/2026/one.jsonl", b"1")]
    assert files_in(store.root, "partial") == []


def test_a_document_is_written_once_even_without_hard_links(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_arguments: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    store.put_document("records/ab/one.json", b"1")
    store.put_document("records/ab/one.json", b"1")

    with pytest.raises(DamagedError):
        store.put_document("records/ab/one.json", b"2")

    assert list(store.documents("records/")) == [("records/ab/one.json", b"1")]


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
def test_a_document_cannot_be_named_out_of_its_folder(store: LocalStore, name: str) -> None:
    with pytest.raises(ValueError, match="does not name a document"):
        store.put_document(name, b"1")


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_only_a_digest_opens_a_blob(store: LocalStore, name: str) -> None:
    with pytest.raises(ValueError, match="is not a SHA-256"):
        store.open(name)


def test_a_folder_that_cannot_be_a_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SetupError, match="file"):
        LocalStore(tmp_path / "file" / "store")


def test_many_documents_are_written_together_and_each_once(store: LocalStore) -> None:
    documents = [(f"records/{n % 7:02x}/{n}.json", f"{n}".encode()) for n in range(300)]

    store.put_documents(documents)
    store.put_documents(documents)

    assert sorted(store.documents("records/")) == sorted(documents)
    assert files_in(store.root, "partial") == []


def test_one_of_many_documents_that_is_there_with_other_bytes_is_named(store: LocalStore) -> None:
    store.put_document("records/ab/7.json", b"other")

    with pytest.raises(DamagedError, match=r"records/ab/7\.json"):
        store.put_documents([(f"records/ab/{n}.json", b"same") for n in range(20)])

    assert dict(store.documents("records/"))["records/ab/7.json"] == b"other"
    assert files_in(store.root, "partial") == []


def keep_apart(store: LocalStore, data: bytes) -> Blob:
    with store.receive() as partial:
        partial.write(data)
        return store.keep_suspect(partial)


def test_what_was_kept_apart_is_published_and_stays_as_evidence(store: LocalStore) -> None:
    evidence = keep_apart(store, HELLO)

    blob = store.accept_suspect(HELLO_SHA256)

    assert (blob.sha256, blob.size, store.size_of(HELLO_SHA256)) == (HELLO_SHA256, len(HELLO), len(HELLO))
    assert (store.root / evidence.location).read_bytes() == HELLO
    assert files_in(store.root, "partial") == []


def test_evidence_that_has_rotted_is_not_published(store: LocalStore) -> None:
    path = store.root / keep_apart(store, HELLO).location
    path.chmod(0o644)
    path.write_bytes(b"rot")

    with pytest.raises(DamagedError, match="is not what it was"):
        store.accept_suspect(HELLO_SHA256)

    assert files_in(store.root, "blobs", "partial") == []


def test_evidence_that_is_not_there_is_not_found(store: LocalStore, tmp_path: Path) -> None:
    path = store.root / keep_apart(store, HELLO).location
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    for sha256 in (HELLO_SHA256, "0" * 64):
        with pytest.raises(FileNotFoundError):
            store.accept_suspect(sha256)
