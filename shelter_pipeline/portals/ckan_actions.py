"""Calling CKAN's actions: one envelope, opened the same way whatever the portal put around it.

A failure that CKAN tells itself is judged by its words, not by its status: 409 is a search
index that is away as well as a question it will not take, and old portals and gateways tell
failures with a 200. It is judged before the page reader sees the reply, so that what may
pass is asked again and what will not is asked once.

https://docs.ckan.org/en/2.11/api/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import msgspec

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.protocol import Reader, Reply
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline.portals.replies import message_in, retry_after

_API_SUFFIX = re.compile(r"/api(/(3|action|3/action))?\Z")
_LARGEST_FAILURE = 64 * 1024  # bytes; failures are short
_TOLD_IN_AN_ENVELOPE = frozenset({200, 400, 403, 404, 409})
_NO_ACTION = re.compile(r"action name not known|no such action|unknown action", re.IGNORECASE)
_NOT_FOUND = re.compile(r"not found", re.IGNORECASE)
_NOT_PUBLIC = re.compile(r"authorization error|access denied|not authorized", re.IGNORECASE)
# "Search Error" is the search index being away; the other failures are about what was asked.
_PASSING = re.compile(
    r"search (index|connection)|search error|timed? ?out|server error|connection", re.IGNORECASE
)


class ActionError(PermanentError):
    """CKAN itself would not do what was asked."""


class RefusedQuestionError(ActionError):
    """CKAN will not take the question as it was asked: so many rows, this order, that filter."""


class NoSuchActionError(ActionError):
    """The portal does not know the action."""


class NotListedError(ActionError):
    """There is no such package, or none that the public may see."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an action answered, and what it took. `undecoded` as in `reading.Answer`."""

    url: str
    result: Json
    undecoded: bool
    requests: int


class Actions:
    """The actions of one portal, under whatever path its API stands."""

    def __init__(self, portal_url: str, reader: PageReader) -> None:
        self.url = _API_SUFFIX.sub("", portal_url.rstrip("/")) + "/api/3/action"
        self._reader = replace(reader, reader=_Judging(reader.reader))

    def call(self, action: str, /, **parameters: str | int) -> Answered:
        """The result of an action. Raises ActionError for what CKAN refuses, else as `PageReader.json`."""
        url = self.address(action, **parameters)
        answer = self._reader.json(url)
        envelope = answer.value
        if (failure := failure_in(envelope)) is not None:
            raise type(failure)(f"{url} could not be read: {failure}", reason=failure.reason)
        return Answered(url, envelope["result"], answer.undecoded, answer.requests)

    def address(self, action: str, /, **parameters: str | int) -> str:
        """The URL of an action; `facet_field` stands for `facet.field`."""
        named = {
            name.replace("facet_", "facet."): value for name, value in parameters.items() if value is not None
        }
        return f"{self.url}/{action}" + (f"?{urlencode(named, errors='replace')}" if named else "")


def failure_in(envelope: Json) -> ShelterError | None:
    """What went wrong by the envelope's own words; None for one that holds a result."""
    if isinstance(envelope, dict) and "result" in envelope and envelope.get("success") is not False:
        return None
    said = message_in(envelope)
    if not said:
        return ActionError("it is not a CKAN answer", reason="wrong-type")
    kind, reason = _judge(said, told_by_ckan=isinstance(envelope, str) or "success" in envelope)
    return kind(f"CKAN answered {said!r}", reason=reason)


def _judge(said: str, *, told_by_ckan: bool) -> tuple[type[ShelterError], str]:
    """The error and the reason slug that CKAN's words call for.

    Gateways before it tell of missing keys and paths in other envelopes: those say nothing of a package.
    """
    if _NO_ACTION.search(said):
        return NoSuchActionError, "not-found"
    if _PASSING.search(said):
        return TransientError, "server-error"
    if told_by_ckan and _NOT_FOUND.search(said):
        return NotListedError, "not-found"
    if told_by_ckan and _NOT_PUBLIC.search(said):
        return NotListedError, "forbidden"
    return RefusedQuestionError, "wrong-type"


def is_missing(error: ShelterError) -> bool:
    """Whether an error says that the portal has no such action at all."""
    return isinstance(error, NoSuchActionError) or error.reason in ("not-found", "gone")


class _Judging:
    """A reader that raises what CKAN's own words about a failure call for."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, url: str, *, headers: Mapping[str, str] = {}, max_bytes: int | None = None) -> Reply:
        reply = self._reader.read(url, headers=headers, max_bytes=max_bytes)
        if (failure := _told_failure(reply)) is not None:
            raise failure
        return reply

    def save(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        headers: Mapping[str, str] = {},
        max_bytes: int | None = None,
    ) -> Reply:
        return self._reader.save(url, sink, headers=headers, max_bytes=max_bytes)


def _told_failure(reply: Reply) -> ShelterError | None:
    """The failure that a short JSON reply tells; None for results and for what is no JSON."""
    if len(reply.body) > _LARGEST_FAILURE or reply.head.status not in _TOLD_IN_AN_ENVELOPE:
        return None
    try:
        envelope: Any = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    failure = failure_in(envelope)
    if not isinstance(failure, TransientError) or reply.head.status == 200:  # noqa: PLR2004
        return failure if message_in(envelope) else None
    seconds = retry_after(reply.head)
    return TransientError(
        f"status {reply.head.status}: {failure}", reason=failure.reason, retry_after_seconds=seconds
    )
