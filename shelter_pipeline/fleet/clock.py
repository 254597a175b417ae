"""A machine whose clock is wrong takes no work: the store would refuse all it signs, and each batch lose an attempt."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.fleet import clock_is_wrong
from shelter_pipeline.fleet.beats import tell

_log = logging.getLogger(__name__)
_ADVICE = "set it by NTP; until then this machine takes no work, for stores refuse what it signs"


def await_clock(catalog_url: str, say: Callable[[Catalog], float], *, seconds: float) -> None:
    """Return when `say` tells of a clock that is right, or of nothing, asking again after so many `seconds`."""
    warned = False
    while True:
        try:
            offset = _ask(catalog_url, say)
        except Exception as error:  # noqa: BLE001 - a catalog that is away says nothing of the clock
            _log.warning("the clock could not be compared with the database's: %s", error)
            return
        if not clock_is_wrong(offset):
            return
        if not warned:
            _log.error("the clock is %s the database's: %s", _spoken(offset), _ADVICE)
            warned = True
        time.sleep(seconds)


def end_if_wrong(offset_seconds: float) -> None:
    """Ask this process to end where its clock went wrong while it worked; started again, it waits for the clock."""
    if clock_is_wrong(offset_seconds):
        _log.error("the clock is %s the database's: %s", _spoken(offset_seconds), _ADVICE)
        os.kill(os.getpid(), signal.SIGTERM)


def _ask(catalog_url: str, say: Callable[[Catalog], float]) -> float:
    told: list[float] = []
    tell(catalog_url, lambda catalog: told.append(say(catalog)))
    return told[0]


def _spoken(offset_seconds: float) -> str:
    return f"{abs(offset_seconds):.0f} seconds {'ahead of' if offset_seconds > 0 else 'behind'}"
