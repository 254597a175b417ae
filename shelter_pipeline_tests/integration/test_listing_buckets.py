"""A public bucket on a real S3 server, listed and fetched through the real door without any credentials."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.discovery.listings import read_listing
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.local_site import open_door
from shelter_pipeline_tests.support.seaweedfs import PUBLIC_BUCKET, SeaweedFS

KEYS = (
    "a.csv",
    "a b+c.csv",
    "100%25.csv",
    "quote's & <tag>.csv",
    "hash#question?.csv",
    "sub/deeper/b.nc",
    "sub/ünïcödé 東京.nc",
    *(f"many/{number:03d}.csv" for number in range(25)),
)


@pytest.fixture(scope="module")
def bucket(seaweedfs: SeaweedFS) -> str:
    """The URL of a bucket that anybody may read; the body of each of its objects is its key."""
    client = seaweedfs.client()  # type: ignore[no-untyped-call]
    client.create_bucket(Bucket=PUBLIC_BUCKET)
    for key in KEYS:
        client.put_object(Bucket=PUBLIC_BUCKET, Key=key, Body=key.encode())
    return f"{seaweedfs.endpoint}/{PUBLIC_BUCKET}"


def walked(url: str) -> list[Lead]:
    """The files of a listing, its further parts and the directories below."""
    files, waiting, asked = [], [url], set[str]()
    door = open_door()
    while waiting:
        url = waiting.pop()
        assert url not in asked, "it goes round"
        asked.add(url)
        found = read_listing(door.read(url), parse_url(url))
        assert found is not None, url
        for lead in found.leads:
            if lead.to is To.FILE:
                files.append(lead)
            else:
                waiting.append(lead.url)
    return files


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?list-type=2",
        "?max-keys=7",
        "?list-type=2&max-keys=7",
        "?delimiter=/&max-keys=3",
        "?list-type=2&delimiter=/&max-keys=3",
        "?list-type=2&encoding-type=url&max-keys=7",
    ],
)
def test_every_object_of_a_bucket_comes_back_whatever_way_it_is_listed(bucket: str, query: str) -> None:
    files = walked(bucket + query)

    door = open_door()
    assert sorted(door.read(lead.url).body.decode() for lead in files) == sorted(KEYS)
    assert [lead.size for lead in files] == [len(door.read(lead.url).body) for lead in files]
    assert all(lead.modified is not None for lead in files)


def test_a_listing_of_a_prefix_leads_to_what_is_below_it(bucket: str) -> None:
    files = walked(f"{bucket}?prefix=sub/&delimiter=/")

    assert len(files) == 2
    assert all(lead.url.startswith(f"{bucket}/sub/") for lead in files)
