"""A store in a folder, in which a file is either whole or absent.

The order is restic's: a temporary file in the same file system, write, fsync, rename,
fsync of the folders. Before the rename a crash leaves a partial that `sweep_partials`
removes, after it a durable file. Publishing bytes that are already held replaces a file
by an equal one, always: that is why eight workers may race on the same bytes, and why a
blob that has rotted is healed by its next download without being read first.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from shelter_pipeline.domain.errors import DamagedError, SetupError, TransientError
from shelter_pipeline.vault.documents import place_document, place_file, put_group
from shelter_pipeline.vault.durability import can_sync_file_systems, sync_folder
from shelter_pipeline.vault.folders import DurableFolders
from shelter_pipeline.vault.group import publish_group
from shelter_pipeline.vault.partial import own, storing
from shelter_pipeline.vault.ranges import BlobRange, checked_range
from shelter_pipeline.vault.spooling import SpoolingStore
from shelter_pipeline.vault.store import (
    FOLDERS,
    Blob,
    Partial,
    checked_document_name,
    digest_named_by,
    digest_path,
    is_digest,
    places_of,
)

# From so many files on, syncing the whole file system costs less than syncing each.
_GROUP = 4
_DOCUMENTS_AT_ONCE = 256
_PIECE_BYTES = 1024 * 1024
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)


class LocalStore(SpoolingStore):
    """Blobs, suspects, documents and partials below one folder, which is made if it is missing."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.name = str(self.root)
        self.folders = DurableFolders(self.root)
        try:
            for folder in FOLDERS:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"the store {self.root} cannot be used: {error}", reason="bad-store") from error
        super().__init__(self.root / "partial")

    def prepare(self) -> None:
        """A folder has shown that it can be used when it was opened."""

    def publish_all(self, partials: Sequence[Partial]) -> list[Blob | TransientError]:
        """Make many durable together: all are written, synced at once, renamed, and synced again."""
        if len(partials) < _GROUP or not can_sync_file_systems():
            return [self._outcome(partial) for partial in partials]
        return publish_group(self.root, self.folders, [own(partial) for partial in partials])

    def open(self, sha256: str) -> BinaryIO:
        """A blob for reading. Raises FileNotFoundError if it is not held."""
        return (self.root / "blobs" / digest_path(sha256)).open("rb")

    def read_range(self, sha256: str, first: int, last: int) -> BlobRange:
        """The bytes `first` to `last` of a blob. Raises FileNotFoundError if no regular file is there."""
        count, location = checked_range(first, last), f"blobs/{digest_path(sha256)}"
        with storing(f"read {location}"):
            try:
                descriptor = self._open_regular(location)
            except OSError as error:
                if error.errno not in _NOT_THERE:
                    raise
                # Without the folder of all blobs its file system is away, and says nothing of one.
                os.stat(self.root / "blobs")  # noqa: PTH116
                descriptor = None
        if descriptor is None:
            raise FileNotFoundError(f"{self.name} holds no {location}")
        file = os.fdopen(descriptor, "rb", buffering=0)
        if os.fstat(descriptor).st_size <= last:
            file.close()
            raise DamagedError(f"{location} ends before byte {last}", reason="mismatch")
        file.seek(first)
        return BlobRange(file, count, location)

    def size_of(self, sha256: str) -> int | None:
        """Size of a blob as it stands, None if no regular file is there."""
        path = self.root / "blobs" / digest_path(sha256)
        with suppress(OSError):
            if path.is_file() and not path.is_symlink():
                return path.stat().st_size
        return None

    def blobs(self) -> Iterator[Blob]:
        """Every blob, as named and not re-read; anything else below the folder is passed over."""
        for location in self.files_below("blobs"):
            sha256 = digest_named_by(location)
            size = self.size_of(sha256) if sha256 else None
            if sha256 is not None and size is not None:
                yield Blob(sha256, size, location)

    def put_document(self, name: str, data: bytes) -> None:
        """Store a document whole, once. Raises DamagedError if it is there with other bytes."""
        target = self.root / checked_document_name(name)
        with self.receive() as partial:
            partial.write(data)
            path = partial.finish(sync=True)
            with storing(f"store {name}"):
                self.folders.make(target.parent)
                place_document(Path(path), target, name, data)
                sync_folder(target.parent)

    def put_document_file(self, name: str, source: Path) -> None:
        """Store a file as a document, whole, once. Raises DamagedError if it is there with other bytes."""
        target = self.root / checked_document_name(name)
        with self.receive() as partial:
            with storing(f"read {source}"), source.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    partial.write(piece)
            digest = partial.sha256
            path = partial.finish(sync=True)
            with storing(f"store {name}"):
                self.folders.make(target.parent)
                place_file(Path(path), target, name, digest)
                sync_folder(target.parent)

    def put_documents(self, documents: Iterable[tuple[str, bytes]]) -> None:
        """Store many documents, each whole and once, for two syncs a group of them."""
        remaining = iter(documents)
        while group := list(islice(remaining, _DOCUMENTS_AT_ONCE)):
            if len(group) < _GROUP or not can_sync_file_systems():
                for name, data in group:
                    self.put_document(name, data)
            else:
                put_group(self.root, self.folders, self.partial, group)

    def document_names(self, prefix: str) -> Iterator[str]:
        """Names of the documents that begin with `prefix`, sorted."""
        # Below the last folder that the prefix names whole: there may be a million documents elsewhere.
        folders = (place.rpartition("/")[0] for place in places_of(prefix))
        names = (name for folder in folders for name in self.files_below(folder))
        yield from sorted(name for name in names if name.startswith(prefix))

    def document(self, name: str) -> bytes | None:
        """The bytes of one document, None if it is not there."""
        with suppress(FileNotFoundError):
            return (self.root / checked_document_name(name)).read_bytes()
        return None

    def open_document(self, name: str) -> BinaryIO:
        """A document for reading. Raises FileNotFoundError if no regular file is there."""
        try:
            return os.fdopen(self._open_regular(checked_document_name(name)), "rb")
        except OSError as error:
            if error.errno in _NOT_THERE:
                raise FileNotFoundError(f"{self.name} holds no {name}") from error
            raise TransientError(f"could not read {name}: {error}", reason="store-failed") from error

    def documents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of the documents that begin with `prefix`, sorted by name."""
        for name in self.document_names(prefix):
            yield name, (self.root / name).read_bytes()

    def files_below(self, folder: str) -> Iterator[str]:
        """Locations of everything below a folder that is not a folder itself, links not followed."""
        for directory, folders, files in os.walk(self.root / folder):
            here = Path(directory)
            # A folder in a blob's place, and a link to a folder, are things, not places to look into.
            things = [name for name in folders if (here / name).is_symlink() or is_digest(name)]
            folders[:] = [name for name in folders if name not in things]
            for name in (*files, *things):
                yield (here / name).relative_to(self.root).as_posix()

    def strangers(self) -> Iterator[str]:
        """Names at the top of the store that are none of its own."""
        return (path.name for path in self.root.iterdir() if path.name not in FOLDERS)

    def read_again(self, location: str) -> tuple[str, int] | None:
        """Digest and size of the bytes that stand there; None if no regular file can be read there to its end."""
        try:
            with os.fdopen(self._open_regular(location), "rb", buffering=0) as file:
                return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        except OSError:  # nothing of that kind is there, or the medium itself cannot read it any more
            return None

    def quarantine(self, location: str) -> str | None:
        """Move a thing out of the blobs without losing anything; returns where it stands now."""
        target = self.root / "quarantine" / f"{Path(location).name}.{uuid.uuid4().hex[:8]}"
        with storing(f"quarantine {location}"):
            (self.root / location).rename(target)
            sync_folder(target.parent)
        return target.relative_to(self.root).as_posix()

    def _open_regular(self, location: str) -> int:
        """A descriptor of the regular file that stands there. Raises OSError, `_NOT_THERE` if nothing else does."""
        # Neither following a link nor waiting for the other end of a pipe.
        descriptor = os.open(self.root / location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "not a regular file", location)

    def _publish(self, partial: Partial, kind: str) -> Blob:
        file = own(partial)
        location = f"{kind}/{digest_path(file.sha256)}"
        target = self.root / location
        path = file.finish(sync=True)
        with storing(f"publish {location}"):
            self.folders.make(target.parent)
            os.replace(path, target)  # noqa: PTH105
            sync_folder(target.parent)
        file.published()
        return Blob(file.sha256, file.size, location)

    def _open_evidence(self, location: str) -> BinaryIO:
        evidence = self.root / location
        if evidence.is_symlink() or not evidence.is_file():
            raise FileNotFoundError(f"{evidence} is not there")
        with storing(f"read {evidence}"):
            return evidence.open("rb")
