"""A reply as the crawl would hand it on, and the short forms in which tests look at readings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shelter_pipeline.discovery.families import enter, family
from shelter_pipeline.discovery.leads import Lead, Reading
from shelter_pipeline.domain.urls import parse_url


@dataclass(frozen=True)
class RecordedHead:
    status: int = 200
    fields: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, /) -> str | None:
        return self.fields.get(name.lower())


@dataclass(frozen=True)
class Recorded:
    body: bytes
    final_url: str
    head: RecordedHead = field(default_factory=RecordedHead)


def reply(value: Any, url: str, **fields: str) -> Recorded:
    """A reply of status 200 with this JSON, or these bytes, as its body."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Recorded(body, parse_url(url).text, RecordedHead(200, fields))


def read(slug: str, value: Any, url: str, *, final: str = "", **fields: str) -> Reading:
    """What the family says of a reply to its lead `url`."""
    known = family(slug)
    assert known is not None
    return known.read(reply(value, final or url, **fields), parse_url(url))


def leads(reading: Reading) -> list[Lead]:
    return list(reading.leads)


def brief(reading: Reading) -> list[tuple[str, str]]:
    """Where each lead goes, and its URL."""
    return [(lead.to.value, lead.url) for lead in reading.leads]


def entered(url: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The family that knows a URL, and the leads it gives at once."""
    known = enter(parse_url(url))
    return (known[0], brief(known[1])) if known else None
