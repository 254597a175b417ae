"""What a store of rescued bytes must be able to do, whatever it is made of.

Bytes arrive in a private partial and are published under their own SHA-256: the publish
is the commit point. A `Blob` is a proof, so it exists only once the bytes are durable.
Failures of the medium are TransientError `no-space` or `store-failed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault.ranges import BlobRange

# What a store keeps at its top.
FOLDERS = ("blobs", "suspect", "partial", "quarantine", "manifests", "records", "reports")
# Where its documents stand.
DOCUMENTS = ("manifests", "records", "reports")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_DOCUMENT = re.compile(rf"({'|'.join(DOCUMENTS)})(/[A-Za-z0-9_][A-Za-z0-9_.+-]{{0,199}}){{1,6}}\Z")


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are durable under their digest; `location` is relative to the store."""

    sha256: str
    size: int
    location: str


class Partial(Protocol):
    """Bytes on their way in, seen by nobody else. `note` is what an earlier writer of the same key left."""

    note: dict[str, Any] | None

    @property
    def size(self) -> int:
        """Bytes written so far."""

    @property
    def sha256(self) -> str:
        """Digest of the bytes so far, in hex."""

    def write(self, data: bytes, /) -> None:
        """Append. Raises TransientError `no-space` or `store-failed`, at the latest when published."""

    def reset(self) -> None:
        """Forget all bytes and begin again."""

    def read_head(self, count: int, /) -> bytes:
        """The first `count` bytes, fewer if there are fewer."""

    def read_tail(self, count: int, /) -> bytes:
        """The last `count` bytes, fewer if there are fewer."""

    def open(self) -> BinaryIO:
        """All bytes so far, for reading from the first on; to be closed by the caller."""

    def keep(self, note: Mapping[str, Any]) -> bool:
        """Leave the bytes so far, with a note, for the next writer of this key; False if that cannot be."""

    def discard(self) -> None:
        """Give up what was neither published nor kept."""


class BlobStore(Protocol):
    """A content-addressed store, and the documents that describe what it holds."""

    name: str

    def prepare(self) -> None:
        """Find out whether it can be written, before there is anything to write. Raises SetupError `bad-store`."""

    def partial(self, key: str | None = None) -> Partial:
        """A new partial, to be published or discarded; with a `key`, what was kept under it is taken up."""

    def keeps(self, key: str) -> bool:
        """Whether something may have been kept under this key, which is costly to take up."""

    def receive(self, key: str | None = None) -> AbstractContextManager[Partial]:
        """A new partial for a block, discarded at its end unless it was published or kept."""

    def publish(self, partial: Partial, *, expected_size: int | None = None) -> Blob:
        """Make the bytes durable under their digest. Raises TransientError `wrong-length`."""

    def publish_all(self, partials: Sequence[Partial]) -> list[Blob | TransientError]:
        """Make many durable together, which costs far less than one by one; each has its own outcome."""

    def keep_suspect(self, partial: Partial) -> Blob:
        """Make the bytes durable apart from the blobs: evidence, never counted as held."""

    def accept_suspect(self, sha256: str) -> Blob:
        """Publish bytes that were kept apart, read again and hashed; the evidence stays where it is.

        Raises FileNotFoundError if there is no such evidence, DamagedError `mismatch` if it has rotted.
        """

    def open(self, sha256: str) -> BinaryIO:
        """A blob for reading. Raises FileNotFoundError if it is not held."""

    def read_range(self, sha256: str, first: int, last: int) -> BlobRange:
        """The bytes `first` to `last` of a blob, both included, in pieces; opened now, to be read to the end or closed.

        Raises FileNotFoundError if it is not held, DamagedError `mismatch` (now or while
        reading) if it is not that long, TransientError `store-failed` if the store is away,
        ValueError for a range that holds nothing.
        """

    def size_of(self, sha256: str) -> int | None:
        """Size of a blob as it stands, None if it is not held."""

    def blobs(self) -> Iterator[Blob]:
        """Every blob, in no order, as named and not re-read."""

    def room_bytes(self, reserve_bytes: int = 0) -> int | None:
        """Room that is left where bytes arrive, less a reserve; None where that is not known."""

    def put_document(self, name: str, data: bytes) -> None:
        """Store a document whole, once. Raises DamagedError if it is there with other bytes."""

    def put_document_file(self, name: str, source: Path) -> None:
        """Store a file as a document, as `put_document` does, without reading the whole of it into memory."""

    def put_documents(self, documents: Iterable[tuple[str, bytes]]) -> None:
        """Store many documents as `put_document` does; cheaper than one by one, and not all or none."""

    def document_names(self, prefix: str) -> Iterator[str]:
        """Names of the documents that begin with `prefix`, sorted."""

    def document(self, name: str) -> bytes | None:
        """The bytes of one document, None if it is not there."""

    def open_document(self, name: str) -> BinaryIO:
        """A document for reading, from the first byte on. Raises FileNotFoundError if it is not there."""

    def documents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of the documents that begin with `prefix`, sorted by name."""

    def sweep_partials(self, older_than_seconds: float, *, kept_seconds: float | None = None) -> int:
        """Remove partials that crashed writers left behind; returns how many.

        What other processes have kept is taken up from now on.
        `kept_seconds` is how old those may be that were kept to be taken up; as the others if None.
        """


def places_of(prefix: str) -> list[str]:
    """The places below which all documents stand whose names begin with `prefix`. Raises ValueError for a way out."""
    if ".." in prefix.split("/"):
        raise ValueError(f"{prefix[:200]!r} begins no name of a document")
    tops = [f"{top}/" for top in DOCUMENTS]
    return [max(prefix, top, key=len) for top in tops if top.startswith(prefix) or prefix.startswith(top)]


def checked_sha256(text: str) -> str:
    """`text` if it is a SHA-256 in lower-case hex. Raises ValueError: no other text becomes a path."""
    if not _SHA256.match(text):
        raise ValueError(f"{text[:80]!r} is not a SHA-256 in hex")
    return text


def checked_document_name(name: str) -> str:
    """`name` if it may name a document: below one of `DOCUMENTS`, plain segments. Raises ValueError."""
    if not _DOCUMENT.match(name):
        raise ValueError(f"{name[:200]!r} does not name a document of a store")
    return name


def digest_path(sha256: str) -> str:
    """Where a digest stands below its root: two levels of folders, then the digest."""
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{checked_sha256(sha256)}"


def is_digest(name: str) -> bool:
    """Whether this is a SHA-256 in lower-case hex."""
    return bool(_SHA256.match(name))


def digest_named_by(location: str) -> str | None:
    """The digest a location stands for; None if it is not where a blob of that name would stand."""
    name = location.rpartition("/")[2]
    return name if is_digest(name) and location == f"blobs/{digest_path(name)}" else None
