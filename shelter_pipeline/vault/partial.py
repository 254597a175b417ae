"""Bytes on their way into a store: every byte taken is a byte hashed, or it is an error.

A small file stays in memory until it is published; a larger one goes to a private file as
it comes. One that may be continued later has a key: what was taken of it can be left
behind with a note (its size, its hash, what its sender said of it), and whoever comes
with the same key takes it up again, but only bytes that still hash to what the note says.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault.durability import check_written, sync_file
from shelter_pipeline.vault.keeping import (
    DATA,
    NOTE,
    PRIVATE,
    Kept,
    hash_prefix,
    lock,
    open_private,
    read_note,
)
from shelter_pipeline.vault.store import Partial

SPILL_BYTES = 128 * 1024
_BUFFER_BYTES = 256 * 1024
_READ_ONLY = 0o444
# A link, a folder or a pipe stands in the place of a file.
_NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn the medium's errors within the block into TransientError `no-space` or `store-failed`."""
    try:
        yield
    except OSError as error:
        reason = "no-space" if error.errno in _NO_SPACE else "store-failed"
        raise TransientError(f"could not {what}: {error}", reason=reason) from error


class LocalPartial:
    """A file in the making, in `folder` once it is too large for memory. Not for several threads at once.

    With a `key`, `note` holds what an earlier writer left with its bytes, if those are intact.
    """

    def __init__(self, folder: Path, *, key: str | None = None, kept: Kept | None = None) -> None:
        self.note: dict[str, Any] | None = None
        self._folder = folder
        self._key = key
        self._path: str | None = None
        self._has_keyed_file = False
        self._descriptor: int | None = None
        self._kept = False
        self._closed = False
        self._notes = kept if kept is not None else Kept(folder)
        self._begin()
        if key is not None and key in self._notes:
            with storing("take up a partial"):
                self._take_up(key)

    def _begin(self) -> None:
        self._hash = hashlib.sha256()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._written = 0

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._written + self._pending_bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes so far, in hex."""
        digest = self._hash
        if self._pending:
            digest = digest.copy()
            for piece in self._pending:
                digest.update(piece)
        return digest.hexdigest()

    @property
    def path(self) -> Path | None:
        """The private file; None while all bytes are in memory."""
        return Path(self._path) if self._path else None

    def write(self, data: bytes, /) -> None:
        """Append. Raises TransientError `no-space` or `store-failed`, now or at the next call."""
        if self._closed:
            raise ValueError("the partial is closed")
        self._pending.append(bytes(data))
        self._pending_bytes += len(data)
        if self._pending_bytes >= (SPILL_BYTES if self._descriptor is None else _BUFFER_BYTES):
            self.flush()

    def reset(self) -> None:
        """Forget all bytes and begin again."""
        self._begin()
        self.note, self._kept = None, False
        if self._has_keyed_file:
            self._forget_note()
        if self._descriptor is not None:
            with storing("empty a partial"):
                os.ftruncate(self._descriptor, 0)

    def read_head(self, count: int, /) -> bytes:
        """The first `count` bytes, fewer if there are fewer."""
        return self._read(0, min(count, self.size))

    def read_tail(self, count: int, /) -> bytes:
        """The last `count` bytes, fewer if there are fewer."""
        count = min(count, self.size)
        return self._read(self.size - count, count)

    def open(self) -> BinaryIO:
        """All bytes so far, for reading from the first on; to be closed by the caller."""
        if self._descriptor is None:
            return BytesIO(b"".join(self._pending))
        self.flush()
        assert self._path is not None  # noqa: S101 - a descriptor has a path
        with storing("read a partial"):
            return open(self._path, "rb")  # noqa: PTH123

    def keep(self, note: Mapping[str, Any]) -> bool:
        """Leave the bytes so far for whoever comes with this key, even after a crash from now on.

        False if that cannot be: there is no key, or somebody else has its file. More may be
        written afterwards. Raises TransientError as `write`.
        """
        if self._key is None or not self.size:
            return False
        self.flush()
        if not self._has_keyed_file:
            return False
        whole = {**note, "size": self._written, "sha256": self._hash.hexdigest()}
        beside = self._folder / f"{uuid.uuid4().hex}{NOTE}"
        with storing("note a partial"):
            try:
                beside.write_text(json.dumps(whole), encoding="utf-8")
                beside.replace(self._folder / f"{self._key}{NOTE}")
            except OSError:
                beside.unlink(missing_ok=True)
                raise
        self._notes.add(self._key)
        self._kept = True
        return True

    def flush(self) -> None:
        """Write what is in memory to the private file, made now if there is none."""
        if not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        with storing("write a partial"):
            if self._descriptor is None:
                self._make_file()
            assert self._descriptor is not None  # noqa: S101 - just made
            _write_all(self._descriptor, data, self._written)
        # Only now: after a failure the same bytes are still pending, so none can go missing unnoticed.
        self._pending, self._pending_bytes = [], 0
        self._hash.update(data)
        self._written += len(data)

    def finish(self, *, sync: bool) -> str:
        """The private file, whole and read-only; durable too with `sync`. Nothing can be added.

        A keyed file stays locked until `published` or `discard`, so that nobody else begins in it. One that was
        written before is to be asked by `check_written` if it was not synced here.
        """
        was_file = self._descriptor is not None
        with storing("write a partial"):
            if self._descriptor is None:
                self._make_own_file()  # nobody can be in its way, and nobody will continue it
            self.flush()
            assert self._descriptor is not None  # noqa: S101 - just made
            with suppress(OSError):  # a courtesy that not every file system can show
                os.fchmod(self._descriptor, _READ_ONLY)
            if sync:
                sync_file(self._descriptor)
        self._closed = True
        assert self._path is not None  # noqa: S101 - a file has a path
        if not self._has_keyed_file and (sync or not was_file):
            self._close()
        return self._path

    def check_written(self) -> None:
        """Raises OSError if a write since the private file was opened has failed; `finish` was called before."""
        if self._descriptor is not None:
            check_written(self._descriptor)

    def published(self) -> None:
        """The private file has become something else: there is nothing to remove, and nothing to take up."""
        if self._has_keyed_file:
            self._forget_note()
        self._path, self._kept, self._has_keyed_file = None, False, False
        self._close()

    def copied(self) -> None:
        """The bytes stand elsewhere now: the private file is removed, and there is nothing to take up."""
        if self._has_keyed_file:
            self._forget_note()
        if self._path is not None:
            with suppress(OSError):
                Path(self._path).unlink(missing_ok=True)
        self._path, self._kept = None, False
        self._close()

    def discard(self) -> None:
        """Close, and remove the file unless it was published or kept. What cannot be removed is swept later."""
        if self._path is not None and not self._kept:
            if self._has_keyed_file:
                self._forget_note()
            with suppress(OSError):  # before it is unlocked, or somebody else might have begun in it
                Path(self._path).unlink(missing_ok=True)
        elif self._descriptor is not None:
            with suppress(OSError):  # it may have been made read-only, and could not be published
                os.fchmod(self._descriptor, PRIVATE)
        self._close()
        self._begin()

    def _make_file(self) -> None:
        if self._key is None or not self._make_keyed_file(self._key):
            self._make_own_file()

    def _make_own_file(self) -> None:
        path = f"{self._folder}/{uuid.uuid4().hex}"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        self._path = path

    def _make_keyed_file(self, key: str) -> bool:
        """Whether the file of the key could be had; somebody may work on it, and anything may stand there."""
        if self._notes.are_of_others(key):
            return False
        path = self._folder / f"{key}{DATA}"
        try:
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            if error.errno in _NO_FILE:
                return False
            raise
        if not lock(descriptor, path):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        self._path, self._descriptor, self._has_keyed_file = str(path), descriptor, True
        return True

    def _take_up(self, key: str) -> None:
        path = self._folder / f"{key}{DATA}"
        try:
            descriptor = open_private(path, os.O_RDWR)
        except OSError:
            self._forget_note()
            return
        if not lock(descriptor, path):
            os.close(descriptor)
            return
        self._path, self._descriptor, self._has_keyed_file = str(path), descriptor, True
        note = read_note(self._folder / f"{key}{NOTE}")
        try:
            digest = hash_prefix(descriptor, note["size"]) if note else None
        except OSError:  # it can be read no more, and so it is nothing to go on from
            digest = None
        if note is None or digest is None or digest.hexdigest() != note["sha256"]:
            self.reset()
            return
        os.ftruncate(descriptor, note["size"])
        self._hash, self._written, self.note, self._kept = digest, note["size"], note, True

    def _read(self, offset: int, count: int) -> bytes:
        if self._descriptor is None:
            return b"".join(self._pending)[offset : offset + count]
        self.flush()
        with storing("read a partial"):
            return os.pread(self._descriptor, count, offset)

    def _forget_note(self) -> None:
        if self._key in self._notes:
            with suppress(OSError):
                (self._folder / f"{self._key}{NOTE}").unlink(missing_ok=True)
            self._notes.discard(self._key)

    def _close(self) -> None:
        self._closed = True
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def own(partial: Partial) -> LocalPartial:
    """The partial as one of ours. Raises TypeError for one that another kind of store has given out."""
    if not isinstance(partial, LocalPartial):
        raise TypeError("the partial belongs to another store")
    return partial


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
