"""What every family shares: a record read without trusting its shape, and the leads gathered from it.

A bad entry becomes a remark and ends nothing; a URL is a lead once; files that a record
withholds are counted, so that a dataset nobody may read is told from one without files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from shelter_pipeline.discovery.asset_kinds import kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.classify import Kind, classify, extension_of
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.domain.errors import PermanentError, RefusedError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url, join_url, parse_url
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.fields import LARGEST_INTEGER, Notes, clean
from shelter_pipeline.portals.fields import checksum as checksum_of
from shelter_pipeline.portals.reading import parse_json
from shelter_pipeline.portals.replies import check_reply

ACCEPT_JSON: Mapping[str, str] = MappingProxyType({"Accept": "application/json"})
LOGIN_REQUIRED = "login-required"
LANDING_PAGE_ONLY = "landing-page-only"
_REMARKS_SHOWN = 10
_LONGEST_LABEL = 200
_LONGEST_REMARK = 300
_MOST_PARAMETERS = 100
_DEFAULT_PORTS = frozenset({"80", "443"})


def record_of(reply: Reply) -> Json:
    """The JSON value of an API's reply. Raises ShelterError for a web page, an empty body, or what is no JSON."""
    check_reply(reply.head, reply.body)
    value, undecoded = parse_json(reply.body)
    return mend(value)[0] if undecoded else value


def mapping(value: Json) -> dict[str, Json]:
    """The object that belongs here; empty where something else stands."""
    return value if isinstance(value, dict) else {}


def entries(value: Json) -> list[dict[str, Json]]:
    """The objects of a list, whatever else is in it; none where no list stands."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words(value: Json) -> str:
    """A text or a whole number as storable text, stripped; empty for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) <= LARGEST_INTEGER else ""
    return clean(value, "", Notes()).strip() if isinstance(value, str) else ""


def whole(value: Json) -> int | None:
    """A count of bytes or of entries, written as a number or in digits; None for anything else."""
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) < len(str(LARGEST_INTEGER))
    ):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INTEGER:
        return value
    return None


def parameters(url: Url) -> dict[str, str]:
    """The query's parameters by name in lower case, the first of each; `;` parts them as `&` does."""
    query = urlsplit(url.text).query.replace(";", "&")
    found: dict[str, str] = {}
    for part in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        for name, value in parse_qsl(part, keep_blank_values=True):
            found.setdefault(name.lower(), value)
    return found


def name_of(url: Url) -> str:
    """The host's name without its port."""
    return url.host.rpartition(":")[0]


def origin_of(url: Url) -> str:
    """Where a site's API is asked: by https, unless the URL names a port of its own."""
    name, _, port = url.host.rpartition(":")
    return f"https://{name}" if port in _DEFAULT_PORTS else f"{url.scheme}://{url.host}"


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
        kind = kind_of_extension(extension)
        stated = None if kind else words(media_type).lower() or None
        bytes_stated = whole(size)
        self._add(
            url,
            Lead(
                url,
                To.FILE,
                why,
                label=name[:_LONGEST_LABEL],
                asset_kind=(kind.slug if kind else None) or _slug_of_media_type(stated),
                format=extension if kind else None,
                media_type=stated,
                size=bytes_stated,
                promised=promised and exact and bytes_stated is not None,
                checksum=checksum_of(*checksum, "checksum", Notes()) if promised else None,
            ),
        )

    def api(self, url: str, *, why: str, to: To = To.PAGE, label: str = "") -> None:
        """A page of the family's own API, read by the family."""
        self._add(
            url,
            Lead(url, to, why, label=label[:_LONGEST_LABEL], reader=self.family, headers=ACCEPT_JSON),
        )

    def elsewhere(self, url: str, *, why: str, label: str = "") -> None:
        """What a record links to on any host: a file or directory where the URL says so, else a page like any."""
        verdict = classify(url)
        if verdict.url is None:
            self.remark(f"{label or 'a link'} was passed over: {verdict.problem}")
            return
        to = _WHERE.get(verdict.kind, To.PAGE)
        kind = verdict.asset_kind if to is To.FILE else None
        self._add(url, Lead(url, to, why, label=label[:_LONGEST_LABEL], asset_kind=kind))

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
        digest = b""
        if leads:
            digest = hashlib.sha256("\n".join(self._leads).encode()).digest()
        outcome, detail = self._end(of) if whole and not leads else ("", "")
        return Reading(What.RECORD, leads, outcome, detail, digest, notes)

    def _end(self, of: str) -> tuple[str, str]:
        if self.withheld:
            return LOGIN_REQUIRED, f"{of} withholds every file: {self.remarks[0]}"
        return LANDING_PAGE_ONLY, f"{of} lists no file"

    def _add(self, url: str, lead: Lead) -> None:
        try:
            normal = parse_url(url).text
        except RefusedError as error:
            self.remark(f"{lead.label or 'a link'} was passed over: {error}")
            return
        self._leads.setdefault(normal, replace(lead, url=normal))


_WHERE = {Kind.FILE: To.FILE, Kind.ARCHIVE: To.FILE, Kind.DIRECTORY: To.DIRECTORY}


def _slug_of_media_type(media_type: str | None) -> str | None:
    kind = kind_of_media_type(media_type)
    return kind.slug if kind else None


def one_api_page(family: str, url: str, *, why: str) -> Reading:
    """The reading of a URL behind which one page of the family's API tells the files."""
    found = Findings(family)
    found.api(url, why=why)
    return found.reading(of=url)


def one_file(url: str, *, why: str) -> Reading:
    """The reading of a URL that is a file by the family's rule, whatever its path ends in."""
    return Reading(What.RECORD, (Lead(parse_url(url).text, To.FILE, why),))


def settled(outcome: str, detail: str, *, what: What = What.LANDING) -> Reading:
    """A place that leads to no file, by its URL or its record alone."""
    return Reading(what, (), outcome, detail)


def no_record(what: str) -> PermanentError:
    """The error of a reply that is JSON and not what was asked for."""
    return PermanentError(f"the answer is not {what}", reason="wrong-type")


def same_place(url: str, base: str) -> bool:
    """Whether an API's own link to its next part stays on the page that was asked: same site, same path."""
    try:
        one, other = join_url(base, url), parse_url(base)
    except RefusedError:
        return False
    return (one.scheme, one.host, one.path.rstrip("/")) == (other.scheme, other.host, other.path.rstrip("/"))
