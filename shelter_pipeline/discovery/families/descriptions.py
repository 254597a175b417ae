"""What services say of themselves: leads to their descriptions, and the answers in which they are given.

A description is a file like any other: one URL for one service, however many datasets name
it, so that it is fetched once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, parse_url
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.reading import parse_json
from shelter_pipeline.portals.replies import check_reply

DESCRIPTION = "capabilities"
SERVICE = "service"
LOGIN_REQUIRED = "login-required"
ACCEPT_JSON: Mapping[str, str] = MappingProxyType({"Accept": "application/json"})
_MEDIA_TYPES = {"json": "application/json", "xml": "application/xml", "text": "text/plain"}
_FORMATS = {"json": "JSON", "xml": "XML", "text": "TXT"}
_ROOM = 600  # characters that a family may add to a URL
_LONGEST_LABEL = 200


class AsksNothing:
    """A family that learns everything from the URL, so that no answer is ever its own."""

    def read(self, reply: Reply, url: Url) -> Reading:  # noqa: ARG002
        """Raise PermanentError: none of its leads names it as a reader."""
        raise PermanentError(f"nothing was asked of {url.text}", reason="wrong-type")


def has_room(url: Url) -> bool:
    """Whether what a family adds to a URL still leaves one that may be asked for."""
    return len(url.text) <= MAX_URL_LENGTH - _ROOM


def site_of(url: Url) -> str:
    """Scheme, host and port, without a slash at the end."""
    parts = urlsplit(url.text)
    return f"{parts.scheme}://{parts.netloc}"


def secure_site_of(url: Url) -> str:
    """The same over TLS, for services that have nothing else; another port is left as it is."""
    site = site_of(url)
    return "https" + site.removeprefix("http") if url.host.endswith(":80") else site


def description(url: str, asset_kind: str, *, label: str = "") -> Lead:
    """The lead to a document in which a service describes itself: `asset_kind` is json, xml or text.

    All have the same `why`, by which whoever counts files of data knows that this is none.
    """
    return Lead(
        parse_url(url).text,
        To.FILE,
        DESCRIPTION,
        label,
        asset_kind=asset_kind,
        format=_FORMATS[asset_kind],
        media_type=_MEDIA_TYPES[asset_kind],
    )


def question(url: str, reader: str, *, why: str, label: str = "") -> Lead:
    """The lead to an answer in JSON that `reader` reads."""
    return Lead(parse_url(url).text, To.PAGE, why, label, reader=reader, headers=ACCEPT_JSON)


def only_described(leads: Iterable[Lead], detail: str) -> Reading:
    """A service of which only descriptions can be saved, or nothing."""
    return Reading(What.RECORD, tuple(leads), SERVICE, detail)


def led(leads: Iterable[Lead], *, detail: str = "", notes: tuple[str, ...] = ()) -> Reading:
    """A service that has files behind it, or a question to ask first."""
    return Reading(What.RECORD, tuple(leads), detail=detail, notes=notes)


def walled(detail: str) -> Reading:
    """A service that tells nothing to strangers."""
    return Reading(What.LOGIN, (), LOGIN_REQUIRED, detail)


def json_object(reply: Reply, *, of: str) -> dict[str, Any]:
    """The JSON object of a reply.

    Raises TransientError or PermanentError, as `check_reply` and `parse_json` do, and PermanentError
    `wrong-type` for JSON that is no object; `of` names what was expected.
    """
    check_reply(reply.head, reply.body)
    value, undecoded = parse_json(reply.body)
    if not isinstance(value, dict):
        raise PermanentError(f"JSON that is no {of}", reason="wrong-type")
    mended = mend(value)[0] if undecoded else value
    return mended if isinstance(mended, dict) else {}


def text_in(value: Json) -> str:
    """A string on one line as people may see it and catalogs store it; empty for anything else."""
    if not isinstance(value, str):
        return ""
    head = value[: 10 * _LONGEST_LABEL]
    return " ".join("".join(c if c.isprintable() else " " for c in head).split())[:_LONGEST_LABEL]


def count_in(value: Json) -> int | None:
    """A number that may be a count or a size; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:  # noqa: PLR2004
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def list_in(value: Json) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def object_in(value: Json) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}
