"""How a correct rescue of the sample portal must end, file by file: a pure function of the catalogue.

The counting rules, which are the project's:

- An asset is a distinct normalised URL that discovery derives from a dataset's links. It
  belongs to the organization of the first dataset that leads to it, and is counted once
  in every organization one of whose datasets leads to it.
- A directory, a page, a catalogue, a repository and a web service are no files: what they
  lead to is. A metadata record is a file, and so is what it leads to. A landing page is only
  followed when its dataset lists no file to download.
- A page that is behind a password is no file: `login-page`. A symbolic link to a directory
  above it leads to nothing that is new.
- `expected_files` is `held_files` plus all `failed`. What can never be a file (a service,
  a page that leads nowhere, an address that is none) is counted in `not_files`, once a
  link.
- A field that holds two URLs is no URL. What is neither http, https nor ftp is not fetched: `bad-scheme`.
- What fails for a while only (a 503, a connection that breaks once) is held in the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin

from shelter_pipeline.domain.addresses import may_dial
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.records import slugify
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.sample.catalogue import Catalogue, Dataset
from shelter_pipeline.sample.content import Content, Run, content_of
from shelter_pipeline.sample.documents import capabilities, metadata_record
from shelter_pipeline.sample.faults import FAILURES, HELD, MAX_REDIRECTS, Does, Spot
from shelter_pipeline.sample.site import Site

_READ = frozenset(
    {Does.LISTING, Does.LANDING, Does.WALL, Does.BUCKET, Does.CATALOG, Does.RECORD, Does.SERVICE}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the rescue of one address must end. No `reason` means held, with `content`."""

    url: str
    reason: str = ""
    is_file: bool = True
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What `shelter rescue` must report of one organization, or of the whole portal."""

    datasets: int
    expected_files: int
    held_files: int
    held_bytes: int
    failed: dict[str, int]
    not_files: dict[str, int]


class Expectations:
    """The end of a correct rescue of `catalogue`. Hashing happens only when a hash is asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._datasets = catalogue.datasets
        self._names = {publisher.slug: publisher.name for publisher in catalogue.publishers}
        self._leads = [list(_outcomes(catalogue.site, dataset)) for dataset in catalogue.datasets]
        self.refused = {row.id: row.broken for row in catalogue.rows if row.broken}

    @cached_property
    def by_organization(self) -> dict[str, Expected]:
        """What to expect of each organization, by its slug."""
        return {slug: self._count(slug) for slug in self._names}

    @cached_property
    def by_publisher(self) -> dict[str, Expected]:
        """The same, by the slug made from the name: DCAT-US has no other."""
        return {slugify(self._names[slug]): expected for slug, expected in self.by_organization.items()}

    @cached_property
    def overall(self) -> Expected:
        """What to expect of the portal: a file that two organizations share is one file."""
        return self._count(None)

    @cached_property
    def assets(self) -> dict[str, Outcome]:
        """How each file must end, by normalised URL."""
        return {lead.url: lead for leads in self._leads for lead in leads if lead.is_file}

    @cached_property
    def owners(self) -> dict[str, str]:
        """The organization each file belongs to, by normalised URL."""
        owners: dict[str, str] = {}
        for dataset, leads in zip(self._datasets, self._leads, strict=True):
            for lead in leads:
                if lead.is_file:
                    owners.setdefault(lead.url, dataset.publisher.slug)
        return owners

    @cached_property
    def sha256(self) -> dict[str, str]:
        """SHA-256 in hexadecimal of every file that must be held, by normalised URL."""
        return {url: asset.content.sha256() for url, asset in self.assets.items() if asset.content}

    def _count(self, organization: str | None) -> Expected:
        leads = [
            leads
            for dataset, leads in zip(self._datasets, self._leads, strict=True)
            if organization in (None, dataset.publisher.slug)
        ]
        unique = {lead.url: lead for some in leads for lead in some}
        files = [lead for lead in unique.values() if lead.is_file]
        held = [lead.content for lead in files if lead.content]
        return Expected(
            datasets=len(leads),
            expected_files=len(files),
            held_files=len(held),
            held_bytes=sum(content.size for content in held),
            failed=_tally(lead for lead in files if lead.reason),
            not_files=_tally(lead for lead in unique.values() if not lead.is_file),
        )


