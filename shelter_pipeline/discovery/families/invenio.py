"""Zenodo, and other repositories that run InvenioRDM with the same API.

A record is one published version and its files never change, so sizes and MD5 sums are
promises. A concept (all versions of a record) redirects to the record of the latest.
Zenodo REST API, developers.zenodo.org; InvenioRDM REST API, inveniordm.docs.cern.ch.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, same_place
from shelter_pipeline.discovery.families.answers import entries, mapping, no_record, record_of, words
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led, nothing_in
from shelter_pipeline.discovery.leads import Reading, Reply, To
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url, join_url, parse_url

_SITES = {
    "zenodo.org": "zenodo.org",
    "www.zenodo.org": "zenodo.org",
    "data.caltech.edu": "data.caltech.edu",
    "authors.library.caltech.edu": "authors.library.caltech.edu",
    "repository.cern": "repository.cern",
    "researchdata.tuwien.ac.at": "researchdata.tuwien.ac.at",
    "repository.tugraz.at": "repository.tugraz.at",
}
_ID = r"(?P<id>[0-9]{1,12}|[a-z0-9]{5}-[a-z0-9]{5})"
_RECORD = re.compile(rf"/(?:api/)?(?:records?|deposit|uploads)/{_ID}(?:/latest)?/?\Z")
_FILE = re.compile(rf"/records?/{_ID}/(?:files|preview)/(?P<name>[^/]+)\Z")
_CONTENT = re.compile(rf"/api/records/{_ID}/(?:files/[^/]+/content|files-archive)\Z")
_OF_DOI = re.compile(r"/doi/10\.5281/zenodo\.(?P<id>[0-9]{1,12})/?\Z", re.IGNORECASE)
_COMMUNITY = re.compile(r"/communities/[^/]+")
_WHOLE_ID = re.compile(rf"{_ID}\Z")
_ID_IN_API = re.compile(rf"/api/records/{_ID}(?:/|\Z)")
_CLOSED = frozenset({"restricted", "embargoed", "closed"})


class Invenio:
    """Records of InvenioRDM; Zenodo answers in its older form, which is read as well."""

    slug = "zenodo"

    def enter(self, url: Url) -> Reading | None:
        """The record's API page; a file within a record at once."""
        site = _SITES.get(name_of(url))
        if site is None:
            return None
        path = unquote(url.path)
        if match := _FILE.match(path):
            name = quote(match["name"], safe="")
            return led(
                file_lead(f"https://{site}/records/{match['id']}/files/{name}?download=1", why="zenodo-file")
            )
        if _CONTENT.match(path):
            return led(file_lead(url.text, why="zenodo-file"))
        if match := _RECORD.match(path) or _OF_DOI.match(path):
            return asked(f"https://{site}/api/records/{match['id']}", self.slug, why="zenodo-record")
        if _COMMUNITY.match(path):
            return nothing_in("a community is a collection of records, not one of them")
        return None

    def read(self, reply: Reply, url: Url) -> Reading:
        """The files of a record, or of the listing of a record's files."""
        record = mapping(record_of(reply))
        asked = _ID_IN_API.match(parse_url(reply.final_url).path) or _ID_IN_API.match(url.path)
        own = _WHOLE_ID.match(words(record.get("id")))
        identity = own["id"] if own else (asked["id"] if asked else "")
        if not identity or not _is_record(record):
            raise no_record("a record of InvenioRDM")
        found = Findings(self.slug)
        home = f"https://{_SITES.get(name_of(url), 'zenodo.org')}/api/records/{identity}"
        if closed := _closed(record):
            found.withhold("the record", closed)
            return found.reading(of="the record")
        for item in _files(record):
            _take(found, item, home)
        listed = isinstance(record.get("entries"), list)
        _follow(found, record, home, listed=listed)
        return found.reading(of="the record", whole=not listed)


def _is_record(record: dict[str, Json]) -> bool:
    return any(key in record for key in ("metadata", "files", "entries"))


def _closed(record: dict[str, Json]) -> str:
    """Why a record's files are withheld, in words; empty for an open one."""
    access = mapping(record.get("access"))
    metadata = mapping(record.get("metadata"))
    right = words(access.get("status")) or words(metadata.get("access_right"))
    if right not in _CLOSED and words(access.get("files")) != "restricted":
        return ""
    until = words(mapping(access.get("embargo")).get("until")) or words(metadata.get("embargo_date"))
    return f"{right or 'restricted'}" + (f" until {until}" if until else "")


def _files(record: dict[str, Json]) -> list[dict[str, Json]]:
    """The files' entries: a list in Zenodo's older form and in listings, an object by name in records."""
    held = record.get("files")
    inner = record.get("entries") if "entries" in record else mapping(held).get("entries")
    if isinstance(held, list):
        return entries(held)
    if isinstance(inner, dict):
        return [{"key": key, **mapping(item)} for key, item in inner.items()]
    return entries(inner)


def _take(found: Findings, item: dict[str, Json], home: str) -> None:
    name = words(item.get("key")) or words(item.get("filename"))
    if not name:
        found.remark("a file without a name was passed over")
        return
    if words(item.get("status")) not in ("", "completed"):
        found.remark(f"{name} is not whole at its repository")
        return
    found.file(
        f"{home}/files/{quote(name, safe='')}/content",
        name,
        why="zenodo-file",
        size=item.get("size", item.get("filesize")),
        checksum=(None, item.get("checksum")),
        media_type=item.get("mimetype"),
        promised=True,
    )


def _follow(found: Findings, record: dict[str, Json], home: str, *, listed: bool) -> None:
    """Ask for the list of files where the record only says that there are some, and for its next part."""
    files = mapping(record.get("files"))
    if not listed and "entries" not in files and files.get("enabled"):
        found.api(f"{home}/files", why="zenodo-files", to=To.MORE)
    following = words(mapping(record.get("links")).get("next"))
    if listed and following and same_place(following, f"{home}/files"):
        found.api(join_url(f"{home}/files", following).text, why="zenodo-files", to=To.MORE)
