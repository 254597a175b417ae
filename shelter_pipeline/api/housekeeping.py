"""What has to happen by itself while the API runs: leases come back, nodes are asked for proof, somebody is told.

Threads of their own do it, with catalog connections of their own that are as patient as
the work needs. Several API processes may do it at once, and Dagster beside them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from shelter_pipeline.api.services import unhurried
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.operations.alerts import stand_in
from shelter_pipeline.operations.node_work import housekeep
from shelter_pipeline.operations.proofs import expire_proofs, prove_nodes
from shelter_pipeline.operations.upkeep import refresh_counts
from shelter_pipeline.operations.workplace import Workplace

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
PROVE_SECONDS = 3600.0
WATCH_SECONDS = 300.0
COUNT_SECONDS = 300.0
_END_SECONDS = 5.0


@contextmanager
def keeping_house(
    workplace: Workplace,
    *,
    every_seconds: float = EVERY_SECONDS,
    prove_seconds: float = PROVE_SECONDS,
    count_seconds: float = COUNT_SECONDS,
) -> Iterator[None]:
    """Keep house for the length of a block; a catalog that is away is tried again, whatever else fails is logged.

    Leases, the queue and proofs that did not come are looked after every `every_seconds`.
    All that `shelter node prove` does is done every `prove_seconds`, for deployments without
    Dagster; to do it twice costs little. Counts are made anew every `count_seconds` if nobody
    asked for them meanwhile, so that the first visitor after a quiet time, and Prometheus,
    are told nothing old. A Dagster that has fallen silent is told to people.
    """
    with ExitStack() as stack:
        stack.enter_context(_repeating(workplace, _tidy, every_seconds))
        stack.enter_context(_repeating(workplace, prove_nodes, prove_seconds))
        stack.enter_context(_repeating(workplace, refresh_counts, count_seconds))
        stack.enter_context(_repeating(workplace, stand_in, WATCH_SECONDS))
        yield


def _tidy(workplace: Workplace) -> None:
    housekeep(workplace)
    expire_proofs(workplace)


@contextmanager
def _repeating(workplace: Workplace, work: Callable[[Workplace], object], seconds: float) -> Iterator[None]:
    stop = threading.Event()
    with unhurried(workplace) as own:
        name = f"api-{work.__name__.strip('_').replace('_', '-')}"
        thread = threading.Thread(target=_keep, args=(own, work, stop, seconds), name=name, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(_END_SECONDS)


def _keep(
    workplace: Workplace, work: Callable[[Workplace], object], stop: threading.Event, seconds: float
) -> None:
    while not stop.wait(seconds):
        try:
            work(workplace)
        except CatalogAwayError as error:
            _log.warning("housekeeping waits: %s", error)
        except Exception:  # noqa: BLE001 - the next round may work, and leases have to come back
            _log.exception("housekeeping failed")
