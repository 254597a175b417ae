"""Reading the next page while the last one is being merged: the portal and the catalog never wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from typing import TypeVar

Item = TypeVar("Item")
_LOOK_AGAIN_SECONDS = 0.2


class _End:
    """The last thing in the queue: why there is nothing more."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def read_ahead(
    items: Iterable[Item], *, depth: int = 2, idle_seconds: float | None = None
) -> Generator[Item | None, None, None]:
    """The same items in the same order, at most `depth` of them taken before they are asked for.

    Each time nothing came for `idle_seconds`, None comes instead, so that whoever asks is
    never kept waiting for longer.

    They are taken in a thread of their own. What `items` raises is raised here, after
    everything that came before it. Closing the iterator ends the thread at its next item.
    """
    queue: Queue[Item | _End] = Queue(depth)
    stopping = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, queue, stopping), name="read-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := _next(queue, idle_seconds), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopping.set()
        _empty(queue)


def _next(queue: Queue[Item | _End], idle_seconds: float | None) -> Item | _End | None:
    try:
        return queue.get(timeout=idle_seconds)
    except Empty:
        return None


def _fill(items: Iterable[Item], queue: Queue[Item | _End], stopping: threading.Event) -> None:
    end = _End(None)
    try:
        for item in items:
            if not _put(queue, item, stopping):
                return
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked for the items
        end = _End(error)
    _put(queue, end, stopping)


def _put(queue: Queue[Item | _End], item: Item | _End, stopping: threading.Event) -> bool:
    while not stopping.is_set():
        try:
            queue.put(item, timeout=_LOOK_AGAIN_SECONDS)
        except Full:
            continue
        return True
    return False


def _empty(queue: Queue[Item | _End]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
