"""The one generated catalogue behind all protocols: 300 datasets of 12 organizations, and 3 broken rows.

Each dataset is kept as its publisher's own DCAT-US 1.1 record; the protocols of `shapes`
only reword it. The same base URL gives the same catalogue, and nothing but links depends
on the base URL. The order is that of a crawl of catalog.data.gov: popularity, then id,
both falling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

from shelter_pipeline.domain.records import Json, slugify
from shelter_pipeline.sample.dice import choose, identity, number
from shelter_pipeline.sample.quirks import FURNITURE, ODDITIES
from shelter_pipeline.sample.records import describe, ordinary_links
from shelter_pipeline.sample.site import Site
from shelter_pipeline.sample.words import PUBLISHERS, Publisher
from shelter_pipeline.sample.writing import Record

# These organizations move to the further file bases, three each, as far as there are bases.
_MOVING = (
    ("usgs-gov", "usda-gov", "nps-gov"),
    ("census-gov", "doe-gov", "state-of-lakota"),
    ("nasa-gov", "dot-gov", "city-of-riverton"),
)
# What is broken in each row that a driver must refuse, and under whose organization it shows.
BROKEN_ROWS = (("identifier", "noaa-gov"), ("title", "epa-gov"), ("record", "usda-gov"))
BROKEN_TEXT = "See the old catalogue for the rest of this list."


@dataclass(frozen=True, slots=True)
class Dataset:
    """One row of the catalogue: the publisher's record, and what the portal adds to it."""

    id: str
    slug: str
    publisher: Publisher
    record: Record
    popularity: int
    harvested: str  # ISO 8601, without zone, as catalog.data.gov writes it
    broken: str = ""  # the field a driver must name when it refuses this row

    @property
    def harvest_id(self) -> str:
        """Identity of the harvest record, the publisher's own words: another one with every harvest."""
        return identity(f"harvest/{self.id}/{self.harvested}")

    @property
    def title(self) -> str:
        """The title as text, whatever the publisher wrote."""
        return str(self.record["title"])

    def distributions(self) -> Iterator[Record]:
        """The distributions as a list, however they are written."""
        written = self.record.get("distribution") or []
        yield from [written] if isinstance(written, dict) else written


class Catalogue:
    """The catalogue as it is reached at `base_url`; its files are reached at `file_bases`."""

    def __init__(self, base_url: str, file_bases: Sequence[str] = ()) -> None:
        self.base_url = base_url.rstrip("/")
        self.file_bases = tuple(base.rstrip("/") for base in file_bases) or (self.base_url,)
        moved = {
            slug: base for slugs, base in zip(_MOVING, self.file_bases[1:], strict=False) for slug in slugs
        }
        self.site = Site(self.file_bases, moved)
        self.publishers = PUBLISHERS
        for spot in FURNITURE:
            self.site.place(spot)
        taken: Counter[str] = Counter()
        rows = [
            _dataset(self.site, publisher, at, taken)
            for publisher in PUBLISHERS
            for at in range(publisher.datasets)
        ]
        rows += [_broken_row(field, slug) for field, slug in BROKEN_ROWS]
        self.rows: tuple[Dataset, ...] = tuple(sorted(rows, key=_rank, reverse=True))
        self.datasets: tuple[Dataset, ...] = tuple(row for row in self.rows if not row.broken)

    def with_rows(self, rows: Iterable[Dataset]) -> Catalogue:
        """This catalogue with other rows; the files stand where they stood."""
        other = copy(self)
        for name in ("by_name", "by_harvest_id"):
            other.__dict__.pop(name, None)
        other.rows = tuple(sorted(rows, key=_rank, reverse=True))
        other.datasets = tuple(row for row in other.rows if not row.broken)
        return other

    @cached_property
    def by_name(self) -> Mapping[str, Dataset]:
        """The datasets by id and by slug."""
        return {name: dataset for dataset in self.datasets for name in (dataset.id, dataset.slug)}

    @cached_property
    def by_harvest_id(self) -> Mapping[str, Dataset]:
        """The datasets by the id of their harvest record."""
        return {dataset.harvest_id: dataset for dataset in self.datasets}


def _rank(row: Dataset) -> tuple[int, str]:
    return row.popularity, row.id


def _dataset(site: Site, publisher: Publisher, at: int, taken: Counter[str]) -> Dataset:
    name = f"{publisher.slug}/{at}"
    record = describe(publisher, at)
    oddity = ODDITIES.get((publisher.slug, at))
    odd = oddity(site) if oddity else {}
    if "distribution" not in odd:
        record |= ordinary_links(site, publisher, at, record["title"])
    record |= odd
    return _row(publisher, name, record, _free_slug(str(record["title"]), taken))


def _free_slug(title: str, taken: Counter[str]) -> str:
    slug = slugify(title)
    taken[slug] += 1
    return slug if taken[slug] == 1 else f"{slug}-{taken[slug]}"


def _broken_row(field: str, organization: str) -> Dataset:
    publisher = next(publisher for publisher in PUBLISHERS if publisher.slug == organization)
    record = describe(publisher, 1000) | {"title": f"Row without a usable {field}"}
    return _row(publisher, f"broken/{field}", record, f"row-without-{field}", broken=field)


def _row(publisher: Publisher, name: str, record: Record, slug: str, *, broken: str = "") -> Dataset:
    day, second, micro = (
        number(f"{name}/day", 28),
        number(f"{name}/second", 60),
        number(f"{name}/micro", 10**6),
    )
    return Dataset(
        id=identity(name),
        slug=slug,
        publisher=publisher,
        record=record,
        popularity=choose(f"{name}/fame", (0, 1, 2, 3, 5, 8, 13, 55, 144, 610)) + number(f"{name}/more", 9),
        harvested=f"2026-{choose(name, ('08', '09', '10'))}-{1 + day:02d}T05:{second:02d}:07.{micro:06d}",
        broken=broken,
    )


def spoil(view: dict[str, Json], dataset: Dataset, fields: Mapping[str, Sequence[str]]) -> Json:
    """A protocol's view of a row, without the `fields` that its break takes away; a text if all is lost."""
    if not dataset.broken:
        return view
    if dataset.broken == "record":
        return BROKEN_TEXT
    lost = fields[dataset.broken]
    return {key: value for key, value in view.items() if key not in lost}
