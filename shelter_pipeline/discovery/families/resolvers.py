"""Persistent identifiers: whose they are is told by their prefix, else by following them.

The DOI prefixes of the repositories we know lead to their pages without a request to
doi.org. Any other identifier is asked for as a page; where it redirects to is looked at
like any URL. DOIs are compared without regard to case (ISO 26324).
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, secure_site_of
from shelter_pipeline.discovery.families.readings import AsksNothing, led
from shelter_pipeline.discovery.leads import Lead, Reading, To
from shelter_pipeline.domain.urls import Url, parse_url

_RESOLVERS = frozenset({"doi.org", "dx.doi.org", "www.doi.org", "hdl.handle.net", "n2t.net", "www.n2t.net"})
_OF_DOIS = frozenset({"doi.org", "dx.doi.org", "www.doi.org"})
_DOI = re.compile(r"/(?:doi:\s?)?(?P<doi>10\.[0-9]{4,9}/.{1,500})\Z", re.IGNORECASE | re.DOTALL)
_HANDLE = re.compile(r"/[0-9a-z.]{1,40}/.{1,500}\Z", re.IGNORECASE | re.DOTALL)
_ARK = re.compile(r"/(?:ark:|doi:|hdl:|[a-z]{2,20}:).{1,500}\Z", re.IGNORECASE | re.DOTALL)
# What stands after an identifier in a sentence, and never at its end.
_AFTERTHOUGHT = ".,;"

# The pattern of the DOI, and the page it stands for; groups are put in by name.
_PLACES = tuple(
    (re.compile(pattern + r"\Z", re.IGNORECASE), page)
    for pattern, page in (
        (r"10\.5281/zenodo\.(?P<id>[0-9]{1,12})", "https://zenodo.org/records/{id}"),
        (
            r"10\.6084/m9\.figshare\.(?P<id>[0-9]{4,12})\.v(?P<version>[0-9]{1,3})",
            "https://figshare.com/articles/{id}/{version}",
        ),
        (r"10\.6084/m9\.figshare\.(?P<id>[0-9]{4,12})", "https://figshare.com/articles/{id}"),
        (
            r"10\.6084/m9\.figshare\.c\.(?P<id>[0-9]{4,12})(?:\.v[0-9]{1,3})?",
            "https://figshare.com/collections/{id}",
        ),
        (r"10\.17605/osf\.io/(?P<id>[a-z0-9]{5})", "https://osf.io/{id}/"),
        (r"10\.1594/(?P<id>pangaea\.[0-9]{1,9})", "https://doi.pangaea.de/10.1594/{id}"),
        (r"(?P<id>10\.5061/dryad\.[a-z0-9]{1,40}(?:/[0-9]{1,4})?)", "https://datadryad.org/dataset/doi:{id}"),
        (
            r"(?P<id>10\.7910/dvn/[a-z0-9]{1,20})(?:/[a-z0-9]{1,20})?",
            "https://dataverse.harvard.edu/dataset.xhtml?persistentId=doi:{id}",
        ),
        (r"10\.3886/e(?P<id>[0-9]{1,8})(?:v[0-9]{1,3})?", "https://www.openicpsr.org/openicpsr/project/{id}"),
        (
            r"10\.3886/icpsr(?P<id>[0-9]{1,8})(?:\.v[0-9]{1,3})?",
            "https://www.icpsr.umich.edu/web/ICPSR/studies/{id}",
        ),
    )
)
# OSF's identifiers and PANGAEA's pages are written in one case only.
_LOWER = ("https://osf.io/", "https://datadryad.org/")
_UPPER = ("https://doi.pangaea.de/", "https://dataverse.harvard.edu/")


def place_of(url: Url) -> Url | None:
    """The page of the repository whose identifier a resolver's URL is; None for any other URL."""
    doi = _doi_of(url)
    if not doi:
        return None
    for pattern, page in _PLACES:
        if match := pattern.match(doi):
            groups = {name: quote(value, safe="/.") for name, value in match.groupdict().items() if value}
            if page.startswith(_LOWER):
                groups = {name: value.lower() for name, value in groups.items()}
            if page.startswith(_UPPER):
                groups = {name: value.upper() for name, value in groups.items()}
            return parse_url(page.format(**groups))
    return None


def _doi_of(url: Url) -> str:
    if name_of(url) not in _RESOLVERS:
        return ""
    match = _DOI.match(unquote(url.path))
    return _trimmed(match["doi"]) if match else ""


def _trimmed(identifier: str) -> str:
    """The identifier without what a sentence left at its end: stops, and a bracket it does not open."""
    while identifier:
        last = identifier[-1]
        if not (last in _AFTERTHOUGHT or last.isspace() or (last == ")" and "(" not in identifier)):
            break
        identifier = identifier[:-1]
    return identifier


class Resolver(AsksNothing):
    """doi.org, hdl.handle.net and n2t.net: one page each, which redirects to another site."""

    slug = "resolver"

    def enter(self, url: Url) -> Reading | None:
        """The identifier itself as a page that any reader may read, by https and without afterthoughts."""
        name = name_of(url)
        if name not in _RESOLVERS:
            return None
        path = unquote(url.path)
        shape = _DOI if name in _OF_DOIS else _HANDLE if name.startswith("hdl.") else _ARK
        if not shape.match(path):
            return None
        trimmed = _trimmed(path)
        host = "https://doi.org" if name in _OF_DOIS else secure_site_of(url)
        address = f"{host}{quote(trimmed, safe='/:().,;-_~$!*@+=')}"
        notes = (
            () if trimmed == path else (f"{path[len(trimmed) :]!r} at the end is no part of the identifier",)
        )
        return led(Lead(parse_url(address).text, To.PAGE, "identifier"), notes=notes)
