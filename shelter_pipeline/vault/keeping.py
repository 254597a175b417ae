"""What is kept of broken-off downloads, on the disk: bytes, a note beside them, and who works on them.

The bytes stand in `<key>.part`, the note of what they are in `<key>.json`. Whoever works on
the bytes has them locked, so nobody writes into the file of another.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

DATA, NOTE = ".part", ".json"
PRIVATE = 0o600
_READ_BYTES = 1024 * 1024


class Kept(set[str | None]):
    """The keys under which something is kept in a folder: as it was looked at last, and as this process changes it.

    What another process has kept since is not taken up here, and not overwritten either.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = str(folder)
        self.look_again()

    def look_again(self) -> None:
        """See what other processes have kept by now. What they have taken away shows when it is taken up."""
        self.update(path.stem for path in Path(self._folder).glob(f"*{NOTE}"))

    def are_of_others(self, key: str) -> bool:
        """Whether another process keeps something under this key that we know nothing of."""
        return key not in self and os.path.lexists(f"{self._folder}/{key}{NOTE}")


def open_private(path: Path, flags: int) -> int:
    """Open for writing what may be read-only, because its writer was killed just before it was published."""
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, PRIVATE)
    except PermissionError:
        if not path.is_symlink():
            path.chmod(PRIVATE)
        return os.open(path, flags, PRIVATE)


def is_in_use(path: Path) -> bool:
    """Whether another writer has this keyed file open."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not lock(descriptor, path)
    finally:
        os.close(descriptor)


def lock(descriptor: int, path: Path) -> bool:
    """Whether the file is ours alone now, and still the one that `path` names."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def read_note(path: Path) -> dict[str, Any] | None:
    """The note, with a usable size and hash; None if there is none like that."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(note, dict) and isinstance(note.get("size"), int) and note["size"] > 0
    return note if usable and isinstance(note.get("sha256"), str) else None


def hash_prefix(descriptor: int, size: int) -> Any:
    """The hash object of the first `size` bytes; None if there are fewer."""
    digest, offset = hashlib.sha256(), 0
    while offset < size:
        data = os.pread(descriptor, min(_READ_BYTES, size - offset), offset)
        if not data:
            return None
        digest.update(data)
        offset += len(data)
    return digest
