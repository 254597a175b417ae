"""Documents of a store in a folder: each is written whole, once, and never replaced by other bytes."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.vault.durability import sync_file_system
from shelter_pipeline.vault.folders import DurableFolders
from shelter_pipeline.vault.partial import LocalPartial, storing
from shelter_pipeline.vault.store import checked_document_name

# File systems without hard links (exFAT, some network shares) say so in these ways.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def put_group(
    root: Path,
    folders: DurableFolders,
    new_partial: Callable[[], LocalPartial],
    documents: Sequence[tuple[str, bytes]],
) -> None:
    """Store several documents with two syncs for all: written and synced, then named and synced.

    Raises DamagedError for one that is there with other bytes, TransientError of the medium.
    """
    with ExitStack() as cleaning:
        with storing("open the store"):
            descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        cleaning.callback(os.close, descriptor)
        written: list[tuple[str, bytes, Path]] = []
        for name, data in documents:
            if _is_there(root / checked_document_name(name), name, data):
                continue
            partial = new_partial()
            cleaning.callback(partial.discard)
            partial.write(data)
            written.append((name, data, Path(partial.finish(sync=False))))
        with storing("sync the store"):
            sync_file_system(descriptor)
        for name, data, path in written:
            with storing(f"store {name}"):
                folders.make_for_now(str((root / name).parent))
                place_document(path, root / name, name, data)
        with storing("sync the store"):
            sync_file_system(descriptor)


def place_document(source: Path, target: Path, name: str, data: bytes) -> None:
    """Give a written document its name. Raises DamagedError if that is taken by other bytes, OSError else."""
    if not _create(source, target):
        _is_there(target, name, data)


def place_file(source: Path, target: Path, name: str, sha256: str) -> None:
    """The same for a file of this digest, which may be larger than memory."""
    if not _create(source, target):
        with target.open("rb") as there:
            if hashlib.file_digest(there, "sha256").hexdigest() != sha256:
                raise DamagedError(f"{name} is already there with other bytes", reason="mismatch")


def _is_there(target: Path, name: str, data: bytes) -> bool:
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        return False
    if there != data:
        raise DamagedError(f"{name} is already there with other bytes", reason="mismatch")
    return True


def _create(source: Path, target: Path) -> bool:
    """Give `source` a second name; False if the name is taken. Only one of many writers gets True."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            return False
        source.replace(target)
    return True
