"""Answers of reads: JSON that was encoded once, with a tag by which a caller can ask whether it is still so."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from fastapi import Request, Response

_TAG_BYTES = 16


def answer(request: Request, body: Any, *, seconds: int, media_type: str = "application/json") -> Response:
    """`body` as JSON, or 304 where the caller has it already; it may be kept for so many seconds.

    Text and bytes are sent as they are. The tag is weak: it stands for what is said, and a
    proxy may compress it (RFC 9110, 8.8.1).
    """
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else _json(body)
    tag = f'W/"{hashlib.blake2b(content, digest_size=_TAG_BYTES).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={seconds}"}
    if has_it(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def has_it(request: Request, tag: str) -> bool:
    """Whether the caller has what this tag stands for: one of an If-None-Match is it, weakly compared."""
    known = request.headers.get("If-None-Match")
    if known is None:
        return False
    tags = {one.strip().removeprefix("W/") for one in known.split(",")}
    return "*" in tags or tag.removeprefix("W/") in tags


def _json(body: Any) -> bytes:
    return msgspec.json.encode(body)
