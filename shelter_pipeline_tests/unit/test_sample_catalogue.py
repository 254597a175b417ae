"""What the sample's catalogue promises: one catalogue, the same everywhere, with each oddity in it."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from shelter_pipeline.domain.records import content_hash
from shelter_pipeline.sample.catalogue import BROKEN_ROWS, Catalogue, Dataset
from shelter_pipeline.sample.content import content_of
from shelter_pipeline.sample.faults import Does, Spot
from shelter_pipeline.sample.quirks import ODDITIES
from shelter_pipeline.sample.site import Site

BASE = "http://sample.test:8000"
OTHER = "http://other.test:8001"
FINGERPRINT = (
    "from shelter_pipeline.sample.catalogue import Catalogue;"
    "from shelter_pipeline.domain.records import content_hash;"
    f"print(content_hash([row.record for row in Catalogue('{BASE}').rows]).hex())"
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(BASE, (BASE, OTHER))


def links(dataset: Dataset) -> list[str]:
    return [item.get("downloadURL") or item["accessURL"] for item in dataset.distributions()]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_process_generates_the_same_catalogue(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    printed = subprocess.run(
        [sys.executable, "-c", FINGERPRINT], env=environment, capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == content_hash([row.record for row in Catalogue(BASE).rows]).hex()


def test_there_are_300_datasets_of_12_organizations(catalogue: Catalogue) -> None:
    sizes = Counter(dataset.publisher.slug for dataset in catalogue.datasets)

    assert len(catalogue.datasets) == 300
    assert len(sizes) == 12
    assert sizes == {publisher.slug: publisher.datasets for publisher in catalogue.publishers}
    assert (max(sizes.values()), min(sizes.values())) == (80, 4)


def test_the_broken_rows_stand_among_the_datasets(catalogue: Catalogue) -> None:
    broken = [row for row in catalogue.rows if row.broken]

    assert len(catalogue.rows) == 303
    assert {row.broken for row in broken} == {field for field, _ in BROKEN_ROWS}


def test_ids_slugs_and_identifiers_are_unique(catalogue: Catalogue) -> None:
    for values in (
        [row.id for row in catalogue.rows],
        [row.slug for row in catalogue.rows],
        [row.harvest_id for row in catalogue.rows],
        [row.record["identifier"] for row in catalogue.rows],
    ):
        assert len(set(values)) == len(values)


def test_only_links_depend_on_the_base_url(catalogue: Catalogue) -> None:
    elsewhere = Catalogue("http://elsewhere.test")

    def without_links(row: Dataset) -> dict[str, object]:
        return {key: value for key, value in row.record.items() if key not in ("distribution", "landingPage")}

    assert [row.id for row in elsewhere.rows] == [row.id for row in catalogue.rows]
    assert [without_links(row) for row in elsewhere.rows] == [without_links(row) for row in catalogue.rows]


def test_three_organizations_live_on_the_other_host(catalogue: Catalogue) -> None:
    hosts: dict[str, set[bool]] = {}
    for spot in catalogue.site:
        if spot.path.startswith("/files/"):
            hosts.setdefault(spot.path.split("/")[2], set()).add(
                catalogue.site.url(spot.path).startswith(OTHER)
            )

    assert [slug for slug, others in hosts.items() if others == {True}] == ["usgs-gov", "usda-gov", "nps-gov"]
    assert all(len(others) == 1 for others in hosts.values())


def test_every_oddity_is_for_a_dataset_that_exists(catalogue: Catalogue) -> None:
    sizes = {publisher.slug: publisher.datasets for publisher in catalogue.publishers}

    assert all(at < sizes[slug] for slug, at in ODDITIES)


def test_every_kind_of_spot_stands_somewhere(catalogue: Catalogue) -> None:
    assert {spot.does for spot in catalogue.site} == set(Does)


def test_files_are_about_600_of_0_1_kb_to_20_mb_and_60_to_80_mb_in_all(catalogue: Catalogue) -> None:
    files = [spot for spot in catalogue.site if spot.does is Does.SERVE]
    sizes = [content_of(spot.path, spot.size).size for spot in files]

    assert 500 < len(files) < 640
    assert max(sizes) == 20_000_000
    assert min(sizes) < 200
    assert 3 <= sum(1_000_000 <= size <= 5_000_000 for size in sizes) <= 10
    assert 60_000_000 < sum(sizes) < 80_000_000


def test_formats_are_blank_on_about_two_links_of_five(catalogue: Catalogue) -> None:
    written = [item for dataset in catalogue.datasets for item in dataset.distributions()]
    blank = sum(not item.get("format") for item in written)

    assert 0.3 < blank / len(written) < 0.5


def test_a_size_is_rare_and_true(catalogue: Catalogue) -> None:
    sized = [item for dataset in catalogue.datasets for item in dataset.distributions() if "byteSize" in item]

    assert 10 < len(sized) < 80
    for item in sized:
        spot = catalogue.site.find(item["downloadURL"])
        assert spot
        assert content_of(spot.path, spot.size).size == int(item["byteSize"])


def test_a_checksum_is_rare_and_true(catalogue: Catalogue) -> None:
    summed = [
        item for dataset in catalogue.datasets for item in dataset.distributions() if "checksum" in item
    ]

    assert summed
    for item in summed:
        spot = catalogue.site.find(item["downloadURL"])
        assert spot
        assert content_of(spot.path, spot.size).sha256() == item["checksum"]["checksumValue"]


def test_a_list_of_stations_is_shared_by_datasets_of_three_organizations(catalogue: Catalogue) -> None:
    url = f"{BASE}/files/noaa-gov/shared/stations.csv"

    sharing = [dataset.publisher.slug for dataset in catalogue.datasets if url in links(dataset)]

    assert sorted(sharing) == ["dot-gov", "noaa-gov", "noaa-gov", "nps-gov"]


def test_odd_values_stand_as_publishers_write_them(catalogue: Catalogue) -> None:
    records = [dataset.record for dataset in catalogue.datasets]

    assert any(record["title"] == 707 for record in records)
    assert {"R/P1W", "2015"} <= {record["modified"] for record in records}
    assert any(record["accessLevel"] == "non-public" for record in records)
    assert any(isinstance(record.get("distribution"), dict) for record in records)
    assert any(record.get("distribution", "missing") is None for record in records)
    assert any("distribution" not in record for record in records)
    assert any(record.get("distribution") == [] for record in records)
    assert any(isinstance(record.get("spatial"), dict) for record in records)
    assert sum("isPartOf" in record for record in records) == 4


@pytest.mark.parametrize(
    "link",
    [
        f"{BASE}/files/epa-gov/joined/part-1.csv,{BASE}/files/epa-gov/joined/part-2.csv",
        "data.invalid/exports/wells.csv",
        "sftp://ftp.invalid/pub/beaches.csv",
        "mailto:data@epa.invalid",
        "hhttps://data.invalid/exports/advisories.csv",
        "http://dead.invalid/data.csv",
    ],
)
def test_odd_links_stand_as_publishers_write_them(catalogue: Catalogue, link: str) -> None:
    assert sum(link in links(dataset) for dataset in catalogue.datasets) == 1


def test_two_things_cannot_stand_at_one_path() -> None:
    site = Site((BASE,), {})
    site.place(Spot("/files/x/a.csv", size=1))

    with pytest.raises(ValueError, match=r"two things at /files/x/a\.csv"):
        site.place(Spot("/files/x/a.csv", size=2))


def test_a_spot_is_found_by_its_encoded_and_by_its_plain_path() -> None:
    site = Site((BASE,), {})
    site.place(Spot("/files/x/a b.csv", size=1))

    assert site.find(f"{BASE}/files/x/a%20b.csv?at=once") == Spot("/files/x/a b.csv", size=1)
    assert site.find("http://elsewhere.test/files/x/a%20b.csv") is None
