"""OPeNDAP servers other than THREDDS (Hyrax, PyDAP, GrADS): files by their own names, else descriptions.

Hyrax and PyDAP give out the file that a dataset is named after at the dataset's own URL,
unless an administrator has shut direct access (Hyrax answers 403 then). A contents page of
Hyrax stands beside a THREDDS catalogue of the same directory.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import site_of
from shelter_pipeline.discovery.families.dap import answers_about, dataset_of, kind_of_file
from shelter_pipeline.discovery.families.readings import (
    AsksNothing,
    directory_lead,
    file_lead,
    led,
    only_described,
)
from shelter_pipeline.discovery.leads import Lead, Reading, To
from shelter_pipeline.discovery.listings.thredds import READER
from shelter_pipeline.domain.urls import Url, parse_url

_SERVER = re.compile(r"(?:/[^/]{1,200}){0,6}?/(?P<server>opendap|hyrax|dods)(?P<rest>/.*)?\Z", re.IGNORECASE)
_CONTENTS = re.compile(r"(?P<directory>/.*/)(?:contents\.html|catalog\.(?:html|xml))\Z", re.IGNORECASE)
_PAGE = re.compile(r"\.(?:html?|jsp|php)\Z", re.IGNORECASE)


class Opendap(AsksNothing):
    """The family of Hyrax, PyDAP and GrADS data servers."""

    slug = "opendap"

    def enter(self, url: Url) -> Reading | None:
        """The file behind a dataset, or its descriptions; the catalogue of a contents page; a directory itself."""
        server = _SERVER.match(url.path)
        if server is None:
            return None
        if contents := _CONTENTS.match(url.path):
            return led(catalog_lead(f"{site_of(url)}{contents['directory']}catalog.xml"))
        path, dap4 = dataset_of(url.path)
        if path == url.path and _PAGE.search(path):
            return None
        if path.endswith("/"):
            return led(directory_lead(url.text, why="opendap-directory"))
        return _dataset(f"{site_of(url)}{path}", server, dap4=dap4, is_answer=path != url.path)


def _dataset(dataset: str, server: re.Match[str], *, dap4: bool, is_answer: bool) -> Reading:
    """A name without the end of a file is a directory, unless it was asked for an answer or GrADS serves it."""
    if kind := kind_of_file(dataset):
        return led(file_lead(dataset, kind, why="opendap-file"), *answers_about(dataset, dap4=dap4))
    if (
        is_answer
        or dataset.lower().endswith(".ncml")
        or (server["server"].lower() == "dods" and server["rest"])
    ):
        detail = "an OPeNDAP dataset that is no one file: its values come in pieces only"
        return only_described(answers_about(dataset, dap4=dap4), detail)
    return led(directory_lead(f"{dataset}/", why="opendap-directory"))


def catalog_lead(url: str) -> Lead:
    """The lead to a THREDDS catalogue."""
    return Lead(parse_url(url).text, To.PAGE, "thredds-catalog", reader=READER)
