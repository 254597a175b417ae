"""What a store in a folder promises beyond what every store does (`integration/test_store_contract.py`)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
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
