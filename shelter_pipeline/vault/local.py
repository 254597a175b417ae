"""A store in a folder, in which a file is either whole or absent.

The order is restic's: a temporary file in the same file system, write, fsync, rename,
fsync of the folders. Before the rename a crash leaves a partial that `sweep_partials`
removes, after it a durable file. Publishing bytes that are already held replaces a file
by an equal one, always: that is why eight workers may race on the same bytes, and why a
blob that has rotted is healed by its next download without being read first.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from shelter_pipeline.domain.errors import DamagedError, SetupError, TransientError
from shelter_pipeline.vault.partial import LocalPartial, storing
from shelter_pipeline.vault.store import Blob, Partial, checked_document_name, checked_sha256, digest_path

FOLDERS = ("blobs", "suspect", "partial", "quarantine", "manifests", "records")
# File systems without hard links (exFAT, some network shares) say so in these ways.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class LocalStore:
    """Blobs, suspects, documents and partials below one folder, which is made if it is missing."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.name = str(self.root)
        self._durable_folders: set[Path] = set()
        try:
            for folder in FOLDERS:
                (self.root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"the store {self.root} cannot be used: {error}", reason="bad-store") from error

    @contextmanager
    def receive(self) -> Iterator[LocalPartial]:
        """A new partial, removed at the end of the block unless it was published."""
        with storing("open a partial"):
            partial = LocalPartial(self.root / "partial" / uuid.uuid4().hex)
        try:
            yield partial
        finally:
            partial.discard()

    def publish(self, partial: Partial, *, expected_size: int | None = None) -> Blob:
        """Make the bytes durable under their digest; on error nothing torn is visible."""
        if expected_size is not None and partial.size != expected_size:
            raise TransientError(f"{partial.size} of {expected_size} bytes arrived", reason="wrong-length")
        return self._keep(partial, "blobs")

    def keep_suspect(self, partial: Partial) -> Blob:
        """Make the bytes durable apart from the blobs."""
        return self._keep(partial, "suspect")

    def open(self, sha256: str) -> BinaryIO:
        """A blob for reading. Raises FileNotFoundError if it is not held."""
        return (self.root / "blobs" / digest_path(sha256)).open("rb")

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
            sha256 = self.digest_named_by(location)
            size = self.size_of(sha256) if sha256 else None
            if sha256 is not None and size is not None:
                yield Blob(sha256, size, location)

    def put_document(self, name: str, data: bytes) -> None:
        """Store a document whole, once. Raises DamagedError if it is there with other bytes."""
        target = self.root / checked_document_name(name)
        with self.receive() as partial:
            partial.write(data)
            partial.make_durable()
            with storing(f"store {name}"):
                self._make_folder(target.parent)
                if not _create(partial.path, target) and target.read_bytes() != data:
                    raise DamagedError(f"{name} is already there with other bytes", reason="mismatch")
                _sync_folder(target.parent)

    def document_names(self, prefix: str) -> Iterator[str]:
        """Names of the documents that begin with `prefix`, sorted."""
        names = (name for top in ("manifests", "records") for name in self.files_below(top))
        yield from sorted(name for name in names if name.startswith(prefix))

    def documents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of the documents that begin with `prefix`, sorted by name."""
        for name in self.document_names(prefix):
            yield name, (self.root / name).read_bytes()

    def sweep_partials(self, older_than_seconds: float) -> int:
        """Remove partials last written longer ago than that; returns how many."""
        oldest = time.time() - older_than_seconds
        swept = 0
        for path in (self.root / "partial").iterdir():
            with suppress(FileNotFoundError):  # its own writer was quicker
                if path.lstat().st_mtime <= oldest:
                    path.unlink()
                    swept += 1
        return swept

    def files_below(self, folder: str) -> Iterator[str]:
        """Locations of everything below a folder that is not a folder itself, links not followed."""
        for directory, folders, files in os.walk(self.root / folder):
            here = Path(directory)
            # A folder in a blob's place, and a link to a folder, are things, not places to look into.
            things = [name for name in folders if (here / name).is_symlink() or _is_digest(name)]
            folders[:] = [name for name in folders if name not in things]
            for name in (*files, *things):
                yield (here / name).relative_to(self.root).as_posix()

    def digest_named_by(self, location: str) -> str | None:
        """The digest a location stands for; None if it is not where a blob of that name would stand."""
        name = location.rpartition("/")[2]
        return name if _is_digest(name) and location == f"blobs/{digest_path(name)}" else None

    def quarantine(self, location: str) -> str:
        """Move a thing out of the blobs without losing anything; returns where it stands now."""
        target = self.root / "quarantine" / f"{Path(location).name}.{uuid.uuid4().hex[:8]}"
        with storing(f"quarantine {location}"):
            (self.root / location).rename(target)
            _sync_folder(target.parent)
        return target.relative_to(self.root).as_posix()

    def _keep(self, partial: Partial, kind: str) -> Blob:
        if not isinstance(partial, LocalPartial):
            raise TypeError("the partial belongs to another store")
        partial.make_durable()
        location = f"{kind}/{digest_path(partial.sha256)}"
        target = self.root / location
        with storing(f"publish {location}"):
            self._make_folder(target.parent)
            partial.path.replace(target)
            _sync_folder(target.parent)
        return Blob(partial.sha256, partial.size, location)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and make its entry in each folder above durable.

        One that is there already was perhaps made a moment ago by a writer that has not
        synced it yet, so each process syncs each folder once itself.
        """
        if folder == self.root or (folder in self._durable_folders and folder.is_dir()):
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)
        self._durable_folders.add(folder)


def _is_digest(name: str) -> bool:
    try:
        checked_sha256(name)
    except ValueError:
        return False
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
