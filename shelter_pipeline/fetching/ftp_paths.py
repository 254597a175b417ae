"""What an ftp:// URL may name, and under which name we log in: pure decisions, taken before anything is dialled.

FTP has no request line: each part of a path is sent as the argument of a command of its
own, so a line break in it would be a command that somebody else wrote. Such paths are
refused, and with them everything in which clients are known to read different things.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from shelter_pipeline.domain.errors import PermanentError, RefusedError
from shelter_pipeline.domain.urls import Url

CONTROL_PORT = 21
LEAST_FREE_PORT = 1024
# What a directory comes as; its parameter `form` is the command that told it: mlsd, list, nlst, or mlst for a file.
LISTING_TYPE = "text/x-ftp-listing"
_MOST_FOLDERS = 64
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)


def last_name(url: Url) -> bytes:
    """The last part of the path, unquoted, as it is sent (RFC 1738 3.2.2); empty if the path ends in a slash.

    Raises RefusedError `bad-url` for control characters, `;type=`, a query or too many folders.
    """
    if "?" in url.text or ";type=" in url.path.lower():
        raise RefusedError("an ftp URL has neither a query nor a type", reason="bad-url")
    path = unquote_to_bytes(url.path)
    if _CONTROL.search(path):
        raise RefusedError("the path holds a control character", reason="bad-url")
    folder, _, name = path.rpartition(b"/")
    if folder.count(b"/") > _MOST_FOLDERS:
        raise RefusedError(f"the path is more than {_MOST_FOLDERS} folders deep", reason="bad-url")
    return name


def file_name(url: Url) -> bytes:
    """The same of a path that has to name a file. Raises PermanentError `directory` too, for one that does not."""
    name = last_name(url)
    if not name:
        raise PermanentError("the path names a directory, not a file", reason="directory")
    return name


def accepts_listings_only(headers: Mapping[str, str]) -> bool:
    """Whether the one who asks wants a listing, and of a file only that it is one."""
    accepted = next((value for name, value in headers.items() if name.lower() == "accept"), "*/*")
    return accepted.strip().lower() == LISTING_TYPE


def contact_of(user_agent: str) -> str:
    """What an anonymous login gives as its password (RFC 1635): the mail address of the User-Agent, if it has one.

    >>> contact_of("Shelter/0.1 (data rescue; rescue@example.org)")
    'rescue@example.org'
    >>> contact_of("Shelter/0.1 (+https://example.org/)")
    'anonymous@'
    """
    found = _ADDRESS.search(user_agent)
    return found[0] if found else "anonymous@"
