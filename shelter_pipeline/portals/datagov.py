"""catalog.data.gov as it has been since April 2026: one keyset crawl of `/search`.

The API gives no total, so the crawl ends where the `after` cursor does, and the counts of
`/organizations` are the witness it is checked against. The identity of a dataset is its
slug: the catalogue's only unique key, by which its sitemap and its record pages go.
Agencies use their own identifiers twice, and harvest record ids change with every harvest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import (
    DatasetRecord,
    Json,
    OrganizationRecord,
    Page,
    Witness,
    canonical_json,
    content_hash,
)
from shelter_pipeline.portals.assembling import (
    assemble,
    organization,
    usable_identifier,
    usable_slug,
    usable_title,
)
from shelter_pipeline.portals.dcat import with_dcat_fields
from shelter_pipeline.portals.fields import Notes, count, text, texts, unfold
from shelter_pipeline.portals.progress import Progress
from shelter_pipeline.portals.reading import PageReader

PER_PAGE = 1000
_KINDS = {"data_series": "series", "data_service": "service"}
_GATEWAY = re.compile(r"/v[0-9]+\Z")
# What changes though nobody has touched the dataset, and what the catalogue works out from the rest.
_VOLATILE = frozenset(
    {
        "_score",
        "_sort",
        "distribution_titles",
        "harvest_record",
        "harvest_record_raw",
        "harvest_record_transformed",
        "has_download",
        "has_spatial",
        "last_harvested_date",
        "organization",
        "popularity",
        "spatial_centroid",
        "spatial_shape",
    }
)


class DatagovPortal:
    """data.gov on its own host, or behind api.gsa.gov when the URL ends in `/v4`."""

    kind = "datagov"

    def __init__(self, url: str, reader: PageReader) -> None:
        self.url = url.rstrip("/")
        self._reader = reader
        # The gateway drops the `/api` of the catalogue's own paths.
        self._api = self.url if _GATEWAY.search(urlsplit(self.url).path) else f"{self.url}/api"

    def witness(self) -> Witness:
        """The organizations and how many datasets each is said to have."""
        url = f"{self._api}/organizations"
        answer = self._reader.json(url)
        items = answer.value.get("organizations") if isinstance(answer.value, dict) else answer.value
        if not isinstance(items, list):
            raise PermanentError(f"{url} could not be read: it lists no organizations", reason="wrong-type")
        by_organization: dict[str, int] = {}
        organizations: list[OrganizationRecord] = []
        for item in items:
            if isinstance(item, dict):
                notes = Notes()
                one = _organization(item, notes)
                organizations.append(one)
                claimed = count(item.get("dataset_count"), "dataset_count", notes)
                by_organization[one.slug] = by_organization.get(one.slug, 0) + (claimed or 0)
        return Witness(url, sum(by_organization.values()), by_organization, tuple(organizations))

    def pages(self, cursor: str | None = None) -> Iterator[Page]:
        """Every hit of the catalogue, 1,000 a page.

        Raises TransientError for a cursor that comes twice and for pages that only repeat.
        """
        used = {cursor}
        progress = Progress(f"{self.url}/search")
        while True:
            page = self._page(cursor, progress.taken)
            progress.note_page(len(page.records), len(progress.new_among(page.records)))
            yield page
            if page.cursor is None:
                return
            if page.cursor in used:
                raise TransientError(
                    f"{self.url}/search could not be read to its end: the cursor {page.cursor!r} came twice",
                    reason="server-error",
                )
            used.add(page.cursor)
            cursor = page.cursor

    def _page(self, cursor: str | None, position: int) -> Page:
        url = f"{self.url}/search?" + urlencode(
            {"per_page": PER_PAGE} | ({"after": cursor} if cursor else {})
        )
        answer = self._reader.json(url)
        hits = answer.value.get("results") if isinstance(answer.value, dict) else None
        if not isinstance(hits, list):
            raise PermanentError(
                f"{url} could not be read: it is not a page of search results", reason="wrong-type"
            )
        after = answer.value.get("after")
        return Page(
            tuple(
                assemble(datagov_record, hit, position + index, undecoded=answer.undecoded)
                for index, hit in enumerate(hits)
            ),
            after if isinstance(after, str) and after else None,
            answer.requests,
        )


def _organization(item: dict[str, Json], notes: Notes) -> OrganizationRecord:
    return organization(
        item.get("slug"), item.get("name"), item.get("organization_type"), "organization", notes
    )


def datagov_record(hit: dict[str, Json], notes: Notes) -> DatasetRecord:
    """One search hit as a record. Raises UnusableError naming the field that makes it impossible."""
    folded = unfold(hit.get("dcat"))
    dcat = _unfolded(folded) if isinstance(folded, dict) else {}
    owner = hit.get("organization")
    owner = _organization(owner if isinstance(owner, dict) else {"name": owner}, notes)
    identifier = _identity(hit, dcat, owner, notes)
    title = usable_title(hit.get("title") or dcat.get("title"), notes, identifier)
    record = DatasetRecord(
        identifier=identifier,
        slug=usable_slug(hit.get("slug"), title, notes),
        title=title,
        organization=owner,
        raw=canonical_json(hit),
        record_hash=content_hash(_content(hit)),
        popularity=count(hit.get("popularity"), "popularity", notes),
        kind=_KINDS.get(str(hit.get("type")), "dataset"),
    )
    record = with_dcat_fields(record, dcat, notes)
    return replace(
        record,
        # The hit repeats some fields in plain form; they count where the dcat inside is silent.
        description=record.description or text(hit.get("description"), "description", notes),
        publisher=record.publisher or text(hit.get("publisher"), "publisher", notes),
        keywords=record.keywords or texts(hit.get("keyword"), "keyword", notes),
        themes=record.themes or texts(hit.get("theme"), "theme", notes),
        notes=notes.taken(),
    )


def _identity(hit: dict[str, Json], dcat: dict[str, Json], owner: OrganizationRecord, notes: Notes) -> str:
    if text(hit.get("slug"), "slug", notes) is not None:
        return usable_identifier(hit["slug"], "slug", notes)
    own = usable_identifier(hit.get("identifier") or dcat.get("identifier"), "slug", notes)
    notes.add("slug", "missing: the agency's own identifier stands in for it", own)
    return usable_identifier(f"{owner.slug}:{own}", "slug", notes)


def _unfolded(dcat: dict[str, Json]) -> dict[str, Json]:
    """The search index holds lists and objects two levels down as JSON strings."""
    plain = {key: value if key in ("title", "description") else unfold(value) for key, value in dcat.items()}
    distributions = plain.get("distribution")
    if isinstance(distributions, list):
        plain["distribution"] = [_unfolded_one(item) for item in distributions]
    return plain


def _unfolded_one(item: Json) -> Json:
    item = unfold(item)
    if not isinstance(item, dict):
        return item
    return {key: value if key in ("title", "description") else unfold(value) for key, value in item.items()}


def _content(hit: dict[str, Json]) -> dict[str, Json]:
    content = {key: value for key, value in hit.items() if key not in _VOLATILE}
    owner = hit.get("organization")
    # A new logo of the agency is no change of its 284,000 datasets.
    content["organization"] = owner.get("slug") if isinstance(owner, dict) else owner
    return content
