"""A request that carries an `Idempotency-Key` is done once, however often it is sent.

A route asks for `Once` and gives its work to `Once.answer`; without a key the work is just
done. Only what was done is remembered: a request that was refused, or that failed, may be
sent again under its key.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic_core import to_json

from shelter_pipeline.api.errors import ApiError
from shelter_pipeline.api.security import Asking, Principal
from shelter_pipeline.api.services import Serving
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.idempotency import Earlier, Key, forget_key, keep_answer, take_key
from shelter_pipeline.domain.errors import CatalogAwayError

_log = logging.getLogger(__name__)
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"  # on an answer that was given before
_MOST_ANSWER_BYTES = 1024**2
_RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route found or did: a body to be written as JSON, and whether it is to be remembered."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_done: bool = True  # False: nothing changed, and asked again it may turn out otherwise

    def response(self) -> Response:
        """The answer as it is sent."""
        return _json(to_json(self.body), self.status, self.headers)


@dataclass(frozen=True, slots=True)
class Once:
    """One request, and the key that it carries."""

    catalog: Catalog
    principal: Principal
    key: str | None
    request_hash: bytes

    def answer(self, work: Callable[[], Answer], *, node: str | None = None) -> Response:
        """Do the work, or give the answer that it had before. Each `node` has keys of its own.

        Raises ApiError 409 if another request had this key, or if the same one is still at work.
        """
        if self.key is None:
            return work().response()
        key = Key(f"{self.principal.who} {node or '-'}", self.key, self.request_hash)
        taken = take_key(self.catalog, key)
        if isinstance(taken, Earlier):
            return _earlier(taken, key)
        try:
            answer = work()
        except BaseException:
            self._forget(key, taken)
            raise
        if not answer.is_done:
            self._forget(key, taken)
            return answer.response()
        return self._remember(key, taken, answer)

    def _remember(self, key: Key, fence: datetime, answer: Answer) -> Response:
        response = answer.response()
        body = bytes(response.body)
        kept = body if len(body) <= _MOST_ANSWER_BYTES else None
        try:
            keep_answer(self.catalog, key, fence, response.status_code, kept)
        except CatalogAwayError:
            # It was done, and the caller learns it now; only a repetition would not.
            _log.warning("an answer could not be kept for its Idempotency-Key", exc_info=True)
        return response

    def _forget(self, key: Key, fence: datetime) -> None:
        try:
            forget_key(self.catalog, key, fence)
        except CatalogAwayError:
            _log.warning("an Idempotency-Key could not be given back; it is free in a minute", exc_info=True)


async def once_of(
    request: Request,
    serving: Serving,
    asking: Asking,
    key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            min_length=1,
            max_length=200,
            pattern="^[!-~]+$",
            description="Asked again with the same key and body, the same answer is given and nothing is done twice.",
        ),
    ] = None,
) -> Once:
    """The key of this request, if it carries one, and a hash of what it asks for."""
    if key is None:
        return Once(serving.workplace.catalog, asking, None, b"")
    asked = b"\x00".join((request.method.encode(), request.url.path.encode(), await request.body()))
    return Once(serving.workplace.catalog, asking, key, hashlib.sha256(asked).digest())


OnlyOnce = Annotated[Once, Depends(once_of)]


def _earlier(earlier: Earlier, key: Key) -> Response:
    if earlier.request_hash != key.request_hash:
        raise ApiError(
            409, "key-reused", f"this {HEADER} was used for another request; take a new one for each request"
        )
    if earlier.status is None:
        raise ApiError(
            409,
            "at-work",
            f"the first request with this {HEADER} is still at work; ask again soon",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )
    if earlier.answer is None:
        raise ApiError(
            409, "answer-not-kept", "this was done before, and its answer was too large to be kept"
        )
    return _json(earlier.answer, earlier.status, {REPLAYED: "true"})


def _json(body: bytes, status: int, headers: Mapping[str, str]) -> Response:
    return Response(body, status, dict(headers), media_type="application/json")
