"""The leads gathered from one record: a bad entry becomes a remark and ends nothing, and a URL is a lead once.

Files that a record withholds are counted, so that a dataset nobody may read is told from
one without files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from shelter_pipeline.discovery.asset_kinds import kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.classify import Kind, classify, extension_of
from shelter_pipeline.discovery.families.answers import ACCEPT_JSON, shown, whole, words
from shelter_pipeline.discovery.families.readings import LANDING_PAGE_ONLY, LOGIN_REQUIRED
from shelter_pipeline.discovery.leads import Lead, Reading, To, What
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.portals.fields import Notes
from shelter_pipeline.portals.fields import checksum as checksum_of

_REMARKS_SHOWN = 10
_LONGEST_REMARK = 300
_WHERE = {Kind.FILE: To.FILE, Kind.ARCHIVE: To.FILE, Kind.DIRECTORY: To.DIRECTORY}


@dataclass(slots=True)
class Findings:
    """What one record gives. `family` reads the pages of its own API; other pages tell themselves."""

    family: str
    remarks: list[str] = field(default_factory=list)
    withheld: int = 0
    _leads: dict[str, Lead] = field(default_factory=dict)

    def file(
        self,
        url: str,
        name: str,
        *,
        why: str,
        size: Json = None,
        checksum: tuple[Json, Json] = (None, None),
        media_type: Json = None,
        promised: bool = False,
        exact: bool = True,
    ) -> None:
        """A file by its name in the record; `checksum` is an algorithm and its hex digits.

        `promised` stands for records of versions that never change: only their sizes and
        checksums may be held against what arrives, and of sizes only the `exact` ones. A media
        type counts where the name tells nothing: depositors' browsers call a CSV an Excel file.
        """
        extension = (extension_of("/" + name.replace("?", "_")) or "").lower()
        named = kind_of_extension(extension)
        stated = None if named else words(media_type).lower() or None
        kind = named or kind_of_media_type(stated)
        bytes_stated = whole(size)
        self.take(
            Lead(
                url,
                To.FILE,
                why,
                shown(name),
                asset_kind=kind.slug if kind else None,
                format=extension if named else None,
                media_type=stated,
                size=bytes_stated,
                promised=promised and exact and bytes_stated is not None,
                checksum=checksum_of(*checksum, "checksum", Notes()) if promised else None,
            )
        )

    def api(self, url: str, *, why: str, to: To = To.PAGE, label: str = "") -> None:
        """A page of the family's own API, read by the family."""
        self.take(Lead(url, to, why, shown(label), reader=self.family, headers=ACCEPT_JSON))

    def elsewhere(self, url: str, *, why: str, label: str = "") -> None:
        """What a record links to on any host: a file or directory where the URL says so, else a page like any."""
        verdict = classify(url)
        if verdict.url is None:
            self.remark(f"{label or 'a link'} was passed over: {verdict.problem}")
            return
        to = _WHERE.get(verdict.kind, To.PAGE)
        kind = verdict.asset_kind if to is To.FILE else None
        self.take(Lead(url, to, why, shown(label), asset_kind=kind))

    def take(self, lead: Lead) -> None:
        """A lead as it is, if its URL is one that may be asked for."""
        try:
            normal = parse_url(lead.url).text
        except RefusedError as error:
            self.remark(f"{lead.label or 'a link'} was passed over: {error}")
            return
        self._leads.setdefault(normal, lead if normal == lead.url else replace(lead, url=normal))

    def withhold(self, name: str, why: str) -> None:
        """A file that the record says nobody gets without an account, or not yet."""
        self.withheld += 1
        self.remark(f"{name or 'a file'} is {why}")

    def remark(self, text: str) -> None:
        """Something passed over, in words; only the first are kept."""
        if len(self.remarks) <= _REMARKS_SHOWN:
            self.remarks.append(text[:_LONGEST_REMARK])

    def reading(self, *, of: str, whole: bool = True) -> Reading:
        """The page's reading. `of` names the record in words; a part of a listing (not `whole`) settles nothing."""
        leads = tuple(self._leads.values())
        notes = tuple(self.remarks[:_REMARKS_SHOWN])
        if len(self.remarks) > _REMARKS_SHOWN:
            notes = (*notes, "and more of the kind")
        digest = hashlib.sha256("\n".join(self._leads).encode()).digest() if leads else b""
        outcome, detail = self._end(of) if whole and not leads else ("", "")
        return Reading(What.RECORD, leads, outcome, detail, digest, notes)

    def _end(self, of: str) -> tuple[str, str]:
        if self.withheld:
            return LOGIN_REQUIRED, f"{of} withholds every file: {self.remarks[0]}"
        return LANDING_PAGE_ONLY, f"{of} lists no file"
