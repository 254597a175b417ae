"""The datasets that are odd on purpose, one entry each: what real catalogues hold besides plain links.

An entry says which dataset (organization and number within it) and what of its record is
other than usual. All file faults, odd URLs and odd types that `portals.md` counts in real
catalogues stand here once; the ways of leading to a file stand in `ways`.
"""

from __future__ import annotations

from collections.abc import Callable

from shelter_pipeline.domain.records import Json
from shelter_pipeline.sample.faults import Does, Spot
from shelter_pipeline.sample.site import Site
from shelter_pipeline.sample.ways import WAYS
from shelter_pipeline.sample.writing import Record, distribution

Oddity = Callable[[Site], Record]

MB = 1_000_000
FIRST_HALF_SIZE = 300_000
METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/"


def _link(path: str, does: Does = Does.SERVE, size: int = 20_000, **more: Json) -> Oddity:
    """A dataset whose one distribution is a link to `path`."""
    return lambda site: {
        "distribution": [distribution(site.place(Spot(f"/files/{path}", does, size)), **more)]
    }


def _written(url: str) -> Oddity:
    """A dataset whose one link stands as written, and is not of our servers."""
    return lambda _: {"distribution": [distribution(url, mediaType="text/csv", format="CSV")]}


def _redirects(*steps: tuple[str, int, str]) -> Oddity:
    """A link to the first of some redirects, each `(path, status, target)`."""

    def write(site: Site) -> Record:
        urls = [
            site.place(Spot(f"/files/{path}", Does.REDIRECT, target=target, status=status))
            for path, status, target in steps
        ]
        return {"distribution": [distribution(urls[0])]}

    return write


def _with_target(oddity: Oddity, path: str, size: int) -> Oddity:
    def write(site: Site) -> Record:
        site.place(Spot(f"/files/{path}", size=size))
        return oddity(site)

    return write


def _no_distribution(_: Site) -> Record:
    return {"distribution": None}


def _single_distribution(site: Site) -> Record:
    url = site.place(Spot("/files/hhs-gov/2021/clinics.csv", size=9_000))
    return {"distribution": distribution(url)}


def _two_in_one(site: Site) -> Record:
    urls = [site.place(Spot(f"/files/epa-gov/joined/part-{part}.csv", size=7_000 * part)) for part in (1, 2)]
    return {"distribution": [distribution(",".join(urls), mediaType="text/csv", format="CSV")]}


def _one_file_many_spellings(site: Site) -> Record:
    url = site.place(Spot("/files/census-gov/shared/tract list.csv", size=12_000))
    encoded = url.replace(" ", "%20")
    shouted = encoded.replace("http://", "HTTP://", 1)
    spellings = (encoded, f"{encoded}#rows", shouted)
    return {"distribution": [distribution(spelling) for spelling in spellings]}


def _nameless_download(site: Site) -> Record:
    spot = Spot("/files/nasa-gov/download/48213", size=18_000, type="application/octet-stream")
    return {"distribution": [distribution(site.place(spot), mediaType="text/csv", format="CSV")]}


def _live_export(site: Site) -> Record:
    views = "/files/state-of-lakota/views/w3ll-p3rm"
    endings = ("csv", "json", "xml")
    urls = [site.place(Spot(f"{views}/rows.{ending}", Does.CHUNKED, 40_000)) for ending in endings]
    return {"distribution": [distribution(f"{url}?accessType=DOWNLOAD", format=None) for url in urls]}


_CHAIN = _redirects(
    ("census-gov/moved/flows.csv", 302, "/files/census-gov/moved/step-2.csv"),
    ("census-gov/moved/step-2.csv", 302, "/files/census-gov/current/flows.csv"),
)
_MOVED = _redirects(("census-gov/old/patterns.zip", 301, "/files/census-gov/new/patterns.zip"))
_LOOP = _redirects(
    ("census-gov/loop/a.csv", 302, "/files/census-gov/loop/b.csv"),
    ("census-gov/loop/b.csv", 302, "/files/census-gov/loop/a.csv"),
)

ODDITIES: dict[tuple[str, int], Oddity] = {
    **WAYS,
    # files that are large, far, or come in two attempts
    ("noaa-gov", 1): _link("noaa-gov/grids/sea-surface-full.nc", size=20 * MB),
    ("noaa-gov", 5): _link("noaa-gov/unsteady/carbon.nc", Does.DROP_ONCE, FIRST_HALF_SIZE),
    ("nasa-gov", 11): _nameless_download,
    ("census-gov", 2): _with_target(_CHAIN, "census-gov/current/flows.csv", 52_000),
    ("census-gov", 4): _with_target(_MOVED, "census-gov/new/patterns.zip", 61_000),
    ("census-gov", 12): _one_file_many_spellings,
    ("state-of-lakota", 1): _live_export,
    ("epa-gov", 16): _link("epa-gov/busy/monitors.csv", Does.BUSY_ONCE, 25_000),
    # files that cannot be had
    ("census-gov", 6): _LOOP,
    ("census-gov", 8): _redirects(("census-gov/inside/table.csv", 302, METADATA_SERVICE)),
    ("usgs-gov", 2): _link("usgs-gov/retired/gauges.csv", Does.NOT_FOUND),
    ("usgs-gov", 3): _link("usgs-gov/retired/quakes.geojson", Does.GONE),
    ("usgs-gov", 5): _link("usgs-gov/internal/deposits.zip", Does.FORBIDDEN),
    ("usgs-gov", 7): _link("usgs-gov/broken/levels.csv", Does.ERROR),
    ("epa-gov", 2): _link("epa-gov/renewed/violations.csv", Does.HTML),
    ("epa-gov", 4): _link("epa-gov/nothing/permits.csv", Does.EMPTY),
    ("epa-gov", 14): _written("http://dead.invalid/data.csv"),
    ("epa-gov", 18): _link("epa-gov/short/releases.csv", Does.CUT_SHORT, 80_000),
    ("nasa-gov", 9): _link("nasa-gov/members/granules.csv", Does.LOGIN),
    # links that are no links
    ("epa-gov", 6): _two_in_one,
    ("epa-gov", 8): _written("data.invalid/exports/wells.csv"),
    ("epa-gov", 10): _written("sftp://ftp.invalid/pub/beaches.csv"),
    ("epa-gov", 12): _written("mailto:data@epa.invalid"),
    ("epa-gov", 20): _written("hhttps://data.invalid/exports/advisories.csv"),
    # odd types and values
    ("hhs-gov", 1): lambda _: {"accessLevel": "non-public"},
    ("hhs-gov", 2): _no_distribution,
    ("hhs-gov", 3): _single_distribution,
    ("hhs-gov", 4): lambda _: {"title": 707},
    ("doe-gov", 1): lambda _: {"modified": "R/P1W"},
    ("doe-gov", 2): lambda _: {"modified": "2015"},
    ("nasa-gov", 14): _no_distribution,
    ("nasa-gov", 15): _no_distribution,
    ("noaa-gov", 21): _no_distribution,
}

# What the navigation of the pages leads to: nothing a dataset lists, and nothing to rescue.
FURNITURE = (
    Spot("/pages/about.html", Does.PAGE, title="About us"),
    Spot("/pages/contact.html", Does.PAGE, title="Contact"),
    Spot("/pages/login", Does.LOGIN),
    Spot("/pages/site.css", Does.EMPTY, type="text/css"),
)
