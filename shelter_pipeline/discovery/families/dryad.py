"""Datasets of Dryad (datadryad.org, API v2).

Versions never change, so sizes and digests are promises. Dryad hands its files out to
clients with an account only: they are listed all the same, so that what is missing is known.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, same_place
from shelter_pipeline.discovery.families.answers import entries, mapping, no_record, record_of, words
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led
from shelter_pipeline.discovery.leads import Reading, Reply, To
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url, join_url

HOME = "https://datadryad.org"
_HOSTS = frozenset({"datadryad.org", "www.datadryad.org"})
_DATASET = re.compile(
    r"/(?:stash/|api/v2/)?datasets?/doi:(?P<doi>10\.[0-9]{4,9}/[^\s/]{1,200})/?\Z", re.IGNORECASE
)
_FILE = re.compile(
    r"/(?:(?:stash/)?downloads/(?:file_stream|download_resource)/[0-9]{1,12}|api/v2/files/[0-9]{1,12}/download)\Z"
)
_VERSION = re.compile(r"(?:https://datadryad\.org)?/api/v2/versions/(?P<id>[0-9]{1,12})/?\Z")
_FILE_LINK = re.compile(r"(?:https://datadryad\.org)?/api/v2/files/(?P<id>[0-9]{1,12})(?:/download)?/?\Z")


class Dryad:
    """The latest published version of a dataset, and its files."""

    slug = "dryad"

    def enter(self, url: Url) -> Reading | None:
        """The dataset's API page; a file at once."""
        if name_of(url) not in _HOSTS:
            return None
        path = unquote(url.path)
        if _FILE.match(path):
            return led(file_lead(url.text, why="dryad-file"))
        if match := _DATASET.match(path):
            page = f"{HOME}/api/v2/datasets/{quote('doi:' + match['doi'], safe='')}"
            return asked(page, self.slug, why="dryad-dataset")
        return None

    def read(self, reply: Reply, url: Url) -> Reading:
        """The version of a dataset, or the files of one part of a version's list."""
        record = mapping(record_of(reply))
        found = Findings(self.slug)
        links = mapping(record.get("_links"))
        held = mapping(record.get("_embedded")).get("stash:files")
        if isinstance(held, list):
            for item in entries(held):
                _take(found, item)
            following = _address(links, "next")
            if following and same_place(following, url.text):
                found.api(join_url(url.text, following).text, why="dryad-files", to=To.MORE)
            return found.reading(of="the version", whole=not following and "page=" not in url.text)
        version = _VERSION.match(_address(links, "stash:version"))
        if version is None:
            raise no_record("a dataset of Dryad")
        found.api(f"{HOME}/api/v2/versions/{version['id']}/files", why="dryad-files", to=To.MORE)
        return found.reading(of="the dataset")


def _address(links: dict[str, Json], name: str) -> str:
    return words(mapping(links.get(name)).get("href"))


def _take(found: Findings, item: dict[str, Json]) -> None:
    name = words(item.get("path"))
    if words(item.get("status")) == "deleted":
        return
    links = mapping(item.get("_links"))
    match = _FILE_LINK.match(_address(links, "stash:download")) or _FILE_LINK.match(_address(links, "self"))
    if match is None:
        found.remark(f"{name or 'a file'} has no number and was passed over")
        return
    found.file(
        f"{HOME}/api/v2/files/{match['id']}/download",
        name,
        why="dryad-file",
        size=item.get("size"),
        checksum=(item.get("digestType"), item.get("digest")),
        media_type=item.get("mimeType"),
        promised=True,
    )
