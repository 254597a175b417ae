"""Waiting for a catalog that is away for a moment: a restarted server must not cost a batch its work."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from shelter_pipeline.domain.errors import CatalogAwayError

_log = logging.getLogger(__name__)
Result = TypeVar("Result")
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


def patiently(
    work: Callable[[], Result],
    *,
    for_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """What `work` returns, tried again with growing pauses while it raises CatalogAwayError.

    The last CatalogAwayError is raised once `for_seconds` have gone by. `work` is a
    statement that may be repeated: a settle whose answer was lost is recorded once more as
    late evidence, and changes nothing.
    """
    deadline = clock() + for_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return work()
        except CatalogAwayError as error:
            if clock() + pause > deadline:
                raise
            if pause == _FIRST_PAUSE_SECONDS:
                _log.warning("waiting up to %g s for the catalog: %s", for_seconds, error)
        sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
