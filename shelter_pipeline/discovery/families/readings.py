"""What a family answers with: the leads that its rules know, and the ends of places that lead to nothing.

A description of a service is a file like any other: one URL for one service, however many
datasets name it, so that it is fetched once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shelter_pipeline.discovery.asset_kinds import kind_named
from shelter_pipeline.discovery.families.answers import ACCEPT_JSON, no_record
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.domain.urls import Url, parse_url

DESCRIPTION = "capabilities"
SERVICE = "service"
LOGIN_REQUIRED = "login-required"
LANDING_PAGE_ONLY = "landing-page-only"
_MEDIA_TYPES = {"json": "application/json", "xml": "application/xml", "text": "text/plain"}


class AsksNothing:
    """A family that learns everything from the URL, so that no answer is ever its own."""

    def read(self, reply: Reply, url: Url) -> Reading:  # noqa: ARG002
        """Raise PermanentError: none of its leads names it as a reader."""
        raise no_record(f"one of a place that is asked anything: {url.text}")


def file_lead(
    url: str,
    kind: str | None = None,
    *,
    why: str,
    label: str = "",
    media_type: str | None = None,
    size: int | None = None,
    modified: datetime | None = None,
) -> Lead:
    """The lead to a file by a rule, whatever its path ends in; `kind` is the slug of its kind where that is known."""
    named = kind_named(kind)
    return Lead(
        parse_url(url).text,
        To.FILE,
        why,
        label,
        asset_kind=named.slug if named else None,
        format=named.slug if named else None,
        media_type=media_type,
        size=size,
        modified=modified,
    )


def directory_lead(url: str, *, why: str) -> Lead:
    """The lead to a directory."""
    return Lead(parse_url(url).text, To.DIRECTORY, why)


def question(url: str, reader: str, *, why: str) -> Lead:
    """The lead to an answer in JSON that the family `reader` reads."""
    return Lead(parse_url(url).text, To.PAGE, why, reader=reader, headers=ACCEPT_JSON)


def description(url: str, asset_kind: str, *, label: str = "") -> Lead:
    """The lead to a document in which a service describes itself: `asset_kind` is json, xml or text.

    All have the same `why`, by which whoever counts files of data knows that this is none.
    """
    return file_lead(url, asset_kind, why=DESCRIPTION, label=label, media_type=_MEDIA_TYPES[asset_kind])


def led(*leads: Lead, detail: str = "", notes: tuple[str, ...] = ()) -> Reading:
    """A place that has files behind it, or a page of its interface to be read first."""
    return Reading(What.RECORD, leads, detail=detail, notes=notes)


def asked(url: str, reader: str, *, why: str) -> Reading:
    """A place of which one page of its interface tells the files."""
    return led(question(url, reader, why=why))


def only_described(leads: Iterable[Lead], detail: str) -> Reading:
    """A service of which only descriptions can be saved, or nothing."""
    return Reading(What.RECORD, tuple(leads), SERVICE, detail)


def nothing_in(detail: str) -> Reading:
    """A place that holds no file, by its URL or its record alone."""
    return Reading(What.RECORD, (), LANDING_PAGE_ONLY, detail)


def walled(detail: str) -> Reading:
    """A place that gives nothing to strangers."""
    return Reading(What.LOGIN, (), LOGIN_REQUIRED, detail)
