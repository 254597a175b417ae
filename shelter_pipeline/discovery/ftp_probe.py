"""What a file on an FTP server weighs and when it was changed, without opening a transfer.

SIZE and MDTM (RFC 3659 3 and 4) tell both on the login's own connection. That a directory
has the same name is found first; its listing is let go unread.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from shelter_pipeline.discovery.ftp_lines import Entry, entries
from shelter_pipeline.discovery.ftp_listing import ONLY_LISTINGS, listing_form
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.probing import LARGEST_SIZE, OK, Probe
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.exchange import Trace, Wish, exchange
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.ftp_paths import file_name
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.passage import Passage
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.steps import Steps

_MOST_BYTES = 64 * 1024  # of one line


def probe_ftp(
    passage: Passage, limits: Limits, url: Url, trace: Trace, *, robots: RobotsBook | None = None
) -> Steps[Probe]:
    """Ask for the facts of the file at an ftp `url`; its size is None where the server does not know SIZE.

    `trace` is filled on the way. Raises the error whose `reason` a capture would end for:
    `directory` for a path that names one, with nothing sent if that is plain from the path.
    """
    file_name(url)
    told = bytearray()
    wish = Wish(
        url.text,
        on_head=_refuse_directory,
        sink=told.extend,
        headers=ONLY_LISTINGS,
        max_bytes=_MOST_BYTES,
        listing=True,
    )
    ended = yield from exchange(passage, wish, limits, trace, robots=robots)
    entry = next((each for each in entries(bytes(told), "mlst", None) if isinstance(each, Entry)), None)
    size = entry.size if entry is not None else None
    modified = entry.modified if entry is not None else None
    return Probe(
        url.text,
        ended.final_url,
        "empty" if size == 0 else OK,
        datetime.now(UTC),
        "the server says that the file has no bytes" if size == 0 else "",
        status=ended.head.status,
        size=size if size is None or size <= LARGEST_SIZE else None,
        last_modified=format_datetime(modified, usegmt=True) if modified is not None else None,
        method="SIZE",
    )


def _refuse_directory(head: Head) -> None:
    if listing_form(head.get("content-type")) != "mlst":
        raise PermanentError("the path names a directory, not a file", reason="directory")
