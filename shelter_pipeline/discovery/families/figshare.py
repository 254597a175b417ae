"""Figshare and its institutional portals (docs.figshare.com, API v2).

A version of an article never changes, and an article's number stands for its latest
version. The record itself may show the first ten files only; more are asked for in a list.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import name_of, parameters
from shelter_pipeline.discovery.families.answers import entries, mapping, no_record, record_of, whole, words
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led
from shelter_pipeline.discovery.leads import Reading, Reply, To
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url

API = "https://api.figshare.com/v2"
PAGE_SIZE = 1000
# Portals of institutions have hosts of their own too; the numbers are one for all.
_HOSTS = frozenset({"figshare.com", "agdatacommons.nal.usda.gov"})
_SHOWN_IN_RECORD = 10  # the default size of a page of files
# A title may stand before the number, and look like one: numbers have five digits or more, versions fewer.
_ARTICLE = re.compile(r"/articles/(?:[^/]+/){0,2}?(?P<id>[0-9]{4,12})(?:/(?P<version>[0-9]{1,3}))?/?\Z")
_COLLECTION = re.compile(r"/collections/(?:[^/]+/)??(?P<id>[0-9]{4,12})(?:/[0-9]{1,3})?/?\Z")
_FILE = re.compile(r"/(?:ndownloader/)?files/[0-9]{1,12}\Z")
_ARCHIVE = re.compile(r"/ndownloader/articles/[0-9]{1,12}/versions/[0-9]{1,3}\Z")
_API_ARTICLE = re.compile(r"/v2/articles/[0-9]{1,12}(?:/versions/[0-9]{1,3})?\Z")
_API_FILES = re.compile(r"/v2/articles/[0-9]{1,12}(?:/versions/[0-9]{1,3})?/files\Z")
_API_COLLECTION = re.compile(r"/v2/collections/[0-9]{1,12}/articles\Z")


class Figshare:
    """Articles, their versions, and collections of articles."""

    slug = "figshare"

    def enter(self, url: Url) -> Reading | None:
        """The article's or collection's API page; a file at once."""
        name = name_of(url)
        if name not in _HOSTS and not name.endswith(".figshare.com"):
            return None
        if _FILE.match(url.path) or _ARCHIVE.match(url.path):
            return led(file_lead(url.text, why="figshare-file"))
        if name == "api.figshare.com":
            return self._of_api(url)
        if match := _ARTICLE.search(url.path):
            version = f"/versions/{match['version']}" if match["version"] else ""
            return asked(f"{API}/articles/{match['id']}{version}", self.slug, why="figshare-article")
        if match := _COLLECTION.search(url.path):
            page = f"{API}/collections/{match['id']}/articles?page=1&page_size={PAGE_SIZE}"
            return asked(page, self.slug, why="figshare-collection")
        return None

    def _of_api(self, url: Url) -> Reading | None:
        if _API_ARTICLE.match(url.path):
            return asked(f"https://api.figshare.com{url.path}", self.slug, why="figshare-article")
        return None

    def read(self, reply: Reply, url: Url) -> Reading:
        """The files of an article or of a part of its list, or the articles of a part of a collection."""
        value = record_of(reply)
        found = Findings(self.slug)
        if _API_COLLECTION.match(url.path) and isinstance(value, list):
            for item in entries(value):
                number = whole(item.get("id"))
                if number is None:
                    found.remark("an article without a number was passed over")
                    continue
                found.api(f"{API}/articles/{number}", why="figshare-article", label=words(item.get("title")))
            return found.reading(
                of="the collection", whole=not _follow(found, url, len(value), "figshare-collection")
            )
        if _API_FILES.match(url.path) and isinstance(value, list):
            for item in entries(value):
                _take(found, item)
            _follow(found, url, len(value), "figshare-files")
            return found.reading(of="the article", whole=False)
        article = mapping(value)
        if "files" not in article:
            raise no_record("an article of Figshare")
        return _read_article(found, article, url)


def _read_article(found: Findings, article: dict[str, Json], url: Url) -> Reading:
    if closed := _closed(article):
        found.withhold("the article", closed)
        return found.reading(of="the record")
    files = entries(article.get("files"))
    if len(files) < _SHOWN_IN_RECORD:
        for item in files:
            _take(found, item)
    else:
        found.api(
            f"https://api.figshare.com{url.path.rstrip('/')}/files?page=1&page_size={PAGE_SIZE}",
            why="figshare-files",
            to=To.MORE,
        )
    return found.reading(of="the article")


def _closed(article: dict[str, Json]) -> str:
    if article.get("is_confidential") is True:
        return "confidential"
    if article.get("is_embargoed") is True:
        until = words(article.get("embargo_date"))
        return "embargoed" + (f" until {until}" if until else "")
    return ""


def _take(found: Findings, item: dict[str, Json]) -> None:
    name, address = words(item.get("name")), words(item.get("download_url"))
    if item.get("is_link_only") is True:
        found.elsewhere(address, why="figshare-link", label=name)
        return
    found.file(
        address,
        name,
        why="figshare-file",
        size=item.get("size"),
        checksum=("md5", item.get("computed_md5") or item.get("supplied_md5")),
        media_type=item.get("mimetype"),
        promised=True,
    )


def _follow(found: Findings, url: Url, came: int, why: str) -> bool:
    """Ask for the next page after a full one: the API gives no count."""
    given = parameters(url)
    page, size = whole(given.get("page")), whole(given.get("page_size"))
    if not page or not size or came < size:
        return False
    following = f"https://api.figshare.com{url.path}?page={page + 1}&page_size={size}"
    found.api(following, why=why, to=To.MORE)
    return True
