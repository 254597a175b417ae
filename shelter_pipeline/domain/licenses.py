"""Licenses as CKAN knows them, told by the URLs that records give.

The ids are those of CKAN's own list and of the old catalog.data.gov.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class License:
    """One license: its id and title in CKAN, its URL, and whether it is open by the Open Definition."""

    id: str
    title: str
    url: str
    is_open: bool


NOT_SPECIFIED = License("notspecified", "License not specified", "", is_open=False)
_OTHER = License("other-license-specified", "other-license-specified", "", is_open=False)
LICENSES = (
    NOT_SPECIFIED,
    _OTHER,
    License("us-pd", "U.S. Government Work", "http://www.usa.gov/publicdomain/label/1.0", is_open=True),
    License(
        "cc-zero",
        "Creative Commons CCZero",
        "https://creativecommons.org/publicdomain/zero/1.0/",
        is_open=True,
    ),
    License(
        "cc-by", "Creative Commons Attribution", "https://creativecommons.org/licenses/by/4.0/", is_open=True
    ),
    License(
        "cc-by-sa",
        "Creative Commons Attribution Share-Alike",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        is_open=True,
    ),
    License(
        "odc-pddl",
        "Open Data Commons Public Domain",
        "https://opendatacommons.org/licenses/pddl/",
        is_open=True,
    ),
    License(
        "odc-by",
        "Open Data Commons Attribution License",
        "https://opendatacommons.org/licenses/by/",
        is_open=True,
    ),
    License(
        "odc-odbl",
        "Open Data Commons Open Database",
        "https://opendatacommons.org/licenses/odbl/",
        is_open=True,
    ),
)
_BY_PATTERN = (
    (re.compile(r"usa\.gov/(publicdomain/label|government-(works|copyright))"), "us-pd"),
    (re.compile(r"creativecommons\.org/publicdomain/(zero|mark)/"), "cc-zero"),
    (re.compile(r"creativecommons\.org/licenses/by/"), "cc-by"),
    (re.compile(r"creativecommons\.org/licenses/by-sa/"), "cc-by-sa"),
    (re.compile(r"opendatacommons\.org/licenses/pddl\b"), "odc-pddl"),
    (re.compile(r"opendatacommons\.org/licenses/by\b"), "odc-by"),
    (re.compile(r"opendatacommons\.org/licenses/odbl\b"), "odc-odbl"),
)
_BY_ID = {one.id: one for one in LICENSES}


def license_of(text: str | None) -> License:
    """The license that a record's words or URL stand for; one that is not known keeps its words as its title."""
    if not text:
        return NOT_SPECIFIED
    for pattern, name in _BY_PATTERN:
        if pattern.search(text.lower()):
            return _BY_ID[name]
    return License(_OTHER.id, text, text if text.startswith(("http://", "https://")) else "", is_open=False)
