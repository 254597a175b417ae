"""Any CKAN portal through its Action API, version 3, and what imitates it (DKAN).

`package_search` is read by `sort=id asc`, because the default order moves while it is
read. CKAN cuts `rows` without a word and drops broken index entries from a page, so the
next start is what was received, and only an empty or repeated page past the count is the end.

https://docs.ckan.org/en/2.11/api/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Json, OrganizationRecord, Page, Refusal, Witness
from shelter_pipeline.portals.assembling import assemble
from shelter_pipeline.portals.ckan_record import ckan_organization, ckan_record
from shelter_pipeline.portals.fields import Notes, count
from shelter_pipeline.portals.progress import Progress
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline.portals.replies import message_in

ROWS = 1000
ORGANIZATIONS_A_PAGE = 1000
MOST_ORGANIZATIONS = 100_000
_FIRST_STEP_OVER_A_GAP = 100
_MOST_EMPTY_PAGES = 50
_API_SUFFIX = re.compile(r"/api(/3)?(/action)?\Z")
# "Search Error" is the search index being away; the other failures are about what was asked.
_PASSING = re.compile(
    r"search (index|connection)|search error|timed? ?out|server error|connection", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Found:
    """One answer of `package_search`: its records, and how many there are said to be in all."""

    results: list[Any]
    total: int | None
    undecoded: bool
    requests: int


class CkanPortal:
    """A CKAN portal at its base URL, whatever path it stands under."""

    kind = "ckan"

    def __init__(self, url: str, reader: PageReader) -> None:
        self.url = url.rstrip("/")
        self._actions = _API_SUFFIX.sub("", self.url) + "/api/3/action"
        self._reader = reader

    def witness(self) -> Witness:
        """The search index's own count, and the organizations with their package counts."""
        url, total, by_facet = self._counts()
        organizations, claimed = self._organizations()
        return Witness(url, total, by_facet or claimed, organizations)

    def pages(self, cursor: str | None = None) -> Iterator[Page]:
        """Every package once, by id; the cursor is the next start.

        Raises TransientError when pages only repeat themselves although the count promises more.
        """
        start = int(cursor) if cursor and cursor.isdecimal() else 0
        progress = Progress(f"{self._actions}/package_search")
        step, empty = 0, 0
        while True:
            found = self._search(start)
            received = len(found.results)
            records = [
                assemble(ckan_record, package, start + index, undecoded=found.undecoded)
                for index, package in enumerate(found.results)
            ]
            new = progress.new_among(records)
            if not new and (found.total is None or start >= found.total):
                yield Page((), None, found.requests)
                return
            progress.note_page(received, len(new))
            step = max(step, received)
            empty = 0 if received else empty + 1
            if empty > _MOST_EMPTY_PAGES:
                raise TransientError(
                    f"{self._actions}/package_search could not be read to its end: it counts {found.total}"
                    f" packages and gives none from {start} on",
                    reason="server-error",
                )
            start += received or step or _FIRST_STEP_OVER_A_GAP
            yield Page(_once(records, new), str(start), found.requests)

    def _search(self, start: int) -> _Found:
        url = f"{self._actions}/package_search?" + urlencode({"rows": ROWS, "start": start, "sort": "id asc"})
        result, undecoded, requests = self._result(url)
        if isinstance(result, list):  # DKAN gives the packages themselves, some versions in one more list
            flat = result[0] if len(result) == 1 and isinstance(result[0], list) else result
            return _Found(flat, None, undecoded, requests)
        results = result.get("results") if isinstance(result, dict) else None
        if not isinstance(results, list):
            raise PermanentError(
                f"{url} could not be read: it is not a page of packages", reason="wrong-type"
            )
        return _Found(results, count(result.get("count"), "count", Notes()), undecoded, requests)

    def _result(self, url: str) -> tuple[Json, bool, int]:
        """What an action answered. Raises as `PageReader.json`, and for `success: false` at any status."""
        answer = self._reader.json(url)
        envelope = answer.value
        if not isinstance(envelope, dict) or "result" not in envelope or envelope.get("success") is False:
            said = message_in(envelope)
            kind = TransientError if _PASSING.search(said) else PermanentError
            raise kind(
                f"{url} could not be read: "
                + (f"CKAN answered {said!r}" if said else "it is not a CKAN answer"),
                reason="server-error" if kind is TransientError else "wrong-type",
            )
        return envelope["result"], answer.undecoded, answer.requests

    def _counts(self) -> tuple[str, int | None, dict[str, int]]:
        """The count, and with it the count by organization where the portal can facet."""
        plain = f"{self._actions}/package_search?" + urlencode({"rows": 0})
        url = plain + "&" + urlencode({"facet.field": '["organization"]', "facet.limit": -1})
        try:
            result, _, _ = self._result(url)
        except PermanentError:
            url = plain
            result, _, _ = self._result(url)
        if not isinstance(result, dict):
            return url, None, {}
        facets = result.get("facets")
        by_slug = facets.get("organization") if isinstance(facets, dict) else None
        return url, count(result.get("count"), "count", Notes()), _counts_by_slug(by_slug)

    def _organizations(self) -> tuple[tuple[OrganizationRecord, ...], dict[str, int]]:
        """All organizations with their claimed counts; what a portal will not list is left out."""
        organizations: dict[str, OrganizationRecord] = {}
        claimed: dict[str, int] = {}
        offset = 0
        while offset < MOST_ORGANIZATIONS:
            items = self._organization_page(offset)
            known = len(organizations)
            for item in items:
                one = ckan_organization(item if isinstance(item, dict) else {"name": item}, Notes())
                organizations.setdefault(one.slug, one)
                if isinstance(item, dict) and (
                    packages := count(item.get("package_count"), "count", Notes())
                ):
                    claimed[one.slug] = packages
            if len(organizations) == known:
                break
            offset += len(items)
        return tuple(organizations.values()), claimed

    def _organization_page(self, offset: int) -> list[Any]:
        parameters = {"all_fields": "true", "limit": ORGANIZATIONS_A_PAGE, "offset": offset}
        try:
            result, _, _ = self._result(f"{self._actions}/organization_list?" + urlencode(parameters))
        except ShelterError:
            # A witness is worth having without its list of names; the packages carry them too.
            return []
        return result if isinstance(result, list) else []


def _once(
    records: Sequence[DatasetRecord | Refusal], new: Sequence[DatasetRecord | Refusal]
) -> tuple[DatasetRecord | Refusal, ...]:
    """A package met again is the same package; a refused record is never passed over."""
    first_met = {id(record) for record in new}
    return tuple(record for record in records if isinstance(record, Refusal) or id(record) in first_met)


def _counts_by_slug(facet: Json) -> dict[str, int]:
    if not isinstance(facet, dict):
        return {}
    notes = Notes()
    counted: dict[str, int] = {}
    for name, value in facet.items():
        slug = ckan_organization({"name": name}, notes).slug
        counted[slug] = counted.get(slug, 0) + (count(value, "count", notes) or 0)
    return counted
