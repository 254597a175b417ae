"""A body on its way in, for work that blocks: handed over piece by piece, and never more than one piece ahead.

The work has a thread, and the thread waits while the body does; so uploads have threads of
their own, few enough that they cannot keep other requests from being answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

import anyio.from_thread
import anyio.to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from shelter_pipeline.api.belongings import belonging
from shelter_pipeline.api.errors import ApiError
from shelter_pipeline.domain.errors import TransientError

Result = TypeVar("Result")
_PIECE_BYTES = 256 * 1024
_RETRY_SECONDS = 30


class Arriving(Iterator[bytes]):
    """The pieces of a body, for a thread that `with_body` started. Raises TransientError if the caller is gone."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream

    def __next__(self) -> bytes:
        piece = anyio.from_thread.run(self._more)
        if not piece:
            raise StopIteration
        return piece

    async def _more(self) -> bytes:
        gathered = bytearray()
        try:
            while len(gathered) < _PIECE_BYTES:
                gathered += await anext(self._stream)
        except StopAsyncIteration:
            pass
        except ClientDisconnect:
            raise TransientError("the upload broke off", reason="connection-lost") from None
        return bytes(gathered)


async def with_body(request: Request, work: Callable[[Arriving], Result], *, at_once: int) -> Result:
    """What `work` makes of the body, in a thread. ApiError 503 if `at_once` bodies are on their way already."""
    limiter = belonging(request.app, "bodies", lambda: anyio.CapacityLimiter(at_once))
    if limiter.available_tokens < 1:
        raise ApiError(
            503,
            "busy",
            f"{at_once} uploads are being received; try again soon",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )
    arriving = Arriving(request.stream())
    return await anyio.to_thread.run_sync(lambda: work(arriving), limiter=limiter)
