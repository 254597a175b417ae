"""Groups of files: an error of writing is told of each file that it may have spoilt, and of no other."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault import durability
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.store import Blob
from shelter_pipeline_tests.support.fetching import files_in

pytestmark = pytest.mark.skipif(
    not durability.can_sync_file_systems(), reason="no file system is synced whole here"
)

LARGE = os.urandom(300_000)


@pytest.mark.parametrize("key", [None, "f" * 64])
def test_a_large_file_whose_earlier_writes_failed_is_not_published_with_its_group(
    tmp_path: Path, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever synced the file system since then has heard of the error, and we would not hear of it again."""
    store = LocalStore(tmp_path)
    partials = [store.partial() for _ in range(5)]
    spoilt = store.partial(key)
    for number, partial in enumerate(partials):
        partial.write(b"%d" % number)
    spoilt.write(LARGE)
    inode = files_in(tmp_path, "partial")[0].stat().st_ino

    def check(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == inode:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("shelter_pipeline.vault.partial.check_written", check)
    *good, bad = store.publish_all([*partials, spoilt])
    spoilt.discard()

    assert all(isinstance(outcome, Blob) for outcome in good)
    assert isinstance(bad, TransientError)
    assert bad.reason == "store-failed"
    assert len(files_in(tmp_path)) == 5


def test_writes_that_went_well_are_found_to_have_done_so(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    partials = [store.partial(f"{number:064x}") for number in range(5)]
    for partial in partials:
        partial.write(LARGE)

    outcomes = store.publish_all(partials)

    assert {type(outcome) for outcome in outcomes} == {Blob}


def test_a_descriptor_that_is_none_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        durability.check_written(-1)


def test_what_could_not_be_published_may_be_written_again_by_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "a" * 64
    store = LocalStore(tmp_path)
    partial = store.partial(key)
    partial.write(LARGE)
    assert partial.keep({"etag": '"v1"'})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TransientError):
            store.publish(partial)
    partial.discard()

    (kept,) = [path for path in files_in(tmp_path, "partial") if path.suffix == ".part"]
    assert kept.stat().st_mode & 0o777 == 0o600
    with store.receive(key) as again:
        assert again.size == len(LARGE)


def test_what_a_writer_left_read_only_when_it_was_killed_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root everything may be opened, so the rule that others meet is put in place here."""
    key = "a" * 64
    store = LocalStore(tmp_path)
    killed = store.partial(key)
    killed.write(LARGE)
    assert killed.keep({"etag": '"v1"'})
    killed.discard()
    (path,) = [path for path in files_in(tmp_path, "partial") if path.suffix == ".part"]
    path.chmod(0o444)
    opening = os.open

    def as_anybody(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR and Path(path).exists() and not Path(path).stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opening(path, flags, mode)

    monkeypatch.setattr(os, "open", as_anybody)
    with store.receive(key) as again:
        assert (again.size, again.note is not None) == (len(LARGE), True)
