"""Pages that browse a bucket lead to the bucket's own listing."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import outcome_of

QUERY = "?list-type=2&delimiter=%2F"


@pytest.mark.parametrize(
    ("url", "listing"),
    [
        (
            "https://noaa-goes16.s3.amazonaws.com/index.html#ABI-L1b-RadC/",
            f"https://noaa-goes16.s3.amazonaws.com/{QUERY}",
        ),
        (
            "https://noaa-goes16.s3.us-east-1.amazonaws.com/index.html?prefix=ABI/2020/",
            f"https://noaa-goes16.s3.us-east-1.amazonaws.com/{QUERY}&prefix=ABI%2F2020%2F",
        ),
        (
            "https://s3.amazonaws.com/noaa-data/index.html?prefix=a/b",
            f"https://s3.amazonaws.com/noaa-data/{QUERY}&prefix=a%2F",
        ),
        (
            "https://console.cloud.google.com/storage/browser/gcp-public-data/goes%2016/ABI/;tab=objects",
            f"https://storage.googleapis.com/gcp-public-data/{QUERY}&prefix=goes%2016%2FABI%2F",
        ),
        (
            "https://console.cloud.google.com/storage/browser/gcp-public-data",
            f"https://storage.googleapis.com/gcp-public-data/{QUERY}",
        ),
        (
            "https://s3.console.aws.amazon.com/s3/buckets/noaa-data?region=us-east-1&prefix=x/",
            f"https://noaa-data.s3.amazonaws.com/{QUERY}&prefix=x%2F",
        ),
    ],
)
def test_a_page_that_browses_a_bucket_leads_to_its_listing(url: str, listing: str) -> None:
    assert outcome_of(url) == ("bucket-browser", "", [("directory", "bucket-listing", listing)])


@pytest.mark.parametrize(
    "url",
    [
        "https://noaa-goes16.s3.amazonaws.com/docs/index.html",
        "https://noaa-goes16.s3.amazonaws.com/a.nc",
        "https://s3.amazonaws.com/index.html",
        "https://a-bucket.s3-website-us-east-1.amazonaws.com/index.html",
        "https://s3.amazonaws.com.evil.example/bucket/index.html",
        "https://h.example/index.html",
    ],
)
def test_other_pages_are_just_that(url: str) -> None:
    assert enter(parse_url(url)) is None
