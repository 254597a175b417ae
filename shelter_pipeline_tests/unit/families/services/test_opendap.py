"""OPeNDAP servers other than THREDDS: files by their own names, contents pages by their catalogues."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import entered, outcome_of

HYRAX = "https://opendap.larc.example/opendap/hyrax/CERES/Edition4"
GRADS = "http://nomads.example:9090/dods/gfs/gfs20250101/gfs_00z"


@pytest.mark.parametrize(
    "suffix", ["", ".html", ".das", ".dds", ".ddx", ".dods?lat", ".ascii?lat[0:1:3]", ".info", ".nc4"]
)
def test_whatever_is_asked_of_a_file_leads_to_it_and_its_descriptions(suffix: str) -> None:
    file = f"{HYRAX}/CER_SYN1deg_202401.hdf"

    assert outcome_of(file + suffix) == (
        "opendap",
        "",
        [
            ("file", "opendap-file", file),
            ("file", "capabilities", f"{file}.das"),
            ("file", "capabilities", f"{file}.dds"),
        ],
    )


@pytest.mark.parametrize("suffix", [".dmr", ".dmr.html", ".dmr.xml", ".dap", ".dap.nc4"])
def test_dap4_leads_to_the_file_and_its_dmr(suffix: str) -> None:
    file = f"{HYRAX}/a.h5"

    assert outcome_of(file + suffix) == (
        "opendap",
        "",
        [("file", "opendap-file", file), ("file", "capabilities", f"{file}.dmr.xml")],
    )


@pytest.mark.parametrize(("name", "kind"), [("a.nc", "netcdf"), ("a.nc4", "netcdf"), ("a.csv", "csv")])
def test_a_suffix_that_is_the_files_own_stays(name: str, kind: str) -> None:
    lead = next(iter(entered(f"{HYRAX}/{name}")[1].leads))

    assert (lead.url, lead.asset_kind) == (f"{HYRAX}/{name}", kind)


def test_a_contents_page_is_read_as_the_catalogue_beside_it() -> None:
    _, reading = entered(f"{HYRAX}/contents.html")
    (lead,) = reading.leads

    assert (lead.to.value, lead.url, lead.reader) == ("page", f"{HYRAX}/catalog.xml", "thredds")


@pytest.mark.parametrize("suffix", ["", ".info", ".das", ".dods?tmp2m"])
def test_a_dataset_that_is_no_file_is_described(suffix: str) -> None:
    leads = [("file", "capabilities", f"{GRADS}.das"), ("file", "capabilities", f"{GRADS}.dds")]

    assert outcome_of(GRADS + suffix) == ("opendap", "service", leads)


def test_an_aggregation_is_described() -> None:
    slug, outcome, leads = outcome_of(f"{HYRAX}/all.ncml.html")

    assert (slug, outcome, leads[0]) == (
        "opendap",
        "service",
        ("file", "capabilities", f"{HYRAX}/all.ncml.das"),
    )


@pytest.mark.parametrize("url", [HYRAX, f"{HYRAX}/", f"{HYRAX}/?C=N"])
def test_a_name_without_an_end_is_a_directory(url: str) -> None:
    directory = url if "/?" in url else f"{HYRAX}/"

    assert outcome_of(url) == ("opendap", "", [("directory", "opendap-directory", directory)])


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/opendap/index.html",
        "https://opendap.example/about",
        "https://h.example/",
    ],
)
def test_pages_are_just_that(url: str) -> None:
    assert enter(parse_url(url)) is None
