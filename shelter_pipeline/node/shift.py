"""The time in which a node moves bytes: fetches by the engine, copies by threads of their own, all within one rate.

What ends comes out of `ended`, one by one and in no order. What is asked to stop leaves its
bytes behind for whoever fetches the same file next.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.verdicts import Verdict
from shelter_pipeline.fetching.capture import Capture
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.node.api_client import Api
from shelter_pipeline.node.bandwidth import Bandwidth
from shelter_pipeline.node.copying import copy_file
from shelter_pipeline.node.items import Item
from shelter_pipeline.node.space import GivenSpace
from shelter_pipeline.vault.store import Blob, digest_path

_COPIES = 2
_LEAST_PER_CONNECTION = 64_000  # bytes a second
_PIECE_BYTES = 256 * 1024  # the most that arrives at once
_LOOK_SECONDS = 0.2
_LONGEST_DETAIL = 1000


@dataclass(frozen=True, slots=True)
class End:
    """How one item ended: with a result to be reported, or with a trouble that says nothing of its source."""

    item: Item
    result: dict[str, Any] | None
    blob: Blob | None
    trouble: ShelterError | None = None

    @property
    def reason(self) -> str:
        """The slug of how it ended."""
        return self.trouble.reason if self.trouble is not None else str((self.result or {}).get("reason", ""))

    @property
    def detail(self) -> str:
        """More about it, in words."""
        return str(self.trouble) if self.trouble is not None else str((self.result or {}).get("detail", ""))


@dataclass(slots=True)
class Running:
    """An item at work, and how far it has come."""

    item: Item
    size: int = 0
    begun: bool = False


def connections_for(rate: int | None, most: int) -> int:
    """How many downloads at once a rate can feed.

    >>> connections_for(None, 20), connections_for(320_000, 20), connections_for(64_000, 20)
    (20, 5, 1)
    """
    return most if rate is None else max(1, min(most, rate // _LEAST_PER_CONNECTION))


class Shift:
    """As a context manager around the work. `is_lost` tells that an item's lease is over."""

    def __init__(
        self,
        api: Api,
        store: GivenSpace,
        downloader: Downloader,
        politeness: Politeness,
        bandwidth: Bandwidth,
        *,
        connections: int,
        is_lost: Callable[[int], bool],
    ) -> None:
        self._api = api
        self._store = store
        self._politeness = politeness
        self._bandwidth = bandwidth
        self._is_lost = is_lost
        self._engine = Engine(
            downloader,
            store,
            politeness,
            connections=connections_for(bandwidth.rate, connections),
            lanes=1,  # a volunteer's machine has other things to do
        )
        self._copiers = ThreadPoolExecutor(_COPIES, "copy")
        self._copied: queue.SimpleQueue[End] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._breaking = threading.Event()
        self._opened = ExitStack()
        self._running: dict[int, Running] = {}
        self._copies = 0
        self.moved_bytes = 0

    def __enter__(self) -> Self:
        self._opened.enter_context(self._engine)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget_waiting()
        self.break_off()
        self._copiers.shutdown(wait=True, cancel_futures=True)
        self._opened.close()

    @property
    def running(self) -> list[Running]:
        """Everything that has been begun or waits for its turn at its host."""
        return list(self._running.values())

    @property
    def expected_bytes(self) -> int:
        """What is still to come of it, as far as it is known."""
        return sum(max(one.item.expected_bytes - one.size, 0) for one in self.running)

    def begin(self, item: Item) -> None:
        """Get this item as soon as its host may be asked."""
        running = self._running[item.token] = Running(item)
        came = self._came(running)
        if item.purpose == "copy":
            self._copies += 1
            self._copiers.submit(self._copy, running, came)
            return
        if item.host and item.connections:
            self._politeness.set_usual(
                item.host, connections=item.connections, delay_seconds=item.delay_seconds
            )
        self._engine.fetch(
            item, item.url, item.promise, cancelled=self._asked_whether_lost(running), progress=came
        )

    def ended(self, seconds: float = _LOOK_SECONDS) -> list[End]:
        """What has ended; waits for at most so long for the first."""
        until = time.monotonic() + seconds
        while True:
            ended = [self._end_of(item, capture) for item, capture in self._engine.results(0.0)]
            while not self._copied.empty():
                ended.append(self._copied.get())
                self._copies -= 1
            left = until - time.monotonic()
            if ended or left <= 0 or not self._running:
                break
            if self._copies:
                time.sleep(min(left, 0.05))
            else:
                ended += [self._end_of(item, capture) for item, capture in self._engine.results(left)]
                break
        for end in ended:
            self._running.pop(end.item.token, None)
        return ended

    def forget_waiting(self) -> None:
        """Begin nothing any more: what waits for its turn at a host never ends."""
        self._stopping.set()
        self._engine.stop()

    def break_off(self) -> None:
        """End what runs as soon as it notices; bytes that can be continued stay."""
        self._breaking.set()
        self._engine.cancel()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is at work that was begun."""
        return not self._engine.pending and not self._copies

    def _asked_whether_lost(self, running: Running) -> Callable[[], bool]:
        token = running.item.token

        def cancelled() -> bool:
            running.begun = True  # it is asked for the first time when the item's turn has come
            return self._breaking.is_set() or self._is_lost(token)

        return cancelled

    def _came(self, running: Running) -> Callable[[int], None]:
        def came(size: int) -> None:
            # What was taken up from an earlier attempt was paid for then.
            more = min(max(size - running.size, 0), _PIECE_BYTES)
            running.size = size
            self.moved_bytes += more
            self._bandwidth.take(more)

        return came

    def _copy(self, running: Running, came: Callable[[int], None]) -> None:
        item = running.item
        running.begun = not self._stopping.is_set()

        def checked(size: int) -> None:
            if not running.begun or self._breaking.is_set() or self._is_lost(item.token):
                raise TransientError("the copy was broken off", reason="interrupted")
            came(size)

        try:
            checked(0)
            result, blob = copy_file(self._api, self._store, item, checked)
        except ShelterError as error:
            self._copied.put(End(item, None, None, error))
        except Exception as error:  # noqa: BLE001 - told, and the file is given back
            self._copied.put(End(item, None, None, ShelterError(f"{type(error).__name__}: {error}")))
        else:
            self._copied.put(End(item, result, blob))

    def _end_of(self, item: Item, capture: Capture) -> End:
        blob = None
        if capture.verdict is Verdict.STORED and capture.sha256 is not None and capture.size is not None:
            blob = Blob(capture.sha256, capture.size, f"blobs/{digest_path(capture.sha256)}")
        return End(item, result_of(item, capture), blob)


def result_of(item: Item, capture: Capture) -> dict[str, Any]:
    """A capture as `/complete` wants it."""
    facts = capture.facts()
    facts["detail"] = facts["detail"][:_LONGEST_DETAIL]
    del facts["url"]  # the API knows it
    return {"asset_id": item.asset_id, "token": item.token, **facts}
