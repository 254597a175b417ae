"""The few requests that a store makes of a bucket, each with one meaning.

Bytes are sent with their SHA-256, which the server verifies before it keeps them, and by
default only where nothing is yet: a put cannot overwrite. An object is read again from
where the connection broke, and only from the same version.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from shelter_pipeline.vault.s3_client import S3Error, S3Place, asking
from shelter_pipeline.vault.s3_reading import ObjectReader

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_BUFFER_BYTES = 256 * 1024
# Never shown by a browser that follows a link into the bucket.
_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Found:
    """An object as the server describes it; `checksum` is the SHA-256 it keeps with it, in base64, if any."""

    size: int
    etag: str
    checksum: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing shows it."""

    location: str
    size: int


@dataclass(frozen=True, slots=True)
class BegunUpload:
    """A multipart upload that has not ended."""

    location: str
    upload_id: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part of a multipart upload that the server holds."""

    number: int
    size: int
    etag: str
    checksum: str | None
    sent_at: datetime


class Bucket:
    """A place on S3. Every method raises S3Error, and SetupError without credentials. For any number of threads."""

    def __init__(self, client: S3Client, place: S3Place) -> None:
        self.place = place
        self._client = client

    def exists(self) -> datetime | None:
        """Ask whether the bucket is there and may be listed; the server's clock, if it tells. S3Error if not."""
        with asking(f"look into {self.place.name}"):
            reply = self._client.list_objects_v2(
                Bucket=self.place.bucket, Prefix=self.place.key(""), MaxKeys=1
            )
        date = reply["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            told = parsedate_to_datetime(date)
        except ValueError:
            return None
        return told if told.tzinfo else told.replace(tzinfo=UTC)

    def put(self, location: str, body: bytes | BinaryIO, checksum: str, *, if_absent: bool) -> None:
        """Store a whole object; with `if_absent` S3Error `is_taken` where there is one."""
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        with asking(f"store {location}"):
            self._client.put_object(
                **self._at(location), Body=body, ChecksumSHA256=checksum, ContentType=_TYPE, **condition
            )

    def find(self, location: str) -> Found | None:
        """What the server says of an object; None if there is none."""
        try:
            with asking(f"look at {location}"):
                head = self._client.head_object(**self._at(location), ChecksumMode="ENABLED")
        except S3Error as error:
            if error.is_absent:
                return None
            raise
        return Found(head["ContentLength"], head["ETag"], head.get("ChecksumSHA256"))

    def open(self, location: str, first: int = 0, last: int | None = None) -> BinaryIO:
        """An object's bytes from `first` to `last`, to be closed.

        S3Error `is_absent` if there is none, `is_beyond` if it ends before `first`.
        """

        def get(offset: int, etag: str | None) -> dict[str, Any]:
            start, end = first + offset, "" if last is None else last
            rest: dict[str, Any] = {"Range": f"bytes={start}-{end}"} if start or last is not None else {}
            condition: dict[str, Any] = {"IfMatch": etag} if etag else {}
            with asking(f"read {location}"):
                reply: dict[str, Any] = dict(
                    self._client.get_object(**self._at(location), **rest, **condition)
                )
            if rest and not str(reply.get("ContentRange", "")).startswith(f"bytes {start}-"):
                reply["Body"].close()
                raise S3Error(f"{location} came from its beginning, and not from byte {start} on")
            return reply

        return io.BufferedReader(ObjectReader(get, location), _BUFFER_BYTES)

    def listing(self, prefix: str) -> Iterator[Listed]:
        """Everything whose location begins with `prefix`, in the server's order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.place.bucket, Prefix=self.place.key(prefix)
        )
        for page in _each(pages, f"list {prefix}"):
            for item in page.get("Contents", ()):
                yield Listed(self.place.location(item["Key"]), item["Size"])

    def top(self) -> Iterator[str]:
        """Names of the folders and objects at the top of the place."""
        top = self.place.key("")
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.place.bucket, Prefix=top, Delimiter="/"
        )
        for page in _each(pages, f"list {self.place.name}"):
            found = [item["Prefix"] for item in page.get("CommonPrefixes", ())]
            found += [item["Key"] for item in page.get("Contents", ())]
            yield from (name for key in found if (name := key.removeprefix(top).strip("/")))

    def copy(self, location: str, target: str) -> None:
        """Copy an object of any size within the bucket, by the server itself."""
        with asking(f"copy {location} to {target}"):
            self._client.copy(
                {"Bucket": self.place.bucket, "Key": self.place.key(location)}, **self._at(target)
            )

    def delete(self, location: str, etag: str | None = None) -> None:
        """Remove an object; with `etag` only that version, where the server can tell them apart."""
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {}
        with asking(f"remove {location}"):
            self._client.delete_object(**self._at(location), **condition)

    def begin_upload(self, location: str) -> str:
        """Begin a multipart upload whose parts are verified by SHA-256; returns its id."""
        with asking(f"begin the upload of {location}"):
            return self._client.create_multipart_upload(
                **self._at(location), ChecksumAlgorithm="SHA256", ContentType=_TYPE
            )["UploadId"]

    def send_part(self, location: str, upload_id: str, number: int, body: BinaryIO, checksum: str) -> str:
        """Send one part; returns its ETag."""
        with asking(f"send part {number} of {location}"):
            return self._client.upload_part(
                **self._at(location),
                UploadId=upload_id,
                PartNumber=number,
                Body=body,
                ChecksumSHA256=checksum,
            )["ETag"]

    def end_upload(
        self, location: str, upload_id: str, parts: list[tuple[str, str]], *, if_absent: bool
    ) -> None:
        """Make the object of its parts, given as ETag and checksum; the commit point of a large blob."""
        named: Any = [
            {"PartNumber": number, "ETag": etag, "ChecksumSHA256": checksum}
            for number, (etag, checksum) in enumerate(parts, 1)
        ]
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        with asking(f"end the upload of {location}"):
            self._client.complete_multipart_upload(
                **self._at(location), UploadId=upload_id, MultipartUpload={"Parts": named}, **condition
            )

    def abort_upload(self, location: str, upload_id: str) -> None:
        """Give up a multipart upload, whose parts would be paid for until then. One that has ended is none."""
        try:
            with asking(f"abort the upload of {location}"):
                self._client.abort_multipart_upload(**self._at(location), UploadId=upload_id)
        except S3Error as error:
            if not error.is_absent:
                raise

    def uploads(self, prefix: str) -> Iterator[BegunUpload]:
        """Multipart uploads below `prefix` that have not ended."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.place.bucket, Prefix=self.place.key(prefix)
        )
        for page in _each(pages, f"list the uploads of {prefix}"):
            for item in page.get("Uploads", ()):
                yield BegunUpload(self.place.location(item["Key"]), item["UploadId"], item["Initiated"])

    def parts(self, location: str, upload_id: str) -> Iterator[SentPart]:
        """The parts that a multipart upload holds already."""
        pages = self._client.get_paginator("list_parts").paginate(**self._at(location), UploadId=upload_id)
        for page in _each(pages, f"list the parts of {location}"):
            for item in page.get("Parts", ()):
                yield SentPart(
                    item["PartNumber"],
                    item["Size"],
                    item["ETag"],
                    item.get("ChecksumSHA256"),
                    item["LastModified"],
                )

    def _at(self, location: str) -> Any:
        return {"Bucket": self.place.bucket, "Key": self.place.key(location)}


def _each(pages: Iterable[Any], what: str) -> Iterator[Any]:
    """The pages of a listing, each asked for under `asking`."""
    turning = iter(pages)
    while True:
        with asking(what):
            page = next(turning, None)
        if page is None:
            return
        yield page
