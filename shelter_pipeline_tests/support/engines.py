"""An engine over a real store and a door that is open to loopback, and all that comes out of it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.settings import load_settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fetching import downloader

PATIENCE_SECONDS = 60.0
NO_PROMISE = Promise()


@contextmanager
def an_engine(
    store: LocalStore,
    *,
    connections: int = 16,
    lanes: int = 2,
    per_host: int = 8,
    max_attempts: int = 2,
    **limits: Any,
) -> Iterator[Engine]:
    """An engine at work, with the limits that tests have."""
    politeness = Politeness.of(load_settings(host_connections=per_host, allowed_networks="127.0.0.0/8"))
    fetcher = downloader(store, max_attempts=max_attempts, **limits)
    with Engine(fetcher, store, politeness, connections=connections, lanes=lanes) as engine:
        yield engine


def results_of(
    engine: Engine, *, seconds: float = PATIENCE_SECONDS, look: Callable[[], None] = lambda: None
) -> dict[Any, Capture]:
    """Everything that is pending, by tag, each exactly once; `look` is called now and then."""
    until = time.monotonic() + seconds
    found: list[tuple[Any, Capture]] = []
    while engine.pending:
        assert time.monotonic() < until, f"{engine.pending} are still pending"
        found += engine.results(0.2)
        look()
    assert max(Counter(tag for tag, _ in found).values(), default=1) == 1
    return dict(found)


def wait_until(condition: Callable[[], bool], *, seconds: float = 15) -> None:
    """Until it is so; fails if it takes longer."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.01)


def open_descriptors() -> int:
    """How many files, sockets and pipes this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - one entry is the listing itself, each time
