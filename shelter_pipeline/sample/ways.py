"""The ways to a file that are longer than a link, one entry each: what discovery has to follow.

Directories and their circles, pages before pages, stores, catalogues, repositories and
records: each stands here once, small, as `portals.md` counts them in real catalogues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shelter_pipeline.sample.faults import Does, Spot
from shelter_pipeline.sample.site import Site
from shelter_pipeline.sample.writing import Record, distribution

Way = Callable[[Site], Record]

FILE_SERVER = "/thredds/fileServer/"
_DOI = "10.5072/FK2/TIDES"  # a prefix for tests, which no registry resolves


def _put(site: Site, paths: Sequence[str], size: int) -> tuple[str, ...]:
    """Files at these paths, each larger than the last."""
    for number, path in enumerate(paths, 1):
        site.place(Spot(path, size=size * number))
    return tuple(paths)


def _listed(
    site: Site, spot: Spot, *, field: str = "accessURL", format: str = "", media_type: str | None = None
) -> Record:
    """A dataset whose one distribution is a place; most catalogues say nothing but where it is."""
    written = distribution(site.place(spot), field=field, format=format, mediaType=media_type)
    return {"distribution": [written]}


def directory(site: Site) -> Record:
    """A directory with one below it."""
    root = "/files/noaa-gov/listing/"
    top = [f"{root}buoy-{year}.csv" for year in range(2015, 2021)] + [f"{root}read%20me.pdf"]
    old = [f"{root}archive/buoy-{year}.csv" for year in range(2012, 2015)]
    for number, path in enumerate([*top, *old]):
        site.place(Spot(path, size=3_000 + 7_919 * number))
    site.place(Spot(f"{root}archive/", Does.LISTING, links=tuple(old)))
    return _listed(site, Spot(root, Does.LISTING, links=tuple(top), children=(f"{root}archive/",)))


def directory_in_itself(site: Site) -> Record:
    """A directory in which a symbolic link leads back to it."""
    root = "/files/doe-gov/turbines/"
    files = _put(site, [f"{root}turbine-{letter}.csv" for letter in "ab"], 6_000)
    site.place(Spot(f"{root}latest/", Does.LISTING, target=root))
    return _listed(site, Spot(root, Does.LISTING, links=files, children=(f"{root}latest/",)))


def landing_page(site: Site) -> Record:
    """A page with links to files, one more of which stands in its JSON-LD only."""
    folder = "/files/nasa-gov/campaign"
    links = [f"{folder}/flight-{number}.{ending}" for number, ending in enumerate(("nc", "csv", "zip"), 1)]
    structured = f"{folder}/all-flights.parquet"
    _put(site, [*links, structured], 31_000)
    page = Spot(
        "/pages/nasa-gov/campaign",
        Does.LANDING,
        title="Boreal Flight Campaign",
        links=tuple(links),
        structured=(structured,),
    )
    return {"landingPage": site.place(page), "distribution": None}


def landing_page_without_files(site: Site) -> Record:
    """A page that leads nowhere."""
    page = Spot("/pages/nasa-gov/mission-overview", Does.LANDING, title="Mission Overview")
    return {"landingPage": site.place(page), "distribution": []}


def page_before_a_page(site: Site) -> Record:
    """A landing page, a download page behind it, and behind that the files."""
    files = _put(site, [f"/files/nasa-gov/soundings/sounding-{number}.nc" for number in (1, 2)], 14_000)
    download = Spot("/pages/nasa-gov/soundings/download", Does.LANDING, title="Download data", links=files)
    site.place(download)
    page = Spot("/pages/nasa-gov/soundings", Does.LANDING, title="Soundings", links=(download.path,))
    return {"landingPage": site.place(page), "distribution": None}


def page_before_a_directory(site: Site) -> Record:
    """A landing page whose files lie in a directory."""
    root = "/files/nasa-gov/granules/"
    files = _put(site, [f"{root}granule-{number}.nc" for number in (1, 2, 3)], 5_000)
    site.place(Spot(root, Does.LISTING, title="Browse files", links=files))
    page = Spot("/pages/nasa-gov/granules-of-ice", Does.LANDING, title="Granules of Ice", children=(root,))
    return {"landingPage": site.place(page), "distribution": None}


def page_behind_a_login(site: Site) -> Record:
    """A landing page that asks who is there."""
    return {
        "landingPage": site.place(Spot("/pages/hhs-gov/restricted-claims", Does.WALL)),
        "distribution": None,
    }


def table_that_is_a_page(site: Site) -> Record:
    """What the catalogue calls a CSV file to download is a page with the links to it."""
    files = _put(site, [f"/files/epa-gov/inspections/inspections-{year}.csv" for year in (2023, 2024)], 8_000)
    page = Spot("/pages/epa-gov/inspections.html", Does.LANDING, title="Inspections", links=files)
    return _listed(site, page, field="downloadURL", media_type="text/csv", format="CSV")


def bucket(site: Site) -> Record:
    """A bucket whose keys come in two parts."""
    root = "/buckets/dot-gov/"
    keys = ["2023/bridges.csv", "2023/spans.csv", "2024/bridges.csv", "2024/spans.csv"]
    files = _put(site, [f"{root}{key}" for key in keys], 4_000)
    return _listed(site, Spot(root, Does.BUCKET, links=files))


def thredds(site: Site) -> Record:
    """The page of a THREDDS catalogue, beside which the same stands as XML."""
    folder = "/thredds/catalog/ocean/waves/catalog"
    files = _put(site, [f"{FILE_SERVER}ocean/waves/waves-2024.nc"], 33_000)
    site.place(Spot(f"{folder}.xml", Does.CATALOG, title="Waves", links=files))
    page = Spot(f"{folder}.html", Does.LANDING, title="Waves", links=files)
    return _listed(site, page, media_type="text/html", format="THREDDS")


def repository(site: Site) -> Record:
    """A DOI that leads to a dataset of a Dataverse, whose files its API lists."""
    files = _put(site, [f"/api/access/datafile/{number}" for number in (7101, 7102)], 11_000)
    page = Spot("/dataset.xhtml", Does.LANDING, title="Tides", links=files)
    site.place(page)
    site.place(
        Spot("/api/datasets/:persistentId/versions/:latest-published/files", Does.DEPOSIT, links=files)
    )
    moved = Spot(f"/doi/{_DOI}", Does.REDIRECT, target=f"{page.path}?persistentId=doi:{_DOI}")
    return _listed(site, moved)


def metadata_record(site: Site) -> Record:
    """A metadata record, itself a file, that says where the data can be downloaded."""
    files = _put(site, ["/files/noaa-gov/currents/currents.csv"], 15_000)
    record = Spot("/metadata/noaa-gov/currents", Does.RECORD, title="currents", links=files)
    return _listed(site, record, format="ISO-19139")


def map_service(site: Site) -> Record:
    """A web map service, of which its capabilities are saved."""
    query = "?service=WMS&version=1.3.0&request=GetCapabilities"
    url = site.place(Spot("/services/noaa-gov/charts/wms", Does.SERVICE)) + query
    return {"distribution": [distribution(url, field="accessURL", mediaType="text/xml", format="WMS")]}


WAYS: dict[tuple[str, int], Way] = {
    ("noaa-gov", 2): directory,
    ("noaa-gov", 4): thredds,
    ("noaa-gov", 6): metadata_record,
    ("noaa-gov", 8): map_service,
    ("noaa-gov", 10): repository,
    ("nasa-gov", 3): landing_page,
    ("nasa-gov", 4): page_before_a_page,
    ("nasa-gov", 6): landing_page_without_files,
    ("nasa-gov", 7): page_before_a_directory,
    ("epa-gov", 22): table_that_is_a_page,
    ("hhs-gov", 6): page_behind_a_login,
    ("doe-gov", 4): directory_in_itself,
    ("dot-gov", 2): bucket,
}
