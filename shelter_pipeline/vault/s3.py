"""A store in a bucket, in which a blob is either whole or absent.

S3 cannot rename, and a blob's name is known only when its last byte has come: so bytes
are spooled like those of a local store, in memory or in a scratch folder, and sent whole
under their digest. The put is the commit point; it carries the SHA-256, which the server
verifies, and the condition that nothing is there yet. The layout is that of a folder, so a
bucket can be copied to a folder and back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from shelter_pipeline.domain.errors import DamagedError, SetupError, TransientError
from shelter_pipeline.vault.parallel import in_order
from shelter_pipeline.vault.partial import own, storing
from shelter_pipeline.vault.ranges import BlobRange, checked_range
from shelter_pipeline.vault.s3_bucket import BegunUpload, Bucket
from shelter_pipeline.vault.s3_capabilities import find_capabilities
from shelter_pipeline.vault.s3_client import S3Error, S3Options, S3Place, connect
from shelter_pipeline.vault.s3_publish import Publisher, digest_and_size, move_aside
from shelter_pipeline.vault.s3_source import Source, checksum_of
from shelter_pipeline.vault.s3_upload import UploadLimits
from shelter_pipeline.vault.spooling import SpoolingStore
from shelter_pipeline.vault.store import (
    FOLDERS,
    Blob,
    Partial,
    checked_document_name,
    digest_named_by,
    digest_path,
    places_of,
)

_log = logging.getLogger(__name__)
_PIECE_BYTES = 1024 * 1024
# Whoever still works on an upload adds to it more often.
_LEFTOVER = timedelta(days=1)
_OWN = (*FOLDERS, "probe")


class S3Store(SpoolingStore):
    """Blobs, suspects and documents below one place on S3; partials in a folder of this machine.

    For any number of threads. Nothing is asked of the server before something is asked of the store.
    """

    def __init__(
        self, place: S3Place, scratch: Path, options: S3Options, *, limits: UploadLimits | None = None
    ) -> None:
        self.name = place.name
        self.threads = options.connections
        self._bucket = Bucket(connect(options), place)
        self._limits = limits or UploadLimits()
        partials = Path(scratch) / "partial"
        self._lock = threading.Lock()
        self._publisher: Publisher | None = None
        try:
            partials.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"the scratch folder {scratch} cannot be used: {error}", reason="bad-store"
            ) from error
        super().__init__(partials)

    def prepare(self) -> None:
        """Find out what the server can do, once, and say what it cannot. Raises SetupError if it refuses us."""
        self._ready()

    def is_empty(self) -> bool:
        """Whether nothing of a store is there."""
        return not any(name in FOLDERS for name in self._bucket.top())

    def publish_all(self, partials: Sequence[Partial]) -> list[Blob | TransientError]:
        """Make many durable, as many at once as there are connections."""
        return [outcome for _, outcome in in_order(self._outcome, partials, threads=self.threads)]

    def open(self, sha256: str) -> BinaryIO:
        """A blob for reading. Raises FileNotFoundError if it is not held, S3Error if it cannot be read on."""
        location = f"blobs/{digest_path(sha256)}"
        try:
            return self._bucket.open(location)
        except S3Error as error:
            if error.is_absent:
                raise FileNotFoundError(f"{self.name} holds no {location}") from error
            raise

    def read_range(self, sha256: str, first: int, last: int) -> BlobRange:
        """The bytes `first` to `last` of a blob, by one ranged request that is taken up again where it breaks off."""
        count, location = checked_range(first, last), f"blobs/{digest_path(sha256)}"
        try:
            return BlobRange(self._bucket.open(location, first, last), count, location)
        except S3Error as error:
            if error.is_absent:
                raise FileNotFoundError(f"{self.name} holds no {location}") from error
            if error.is_beyond:
                raise DamagedError(f"{location} ends before byte {first}", reason="mismatch") from error
            raise

    def size_of(self, sha256: str) -> int | None:
        """Size of a blob as it stands, None if it is not held."""
        found = self._bucket.find(f"blobs/{digest_path(sha256)}")
        return found.size if found else None

    def blobs(self) -> Iterator[Blob]:
        """Every blob, as named and not re-read; anything else below the folder is passed over."""
        for item in self._bucket.listing("blobs/"):
            sha256 = digest_named_by(item.location)
            if sha256 is not None:
                yield Blob(sha256, item.size, item.location)

    def put_document(self, name: str, data: bytes) -> None:
        """Store a document whole, once. Raises DamagedError if it is there with other bytes."""
        location, conditional = checked_document_name(name), self._ready().conditional
        if not conditional and self._bucket.find(location) is not None:
            self._compare(location, data)
            return
        try:
            self._bucket.put(location, data, checksum_of(data), if_absent=conditional)
        except S3Error as error:
            if not (error.is_taken or error.is_contended):
                raise
            self._compare(location, data)

    def put_document_file(self, name: str, source: Path) -> None:
        """Store a file as a document, whole, once. Raises DamagedError if it is there with other bytes.

        A large one goes up in parts, which nobody sees before the last.
        """
        checked_document_name(name)
        with self.receive() as partial:
            with storing(f"read {source}"), source.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    partial.write(piece)
            self._ready().publish_new(name, Source.of(own(partial)))

    def put_documents(self, documents: Iterable[tuple[str, bytes]]) -> None:
        """Store many documents, each whole and once, as many at once as there are connections."""
        for _ in in_order(lambda pair: self.put_document(*pair), documents, threads=self.threads):
            pass

    def document_names(self, prefix: str) -> Iterator[str]:
        """Names of the documents that begin with `prefix`, sorted."""
        found = (item.location for place in places_of(prefix) for item in self._bucket.listing(place))
        yield from sorted(found)

    def document(self, name: str) -> bytes | None:
        """The bytes of one document, None if it is not there."""
        try:
            return self._read(checked_document_name(name))
        except S3Error as error:
            if error.is_absent:
                return None
            raise

    def open_document(self, name: str) -> BinaryIO:
        """A document for reading. Raises FileNotFoundError if it is not there, S3Error if it cannot be read on."""
        try:
            return self._bucket.open(checked_document_name(name))
        except S3Error as error:
            if error.is_absent:
                raise FileNotFoundError(f"{self.name} holds no {name}") from error
            raise

    def documents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of the documents that begin with `prefix`, sorted by name."""
        yield from in_order(self._read, self.document_names(prefix), threads=self.threads)

    def sweep_partials(self, older_than_seconds: float, *, kept_seconds: float | None = None) -> int:
        """Remove old partials of this machine, and abort uploads to which nothing was added for a day."""
        swept = super().sweep_partials(older_than_seconds, kept_seconds=kept_seconds)
        try:
            return swept + self._abort_leftovers(older_than_seconds)
        except S3Error as error:  # a server that is away, or cannot list uploads, keeps nobody from working
            _log.warning("the store %s: leftover uploads stay for now: %s", self.name, error)
            return swept

    def files_below(self, folder: str) -> Iterator[str]:
        """Locations of everything below a folder."""
        return (item.location for item in self._bucket.listing(f"{folder}/"))

    def strangers(self) -> Iterator[str]:
        """Names at the top of the store that are none of its own."""
        return (name for name in self._bucket.top() if name not in _OWN)

    def read_again(self, location: str) -> tuple[str, int] | None:
        """Digest and size of an object's bytes; None if the server knows it and cannot hand it out."""
        try:
            return digest_and_size(self._bucket, location)
        except S3Error:
            self._bucket.find(location)  # raises if it is the server that is away
            return None

    def quarantine(self, location: str) -> str | None:
        """Move a blob out of the blobs without losing anything; returns where it stands now."""
        return move_aside(self._bucket, location)

    def _ready(self) -> Publisher:
        with self._lock:
            if self._publisher is None:
                capabilities = find_capabilities(self._bucket)
                for sentence in capabilities.sentences:
                    _log.warning("the store %s: %s", self.name, sentence)
                self._publisher = Publisher(self._bucket, capabilities, self._limits)
            return self._publisher

    def _publish(self, partial: Partial, kind: str) -> Blob:
        file = own(partial)
        source = Source.of(file)
        location = f"{kind}/{digest_path(source.sha256)}"
        self._ready().publish(location, source)
        file.copied()
        return Blob(source.sha256, source.size, location)

    def _open_evidence(self, location: str) -> BinaryIO:
        if self._bucket.find(location) is None:
            raise FileNotFoundError(f"{self.name} holds no {location}")
        return self._bucket.open(location)

    def _abort_leftovers(self, older_than_seconds: float) -> int:
        oldest = datetime.now(UTC) - max(_LEFTOVER, timedelta(seconds=older_than_seconds))
        aborted = 0
        for upload in self._bucket.uploads(""):
            if upload.begun_at < oldest and self._last_sign_of(upload) < oldest:
                self._bucket.abort_upload(upload.location, upload.upload_id)
                aborted += 1
        return aborted

    def _read(self, location: str) -> bytes:
        with self._bucket.open(location) as body:
            return body.read()

    def _compare(self, location: str, data: bytes) -> None:
        if self._read(location) != data:
            raise DamagedError(f"{location} is already there with other bytes", reason="mismatch")

    def _last_sign_of(self, upload: BegunUpload) -> datetime:
        sent = (part.sent_at for part in self._bucket.parts(upload.location, upload.upload_id))
        return max(sent, default=upload.begun_at)
