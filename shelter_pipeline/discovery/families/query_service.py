"""Services that only answer questions: OData, whose metadata document is saved, and SPARQL, GraphQL and others.

`declared` is for what a catalogue or the table of places calls a service while no family
knows its URL: such a service has its capabilities saved where the name says how.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import has_room, site_of
from shelter_pipeline.discovery.families.ogc import describe
from shelter_pipeline.discovery.families.readings import AsksNothing, description, only_described
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import Url

# OASIS OData 4.01 part 2, section 2: the service root, then the metadata document `$metadata`.
_ODATA = re.compile(
    r"(?!/api/views/)(?P<root>(?:/[^/]{1,300}){0,8}?"
    r"/(?:[\w-]{1,100}\.svc|odata(?:/v[0-9.]{1,8})?))(?=/|\Z)",
    re.IGNORECASE,
)
_SPARQL = re.compile(r"/sparql/?\Z", re.IGNORECASE)
_GRAPHQL = re.compile(r"/graphql/?\Z", re.IGNORECASE)
_OGC = frozenset({"wms", "wfs", "wcs", "wmts", "csw", "sos", "wps"})


class QueryService(AsksNothing):
    """The family of services that have no files behind them, only answers."""

    slug = "query-service"

    def enter(self, url: Url) -> Reading | None:
        """What can be saved of OData, SPARQL and GraphQL endpoints; None for any other URL."""
        if odata := _ODATA.match(url.path):
            metadata = description(
                f"{site_of(url)}{odata['root']}/$metadata", "xml", label="metadata of OData"
            )
            return only_described(
                [metadata], "an OData service: it answers in pages and hands out no whole files"
            )
        if _SPARQL.search(url.path):
            return only_described((), "a SPARQL endpoint: it answers queries, and nothing describes it whole")
        if _GRAPHQL.search(url.path):
            return only_described(
                (), "a GraphQL endpoint: it answers queries, and nothing describes it whole"
            )
        return None


def declared(rule: str, url: Url) -> Reading:
    """The reading of a URL that `rule` of classification calls a service (`wms`, `declared-wms`, `api`)."""
    service = rule.removeprefix("declared-")
    if service in _OGC and has_room(url):
        return describe(url, service)
    return only_described((), f"a service ({service}) of which nothing is known to be saved")
