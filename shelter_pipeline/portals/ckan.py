"""Any CKAN portal through its Action API, version 3, and what imitates it (DKAN).

The driver keeps nothing between calls. A portal is read by its search where it has one
(`ckan_crawl`), else by its lists (`ckan_lists`); a cursor says in which way and where.

https://docs.ckan.org/en/2.11/api/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.records import Json, Listing, Page, Witness
from shelter_pipeline.portals.ckan_actions import (
    ActionError,
    Actions,
    NotListedError,
    is_missing,
)
from shelter_pipeline.portals.ckan_crawl import SearchCrawl
from shelter_pipeline.portals.ckan_lists import by_name, by_packages
from shelter_pipeline.portals.ckan_places import ById, ByName, ByPackages, Window, place_of, window_of_changes
from shelter_pipeline.portals.ckan_search import Found, search, show
from shelter_pipeline.portals.ckan_witness import witnesses_of
from shelter_pipeline.portals.reading import PageReader

_FEW = 10


class CkanPortal:
    """A CKAN portal at its base URL, whatever path it stands under."""

    kind = "ckan"
    reads_changes = True

    def __init__(self, url: str, reader: PageReader, *, window_packages: int = 50_000) -> None:
        """`window_packages` is how deep one window is paged into, in packages."""
        self.url = url.rstrip("/")
        self._actions = Actions(self.url, reader)
        self._crawl = SearchCrawl(self._actions, window_packages)

    def witnesses(self) -> tuple[Witness, ...]:
        """The search index's count, by organization too, and the organizations with their own counts.

        Raises ShelterError when none of them answers.
        """
        return witnesses_of(self._actions)

    def pages(self, cursor: str | None = None, *, since: datetime | None = None) -> Iterator[Page]:
        """Every package, or with `since` those whose `metadata_modified` is not before it.

        Packages may come twice where windows meet. Raises TransientError when pages only repeat
        themselves although the count promises more, and PermanentError when the portal cannot
        be asked for changes.
        """
        if since is not None:
            return self._crawl.changes(window_of_changes(since, cursor))
        place = place_of(cursor)
        if isinstance(place, Window):
            return self._crawl.by_window(place)
        if isinstance(place, ByPackages):
            return by_packages(self._actions, place)
        if isinstance(place, ByName):
            return by_name(self._actions, place)
        return self._from_the_search_or_lists(place, may_window=cursor is None)

    def identities(self) -> Iterator[Listing]:
        """The id of every package, by a second pass through the search; nothing where there is none."""
        return self._crawl.identities()

    def look_up(self, identifier: str) -> Page | None:
        """The package of this id; None when it is deleted, or the public may not see it any more."""
        try:
            found = show(self._actions, identifier)
        except NotListedError:
            return None
        except ShelterError as error:
            if not is_missing(error):
                raise
            # Not CKAN's own word on the package: perhaps nobody is there to show any.
            found = self._searched_for(identifier, error)
        if not found.packages or found.packages[0].get("state") == "deleted":
            return None
        return self._page_of_one(found, identifier)

    def source_record_url(self, raw: dict[str, Json]) -> str | None:  # noqa: ARG002
        """None: CKAN's own package is the record that is kept."""
        return None

    def _searched_for(self, identifier: str, no_show: ShelterError) -> Found:
        """The package by the search. Raises `no_show` where that cannot say whether it is there either."""
        quoted = '"' + identifier.replace("\\", "\\\\").replace('"', '\\"') + '"'
        try:
            found = search(self._actions, fq=f"id:{quoted} OR name:{quoted}", rows=_FEW)
        except ShelterError:
            raise no_show from None
        of_it = [
            package
            for package in found.packages
            if isinstance(package, dict) and identifier in (package.get("id"), package.get("name"))
        ]
        if not of_it and (found.packages or found.total != 0):
            raise no_show
        return replace(found, packages=of_it)

    def _page_of_one(self, found: Found, identifier: str) -> Page:
        (record,) = found.records(0)
        if identifier not in (record.identifier, found.packages[0].get("name")):
            raise ActionError(
                f"{found.url} could not be read: the package that came is {record.identifier!r}",
                reason="wrong-type",
            )
        return Page((record,), None, found.requests, max(found.dates(), default=None))

    def _from_the_search_or_lists(self, place: ById, *, may_window: bool) -> Iterator[Page]:
        pages = self._crawl.by_id(place, may_window=may_window)
        try:
            first = next(pages)
        except PermanentError as error:
            if place.start or not is_missing(error):
                raise
            yield from self._from_lists(error)
            return
        yield first
        yield from pages

    def _from_lists(self, no_search: PermanentError) -> Iterator[Page]:
        """Everything without a search. Raises `no_search` when there is no list either."""
        for pages in (by_packages(self._actions, ByPackages()), by_name(self._actions, ByName())):
            try:
                first = next(pages)
            except PermanentError:
                continue
            yield first
            yield from pages
            return
        raise no_search
