"""The sample's file servers as a value: which spot stands at which path, and under which base.

A path `/files/<organization>/…` is written with the base of its organization. All
servers answer all paths, so a base is only a name for the same shelf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.sample.faults import Spot


class Site:
    """The spots by path. `bases` are scheme, host and port of each server, the main one first."""

    def __init__(self, bases: Sequence[str], own_hosts: Mapping[str, str]) -> None:
        self._spots: dict[str, Spot] = {}
        self._main = bases[0]
        self._own_hosts = own_hosts
        self._hosts = {parse_url(base).host for base in bases}

    def __iter__(self) -> Iterator[Spot]:
        return iter(self._spots.values())

    def place(self, spot: Spot) -> str:
        """Put a spot at its path and return its URL. ValueError if another stands there."""
        if self._spots.setdefault(spot.path, spot) != spot:
            raise ValueError(f"two things at {spot.path}")
        return self.url(spot.path)

    def url(self, path: str) -> str:
        """The URL of a path, under the base of the organization it belongs to."""
        organization = path.split("/")[2] if path.count("/") > 1 else ""
        return self._own_hosts.get(organization, self._main) + path

    def at(self, path: str) -> Spot | None:
        """What stands at a path, percent-encoded or not."""
        return self._spots.get(path) or self._spots.get(unquote(path))

    def find(self, url: str) -> Spot | None:
        """What stands at a URL of one of our servers; None for another host and for nothing."""
        return self.at(urlsplit(url).path) if self.owns(url) else None

    def owns(self, url: str) -> bool:
        """Whether the URL is of one of our servers."""
        return parse_url(url).host in self._hosts
