"""What goes on, told to everybody who watches: read once for all of them, and not at all while nobody does.

A listener owns no queue. There is one newest telling; whoever is ready takes what of it is
new to them, and a listener that is slow, or has gone without a word, misses what came in
between and costs nothing. All but the reading itself happens in the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from shelter_pipeline.domain.errors import ShelterError, TransientError

_log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0  # proxies and sleeping laptops end what is silent for long
_SHARE = 10  # reading takes at most one part in so many of the time
_COME_BACK_MILLISECONDS = 3000
_HEARTBEAT = format_sse_event(event="beat", data_str="{}")  # no comment, which scripts are not told of


class TooManyListenersError(TransientError):
    """As many watch as this process serves."""

    default_reason = "too-many-listeners"


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told: figures by the id of what shows them, and entries of the activity, newest first.

    `entries` are (number, anything); a listener is told of each number once. A `trouble` is told instead, until
    it is over.
    """

    figures: Mapping[str, Any]
    entries: Sequence[tuple[int, Any]] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Encoded:
    telling: Telling
    event: bytes
    entries: tuple[tuple[int, Any], ...]


class Live:
    """The listeners of one process. `read` is called in a thread; what it raises becomes trouble."""

    def __init__(
        self,
        read: Callable[[], Telling],
        *,
        most: int,
        every_seconds: float = EVERY_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._read = read
        self._most = most
        # One caller takes a tenth of the places, so that one does not keep everybody else out.
        self._most_of_one = max(most // 10, min(most, 4))
        self._every_seconds, self._heartbeat_seconds = every_seconds, heartbeat_seconds
        self._callers: Counter[str] = Counter()
        self._newest: _Encoded | None = None
        self._changed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._has_ended = False

    @property
    def listeners(self) -> int:
        """How many there are."""
        return self._callers.total()

    def join(self, caller: str) -> Listener:
        """A place for this caller, until it leaves. Raises TooManyListenersError."""
        if self._has_ended:
            raise TooManyListenersError("the server is ending; come again in a moment", retry_after_seconds=3)
        if self.listeners >= self._most or self._callers[caller] >= self._most_of_one:
            raise TooManyListenersError(
                "as many watch live as this server takes; the page asks again by itself",
                retry_after_seconds=30,
            )
        self._callers[caller] += 1
        return Listener(self._tell(), lambda: self._leave(caller))

    def end(self) -> None:
        """End every stream in order, and begin no other: the server stops."""
        self._has_ended = True
        self._wake()

    def _leave(self, caller: str) -> None:
        self._callers[caller] -= 1
        if not self._callers[caller]:
            del self._callers[caller]

    def _watch(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._keep_reading())

    async def _keep_reading(self) -> None:
        """Read while somebody listens. It ends after a rest, so that who comes and goes has nothing read more often."""
        while self.listeners and not self._has_ended:
            began = time.monotonic()
            telling = await self._ask()
            if self._newest is None or telling != self._newest.telling:
                self._newest = _encode(telling)
                self._wake()
            took = time.monotonic() - began
            await asyncio.sleep(max(self._every_seconds, _SHARE * took))
        self._reader = self._newest = None  # whoever comes next is told what is new then

    async def _ask(self) -> Telling:
        try:
            return await run_in_threadpool(self._read)
        except ShelterError as error:
            _log.warning("nothing can be told live: %s", error)
        except Exception:  # noqa: BLE001 - a reader that ends would leave everybody waiting
            _log.exception("nothing can be told live")
        return Telling(
            {}, trouble="The catalog does not answer at the moment. Figures stand as they last were."
        )

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _tell(self) -> AsyncIterator[bytes]:
        self._watch()
        yield b"retry: %d\n\n" % _COME_BACK_MILLISECONDS
        told: _Encoded | None = None
        known: frozenset[int] = frozenset()
        while not self._has_ended:
            changed, newest = self._changed, self._newest
            if newest is not None and newest is not told:
                entries = [entry for number, entry in newest.entries if number not in known]
                # The first ones stand on the page already, or are told like any other.
                yield newest.event + (_activity(entries) if entries else b"")
                told = newest
                known = known if newest.telling.trouble else frozenset(number for number, _ in newest.entries)
                continue
            try:
                await asyncio.wait_for(changed.wait(), self._heartbeat_seconds)
            except TimeoutError:
                self._watch()
                yield _HEARTBEAT


class Listener:
    """One place among the listeners, with the events that are told there."""

    def __init__(self, events: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        self.events = events
        self._leave: Callable[[], None] | None = leave

    def close(self) -> None:
        """Give the place back; to do it twice is no harm."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            leave()


def _encode(telling: Telling) -> _Encoded:
    told = ("trouble", {"message": telling.trouble}) if telling.trouble else ("now", telling.figures)
    return _Encoded(telling, _event(*told), tuple(telling.entries))


def _activity(entries: list[Any]) -> bytes:
    return _event("activity", {"entries": entries})


def _event(name: str, body: Mapping[str, Any]) -> bytes:
    return format_sse_event(event=name, data_str=msgspec.json.encode(body).decode())
