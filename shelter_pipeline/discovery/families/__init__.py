"""Kinds of places whose files are found by rule, one module each: repositories with an API, services with an export.

A family knows its places by their URLs and reads its own API's answers; it asks for
nothing. The hosts it sends requests to are written in its code or are the host of the URL
it was given: what a record names on other hosts is a link like any other, never a page
that the family reads.
"""

from __future__ import annotations

from shelter_pipeline.discovery.families.addresses import has_room
from shelter_pipeline.discovery.families.arcgis_hub import ArcgisHub
from shelter_pipeline.discovery.families.arcgis_rest import ArcgisRest
from shelter_pipeline.discovery.families.bucket_browser import BucketBrowser
from shelter_pipeline.discovery.families.ckan_datastore import CkanDatastore
from shelter_pipeline.discovery.families.dataverse import Dataverse
from shelter_pipeline.discovery.families.dryad import Dryad
from shelter_pipeline.discovery.families.erddap import Erddap
from shelter_pipeline.discovery.families.figshare import Figshare
from shelter_pipeline.discovery.families.invenio import Invenio
from shelter_pipeline.discovery.families.ncei import Ncei
from shelter_pipeline.discovery.families.ogc import Ogc
from shelter_pipeline.discovery.families.ogc_api import OgcApi
from shelter_pipeline.discovery.families.opendap import Opendap
from shelter_pipeline.discovery.families.osf import Osf
from shelter_pipeline.discovery.families.pangaea import Pangaea
from shelter_pipeline.discovery.families.query_service import QueryService, declared
from shelter_pipeline.discovery.families.resolvers import Resolver, place_of
from shelter_pipeline.discovery.families.sciencebase import ScienceBase
from shelter_pipeline.discovery.families.socrata import Socrata
from shelter_pipeline.discovery.families.thredds_service import ThreddsService
from shelter_pipeline.discovery.families.walled import Walled
from shelter_pipeline.discovery.leads import Family, Reading
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url

__all__ = ["FAMILIES", "declared", "enter", "family"]

# The first that knows a URL has it. Those told by their host stand before those told by a path on any host.
FAMILIES: tuple[Family, ...] = (
    Invenio(),
    Figshare(),
    ScienceBase(),
    Ncei(),
    Osf(),
    Pangaea(),
    Dryad(),
    Walled(),
    Dataverse(),
    ArcgisHub(),
    Resolver(),
    # THREDDS and ERDDAP speak WMS and OPeNDAP below their own roots, and ArcGIS has WMS below its services.
    Socrata(),
    CkanDatastore(),
    ThreddsService(),
    Erddap(),
    Ogc(),
    ArcgisRest(),
    OgcApi(),
    Opendap(),
    BucketBrowser(),
    QueryService(),
)
_BY_SLUG = {family.slug: family for family in FAMILIES}


def enter(url: Url) -> tuple[str, Reading] | None:
    """The slug of the first family that knows the URL, and what the URL alone tells; None if nobody does.

    An identifier whose prefix names its repository is that repository's page. Nobody has an interface by FTP.
    """
    if url.scheme == "ftp" or not has_room(url):
        return None
    try:
        place = place_of(url) or url
        for known in FAMILIES:
            if (reading := known.enter(place)) is not None:
                return known.slug, reading
    except RefusedError:  # what a rule makes of an odd URL may be too long to be one
        return None
    return None


def family(slug: str) -> Family | None:
    """The family of a slug, as a lead's `reader` names it; None if no family has it."""
    return _BY_SLUG.get(slug)
