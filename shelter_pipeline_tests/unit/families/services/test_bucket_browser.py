"""Pages that browse a bucket lead to the bucket's own listing."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.classify import classify
from shelter_pipeline.discovery.families import enter
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import outcome_of

QUERY = "?list-type=2&delimiter=%2F"


@pytest.mark.parametrize(
    ("url", "listing"),
    [
        (
            "https://noaa-goes16.s3.amazonaws.com/index.html",
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


@pytest.mark.parametrize(
    ("written", "prefix"),
    [
        ("#noaa-data/2020/", "noaa-data%2F2020%2F"),
        ("#/noaa-data/", "noaa-data%2F"),
        ("#!/noaa%20data/", "noaa%20data%2F"),
        ("?lang=en#prefix=noaa-data/", "noaa-data%2F"),
        ("?prefix=first/#second/", "first%2F"),
    ],
)
def test_what_a_page_shows_by_its_fragment_is_where_the_listing_begins(written: str, prefix: str) -> None:
    verdict = classify(f"https://a-bucket.s3.amazonaws.com/index.html{written}")

    assert verdict.url is not None
    known = enter(parse_url(verdict.url))
    assert known is not None
    assert [lead.url for lead in known[1].leads] == [
        f"https://a-bucket.s3.amazonaws.com/{QUERY}&prefix={prefix}"
    ]


@pytest.mark.parametrize("fragment", ["", "#", "#/", "#!/", "#" + "a" * 7000, "#\ud800/"])
def test_a_fragment_that_is_no_prefix_leaves_the_page_readable(fragment: str) -> None:
    url = classify(f"https://a-bucket.s3.amazonaws.com/index.html{fragment}").url

    assert url is None or parse_url(url).text == url
