"""Items of USGS ScienceBase and the items below them (www.sciencebase.gov, Catalog API).

An item's files stand in its record and in its facets. Items below are asked for a hundred
at once with their files, so that a collection costs one request a hundred items. A stored
file is named by where it lies on disk, and another upload lies elsewhere: what its record
says of it is a promise wherever it has a checksum.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from shelter_pipeline.discovery.families.addresses import name_of, parameters
from shelter_pipeline.discovery.families.answers import (
    entries,
    mapping,
    no_record,
    record_of,
    whole,
    words,
)
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led
from shelter_pipeline.discovery.leads import Reading, Reply, To
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url

HOME = "https://www.sciencebase.gov"
ITEMS_A_PAGE = 100
_FIELDS = "title,files,facets,webLinks,distributionLinks,hasChildren"
_HOSTS = frozenset({"www.sciencebase.gov", "sciencebase.gov"})
_ITEM = re.compile(r"/catalog/(?:item|folder)/(?P<id>[0-9a-f]{24})/?\Z")
_FILE = re.compile(r"/catalog/file/get/[0-9a-f]{24}\Z")
_LIST = "/catalog/items"
_ID = re.compile(r"[0-9a-f]{24}\Z")


class ScienceBase:
    """Catalogue items, whole and as parts of another."""

    slug = "sciencebase"

    def enter(self, url: Url) -> Reading | None:
        """The item's record; an attached file at once."""
        if name_of(url) not in _HOSTS:
            return None
        path = unquote(url.path)
        if _FILE.match(path):
            return led(file_lead(url.text, why="sciencebase-file"))
        if match := _ITEM.match(path):
            page = f"{HOME}/catalog/item/{match['id']}?format=json"
            return asked(page, self.slug, why="sciencebase-item")
        parent = parameters(url).get("parentid", "")
        if path.rstrip("/") == _LIST and _ID.match(parent):
            return asked(_children_page(parent, 0), self.slug, why="sciencebase-children")
        return None

    def read(self, reply: Reply, url: Url) -> Reading:
        """The files of an item, or of the items of one part of a list."""
        record = mapping(record_of(reply))
        found = Findings(self.slug)
        if url.path == _LIST:
            if not isinstance(record.get("items"), list):
                raise no_record("a list of items of ScienceBase")
            for item in entries(record["items"]):
                _take_item(found, item)
            is_whole = not _follow(found, record, url)
            return found.reading(of="the list", whole=is_whole and parameters(url).get("offset") == "0")
        if not _ID.match(words(record.get("id"))):
            raise no_record("an item of ScienceBase")
        _take_item(found, record)
        return found.reading(of="the item")


def _children_page(parent: str, offset: int) -> str:
    return f"{HOME}{_LIST}?parentId={parent}&format=json&max={ITEMS_A_PAGE}&offset={offset}&fields={_FIELDS}"


def _take_item(found: Findings, item: dict[str, Json]) -> None:
    files = [*entries(item.get("files"))]
    for facet in entries(item.get("facets")):
        files.extend(entries(facet.get("files")))
    for file in files:
        _take_file(found, file)
    for link in entries(item.get("webLinks")):
        if words(link.get("type")).lower() == "download" and link.get("hidden") is not True:
            _take_link(found, link)
    for link in entries(item.get("distributionLinks")):
        # The bundle of an item's files says nothing that the files do not.
        if words(link.get("type")) == "downloadLink" and not (files and _is_bundle(link)):
            _take_link(found, link)
    identity = words(item.get("id"))
    if item.get("hasChildren") is True and _ID.match(identity):
        found.api(_children_page(identity, 0), why="sciencebase-children", label=words(item.get("title")))


def _take_file(found: Findings, file: dict[str, Json]) -> None:
    checksum = mapping(file.get("checksum"))
    found.file(
        words(file.get("downloadUri")) or words(file.get("url")),
        words(file.get("name")) or words(file.get("title")),
        why="sciencebase-file",
        size=file.get("size"),
        checksum=(checksum.get("type"), checksum.get("value")),
        media_type=file.get("contentType"),
        promised=bool(words(checksum.get("value"))),
    )


def _is_bundle(link: dict[str, Json]) -> bool:
    return "/catalog/file/get/" in words(link.get("uri"))


def _take_link(found: Findings, link: dict[str, Json]) -> None:
    label = words(link.get("title")) or words(link.get("name"))
    if _is_bundle(link):
        found.file(words(link.get("uri")), words(link.get("name")) or label, why="sciencebase-bundle")
    else:
        found.elsewhere(words(link.get("uri")), why="sciencebase-link", label=label)


def _follow(found: Findings, record: dict[str, Json], url: Url) -> bool:
    """Ask for the next part of a list while its own count says that there is one."""
    given = parameters(url)
    parent, offset = given.get("parentid", ""), whole(given.get("offset"))
    came, total = len(record["items"]), whole(record.get("total"))
    if offset is None or not came or not _ID.match(parent):
        return False
    if offset + came >= total if total is not None else came < ITEMS_A_PAGE:
        return False
    found.api(_children_page(parent, offset + came), why="sciencebase-children", to=To.MORE)
    return True
