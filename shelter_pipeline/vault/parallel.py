"""The same step for many things, several at once, their results in the order of the things."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def in_order(
    step: Callable[[Thing], Result], things: Iterable[Thing], *, threads: int
) -> Iterator[tuple[Thing, Result]]:
    """Each thing with its result; things are taken from the iterable a few ahead. Raises the step's error."""
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[tuple[Thing, Future[Result]]] = deque()
        try:
            for thing in things:
                ahead.append((thing, pool.submit(step, thing)))
                if len(ahead) > 2 * threads:
                    first, future = ahead.popleft()
                    yield first, future.result()
            while ahead:
                first, future = ahead.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
