"""Where a crawl of a CKAN portal stands: which way it reads, and from where it reads on.

A place is written as the cursor of a page. By id it is the plain number of the next start;
the other ways are small JSON objects. What cannot be read as a place is the beginning.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.ckan_search import changed_at

ORDER = "metadata_modified asc, id asc"


@dataclass(frozen=True, slots=True)
class ById:
    """`package_search` by id."""

    start: int = 0

    @property
    def cursor(self) -> str:
        return str(self.start)


@dataclass(frozen=True, slots=True)
class ByPackages:
    """`current_package_list_with_resources`, where a portal has no search."""

    start: int = 0

    @property
    def cursor(self) -> str:
        return json.dumps({"packages": self.start})


@dataclass(frozen=True, slots=True)
class ByName:
    """`package_list` and each package on its own."""

    start: int = 0

    @property
    def cursor(self) -> str:
        return json.dumps({"list": self.start})


@dataclass(frozen=True, slots=True)
class Window:
    """`package_search` by date of change, of all that changed at or after `since`; None is all.

    `run` is the date of the last package read, and `run_at` where the packages of that date
    begin. Dates count in milliseconds, as the search index keeps them.
    """

    since: datetime | None = None
    start: int = 0
    run: datetime | None = None
    run_at: int = 0
    in_order: bool = True

    @property
    def cursor(self) -> str:
        return json.dumps({"from": solr_date(self.since) if self.since else "*", "start": self.start})

    @property
    def filter(self) -> str:
        """The `fq` of this window; the bounds in brackets belong to it."""
        return f"metadata_modified:[{solr_date(self.since) if self.since else '*'} TO *]"

    def is_heeded(self, packages: Sequence[Json]) -> bool:
        """Whether all packages that came belong to this window."""
        return self.since is None or not any(
            when < self.since for package in packages if (when := _in_milliseconds(package)) is not None
        )

    def after(self, packages: Sequence[Json], at: int, following: int, *, size: int) -> Window:
        """The place after a page that began `at` a start and is followed by another.

        Past `size` packages a new window begins at the last date that was read. What was read
        of that date is read again, as the index may have moved, but for one date never more
        than a page. Within one date there is no new window, and none where the portal does not
        keep the order.
        """
        run, run_at, in_order = self.run, self.run_at, self.in_order
        for index, package in enumerate(packages):
            when = _in_milliseconds(package)
            if when is not None and when != run:
                in_order = in_order and (run is None or run < when)
                run, run_at = when, at + index
        window = replace(self, start=following, run=run, run_at=run_at, in_order=in_order)
        if following < size or run is None or not in_order or (self.since is not None and run <= self.since):
            return window
        return Window(run, max(0, following - run_at - len(packages)), run, 0)


Place = ById | ByPackages | ByName | Window


def window_of_changes(since: datetime, cursor: str | None) -> Window:
    """The window of all that changed at or after a moment, read on from the cursor if that is one of its own."""
    window = Window(_floor(since.astimezone(UTC)))
    place = place_of(cursor)
    if not isinstance(place, Window) or place.since is None or window.since is None:
        return window
    return place if place.since >= window.since else window


def place_of(cursor: str | None) -> Place:
    """The place that a cursor names."""
    try:
        value = json.loads(cursor or "0")
    except (ValueError, RecursionError):
        return ById()
    if isinstance(value, dict):
        return _place_of_object(value)
    return ById(_natural(value))


def _place_of_object(value: dict[str, Json]) -> Place:
    if "list" in value:
        return ByName(_natural(value["list"]))
    if "packages" in value:
        return ByPackages(_natural(value["packages"]))
    if "from" not in value:
        return ById()
    start = _natural(value.get("start"))
    since = changed_at({"metadata_modified": value["from"]})
    if since is None and value["from"] != "*":
        return ById()
    return Window(_floor(since) if since else None, start, None, start)


def _natural(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def solr_date(moment: datetime) -> str:
    """A moment as Solr writes dates: UTC, with a Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _in_milliseconds(package: Json) -> datetime | None:
    when = changed_at(package)
    return _floor(when) if when else None


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
