"""OGC APIs (Features, Coverages, Tiles, Records) and STAC: landing page and collection are saved.

Their items come in pages of the server's own size (OGC 17-069r4, section 7.15), which is no
export of one file. A path is believed only below a segment that says what it is.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import site_of
from shelter_pipeline.discovery.families.readings import AsksNothing, description, only_described
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import Url

_ROOT = re.compile(
    r"(?P<root>(?:/[^/]{1,200}){0,6}?/(?:stac|ogcapi|ogc-api|oapif|ogc/(?:features|coverages|maps|tiles|records|edr))"
    r"(?:/(?!(?:collections|search|conformance|api)(?:/|\Z))[^/.]{1,100}){0,3}?(?:/v[0-9]{1,3}(?:\.[0-9]{1,3}){0,2})?)"
    r"(?:/(?P<rest>(?:collections|search|conformance|api)(?:/.*)?)?)?\Z",
    re.IGNORECASE,
)
_COLLECTION = re.compile(r"collections/(?P<id>[^/]{1,300})")


class OgcApi(AsksNothing):
    """The family of OGC APIs and STAC APIs."""

    slug = "ogc-api"

    def enter(self, url: Url) -> Reading | None:
        """The landing page of the API and the collection that `url` lies in; None for any other URL."""
        match = _ROOT.match(url.path)
        if match is None:
            return None
        root = f"{site_of(url)}{match['root']}"
        leads = [description(root, "json", label="landing page of the API")]
        if collection := _COLLECTION.match(match["rest"] or ""):
            leads.append(
                description(
                    f"{root}/collections/{collection['id']}",
                    "json",
                    label="collection",
                )
            )
        return only_described(leads, "an OGC or STAC API: it gives items in pages and no whole files")
