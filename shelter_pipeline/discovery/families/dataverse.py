"""Datasets and files of any Dataverse installation (guides.dataverse.org, Native API and Data Access API).

Of a table that Dataverse has ingested, the depositor's original is asked for: the MD5 in
the record is the original's, and the size is that of the derived table. A published file
never changes, so the sizes of files that were not ingested, and all checksums, are promises.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, parameters, secure_site_of
from shelter_pipeline.discovery.families.answers import entries, mapping, no_record, record_of, whole, words
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, nothing_in
from shelter_pipeline.discovery.leads import Reading, Reply, To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url

FILES_A_PAGE = 1000
_DATASET = re.compile(
    r"(?:.*)/(?:dataset\.xhtml|citation|api/(?:v1/)?(?:access/dataset|datasets)/:persistentId/?)\Z",
    re.IGNORECASE,
)
_FILE = re.compile(r"(?:.*)/file\.xhtml\Z", re.IGNORECASE)
_COLLECTION = re.compile(r"/dataverse/[^/]+/?\Z", re.IGNORECASE)
_IDENTIFIER = re.compile(
    r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(?P<doi>10\.[0-9]{4,9}/[^\s&?#]{1,200})\Z", re.IGNORECASE
)
_HANDLE = re.compile(
    r"(?:https?://hdl\.handle\.net/|hdl:)(?P<handle>[0-9.]{1,20}/[^\s&?#]{1,200})\Z", re.IGNORECASE
)
_NUMBER = re.compile(r"[0-9]{1,12}\Z")
_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4})?\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Dataverse:
    """Any host that answers under Dataverse's own page names."""

    slug = "dataverse"

    def enter(self, url: Url) -> Reading | None:
        """The list of the dataset's files, or the file's own record."""
        path = unquote(url.path)
        if _FILE.match(path):
            return self._file(url)
        if _DATASET.match(path):
            return self._dataset(url)
        if _COLLECTION.match(path) and "dataverse" in name_of(url).split("."):
            return nothing_in("a dataverse is a collection of datasets, not one of them")
        return None

    def _dataset(self, url: Url) -> Reading | None:
        given = parameters(url)
        version = given.get("version", "")
        version = version if _VERSION.match(version) else ":latest-published"
        number = given.get("id", "")
        if identifier := _persistent(given.get("persistentid", "")):
            place, named = ":persistentId", f"persistentId={quote(identifier, safe=':/')}&"
        elif _NUMBER.match(number):
            place, named = number, ""
        else:
            return None
        files = f"{secure_site_of(url)}/api/datasets/{place}/versions/{version}/files"
        return asked(f"{files}?{named}limit={FILES_A_PAGE}&offset=0", self.slug, why="dataverse-files")

    def _file(self, url: Url) -> Reading | None:
        given = parameters(url)
        number = given.get("fileid", "")
        if identifier := _persistent(given.get("persistentid", "")):
            place = f":persistentId?persistentId={quote(identifier, safe=':/')}"
        elif _NUMBER.match(number):
            place = number
        else:
            return None
        return asked(f"{secure_site_of(url)}/api/files/{place}", self.slug, why="dataverse-file")

    def read(self, reply: Reply, url: Url) -> Reading:
        """The files of one part of a dataset's list, or the one file of a file's record."""
        record = mapping(record_of(reply))
        if words(record.get("status")) == "ERROR":
            raise PermanentError(f"Dataverse says: {words(record.get('message'))[:160]}", reason="not-found")
        data = record.get("data")
        found = Findings(self.slug)
        today = _today(reply)
        if isinstance(data, list):
            for item in entries(data):
                _take(found, item, secure_site_of(url), today)
            is_whole = not self._follow(found, url, len(data), whole(record.get("totalCount")))
            return found.reading(
                of="the dataset", whole=is_whole and parameters(url).get("offset", "0") == "0"
            )
        if "dataFile" not in mapping(data):
            raise no_record("a list of files of a Dataverse")
        _take(found, mapping(data), secure_site_of(url), today)
        return found.reading(of="the record")

    def _follow(self, found: Findings, url: Url, came: int, total: int | None) -> bool:
        """Ask for the next part if there is one; servers older than paging give all files at once."""
        given = parameters(url)
        offset, limit = whole(given.get("offset")), whole(given.get("limit"))
        if offset is None or not limit or came != limit or (total is not None and offset + came >= total):
            return False
        head = url.text.partition("?")[0]
        identifier = given.get("persistentid", "")
        named = f"persistentId={quote(identifier, safe=':/')}&" if identifier else ""
        found.api(f"{head}?{named}limit={limit}&offset={offset + came}", why="dataverse-files", to=To.MORE)
        return True


def _persistent(written: str) -> str:
    """The identifier as the API takes it: `doi:10.…` or `hdl:…`; empty if it is neither."""
    if match := _IDENTIFIER.match(written.strip()):
        return f"doi:{match['doi']}"
    if match := _HANDLE.match(written.strip()):
        return f"hdl:{match['handle']}"
    return ""


def _today(reply: Reply) -> str:
    """The server's own day, as embargoes are written; far in the past if it does not say."""
    try:
        return parsedate_to_datetime(reply.head.get("date") or "").date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _take(found: Findings, item: dict[str, Json], origin: str, today: str) -> None:
    file = mapping(item.get("dataFile"))
    folder = words(item.get("directoryLabel"))
    label = words(item.get("label")) or words(file.get("filename"))
    name = f"{folder}/{label}" if folder else label
    number = words(file.get("id"))
    if not _NUMBER.match(number):
        found.remark(f"{name or 'a file'} has no number and was passed over")
        return
    if item.get("restricted") is True or file.get("restricted") is True:
        found.withhold(name, "restricted")
        return
    available = words(mapping(file.get("embargo")).get("dateAvailable"))
    if _DAY.match(available) and available > today:
        found.withhold(name, f"embargoed until {available}")
        return
    ingested = bool(words(file.get("originalFileFormat")) or file.get("tabularData") is True)
    checksum = mapping(file.get("checksum"))
    found.file(
        f"{origin}/api/access/datafile/{number}" + ("?format=original" if ingested else ""),
        _original_name(folder, label, file) if ingested else name,
        why="dataverse-original" if ingested else "dataverse-file",
        size=file.get("originalFileSize") if ingested else file.get("filesize"),
        checksum=(checksum.get("type", "md5"), checksum.get("value", file.get("md5"))),
        media_type=file.get("originalFileFormat") if ingested else file.get("contentType"),
        promised=True,
        exact=not ingested,
    )


def _original_name(folder: str, label: str, file: dict[str, Json]) -> str:
    name = words(file.get("originalFileName")) or label.removesuffix(".tab")
    return f"{folder}/{name}" if folder else name
