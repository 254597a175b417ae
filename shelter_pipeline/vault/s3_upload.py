"""Sending a file to a bucket: whole if it is small, else in parts, which a crash or an error does not lose.

A part is verified by the server against its own SHA-256, and before the parts become an
object the whole file must still hash to its digest, so what stands under a name is what
was named. The size of the parts follows from the size of the file alone: whoever sends
the same bytes takes up the parts that another has sent.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.vault.s3_bucket import BegunUpload, Bucket, SentPart
from shelter_pipeline.vault.s3_client import S3Error
from shelter_pipeline.vault.s3_source import Source, checksum_named, checksum_of, file_slice, hashed

_MIB = 1024 * 1024
_MOST_PARTS = 10_000  # of one upload, on every S3


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """From when on a file goes in parts, how large they are at least, and how many are sent at once."""

    whole_bytes: int = 64 * _MIB
    part_bytes: int = 16 * _MIB
    part_threads: int = 4

    def part_size(self, total: int) -> int:
        """Bytes of each part but the last of a file of `total` bytes."""
        needed = -(-total // _MOST_PARTS)
        return max(self.part_bytes, -(-needed // _MIB) * _MIB)


def stored_checksum(source: Source, limits: UploadLimits) -> str:
    """What the server keeps as the checksum of this file if it was sent by `send`; in parts, that of its parts."""
    if source.size <= limits.whole_bytes:
        return checksum_named(source.sha256)
    with source.opened() as descriptor:
        digests = [
            hashed(descriptor, offset, length).digest() for offset, length in _cut(source.size, limits)
        ]
    return f"{checksum_of(b''.join(digests))}-{len(digests)}"


def send(bucket: Bucket, location: str, source: Source, limits: UploadLimits, *, if_absent: bool) -> None:
    """Store the file; with `if_absent` S3Error `is_taken` where there is an object already.

    S3Error `is_absent` means that somebody else has ended the same upload meanwhile. After
    any other error the parts that were sent are taken up by the next call.
    """
    if source.data is not None:
        bucket.put(location, source.data, checksum_named(source.sha256), if_absent=if_absent)
        return
    with source.opened() as descriptor:
        if source.size <= limits.whole_bytes:
            body = file_slice(descriptor, 0, source.size)
            bucket.put(location, body, checksum_named(source.sha256), if_absent=if_absent)
        else:
            _send_parts(bucket, location, source, descriptor, limits, if_absent=if_absent)


def _send_parts(
    bucket: Bucket, location: str, source: Source, descriptor: int, limits: UploadLimits, *, if_absent: bool
) -> None:
    upload_id, held = _take_up(bucket, location)
    with ThreadPoolExecutor(limits.part_threads, thread_name_prefix="s3-part") as pool:
        sending = _Sending(bucket, location, upload_id, pool, limits.part_threads)
        try:
            whole = hashlib.sha256()
            for number, (offset, length) in enumerate(_cut(source.size, limits), 1):
                digest = hashed(descriptor, offset, length, whole)
                sending.part(number, _Part(descriptor, offset, length, digest.digest()), held.get(number))
            parts = sending.all_sent()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if whole.hexdigest() != source.sha256:
        bucket.abort_upload(location, upload_id)
        raise TransientError(f"{source.path} changed before it was sent", reason="store-failed")
    try:
        bucket.end_upload(location, upload_id, parts, if_absent=if_absent)
    except S3Error as error:
        if error.is_taken:
            bucket.abort_upload(location, upload_id)
        raise


def _take_up(bucket: Bucket, location: str) -> tuple[str, dict[int, SentPart]]:
    """The newest upload of this file that has not ended, with its parts; a new one if there is none."""
    for upload in _begun(bucket, location):
        try:
            return upload.upload_id, {part.number: part for part in bucket.parts(location, upload.upload_id)}
        except S3Error as error:  # it ended at this moment
            if not error.is_absent:
                raise
    return bucket.begin_upload(location), {}


def _begun(bucket: Bucket, location: str) -> list[BegunUpload]:
    try:
        begun = [upload for upload in bucket.uploads(location) if upload.location == location]
    except S3Error as error:
        if error.is_unknown:  # a server that cannot list them: nothing can be taken up there
            return []
        raise
    return sorted(begun, key=lambda upload: upload.begun_at, reverse=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the file that stands still, and the digest it was read with."""

    descriptor: int
    offset: int
    length: int
    digest: bytes

    @property
    def checksum(self) -> str:
        return base64.b64encode(self.digest).decode()

    def is_held_as(self, sent: SentPart | None) -> bool:
        """Whether the server has these bytes: by their SHA-256, or by the MD5 of servers that list no other."""
        if sent is None or sent.size != self.length:
            return False
        if sent.checksum is not None:
            return sent.checksum == self.checksum
        md5 = hashed(self.descriptor, self.offset, self.length, algorithm="md5")
        return sent.etag.strip('"') == str(md5.hexdigest())


class _Sending:
    """Parts on their way, a few at once, and what the server said of those that have arrived."""

    def __init__(
        self, bucket: Bucket, location: str, upload_id: str, pool: ThreadPoolExecutor, threads: int
    ) -> None:
        self._bucket, self._location, self._upload_id = bucket, location, upload_id
        self._pool, self._most_waiting = pool, 2 * threads
        self._sent: dict[int, tuple[str, str]] = {}
        self._waiting: dict[Future[str], tuple[int, str]] = {}

    def part(self, number: int, part: _Part, held: SentPart | None) -> None:
        """Have a part sent unless it is held; waits while many are on their way. Raises their errors."""
        if held is not None and part.is_held_as(held):
            self._sent[number] = (held.etag, part.checksum)
            return
        body = file_slice(part.descriptor, part.offset, part.length)
        future = self._pool.submit(
            self._bucket.send_part, self._location, self._upload_id, number, body, part.checksum
        )
        self._waiting[future] = (number, part.checksum)
        while len(self._waiting) > self._most_waiting:
            self._collect()

    def all_sent(self) -> list[tuple[str, str]]:
        """ETag and checksum of every part, in order. Raises the first error."""
        while self._waiting:
            self._collect()
        return [self._sent[number] for number in sorted(self._sent)]

    def _collect(self) -> None:
        for future in wait(self._waiting, return_when=FIRST_COMPLETED).done:
            number, checksum = self._waiting.pop(future)
            self._sent[number] = (future.result(), checksum)


def _cut(size: int, limits: UploadLimits) -> Iterator[tuple[int, int]]:
    """Offset and length of each part."""
    step = limits.part_size(size)
    for offset in range(0, size, step):
        yield offset, min(step, size - offset)
