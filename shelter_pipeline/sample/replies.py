"""Requests and replies as values: everything here answers with them, only the server touches sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message

from shelter_pipeline.domain.records import Json


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was read whole."""

    method: str
    path: str  # percent-encoded, without the query
    query: Mapping[str, str] = field(default_factory=dict)  # the last of each name
    headers: Message = field(default_factory=Message)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to send. `length` None sends the body in chunks (RFC 9112, 7.1)."""

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes]
    length: int | None
    dies_after: int | None = None  # bytes of the body after which the connection is closed


def reply(status: int, media_type: str, body: bytes, **headers: str) -> Reply:
    """A reply whose body is at hand; header names are given with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"Content-Type": media_type, **named}, (body,), len(body))


def json_reply(value: Json, status: int = 200) -> Reply:
    """A JSON value, as an API answers."""
    return reply(status, "application/json", json.dumps(value, ensure_ascii=False).encode())


def html_reply(text: str, status: int = 200) -> Reply:
    """A web page."""
    return reply(status, "text/html; charset=utf-8", text.encode())


def xml_reply(text: str) -> Reply:
    """An XML document."""
    return reply(200, "application/xml", text.encode())


def as_number(text: str | None, default: int) -> int:
    """A query parameter as an integer; what is none counts as not given, as in Flask."""
    try:
        return int(text) if text is not None else default
    except ValueError:
        return default
