"""What a node may say of one file, read from JSON of a stranger: every field within bounds, or a sentence why not.

A node's text is shown to people and kept in manifests, so no control character gets
further than here; its numbers are counted with, so none is negative or endless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Final

from shelter_pipeline.domain.verdicts import REASONS, Verdict

MOST_HEADS_BYTES: Final = 64 * 1024
_MOST = 2**63 - 1
_MOST_HOPS = 50
_MOST_FLAGS = 20
_DAY_SECONDS = 86_400.0
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_FLAG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
# What only we can say: of bytes that we hold, of our own rules, of what a person has decided.
_NOT_A_NODES = frozenset({"unchanged", "unproved", "excluded", "rejected"})


class ReportError(ValueError):
    """A result that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Report:
    """How one claim ended, as its node says. Sizes are bytes, moments have a zone."""

    asset_id: int
    token: int
    verdict: str
    reason: str
    sha256: str | None = None
    size: int | None = None
    detail: str = ""
    final_url: str | None = None
    status: int | None = None
    media_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    flags: tuple[str, ...] = ()
    requests: int = 0
    wire_bytes: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    retry_after_seconds: float | None = None
    heads: dict[str, Any] = field(default_factory=dict)

    @property
    def is_stored(self) -> bool:
        """Whether the node says that it has the file."""
        return self.verdict == Verdict.STORED


def identity_of(raw: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Asset and token that a result names; None for what is no number that could be one."""
    asset_id, token = raw.get("asset_id"), raw.get("token")
    return (asset_id if _is_key(asset_id) else None), (token if _is_key(token) else None)


def read_report(raw: Mapping[str, Any]) -> Report:
    """One result of a completion. Raises ReportError; what it does not know is passed over."""
    asset_id, token = identity_of(raw)
    if asset_id is None or token is None:
        raise ReportError("asset_id and token must be positive whole numbers, those of the allocation")
    verdict, reason = raw.get("verdict"), raw.get("reason")
    if not isinstance(reason, str) or reason not in REASONS or reason in _NOT_A_NODES:
        raise ReportError("reason is none that a node can give; they are listed in docs/reasons.md")
    if verdict != REASONS[reason].verdict.value:
        raise ReportError(f"the verdict of {reason} is {REASONS[reason].verdict.value}")
    given = {name: read(name, raw[name]) for name, read in _FIELDS.items() if raw.get(name) is not None}
    report = Report(asset_id, token, str(verdict), reason, **given)
    if report.is_stored and (report.sha256 is None or report.size is None):
        raise ReportError("a stored file needs its sha256 and its size")
    if report.started_at and report.finished_at and report.finished_at < report.started_at:
        raise ReportError("finished_at is before started_at")
    return report


def plain(text: str) -> str:
    r"""`text` with every character that is not printed replaced.

    >>> plain("caf\u00e9\x1b[31m\n")
    'café�[31m�'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _is_key(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST


def _text(most: int) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise ReportError(f"{name} must be a text")
        return plain(value[:most])

    return read


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ReportError(f"{name} must be a whole number from {least} to {most}")
        return value

    return read


def _digest(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _SHA256.match(value):
        raise ReportError(f"{name} must be a SHA-256 in 64 lower-case hexadecimal digits")
    return value


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        moment.timestamp()  # some days of year 1 and 9999 are none in UTC
    except (TypeError, ValueError, OverflowError):
        raise ReportError(f"{name} must be a time as in 2026-01-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise ReportError(f"{name} must say its time zone, as in 2026-01-01T00:00:00Z")
    return moment


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ReportError(f"{name} must be a number of seconds, 0 or more")
    return min(float(value), _DAY_SECONDS)


def _flags(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_FLAGS:
        raise ReportError(f"{name} must be a list of at most {_MOST_FLAGS} short words")
    if not all(isinstance(flag, str) and _FLAG.match(flag) for flag in value):
        raise ReportError(f"{name} must be words of small letters, digits and hyphens")
    return tuple(dict.fromkeys(value))


def _heads(name: str, value: Any) -> dict[str, Any]:
    """Heads in the one shape that they are read in later; other members are passed over."""
    if not isinstance(value, dict) or len(json.dumps(value)) > MOST_HEADS_BYTES:
        raise ReportError(f"{name} must be an object of at most {MOST_HEADS_BYTES} bytes")
    hops = value.get("hops") or []
    if not isinstance(hops, list) or len(hops) > _MOST_HOPS or not all(isinstance(hop, dict) for hop in hops):
        raise ReportError(f"{name}.hops must be a list of at most {_MOST_HOPS} objects")
    return {
        "request": _fields(f"{name}.request", value.get("request") or []),
        "response": _fields(f"{name}.response", value.get("response") or []),
        "hops": [_hop(f"{name}.hops", hop) for hop in hops],
        "address": _text_or_none(value.get("address")),
    }


def _hop(name: str, hop: Mapping[str, Any]) -> dict[str, Any]:
    status = hop.get("status")
    return {
        **{key: _text_or_none(hop.get(key)) for key in ("url", "location", "address")},
        "status": status if isinstance(status, int) else None,
        "headers": _fields(name, hop.get("headers") or []),
    }


def _fields(name: str, value: Any) -> list[list[str]]:
    pairs = value if isinstance(value, list) else None
    if pairs is None or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)  # noqa: PLR2004
        for pair in pairs
    ):
        raise ReportError(f"{name} must be a list of pairs, the name and the value of each field")
    return [[plain(part) for part in pair] for pair in pairs]


def _text_or_none(value: Any) -> str | None:
    return plain(value) if isinstance(value, str) else None


_FIELDS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "sha256": _digest,
    "size": _whole(0, _MOST),
    "detail": _text(2000),
    "final_url": _text(8192),
    "status": _whole(100, 999),
    "media_type": _text(255),
    "etag": _text(1000),
    "last_modified": _text(100),
    "flags": _flags,
    "requests": _whole(0, 2**31 - 1),
    "wire_bytes": _whole(0, _MOST),
    "started_at": _moment,
    "finished_at": _moment,
    "retry_after_seconds": _seconds,
    "heads": _heads,
}
