"""Making bytes stand under their digest in a bucket, once, whoever else is at it.

An object that is there already is believed if the server keeps the right SHA-256 with it,
and read again otherwise. One that is not what its name says is copied to quarantine before
the right bytes take its place, so healing loses nothing either.
"""

from __future__ import annotations

import hashlib
import uuid
from enum import Enum, auto

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.vault.s3_bucket import Bucket
from shelter_pipeline.vault.s3_capabilities import Capabilities
from shelter_pipeline.vault.s3_client import S3Error
from shelter_pipeline.vault.s3_source import Source
from shelter_pipeline.vault.s3_upload import UploadLimits, send, stored_checksum


class _State(Enum):
    ABSENT = auto()
    HELD = auto()
    OTHER = auto()  # something else stands there; a copy of it is in quarantine


class Publisher:
    """Publishes into one bucket, by what its server can do. For any number of threads."""

    def __init__(self, bucket: Bucket, capabilities: Capabilities, limits: UploadLimits) -> None:
        self._bucket = bucket
        self._capabilities = capabilities
        self._limits = limits

    @property
    def conditional(self) -> bool:
        """Whether a put can be made to fail where something is already."""
        return self._capabilities.conditional_puts

    def publish(self, location: str, source: Source) -> None:
        """Return once these bytes stand there. Raises S3Error, after which a repetition continues."""
        state = _State.ABSENT
        if not self.conditional or source.size > self._limits.whole_bytes:
            state = self._look(location, source)  # before gigabytes are sent for nothing
        if state is _State.HELD:
            return
        try:
            self._send(location, source, if_absent=self.conditional and state is _State.ABSENT)
        except S3Error as error:
            if not (error.is_taken or error.is_contended or error.is_absent):
                raise
            if self._look(location, source) is not _State.HELD:
                self._send(location, source, if_absent=False)

    def publish_new(self, location: str, source: Source) -> None:
        """Return once these bytes stand there. Raises S3Error, and DamagedError if others do, which stay."""
        if self._bucket.find(location) is None:
            try:
                self._send(location, source, if_absent=self.conditional)
            except S3Error as error:
                if not (error.is_taken or error.is_contended):
                    raise
        if digest_and_size(self._bucket, location) != (source.sha256, source.size):
            raise DamagedError(f"{location} is already there with other bytes", reason="mismatch")

    def _send(self, location: str, source: Source, *, if_absent: bool) -> None:
        send(self._bucket, location, source, self._limits, if_absent=if_absent)
        if self._capabilities.verifies_checksums:
            return
        if digest_and_size(self._bucket, location) != (source.sha256, source.size):
            move_aside(self._bucket, location)
            raise S3Error(f"{location} was not stored as it was sent")

    def _look(self, location: str, source: Source) -> _State:
        found = self._bucket.find(location)
        if found is None:
            return _State.ABSENT
        if found.size == source.size and self._is_believed(found.checksum, source):
            return _State.HELD
        if digest_and_size(self._bucket, location) == (source.sha256, source.size):
            return _State.HELD
        _set_aside(self._bucket, location)
        return _State.OTHER

    def _is_believed(self, checksum: str | None, source: Source) -> bool:
        if checksum is None or not self._capabilities.verifies_checksums:
            return False
        return checksum == stored_checksum(source, self._limits)


def digest_and_size(bucket: Bucket, location: str) -> tuple[str, int]:
    """What an object's bytes are, read again. Raises S3Error."""
    with bucket.open(location) as body:
        digest = hashlib.file_digest(body, "sha256")  # type: ignore[arg-type]
        return digest.hexdigest(), body.tell()


def move_aside(bucket: Bucket, location: str) -> str | None:
    """Move a blob that is not what its name says to quarantine; returns where it stands now.

    It is removed only after its copy was read and found the same. None if it is gone or was
    healed meanwhile. Raises S3Error, after which nothing was removed.
    """
    found = bucket.find(location)
    if found is None:
        return None
    target = _set_aside(bucket, location)
    copy = digest_and_size(bucket, target)
    if copy[0] == location.rpartition("/")[2]:
        bucket.delete(target)
        return None
    if copy != digest_and_size(bucket, location):
        raise S3Error(f"the copy of {location} in {target} is not the same")
    _delete_version(bucket, location, found.etag)
    return target


def _set_aside(bucket: Bucket, location: str) -> str:
    target = f"quarantine/{location.rpartition('/')[2]}.{uuid.uuid4().hex[:8]}"
    bucket.copy(location, target)
    return target


def _delete_version(bucket: Bucket, location: str, etag: str) -> None:
    """Remove this version only: another one has healed the blob since it was read."""
    try:
        bucket.delete(location, etag)
    except S3Error as error:
        if error.is_unknown:  # a server without conditional deletes
            bucket.delete(location)
        elif not error.is_taken:
            raise
