"""Reply heads, read line by line as they came, and where the body ends by them.

A client library forgives heads that contradict themselves; an archive may not, because
the framing is the only proof that a body is whole. Each final head is checked by
RFC 9112 section 6 before any body byte counts, and interim (1xx) heads and trailers
share one budget of lines and bytes with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shelter_pipeline.domain.errors import DamagedError

_STATUS_LINE = re.compile(rb"HTTP/([0-9](?:\.[0-9])?) ([1-9][0-9]{2})(?: [^\r\n]*)?\Z")
_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CONTROLS = rb"\x00-\x08\x0a-\x1f\x7f"
_FIELD = re.compile(rb"(" + _NAME + rb"):[ \t]*([^" + _CONTROLS + rb"]*)\Z")
_NAMED = re.compile(_NAME + rb":")
_DIGITS = re.compile(r"[0-9]+\Z")
_BODILESS = (204, 205, 304)
_LONGEST_STATUS_LINE = 8 * 1024


@dataclass(frozen=True, slots=True)
class Framing:
    """How the end of a body is known: a length, the last chunk, or only the end of the connection."""

    length: int | None
    chunked: bool
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """A reply's status and header fields in their order; values are decoded as latin-1 (RFC 9110 5.5)."""

    status: int
    http_version: str
    headers: tuple[tuple[str, str], ...]
    _by_name: dict[str, list[str]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _framing: Framing | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        for name, value in self.headers:
            self._by_name.setdefault(name.lower(), []).append(value)

    @property
    def framing(self) -> Framing:
        """Where the body ends; worked out once. Raises as `framing_of`."""
        if self._framing is None:
            object.__setattr__(self, "_framing", framing_of(self))
        assert self._framing is not None  # noqa: S101 - just set
        return self._framing

    def get(self, name: str) -> str | None:
        """The first value of a field, whatever its case; None if it is absent."""
        values = self._by_name.get(name.lower())
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return list(self._by_name.get(name.lower(), ()))


class HeadReader:
    """Collects the lines of a reply's head; `feed` returns the final head when its last line has come."""

    def __init__(self, *, max_bytes: int, max_lines: int) -> None:
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._bytes = 0
        self._lines = 0
        self._status: tuple[str, int] | None = None
        self._headers: list[tuple[str, str]] = []
        self.head: Head | None = None

    @property
    def size(self) -> int:
        """Bytes of head seen so far, interim heads and trailers included."""
        return self._bytes

    @property
    def status(self) -> int | None:
        """The status of the head that is being read or was read last."""
        return self._status[1] if self._status else None

    def feed(self, line: bytes) -> Head | None:
        """Take one line. Raises DamagedError `head-too-large` or `head-invalid`."""
        self._bytes += len(line)
        self._lines += 1
        is_status = self._status is None and self.head is None
        if (
            self._bytes > self._max_bytes
            or self._lines > self._max_lines
            or (is_status and len(line) > _LONGEST_STATUS_LINE)
        ):
            raise DamagedError(
                f"the head has more than {self._max_bytes} bytes or {self._max_lines} lines",
                reason="head-too-large",
            )
        if self.head is not None:
            return None  # a trailer: bounded, and otherwise of no meaning to us
        text = line.rstrip(b"\r\n")
        if self._status is None:
            self._status = _status_of(text)
        elif text:
            self._headers.append(_field_of(text))
        else:
            return self._end()
        return None

    def _end(self) -> Head | None:
        assert self._status is not None  # noqa: S101 - `feed` has just seen to it
        version, status = self._status
        if status < 200:  # noqa: PLR2004 - an interim head, the real one follows
            self._status, self._headers = None, []
            return None
        self.head = Head(status, version, tuple(self._headers))
        return self.head


def _status_of(line: bytes) -> tuple[str, int]:
    match = _STATUS_LINE.match(line)
    if match is None:
        raise DamagedError(f"the reply begins with {line[:80]!r}, not a status line", reason="head-invalid")
    return match[1].decode(), int(match[2])


def _field_of(line: bytes) -> tuple[str, str]:
    match = _FIELD.match(line)
    if match is None:
        fault = "holds a control byte" if _NAMED.match(line) else "is not a header field"
        raise DamagedError(f"{line[:80]!r} {fault}", reason="head-invalid")
    return match[1].decode("latin-1"), match[2].rstrip(b" \t").decode("latin-1")


def framing_of(head: Head) -> Framing:
    """Where the body ends, by RFC 9112 section 6.3; a chunked coding wins over a length and is flagged.

    Raises DamagedError `head-invalid` for lengths that differ, are signed or are not
    numbers, and for transfer codings nobody asked for.
    """
    length = _length_of(head)
    codings = [
        part.strip().lower() for value in head.get_all("transfer-encoding") for part in value.split(",")
    ]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if codings not in ([], ["chunked"]):
        raise DamagedError(f"the transfer coding {codings} was not asked for", reason="head-invalid")
    if codings:
        return Framing(None, chunked=True, flags=() if length is None else ("both-framings",))
    if length is None and head.status not in _BODILESS:
        return Framing(None, chunked=False, flags=("length-unverified",))
    return Framing(length, chunked=False)


def _length_of(head: Head) -> int | None:
    lengths = {part.strip() for value in head.get_all("content-length") for part in value.split(",")}
    if not lengths:
        return None
    if len(lengths) > 1:
        raise DamagedError(f"the reply names {len(lengths)} different lengths", reason="head-invalid")
    (text,) = lengths
    if not _DIGITS.match(text):
        raise DamagedError(f"the length {text[:40]!r} is not a number", reason="head-invalid")
    # More digits than any file has: the value only has to be over every cap.
    return int(text) if len(text) < 20 else 10**20  # noqa: PLR2004
