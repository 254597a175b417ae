"""What was promised of a file before it was asked for, and what came of asking: values only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shelter_pipeline.domain.verdicts import Verdict
from shelter_pipeline.fetching.exchange import Hop

_ALGORITHMS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
_NOT_NAME = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, slots=True)
class Promise:
    """What the catalogue claims of a file, what we hold of it already, and what operators have said of it.

    `accepted` are reasons that do not count against it, `rejected` the SHA-256 of bytes that are not the file.
    """

    size: int | None = None
    checksum: str | None = None  # "algorithm:hex"
    format: str | None = None
    media_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    held_sha256: str | None = None
    held_size: int | None = None
    accepted: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()

    @property
    def validators(self) -> dict[str, str]:
        """The conditions under which the server may say that nothing changed; none unless we hold a file."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        # Servers send anything as an ETag; a header field of ours holds ASCII only.
        return {
            name: value
            for name, value in found.items()
            if self.held_sha256 and value and value.isascii() and value.isprintable()
        }

    @property
    def digest(self) -> tuple[str, str] | None:
        """The promised checksum as (hashlib's algorithm, lower-case hex); None if it cannot be used.

        >>> Promise(checksum="MD5:D41D8CD98F00B204E9800998ECF8427E").digest
        ('md5', 'd41d8cd98f00b204e9800998ecf8427e')
        """
        if not self.checksum:
            return None
        algorithm, _, text = self.checksum.rpartition(":")
        name = _NOT_NAME.sub("", algorithm.lower())
        text = text.strip().lower()
        usable = re.fullmatch(r"[0-9a-f]+", text) and _ALGORITHMS.get(name) == len(text)
        return (name, text) if usable else None


@dataclass(frozen=True, slots=True)
class Capture:
    """One asking for one file, and how it ended. `sha256` and `size` are of the wire bytes that were kept.

    For verdict unchanged they are of the file held; for suspect and `mismatch` of the evidence kept apart.
    """

    url: str
    final_url: str
    verdict: Verdict
    reason: str
    detail: str
    status: int | None
    request_headers: tuple[tuple[str, str], ...]
    response_headers: tuple[tuple[str, str], ...]
    hops: tuple[Hop, ...]
    wire_bytes: int
    requests: int
    sha256: str | None
    size: int | None
    media_type: str | None
    etag: str | None
    last_modified: str | None
    flags: tuple[str, ...]
    started_at: datetime
    finished_at: datetime
    retry_after_seconds: float | None
    address: str | None = None  # of the server that sent the last reply
    timing: Mapping[str, float] = field(default_factory=dict)  # of the last request, seconds from its start

    def heads(self) -> dict[str, Any]:
        """Who said what: the last request and reply, each redirect before them, and from which address."""
        return {
            "request": _shown_fields(self.request_headers),
            "response": _shown_fields(self.response_headers),
            "hops": [
                {
                    "url": hop.url,
                    "status": hop.status,
                    "location": shown(hop.location),
                    "headers": _shown_fields(hop.headers),
                    "address": hop.address,
                }
                for hop in self.hops
            ],
            "address": self.address,
            "timing": dict(self.timing),
        }

    def facts(self) -> dict[str, Any]:
        """The capture as plain JSON values, for manifests and reports."""
        return {
            "url": self.url,
            "final_url": self.final_url,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "detail": self.detail,
            "status": self.status,
            "heads": self.heads(),
            "wire_bytes": self.wire_bytes,
            "requests": self.requests,
            "sha256": self.sha256,
            "size": self.size,
            "media_type": self.media_type,
            "etag": self.etag,
            "last_modified": self.last_modified,
            "flags": list(self.flags),
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "retry_after_seconds": self.retry_after_seconds,
        }


def shown(value: str) -> str:
    r"""A header's value as it may be written down: UTF-8 where it is that, and no control character as it is.

    >>> shown("caf\xc3\xa9")
    'café'
    """
    if value.isascii():
        return value  # its control characters were refused when it was read
    try:
        text = value.encode("latin-1").decode()
    except UnicodeError:
        text = value
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _shown_fields(fields: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(name, value if value.isascii() else shown(value)) for name, value in fields]


class Checksum:
    """The promised checksum, followed over the bytes as they come; idle without a usable promise."""

    def __init__(self, promise: Promise) -> None:
        self._digest = promise.digest
        self._hash = hashlib.new(self._digest[0], usedforsecurity=False) if self._digest else None

    @property
    def wanted(self) -> bool:
        """Whether there is anything to compare with."""
        return self._hash is not None

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._hash is not None:
            self._hash.update(data)

    def holds(self) -> bool:
        """Whether the bytes so far are the ones promised."""
        return (
            self._digest is not None and self._hash is not None and self._hash.hexdigest() == self._digest[1]
        )
