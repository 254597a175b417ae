"""Replies as the crawl hands them to a family, and leads in the short form in which tests state them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shelter_pipeline.discovery.families import enter, family
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import parse_url


@dataclass(frozen=True)
class Head:
    """The head of a reply."""

    status: int = 200
    fields: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, /) -> str | None:
        return self.fields.get(name.lower())


@dataclass(frozen=True)
class Answer:
    """A whole reply."""

    body: bytes
    head: Head = field(default_factory=Head)
    final_url: str = ""


def answer(body: Any, *, status: int = 200) -> Answer:
    """A reply of these bytes, or of anything else as JSON."""
    return Answer(body if isinstance(body, bytes) else json.dumps(body).encode(), Head(status))


def entered(url: str) -> tuple[str, Reading]:
    """The family that knows the URL, and what it says of it."""
    found = enter(parse_url(url))
    assert found is not None, url
    return found


def outcome_of(url: str) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Family, outcome and leads (to, why, URL) of a URL."""
    slug, reading = entered(url)
    return slug, reading.outcome, leads_of(reading)


def leads_of(reading: Reading) -> list[tuple[str, str, str]]:
    return [(lead.to.value, lead.why, lead.url) for lead in reading.leads]


def read(slug: str, url: str, body: Any, *, status: int = 200) -> Reading:
    """What the family of this slug reads in a reply to a request for `url`."""
    reader = family(slug)
    assert reader is not None
    return reader.read(answer(body, status=status), parse_url(url))
