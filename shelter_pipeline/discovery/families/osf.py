"""Projects, registrations and files of the Open Science Framework (api.osf.io, APIv2, JSON:API).

Only what lies in OSF's own storage is listed; storage that a project links from elsewhere
is not. A project's files may be replaced at any time, so nothing of them is promised.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import name_of, same_place
from shelter_pipeline.discovery.families.answers import entries, mapping, no_record, record_of, words
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led, nothing_in
from shelter_pipeline.discovery.leads import Reading, Reply, To
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url, join_url

API = "https://api.osf.io/v2"
PAGE = "page[size]=100"
# OSF's identifiers leave out the characters that are mistaken for others.
_GUID = r"[23456789abcdefghjkmnpqrstuvwxyz]{5}"
_PLACE = re.compile(
    rf"/(?:project/)?(?P<id>{_GUID})(?:/(?:files|wiki|overview|registrations|metadata)(?:/osfstorage)?)?/?\Z"
)
_DOWNLOAD = re.compile(rf"/(?:download/)?(?P<id>{_GUID})(?:/download)?/?\Z")
_NODE = re.compile(rf"{_GUID}\Z")
_STORAGE = re.compile(
    rf"(?P<home>/v2/(?:nodes|registrations)/{_GUID}/files/osfstorage/)(?:[0-9a-f]{{24}}/)?\Z"
)
_STORED = re.compile(r"(?:[0-9a-f]{24}|[a-z0-9]{5})\Z")
_WITH_STORAGE = frozenset({"nodes", "registrations"})


class Osf:
    """What an identifier of OSF stands for, and the folders and files below it."""

    slug = "osf"

    def enter(self, url: Url) -> Reading | None:
        """The page that tells what the identifier stands for; a download at once."""
        if name_of(url) not in ("osf.io", "www.osf.io"):
            return None
        if (match := _DOWNLOAD.match(url.path)) and "download" in url.path:
            return led(file_lead(f"https://osf.io/download/{match['id']}/", why="osf-file"))
        if match := _PLACE.match(url.path):
            return asked(f"{API}/guids/{match['id']}/?resolve=false", self.slug, why="osf-guid")
        return None

    def read(self, reply: Reply, url: Url) -> Reading:
        """What an identifier stands for, one part of a folder, or the components of a project."""
        record = mapping(record_of(reply))
        data = record.get("data")
        found = Findings(self.slug)
        if isinstance(data, list):
            storage = _STORAGE.match(url.path)
            for item in entries(data):
                if storage:
                    _take_stored(found, item, storage["home"])
                else:
                    _take_node(found, words(item.get("type")), words(item.get("id")))
            followed = _follow(found, record, url)
            return found.reading(of="the folder", whole=not followed and "page=" not in url.text)
        item = mapping(data)
        if words(item.get("type")) == "files":
            _take_file(found, item)
            return found.reading(of="the record")
        referent = mapping(mapping(mapping(item.get("relationships")).get("referent")).get("data"))
        kind, identity = words(referent.get("type")), words(referent.get("id"))
        if not kind or not _STORED.match(identity):
            raise no_record("an identifier of OSF")
        if kind == "files":
            found.api(f"{API}/files/{identity}/", why="osf-file-record", to=To.MORE)
        elif kind in _WITH_STORAGE:
            _take_node(found, kind, identity)
        else:
            return nothing_in(f"the identifier stands for {kind} of OSF")
        return found.reading(of="the record")


def _take_node(found: Findings, kind: str, identity: str) -> None:
    """A project, component or registration: its storage, and the components below it."""
    if kind not in _WITH_STORAGE or not _NODE.match(identity):
        found.remark("a component without an identifier was passed over")
        return
    found.api(f"{API}/{kind}/{identity}/files/osfstorage/?{PAGE}", why="osf-storage")
    found.api(f"{API}/{kind}/{identity}/children/?{PAGE}", why="osf-components")


def _take_stored(found: Findings, item: dict[str, Json], home: str) -> None:
    attributes = mapping(item.get("attributes"))
    identity = words(item.get("id"))
    if words(attributes.get("kind")) != "folder":
        _take_file(found, item)
    elif _STORED.match(identity):
        name = words(attributes.get("name"))
        found.api(
            f"https://api.osf.io{home}{identity}/?{PAGE}", why="osf-folder", to=To.DIRECTORY, label=name
        )
    else:
        found.remark("a folder without an identifier was passed over")


def _take_file(found: Findings, item: dict[str, Json]) -> None:
    attributes = mapping(item.get("attributes"))
    identity = words(item.get("id"))
    name = words(attributes.get("materialized_path")).lstrip("/") or words(attributes.get("name"))
    if not _STORED.match(identity):
        found.remark(f"{name or 'a file'} has no identifier and was passed over")
        return
    found.file(f"https://osf.io/download/{identity}/", name, why="osf-file", size=attributes.get("size"))


def _follow(found: Findings, record: dict[str, Json], url: Url) -> bool:
    following = words(mapping(record.get("links")).get("next"))
    if not following or not same_place(following, url.text):
        return False
    found.api(join_url(url.text, following).text, why="osf-more", to=To.MORE)
    return True
