"""Answers that are handed out piece by piece, from a file, a connection or a place that is given back at their end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Protocol

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class _Source(Protocol):
    def close(self) -> None: ...


class Pieces(StreamingResponse):
    """A response whose source is closed when it has ended: sent whole, failed, or hung up on by the caller."""

    def __init__(
        self,
        source: _Source,
        pieces: Iterator[bytes] | AsyncIterator[bytes],
        status: int,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(pieces, status, headers, media_type)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()
