"""The way to an S3 server: how it is found, how long we are patient with it, and what its errors mean.

The only module that knows boto3. Whatever goes wrong on the way is an S3Error, which is a
TransientError `store-failed` or `no-space`; nothing of botocore's leaves this room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from shelter_pipeline.domain.errors import SetupError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SCHEME = "s3://"
_CONNECT_SECONDS = 10
# A place that is full says so in the words of AWS's family, MinIO's and Ceph's.
_FULL = frozenset(
    {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
)
_ABSENT, _CONTENDED, _TAKEN, _BEYOND, _UNKNOWN, _FULL_STATUS = 404, 409, 412, 416, 501, 507
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\Z")


@dataclass(frozen=True, slots=True)
class S3Options:
    """How a server is spoken to. Credentials come from boto3's usual chain, never from here."""

    endpoint_url: str | None = None  # None: AWS
    region: str | None = None  # None: what boto3's configuration says, else us-east-1
    path_style: bool | None = None  # None: for every endpoint but AWS's
    connections: int = 8
    timeout_seconds: float = 60
    max_attempts: int = 5


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and the folder in it below which a store lies; "" for the whole bucket."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> S3Place:
        """The place that `s3://bucket/prefix` names. Raises SetupError `bad-store`."""
        bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
        prefix = prefix.strip("/")
        usable = text.startswith(SCHEME) and _BUCKET.match(bucket) and (not prefix or _PREFIX.match(prefix))
        if not usable or {".", ".."} & set(prefix.split("/")):
            raise SetupError(
                f"{text!r} names no place on S3; it must be s3://bucket or s3://bucket/folder",
                reason="bad-store",
            )
        return cls(bucket, prefix)

    @property
    def name(self) -> str:
        """The place as it is written."""
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, location: str) -> str:
        """The object's key of a location of the store."""
        return f"{self.prefix}/{location}" if self.prefix else location

    def location(self, key: str) -> str:
        """The location in the store of an object's key."""
        return key.removeprefix(f"{self.prefix}/") if self.prefix else key


class S3Error(TransientError):
    """The server refused, failed, or did not answer; `code` and `status` are its own words, if it had any."""

    default_reason = "store-failed"

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        full = code in _FULL or status == _FULL_STATUS
        super().__init__(message, reason="no-space" if full else "store-failed")
        self.code, self.status = code, status

    @property
    def is_absent(self) -> bool:
        """What was asked for is not there (404)."""
        return self.status == _ABSENT

    @property
    def is_taken(self) -> bool:
        """A condition did not hold (412): the key is taken, or the object has changed."""
        return self.status == _TAKEN

    @property
    def is_beyond(self) -> bool:
        """The range begins where the object has ended (416)."""
        return self.status == _BEYOND

    @property
    def is_contended(self) -> bool:
        """Somebody else is writing the same key at this moment (409)."""
        return self.status == _CONTENDED

    @property
    def is_unknown(self) -> bool:
        """The server does not know how to do that (501)."""
        return self.status == _UNKNOWN


def connect(options: S3Options) -> S3Client:
    """A client for all threads of this process. Raises SetupError `bad-store` for options that cannot be used."""
    path_style = options.path_style if options.path_style is not None else options.endpoint_url is not None
    session = boto3.Session()
    try:
        return session.client(
            "s3",
            endpoint_url=options.endpoint_url,
            region_name=options.region or session.region_name or "us-east-1",
            config=Config(
                # The server verifies `x-amz-checksum-sha256`, a signed header that we know beforehand:
                # hashing every body again, to sign it and to sum it, would prove the same thing thrice.
                s3={
                    "addressing_style": "path" if path_style else "auto",
                    "payload_signing_enabled": False,
                },
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                max_pool_connections=4 * options.connections,
                connect_timeout=min(_CONNECT_SECONDS, options.timeout_seconds),
                read_timeout=options.timeout_seconds,
                retries={"mode": "standard", "total_max_attempts": options.max_attempts},
                user_agent_extra="shelter",
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise SetupError(f"S3 cannot be spoken to: {error}", reason="bad-store") from error


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn whatever goes wrong between us and the server within the block into an S3Error.

    Credentials that are missing are a SetupError: waiting will not bring them.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        raise S3Error(f"could not {what}: {error}", code=code, status=status) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise SetupError(f"could not {what}: {error}", reason="bad-store") from error
    except (BotoCoreError, OSError) as error:
        raise S3Error(f"could not {what}: {error}") from error