def _tally(outcomes: Iterable[Outcome]) -> dict[str, int]:
    return dict(sorted(Counter(outcome.reason for outcome in outcomes).items()))


def _outcomes(site: Site, dataset: Dataset) -> Iterator[Outcome]:
    leads = [lead for text in _links(dataset) for lead in _leads(site, text)]
    landing_page = dataset.record.get("landingPage")
    if landing_page and not any(lead.is_file for lead in leads):
        leads += _leads(site, landing_page)
    yield from leads


def _links(dataset: Dataset) -> Iterator[str]:
    for distribution in dataset.distributions():
        yield from (distribution[field] for field in ("downloadURL", "accessURL") if field in distribution)


def _leads(site: Site, text: str) -> Iterator[Outcome]:
    """What one link leads to. A slip in the scheme is mended, and several links in one field are each one."""
    if "," in text:
        for part in text.split(","):
            yield from _leads(site, part)
        return
    text = text.replace("hhttps://", "https://")
    try:
        url = parse_url(text)
    except RefusedError as error:
        yield Outcome(text, error.reason, is_file=False)
        return
    spot = site.find(url.text)
    if url.scheme not in ("http", "https"):
        yield Outcome(text, "bad-scheme", is_file=False)
    elif spot and (page := _page_at(site, spot)) is not None:
        yield from _read(site, url.text, page)
    else:
        yield _file(site, url.text)


def _page_at(site: Site, spot: Spot) -> Spot | None:
    """The spot, or that to which it redirects, if it is no file but something to be read."""
    if spot.does is Does.REDIRECT:
        spot = site.at(spot.target.partition("?")[0]) or spot
    return spot if spot.does in _READ else None


def _read(site: Site, url: str, spot: Spot) -> Iterator[Outcome]:
    """What a page, a listing, a record or a service leads to."""
    if spot.does is Does.SERVICE:
        yield Outcome(url, "service", is_file=False)
        # One description whatever version was asked for.
        yield _document(url.replace("version=1.3.0&", ""), capabilities())
    elif spot.does is Does.WALL:
        yield Outcome(url, "login-page", is_file=False)
    else:
        if spot.does is Does.RECORD:
            yield _document(url, metadata_record(site, spot))
        yield from _inside(site, url, spot)


def _document(url: str, text: str) -> Outcome:
    """A document that is a file as well."""
    document = text.encode()
    return Outcome(url, content=Content((Run(document, len(document)),)))


def _inside(site: Site, url: str, spot: Spot) -> Iterator[Outcome]:
    paths = (*spot.links, *spot.structured, *spot.children)
    if not paths and not spot.target:  # a symbolic link leads to what is known already
        yield Outcome(url, "landing-page-only", is_file=False)
    for path in paths:
        yield from _leads(site, site.url(path))


def _file(site: Site, url: str) -> Outcome:
    """How the capture of a file ends, through its redirects."""
    asked = url
    for _ in range(MAX_REDIRECTS):
        spot = site.find(asked)
        if spot is None:
            return Outcome(url, _elsewhere(site, asked))
        if spot.does is not Does.REDIRECT:
            content = content_of(spot.path, spot.size) if spot.does in HELD else None
            return Outcome(url, FAILURES.get(spot.does, ""), content=content)
        asked = urljoin(asked, spot.target)
    return Outcome(url, "bad-redirect")


def _elsewhere(site: Site, url: str) -> str:
    """Why nothing comes from an address where none of our files stands."""
    if site.owns(url):
        return "not-found"
    name = parse_url(url).host.rpartition(":")[0]
    literal = name.replace(".", "").isdigit()
    return "private-address" if literal and not may_dial(name) else "dns-failed"
