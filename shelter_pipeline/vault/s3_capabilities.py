"""What an S3 server can do of what we rely on, found out by trying it and said clearly.

Servers differ: some ignore `If-None-Match`, so that a put overwrites; some keep an object
whose SHA-256 is wrong and say 200. Neither can be read from a version or a header, so a
small object is put three times, and removed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.vault.s3_bucket import Bucket
from shelter_pipeline.vault.s3_client import S3Error
from shelter_pipeline.vault.s3_source import checksum_of

_REFUSALS = range(400, 500)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server does with our conditions and checksums."""

    conditional_puts: bool
    verifies_checksums: bool

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is missing and what we do instead, for the person who chose the server."""
        missing = []
        if not self.conditional_puts:
            missing.append(
                "it does not honour If-None-Match, so we look before we put; two writers of one document at the"
                " same moment could overwrite each other"
            )
        if not self.verifies_checksums:
            missing.append("it cannot verify a SHA-256, so every upload is read back")
        return tuple(missing)


def find_capabilities(bucket: Bucket) -> Capabilities:
    """Try them out. Raises SetupError `bad-store` if the bucket is refused to us, S3Error if the server fails."""
    location, body = f"probe/{uuid.uuid4().hex}", b"may be removed"
    try:
        bucket.exists()  # first: some servers would make a bucket for whoever puts something into it
        bucket.put(location, body, checksum_of(body), if_absent=False)
    except S3Error as error:
        if error.status in _REFUSALS:
            raise SetupError(
                f"the store {bucket.place.name} cannot be used: {error}", reason="bad-store"
            ) from error
        raise
    try:
        return Capabilities(
            conditional_puts=_refusal(bucket, location, checksum_of(body), if_absent=True) in _REFUSALS,
            verifies_checksums=_refusal(bucket, location, checksum_of(b"other"), if_absent=False)
            in _REFUSALS,
        )
    finally:
        bucket.delete(location)


def _refusal(bucket: Bucket, location: str, checksum: str, *, if_absent: bool) -> int:
    """The status a put is refused with; 0 if it is accepted."""
    try:
        bucket.put(location, b"may be removed", checksum, if_absent=if_absent)
    except S3Error as error:
        if error.status not in _REFUSALS and not error.is_unknown:
            raise
        return error.status
    return 0
