"""One file, whole and proved in the vault, or a verdict that says why not.

A fetch never raises for what a server does: each end is a `Capture`. Bytes are published
only after the transfer, the encoding, the checksum and the content all agree; what is
whole but not the thing is kept apart as evidence, what can be continued is left for the
next attempt, and everything else leaves no trace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from shelter_pipeline.domain.errors import (
    DamagedError,
    PermanentError,
    SetupError,
    ShelterError,
    TransientError,
)
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import Verdict, verdict_of
from shelter_pipeline.fetching.arrival import Arrival, Fetch
from shelter_pipeline.fetching.body import Body
from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.content import ContentRules
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.door import NO_HEADERS, Door
from shelter_pipeline.fetching.exchange import Wish, exchange
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.retry import pause_before_retry
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.steps import Call, Rest, Steps
from shelter_pipeline.vault.store import Blob, BlobStore, Partial

__all__ = ["Capture", "Downloader", "Promise"]

_NO_PROMISE = Promise()
_BREATH_SECONDS = 0.5  # how often a pause looks whether it was cancelled


class Downloader:
    """Fetches through one door into one store. Safe to share between threads."""

    def __init__(
        self,
        door: Door,
        store: BlobStore,
        *,
        max_attempts: int,
        retry_delay_seconds: float,
        politeness: Politeness | None = None,
        reserve_bytes: int = 0,
        rules: ContentRules | None = None,
        robots: RobotsBook | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._door = door
        self._store = store
        self._max_attempts = max_attempts
        self._retry_delay_seconds = retry_delay_seconds
        self._politeness = politeness
        self._reserve_bytes = reserve_bytes
        self._rules = rules or content_rules()
        self.robots = robots
        self._sleep = sleep

    def fetch(
        self,
        url: str,
        promise: Promise = _NO_PROMISE,
        *,
        progress: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Capture:
        """Ask for `url` until it is held, unchanged, or has clearly failed; on this thread.

        `progress` is told how many bytes of the file are here, and again from a smaller
        number if it has to begin anew. `cancelled` is asked several times a second and
        ends the fetch as transient `interrupted`. The total deadline covers all attempts.
        `headers` go with every request to the URL's own host.
        Raises SetupError only.
        """
        arrival = self._door.drive(
            self.steps(url, promise, progress=progress, cancelled=cancelled, headers=headers),
            turn=self._politeness.turn if self._politeness is not None else None,
            rest=self._sleep,
        )
        if arrival.partial is None:
            assert arrival.capture is not None  # noqa: S101 - it is one or the other
            return arrival.capture
        try:
            return arrival.kept(self._keep(arrival.partial, suspect=arrival.finding is not None))
        finally:
            arrival.partial.discard()

    def _keep(self, partial: Partial, *, suspect: bool) -> Blob | ShelterError:
        try:
            return self._store.keep_suspect(partial) if suspect else self._store.publish(partial)
        except TransientError as error:
            return error

    def steps(
        self,
        url: str,
        promise: Promise = _NO_PROMISE,
        *,
        progress: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Steps[Arrival]:
        """The same, as steps for whoever runs many at once; what has arrived is theirs to publish and discard."""
        fetch = Fetch(url, promise, self._door.limits.total_seconds, headers, progress, cancelled)
        body: Body | None = None
        try:
            body = yield from self._begin(fetch)
            yield from self._bring(fetch, body)
            arrival = self._judge(fetch, body)
        except BaseException as error:
            if body is not None:
                self._leave(body, error)
            if isinstance(error, SetupError) or not isinstance(error, ShelterError):
                raise
            return Arrival(fetch, capture=fetch.failed(error))
        if arrival.partial is None:
            body.partial.discard()
        return arrival

    def unasked(self, url: str, promise: Promise, error: ShelterError) -> Arrival:
        """The end of a fetch that was never begun, for this reason."""
        fetch = Fetch(url, promise, self._door.limits.total_seconds, NO_HEADERS)
        return Arrival(fetch, capture=fetch.failed(error))

    def _begin(self, fetch: Fetch) -> Steps[Body]:
        """Raises RefusedError for what is no URL; nothing is opened for it."""
        key = parse_url(fetch.url).digest.hex()

        def begin() -> Body:
            return Body(
                fetch.url,
                fetch.promise,
                self._store.partial(key),
                self._door.limits,
                self._rules,
                room=self._room,
            )

        if not self._store.keeps(key):
            return begin()
        taken_up: Body = yield Call(begin)
        return taken_up

    def _bring(self, fetch: Fetch, body: Body) -> Steps[None]:
        """Attempt after attempt until the body has come to its end. Raises the last attempt's error."""
        attempt = 1
        while True:
            try:
                yield from self._attempt(fetch, body)
            except ShelterError as error:
                pause = pause_before_retry(
                    error,
                    attempt,
                    max_attempts=self._max_attempts,
                    first_delay_seconds=self._retry_delay_seconds,
                    left_seconds=fetch.left_seconds,
                )
                if pause is None:
                    raise
                yield from _pause(pause, fetch)
                attempt += 1
            else:
                return

    def _attempt(self, fetch: Fetch, body: Body) -> Steps[None]:
        fetch.check_cancelled()
        headers, max_bytes = body.next_request()
        sink = body.write
        if fetch.progress is not None:
            tell = fetch.progress

            def sink(data: bytes) -> None:
                body.write(data)
                tell(body.partial.size)

        wish = Wish(
            fetch.url,
            on_head=body.accept,
            sink=sink,
            headers={**fetch.headers, **headers},
            tick=fetch.check_cancelled if fetch.cancelled is not None else None,
            max_bytes=max_bytes,
            seconds=max(fetch.left_seconds, 0.001),
        )
        yield from exchange(self._door.passage, wish, self._door.limits, fetch.trace, robots=self.robots)

    def _judge(self, fetch: Fetch, body: Body) -> Arrival:
        """Whether what came is to be published, kept apart or dropped, by what it turned out to be."""
        if body.not_modified:
            held = fetch.promise.held_sha256
            return Arrival(
                fetch,
                fetch.capture("unchanged", "the server says so (304)", sha256=held, size=self._size_of(held)),
            )
        if body.total is not None and body.partial.size != body.total:
            raise TransientError(f"{body.partial.size} of {body.total} bytes arrived", reason="wrong-length")
        body.check_whole()
        judged = body.judge()
        if judged.finding is not None and verdict_of(judged.finding.reason) is Verdict.TRANSIENT:
            raise TransientError(judged.finding.detail, reason=judged.finding.reason)
        flags = (*body.flags(), *judged.flags)
        return Arrival(fetch, partial=body.partial, finding=judged.finding, flags=flags)

    def _room(self) -> int | None:
        return self._store.room_bytes(self._reserve_bytes)

    def _size_of(self, sha256: str | None) -> int | None:
        with suppress(OSError):
            return self._store.size_of(sha256) if sha256 else None
        return None

    def _leave(self, body: Body, error: BaseException) -> None:
        """Keep what the next attempt can go on from, unless the error says that there is nothing to go on with."""
        with suppress(TransientError):  # it was only an offer
            if isinstance(error, PermanentError | DamagedError) or type(error) is ShelterError:
                body.partial.reset()
            else:
                body.keep()
        body.partial.discard()


def _pause(seconds: float, fetch: Fetch) -> Steps[None]:
    while seconds > 0:
        fetch.check_cancelled()
        step = min(seconds, _BREATH_SECONDS)
        yield Rest(step)
        seconds -= step
