"""Repositories that give data only to people who have signed in and agreed to terms.

Nothing of them is asked: an answer would be a login page. The verdict says so in words, so
that a person may get the data by hand.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import name_of
from shelter_pipeline.discovery.families.readings import AsksNothing, walled
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import Url

# By the name of the host without `www.`: the paths of studies, and what is to be said of them.
_PLACES = {
    "icpsr.umich.edu": (
        re.compile(
            r"/(?:web/|icpsrweb/)?(?:[a-z]{3,12}/)?(?:studies|study)/[0-9]{1,8}(?:/|\Z)", re.IGNORECASE
        ),
        "ICPSR gives the files of its studies after a login",
    ),
    "openicpsr.org": (
        re.compile(r"/openicpsr/(?:project|workspace)(?:/|\Z)", re.IGNORECASE),
        "openICPSR gives its files after a login",
    ),
}


class Walled(AsksNothing):
    """ICPSR and openICPSR."""

    slug = "walled"

    def enter(self, url: Url) -> Reading | None:
        """The verdict on a study's page."""
        path, sentence = _PLACES.get(name_of(url).removeprefix("www."), (None, ""))
        return walled(sentence) if path is not None and path.match(url.path) else None
