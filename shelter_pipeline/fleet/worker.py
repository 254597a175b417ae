"""`shelter worker` in the foreground: takes runs from its queues until it is asked to end.

    main process ─ Celery's consumer; says that the machine is there
      └─ slots ─ one process each, forked when everything is imported; says that it is at its run

Asked to end (SIGTERM, SIGINT), it takes nothing new and lets runs go on for a time of grace;
then it interrupts them: a batch gives back what it has not ended, and its next attempt goes on
from there. A second signal ends the grace at once.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import FrameType
from typing import Any

from billiard.process import current_process
from celery import Celery, signals
from dagster._grpc.types import ExecuteRunArgs, ResumeRunArgs
from dagster._serdes import unpack_value

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.fleet import (
    Machine,
    beat_run,
    beat_worker,
    end_run,
    forget_worker,
    list_workers,
)
from shelter_pipeline.domain.fleet import SILENT_SECONDS
from shelter_pipeline.embedded.parts import DEFINITIONS
from shelter_pipeline.fleet.beats import Beats, tell
from shelter_pipeline.fleet.clock import await_clock, end_if_wrong
from shelter_pipeline.release import RELEASE
from shelter_pipeline.settings import Settings

_log = logging.getLogger(__name__)


def describe_machine(settings: Settings) -> Machine:
    """This machine as the settings have it."""
    host = socket.gethostname()
    return Machine(
        name=settings.worker_name or f"{host}.{os.getpid()}",
        host=host,
        release=RELEASE,
        slots=settings.worker_slots or len(os.sched_getaffinity(0)),
        queues=settings.worker_queues,
    )


def work(
    application: Celery, machine: Machine, catalog_url: str, *, grace_seconds: float, beat_seconds: float
) -> None:
    """Take runs until asked to end; returns when all have ended or given back."""
    ending = threading.Event()

    def say(catalog: Catalog) -> None:
        offset = beat_worker(catalog, machine, ending=ending.is_set())
        if not ending.is_set():
            end_if_wrong(offset)

    worker = application.Worker(
        hostname=f"{machine.name}@{machine.host}",
        concurrency=machine.slots,
        queues=list(machine.queues),
        pool_cls="prefork",
        optimization="fair",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="INFO",
        quiet=True,
    )
    _RunsOf(machine.name, catalog_url, beat_seconds).connect()
    importlib.import_module(DEFINITIONS)  # before the slots are forked, so that each has it

    warn_of_namesake(catalog_url, machine)
    await_clock(catalog_url, partial(beat_worker, machine=machine, ending=True), seconds=beat_seconds)
    ended = Ending(worker, ending, grace_seconds=grace_seconds, tell=lambda: tell(catalog_url, say))
    signals.worker_shutting_down.connect(ended.begin, weak=False)
    with Beats(catalog_url, say, seconds=beat_seconds, name=f"the beat of {machine.name}"):
        worker.start()
    try:
        tell(catalog_url, lambda catalog: forget_worker(catalog, machine.name))
    except Exception as error:  # noqa: BLE001 - its silence says the same a little later
        _log.warning("%s could not say that it ended: %s", machine.name, error)


def warn_of_namesake(catalog_url: str, machine: Machine) -> None:
    """Two machines of one name are harmless to the work, but shown and counted as one."""

    def look(catalog: Catalog) -> None:
        for row in list_workers(catalog):
            if row["name"] == machine.name and row["silent_seconds"] < SILENT_SECONDS:
                _log.warning(
                    "a worker named %s was heard of %.0f seconds ago; if this one does not take its place, give one of"
                    " them another SHELTER_WORKER_NAME, or they are shown and counted as one",
                    machine.name,
                    row["silent_seconds"],
                )

    try:
        tell(catalog_url, look)
    except Exception as error:  # noqa: BLE001 - only a warning would be missed
        _log.warning("could not look for another worker named %s: %s", machine.name, error)


class Ending:
    """What happens between the wish that a worker ends and its end."""

    def __init__(
        self, worker: Any, ending: threading.Event, *, grace_seconds: float, tell: Callable[[], None]
    ) -> None:
        self._worker = worker
        self._ending = ending
        self._grace_seconds = grace_seconds
        self._tell = tell
        self._hurry = threading.Event()

    def begin(self, **_named: Any) -> None:
        """Called by Celery when it begins to end, in the main thread."""
        if self._ending.is_set():
            return
        self._ending.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._again)
        threading.Thread(target=self._interrupt_runs, name="ending", daemon=True).start()

    def _again(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry.set()

    def _interrupt_runs(self) -> None:
        try:
            self._tell()
        except Exception as error:  # noqa: BLE001 - the next beat says it too
            _log.warning("could not say that this worker ends: %s", error)
        _log.info("asked to end: runs may go on for %g seconds, then they give back", self._grace_seconds)
        self._hurry.wait(self._grace_seconds)
        for process in list(getattr(self._worker.pool._pool, "_pool", ())):  # noqa: SLF001 - has no other name
            if process.is_alive():
                os.kill(process.pid, signal.SIGTERM)


class _RunsOf:
    """In each slot: beats while a run is at work, and the signals by which a run is interrupted."""

    def __init__(self, worker: str, catalog_url: str, beat_seconds: float) -> None:
        self._worker = worker
        self._url = catalog_url
        self._beat_seconds = beat_seconds
        self._beats = ExitStack()

    def connect(self) -> None:
        """Have Celery call us around each task."""
        signals.task_prerun.connect(self._begin, weak=False)
        signals.task_postrun.connect(self._end, weak=False)

    def _begin(self, kwargs: dict[str, Any] | None = None, **_named: Any) -> None:
        run_id = run_of_task(kwargs or {})
        # Dagster turns these into an interruption of the run; a slot at rest keeps Celery's own.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if run_id is not None:
            self._beats.callback(self._forget, run_id)  # after the last beat, which would say the opposite
            self._beats.enter_context(
                Beats(
                    self._url,
                    lambda catalog: beat_run(catalog, run_id, self._worker),
                    seconds=self._beat_seconds,
                    name=f"the beat of run {run_id}",
                )
            )

    def _end(self, **_named: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._beats.close()

    def _forget(self, run_id: str) -> None:
        try:
            tell(self._url, lambda catalog: end_run(catalog, run_id, self._worker))
        except Exception as error:  # noqa: BLE001 - Dagster knows that it ended, and who listens asks Dagster
            _log.warning("%s: the end of run %s was not heard: %s", current_process().name, run_id, error)


def run_of_task(arguments: dict[str, Any]) -> str | None:
    """The run that a task of dagster-celery is for; None for a task of anything else."""
    for name in ("execute_job_args_packed", "resume_job_args_packed"):
        if name in arguments:
            unpacked = unpack_value(arguments[name])
            return unpacked.run_id if isinstance(unpacked, ExecuteRunArgs | ResumeRunArgs) else None
    return None
