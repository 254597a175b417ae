"""A private file on its way into a local store: every byte written is a byte hashed, or it is an error."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shelter_pipeline.domain.errors import TransientError

_BUFFER_BYTES = 256 * 1024
_READ_ONLY = 0o444
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
    """A new file, hashed as it is written; small writes are gathered. It raises OSError only when made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
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
        self._flush()
        return self._hash.hexdigest()

    def write(self, data: bytes, /) -> None:
        """Append. Raises TransientError `no-space` or `store-failed`, now or at the next call."""
        self._pending.append(bytes(data))
        self._pending_bytes += len(data)
        if self._pending_bytes >= _BUFFER_BYTES:
            self._flush()

    def reset(self) -> None:
        """Forget all bytes and begin again."""
        self._pending, self._pending_bytes, self._written = [], 0, 0
        self._hash = hashlib.sha256()
        with storing("empty a partial"):
            os.ftruncate(self._open_descriptor(), 0)

    def read_head(self, count: int, /) -> bytes:
        """The first `count` bytes, fewer if there are fewer."""
        self._flush()
        with storing("read a partial"):
            return os.pread(self._open_descriptor(), count, 0)

    def make_durable(self) -> None:
        """Write out, make read-only and fsync what there is; nothing can be written afterwards."""
        self._flush()
        with suppress(OSError):  # a courtesy that not every file system can show
            os.fchmod(self._open_descriptor(), _READ_ONLY)
        with storing("sync a partial"):
            os.fsync(self._open_descriptor())
        self._close()

    def discard(self) -> None:
        """Close and remove the file, if it was not published. What cannot be removed is swept later."""
        self._close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        with storing("write a partial"):
            _write_all(self._open_descriptor(), data, self._written)
        # Only now: after a failure the same bytes are still pending, so none can go missing unnoticed.
        self._pending, self._pending_bytes = [], 0
        self._hash.update(data)
        self._written += len(data)

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError("the partial is closed")
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
