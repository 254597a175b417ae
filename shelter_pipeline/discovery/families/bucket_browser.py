"""Pages that browse a bucket of an object store by script: they lead to the bucket's own listing.

S3 and Google's XML interface list a bucket with ListObjectsV2 (`list-type=2`). What the page
shows stands in the fragment of its URL, which is no part of a normal form; a prefix is known
only where it stands in path or query, and the bucket's root is walked level by level else.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, parameters, site_of
from shelter_pipeline.discovery.families.readings import AsksNothing, directory_lead, led
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import Url

_BUCKET = r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]"
_VIRTUAL_HOST = re.compile(rf"{_BUCKET}\.s3(?!-website)(?:[.-][a-z0-9-]{{1,30}}){{0,2}}\.amazonaws\.com\Z")
_PATH_HOST = re.compile(r"s3(?!-website)(?:[.-][a-z0-9-]{1,30}){0,2}\.amazonaws\.com\Z")
_STORES = (".amazonaws.com", "console.aws.amazon.com", "console.cloud.google.com")
_PAGE = re.compile(r"/(?:index|browse|list|explorer)\.html?\Z", re.IGNORECASE)
_PAGE_IN_BUCKET = re.compile(
    rf"/(?P<bucket>{_BUCKET})/(?:index|browse|list|explorer)\.html?\Z", re.IGNORECASE
)
_GOOGLE = re.compile(
    rf"/storage/browser/(?:_details/)?(?P<bucket>{_BUCKET})(?:/(?P<prefix>[^;]*))?(?:;.*)?\Z"
)
_AMAZON = re.compile(rf"/s3/buckets/(?P<bucket>{_BUCKET})/?(?P<prefix>.*)\Z")


class BucketBrowser(AsksNothing):
    """The family of bucket browsers."""

    slug = "bucket-browser"

    def enter(self, url: Url) -> Reading | None:
        """The listing of the bucket that the page at `url` shows; None where it is no such page."""
        name = name_of(url)
        if not name.endswith(_STORES):
            return None
        wanted = parameters(url).get("prefix", "")
        if _VIRTUAL_HOST.match(name) and _PAGE.match(url.path):
            return _listed(site_of(url) + "/", wanted)
        if _PATH_HOST.match(name) and (match := _PAGE_IN_BUCKET.match(url.path)):
            return _listed(f"{site_of(url)}/{match['bucket']}/", wanted)
        if name == "console.cloud.google.com" and (match := _GOOGLE.match(url.path)):
            prefix = unquote(match["prefix"] or "")
            return _listed(f"https://storage.googleapis.com/{match['bucket']}/", wanted or prefix)
        if name.endswith("console.aws.amazon.com") and (match := _AMAZON.match(url.path)):
            return _listed(f"https://{match['bucket']}.s3.amazonaws.com/", wanted or unquote(match["prefix"]))
        return None


def _listed(bucket: str, prefix: str) -> Reading:
    """The directory of a prefix; a prefix that is no directory is cut back to the one that holds it."""
    directory = prefix.rpartition("/")[0].lstrip("/")
    query = "list-type=2&delimiter=%2F" + (f"&prefix={quote(directory, safe='')}%2F" if directory else "")
    return led(directory_lead(f"{bucket}?{query}", why="bucket-listing"))
