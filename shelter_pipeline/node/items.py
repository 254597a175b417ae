"""One file that the API has given to this node, read with care: an API may be wrong, or not ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.domain.node_protocol import MB
from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.vault.store import is_digest

_MOST_TEXT = 16_384
_MOST_CONNECTIONS, _MOST_DELAY_SECONDS = 64, 3600.0
_HOST = re.compile(r"[^\s/@]{1,255}:\d{1,5}\Z")
_MIRROR = re.compile(r"/[A-Za-z0-9][A-Za-z0-9/_.~-]{0,500}\Z")  # a path of the API, and never another host


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be got, from where, and what is promised of it. `purpose` is fetch or copy."""

    asset_id: int
    token: int
    url: str
    purpose: str
    name: str
    size: int | None
    estimated: int
    sha256: str | None
    mirror: str | None
    host: str
    connections: int | None
    delay_seconds: float
    lease_seconds: float
    promise: Promise = field(repr=False)

    @property
    def expected_bytes(self) -> int:
        """What it will take, as far as anybody knows."""
        return self.size if self.size is not None else self.estimated

    @property
    def label(self) -> str:
        """What people know it by."""
        return self.url or self.name or self.mirror or str(self.asset_id)

    @classmethod
    def of(cls, raw: Any) -> Item:
        """Read an item of `/allocate`. Raises DamagedError that names the field at fault."""
        if not isinstance(raw, dict):
            raise DamagedError("an item of work is no object")
        purpose = _text(raw, "purpose") or "fetch"
        sha256, mirror = _text(raw, "sha256"), _text(raw, "mirror")
        if purpose not in ("fetch", "copy"):
            raise DamagedError(f"an item has the purpose {purpose[:40]!r}, which this program does not know")
        if sha256 is not None and not is_digest(sha256):
            raise DamagedError("an item's sha256 is none")
        if purpose == "copy" and (sha256 is None or mirror is None or not _MIRROR.match(mirror)):
            raise DamagedError(
                "an item to copy does not say of what (sha256) and from where (mirror, a path)"
            )
        size = _count(raw, "size_bytes")
        host = _text(raw, "host") or ""
        return cls(
            asset_id=_required(raw, "id"),
            token=_required(raw, "token"),
            url=_text(raw, "url") or "",
            purpose=purpose,
            name=_text(raw, "name") or "",
            size=size,
            estimated=int(_number(raw, "size_mb") * MB),
            sha256=sha256,
            mirror=mirror,
            host=host if _HOST.match(host) else "",
            connections=min(max(_count(raw, "connections") or 1, 1), _MOST_CONNECTIONS),
            delay_seconds=min(_number(raw, "delay_seconds"), _MOST_DELAY_SECONDS),
            lease_seconds=_number(raw, "lease_seconds") or 600.0,
            promise=Promise(
                size=_count(raw, "expected_size"),
                checksum=_text(raw, "checksum"),
                format=_text(raw, "format"),
                media_type=_text(raw, "media_type"),
                accepted=_texts(raw, "accepted"),
                rejected=_texts(raw, "rejected"),
            ),
        )


def _required(raw: dict[str, Any], name: str) -> int:
    value = _count(raw, name)
    if value is None:
        raise DamagedError(f"an item has no {name}")
    return value


def _count(raw: dict[str, Any], name: str) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise DamagedError(f"an item's {name} is no count")
    return value


def _number(raw: dict[str, Any], name: str) -> float:
    value = raw.get(name)
    if value is None:
        return 0.0
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise DamagedError(f"an item's {name} is no number")
    return float(value)


def _text(raw: dict[str, Any], name: str) -> str | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise DamagedError(f"an item's {name} is no text of a sensible length")
    return value


def _texts(raw: dict[str, Any], name: str) -> frozenset[str]:
    value = raw.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise DamagedError(f"an item's {name} is no list of texts")
    return frozenset(value)
