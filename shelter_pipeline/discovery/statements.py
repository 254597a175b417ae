"""What a page says of one link, before anybody has judged it.

JSON-LD, microdata, headers and plain links all end as statements, so that one rule judges
them all. The order of `STRENGTH` is the order in which statements are believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

# Slugs of Lead.why, strongest first: who says that it is a file.
STRENGTH = (
    "json-ld",
    "microdata",
    "rdfa",
    "link-header",
    "linkset",
    "link",
    "meta",
    "download-attribute",
    "anchor",
    "embedded",
    "data-attribute",
    "option",
)

_SIZE = re.compile(
    r"\s{0,9}([0-9][0-9,]{0,20}(?:\.[0-9]{1,6})?)\s{0,9}([kmgtp]?)(i?)(?:b|bytes?|octets?|o)?\s{0,9}\Z",
    re.IGNORECASE,
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LARGEST = 2**63 - 1
NO_RELATIONS: frozenset[str] = frozenset()


class Means(IntEnum):
    """What a statement claims its target to be."""

    ANYTHING = 0  # a link; its URL must tell
    ACCESS = 1  # the way to the data: the file, or a page that leads there
    FILE = 2  # the bytes themselves


@dataclass(frozen=True, slots=True)
class Statement:
    """One reference as it stands in the page. `declared` is a format, a media type or a file's name.

    `in_frame` is true for what stands in the frame that a site puts round all its pages:
    navigation, header, footer. `relations` are those of RFC 8288; `hints` are classes, for the
    rules of labels.
    """

    reference: str
    why: str
    label: str = ""
    declared: str | None = None
    size: int | None = None
    checksum: str | None = None
    means: Means = Means.ANYTHING
    in_frame: bool = False
    relations: frozenset[str] = NO_RELATIONS
    hints: str = ""


def bytes_in(written: object) -> int | None:
    """Bytes in a size written for people ("12 MB", "1,234", 12345), decimal unless it says MiB; None if it is none."""
    if isinstance(written, int | float) and not isinstance(written, bool):
        return int(written) if 0 <= written <= _LARGEST else None
    match = _SIZE.match(written) if isinstance(written, str) else None
    if match is None:
        return None
    number, power, binary = float(match[1].replace(",", "")), _POWERS[match[2].lower()], bool(match[3])
    size = round(number * (1024 if binary else 1000) ** power)
    return size if size <= _LARGEST else None
