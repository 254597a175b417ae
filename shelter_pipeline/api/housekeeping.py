"""What has to happen by itself while the API runs: leases that ran out come back, old keys go.

A thread of its own does it every few seconds, with a catalog connection of its own that
is as patient as the work needs. Several API processes may do it at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shelter_pipeline.api.services import unhurried
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.operations.node_work import housekeep
from shelter_pipeline.operations.workplace import Workplace

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0


@contextmanager
def keeping_house(workplace: Workplace, *, every_seconds: float = EVERY_SECONDS) -> Iterator[None]:
    """Keep house for the length of a block; a catalog that is away is tried again, whatever else fails is logged."""
    stop = threading.Event()
    with unhurried(workplace) as own:
        thread = threading.Thread(
            target=_keep, args=(own, stop, every_seconds), name="api-housekeeping", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(every_seconds)


def _keep(workplace: Workplace, stop: threading.Event, every_seconds: float) -> None:
    while not stop.wait(every_seconds):
        try:
            housekeep(workplace)
        except CatalogAwayError as error:
            _log.warning("housekeeping waits: %s", error)
        except Exception:  # noqa: BLE001 - the next round may work, and leases have to come back
            _log.exception("housekeeping failed")
