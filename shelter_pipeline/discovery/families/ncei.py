"""Collections and accessions of NOAA's National Centers for Environmental Information.

A landing page is read through its ISO 19115 record, which names the directories and
archives of the data. Pages of the former centres (NODC, NCDC, NGDC) stand for the same
records, and their archive directories are now under www.ncei.noaa.gov/data/oceans.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, parameters
from shelter_pipeline.discovery.families.answers import no_record
from shelter_pipeline.discovery.families.metadata_xml import read_metadata_xml
from shelter_pipeline.discovery.families.readings import LANDING_PAGE_ONLY, directory_lead, file_lead, led
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To
from shelter_pipeline.domain.urls import Url, parse_url

HOME = "https://www.ncei.noaa.gov"
_HOSTS = re.compile(r"(?:(?:www|data|accession|gis)\.)?(?:ncei|nodc|ncdc|ngdc)\.noaa\.gov\Z")
_ID = r"gov\.noaa\.[a-z]{4}[a-z.]{0,40}:[A-Za-z0-9_.-]{1,120}"
_WHOLE_ID = re.compile(rf"{_ID}\Z")
_LANDING = re.compile(r"/(?:access/metadata/landing-page/bin|cgi-bin)/iso\Z")
_GEOPORTAL = re.compile(
    rf"/(?:metadata|archivesearch)/(?:geoportal/)?(?:rest/)?(?:metadata/)?item/(?P<id>{_ID})(?:/(?:html|xml|json))?/?\Z"
)
_ACCESSION = re.compile(r"/(?:archive/accession|accession)/(?P<number>[0-9]{5,8})/?\Z")
_ACCESSION_HOST = re.compile(r"/(?P<number>[0-9]{5,8})/?\Z")
_DOWNLOAD = re.compile(r"/.{0,100}?accession/download/0*(?P<number>[0-9]{3,8})/?\Z")
_OLD_ARCHIVE = re.compile(r"/archive/(?P<place>arc[0-9]{4}/[0-9]{7}(?:/.{0,300})?)\Z")
_DATA = re.compile(r"/(?:data|pub/data)/[^/.]{1,100}\Z")


class Ncei:
    """Landing pages, geoportal items, accessions and data directories."""

    slug = "ncei"

    def enter(self, url: Url) -> Reading | None:
        """The ISO record of a page; the directory or archive where the URL alone names it."""
        name = name_of(url)
        if not name.endswith("noaa.gov") or not _HOSTS.match(name):
            return None
        path = unquote(url.path)
        if _LANDING.match(path):
            return self._record(parameters(url).get("id", ""))
        if match := _GEOPORTAL.match(path):
            return self._record(match["id"])
        accession = _ACCESSION_HOST if name.startswith("accession.") else _ACCESSION
        if match := accession.match(path):
            return self._record(f"gov.noaa.nodc:{match['number']}")
        return _of_data(url, path)

    def _record(self, identity: str) -> Reading | None:
        if not _WHOLE_ID.match(identity):
            return None
        address = f"{HOME}/access/metadata/landing-page/bin/iso?id={identity};view=xml;responseType=text/xml"
        headers = {"Accept": "application/xml, text/xml"}
        lead = Lead(parse_url(address).text, To.PAGE, "ncei-record", reader=self.slug, headers=headers)
        return led(lead)

    def read(self, reply: Reply, url: Url) -> Reading:
        """The directories, archives and services that the ISO record names."""
        reading = read_metadata_xml(reply, url)
        if reading is None:
            raise no_record("a metadata record of NCEI")
        leads = tuple(map(_under_its_own_address, reading.leads))
        if leads:
            return replace(reading, leads=leads)
        return replace(reading, outcome=LANDING_PAGE_ONLY, detail="the metadata record names no download")


def _of_data(url: Url, path: str) -> Reading | None:
    """Archives and directories that a URL alone names."""
    if match := _DOWNLOAD.match(path):
        return led(file_lead(f"{HOME}/archive/accession/download/{match['number']}", why="ncei-archive"))
    if match := _OLD_ARCHIVE.match(path):
        place = quote(match["place"], safe="/")
        return _directory(f"{HOME}/data/oceans/archive/{place}".rstrip("/") + "/")
    if name_of(url) == "www.ncei.noaa.gov" and _DATA.match(path):
        return _directory(f"{url.text.partition('?')[0]}/")
    return None


def _directory(address: str) -> Reading:
    return led(directory_lead(address, why="ncei-directory"))


def _under_its_own_address(lead: Lead) -> Lead:
    """An archive by its number; a directory with its last slash, which NCEI's records often leave out."""
    place = parse_url(lead.url)
    if name_of(place) != "www.ncei.noaa.gov":
        return lead
    if match := _DOWNLOAD.match(place.path):
        address = f"{HOME}/archive/accession/download/{match['number']}"
        return replace(lead, url=address, to=To.FILE, why="ncei-archive", asset_kind="tar")
    if lead.to is To.PAGE and place.path.startswith(("/data/", "/pub/data/")) and "?" not in place.text:
        return replace(lead, url=place.text.rstrip("/") + "/", to=To.DIRECTORY)
    return lead
