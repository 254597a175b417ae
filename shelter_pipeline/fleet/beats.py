"""What a worker says while it works: that the machine is there, and that it is at a run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from types import TracebackType
from typing import Self

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.impatience import Impatience

_log = logging.getLogger(__name__)
_STATEMENT_SECONDS = 5.0


class Beats:
    """Says something to the catalog at once and every few seconds, from a thread, as a context manager.

    Each time over a connection of its own, so that no process that is forked meanwhile shares one. While the
    catalog is away nothing is concluded: whoever listens decides how long a silence may be.
    """

    def __init__(self, url: str, say: Callable[[Catalog], None], *, seconds: float, name: str) -> None:
        self._url = url
        self._say = say
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        heard = True
        while True:
            try:
                tell(self._url, self._say)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next beat may be heard
                if heard:
                    _log.warning("%s is not heard: %s", self._thread.name, error)
                heard = False
            else:
                if not heard:
                    _log.info("%s is heard again", self._thread.name)
                heard = True
            if self._stopped.wait(self._seconds):
                return


def tell(url: str, say: Callable[[Catalog], None]) -> None:
    """Say one thing to the catalog, within seconds. Raises what the catalog raises."""
    with closing(Catalog(url, pool_size=1, impatience=Impatience(_STATEMENT_SECONDS))) as catalog:
        say(catalog)
