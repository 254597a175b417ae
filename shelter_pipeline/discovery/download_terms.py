"""The words in which vocabularies name a download: schema.org, DCAT 3 and Croissant, by the last part of their IRIs.

JSON-LD, microdata and RDFa write the same words. Where several of one meaning stand in one
thing, the first in the order given here counts.
"""

from __future__ import annotations

import re

FILE = ("contenturl", "downloadurl")
ACCESS = ("accessurl",)
FORMAT = ("encodingformat", "fileformat", "mediatype", "format")
SIZE = ("contentsize", "bytesize")
NAME = ("name", "title")
# Types that have a plain `url` which may be the download.
_DOWNLOADS = ("datadownload", "distribution")
# Types whose contentUrl is that of a picture or a film of the page.
_NOT_DATA = ("imageobject", "videoobject", "audioobject", "imagegallery")
_SEPARATORS = re.compile(r"[:/#]")
_LONGEST_TERM = 200


def last_part(term: str) -> str:
    """What a term is compared by: `dcat:downloadURL` and `http://www.w3.org/ns/dcat#downloadURL` are downloadurl."""
    return _SEPARATORS.split(term[-_LONGEST_TERM:])[-1].lower()


def is_download(types: str) -> bool:
    """Whether a thing of these types, in lower case, is a download by its type."""
    return any(name in types for name in _DOWNLOADS)


def is_no_data(types: str) -> bool:
    """Whether a thing of these types, in lower case, is none of the data."""
    return any(name in types for name in _NOT_DATA)
