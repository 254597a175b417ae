"""Replies that hold a listing, and what a test asks of the reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shelter_pipeline.discovery.leads import Lead, Reading, To
from shelter_pipeline.discovery.listings import read_listing
from shelter_pipeline.domain.urls import parse_url

RECORDED = Path(__file__).parents[1] / "unit" / "listings"
URL = "https://files.example.gov/pub/data/"


@dataclass(frozen=True)
class HeadOf:
    """The head of a reply that was never sent."""

    fields: Mapping[str, str]
    status: int = 200

    def get(self, name: str, /) -> str | None:
        return self.fields.get(name.lower())


@dataclass(frozen=True)
class ReplyOf:
    """A reply that was never sent."""

    body: bytes
    final_url: str = URL
    head: HeadOf = field(default_factory=lambda: HeadOf({"content-type": "text/html"}))


def reading(body: bytes | str, url: str = URL, **fields: str) -> Reading | None:
    """What is read out of a body that came from a URL."""
    head = HeadOf(
        {"content-type": "text/html"} | {name.replace("_", "-"): value for name, value in fields.items()}
    )
    encoded = body.encode() if isinstance(body, str) else body
    return read_listing(ReplyOf(encoded, url, head), parse_url(url))


def leads_in(body: bytes | str, url: str = URL, **fields: str) -> list[Lead]:
    """The leads of a body that has to be a listing."""
    found = reading(body, url, **fields)
    assert found is not None
    return list(found.leads)


def urls_in(body: bytes | str, url: str = URL) -> list[str]:
    """The URLs of its files and directories."""
    return [lead.url for lead in leads_in(body, url) if lead.to in (To.FILE, To.DIRECTORY)]
