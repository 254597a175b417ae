"""Keeps the parts of a stack alive: starts them, watches them, starts them again, gives up in time.

One thread does all of it, so a signal, which Python delivers to the main thread, never
falls between the start of a process and its being written down. A part that ends before
it has ever answered is a fault of set-up and is not tried again; one that ends later is
started again with growing pauses, until it has done so too often.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.logs import LogReader, Throttle, last_words, open_log, problems_in, turn_over
from shelter_pipeline.embedded.processes import SessionRecord, members, remember, stop_sessions

Report = Callable[[str], None]
_POLL_SECONDS = 0.2


class Part(Protocol):
    """What the supervisor needs of whatever it keeps alive."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...

    def start(self) -> None:
        """Start it. Raises SetupError."""

    def is_alive(self) -> bool: ...

    def answers(self) -> bool:
        """Whether it does its work; asked only while it is alive."""


@dataclass(slots=True)
class RestartBudget:
    """How often a part may be started again: `limit` times within `window_seconds`, each time later."""

    limit: int = 5
    window_seconds: float = 300
    first_pause_seconds: float = 0.5
    _times: list[float] = field(default_factory=list)

    def next_pause(self, now: float) -> float | None:
        """Seconds to wait before this restart, doubled each time; None when there were too many."""
        self._times = [moment for moment in self._times if now - moment < self.window_seconds]
        if len(self._times) >= self.limit:
            return None
        self._times.append(now)
        return self.first_pause_seconds * 2.0 ** (len(self._times) - 1)


@dataclass(slots=True)
class ChildPart:
    """A program that runs as a child in a session of its own, its output going straight to its log."""

    name: str
    command: Sequence[str]
    log: Path
    run_folder: Path
    probe: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    sessions: list[SessionRecord] = field(default_factory=list)
    started_at: float = 0.0  # seconds since the epoch
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program and write its session down. Raises SetupError."""
        self.sessions = [record for record in self.sessions if self._is_populated(record)]
        self.started_at = time.time()
        with open_log(self.log) as output:
            try:
                self._process = subprocess.Popen(
                    list(self.command),
                    # Handed on, not read: the settings in it are replaced by those of this process.
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as error:
                raise SetupError(f"{self.name} cannot be started: {error}") from error
        self.sessions.append(remember(self.run_folder, self.name, self._process.pid))

    def is_alive(self) -> bool:
        """Whether the program runs."""
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """Whether the program does its work."""
        return self.probe()

    def stop(self, grace_seconds: float, hurry: Callable[[], bool]) -> None:
        """End the program and everything it started, runs that outlived a former one included."""
        stop_sessions(self.sessions, grace_seconds, hurry)
        self.sessions = []
        if self._process is not None:
            self._process.wait()

    @staticmethod
    def _is_populated(record: SessionRecord) -> bool:
        if members(record):  # a run goes on when its code server dies
            return True
        record.remove()
        return False


class Keeper:
    """The care for one part, step by step. `step` never waits longer than the part's own calls."""

    def __init__(self, part: Part, report: Report, budget: RestartBudget | None = None) -> None:
        self.part = part
        self.ready = False
        self.failure: SetupError | None = None
        self._report = report
        self._budget = budget or RestartBudget()
        self._has_answered = False
        self._due: float | None = 0.0
        self._log = LogReader(part.log)
        self._throttle = Throttle()

    def step(self, now: float) -> None:
        """Look after the part once: pass on its problems, start it when due, notice its end or its answer."""
        if self.failure is not None:
            return
        self._show_problems(now)
        if self._due is not None:
            if now >= self._due:
                self._start(now)
        elif not self.part.is_alive():
            self._note_end(now, f"{self.part.name} stopped")
        elif not self.ready:
            self._note_answer()

    def _start(self, now: float) -> None:
        self._due = None
        try:
            self.part.start()
        except SetupError as error:
            self._note_end(now, str(error))

    def _note_answer(self) -> None:
        try:
            self.ready = self.part.answers()
        except SetupError as error:
            self.failure = error
            return
        if self.ready and self._has_answered:
            self._report(f"{self.part.name} answers again")
        self._has_answered = self._has_answered or self.ready

    def _note_end(self, now: float, what: str) -> None:
        self.ready = False
        words = f"{what}: {last_words(self.part.log)}" if self.part.log.exists() else what
        if not self._has_answered:
            self.failure = SetupError(f"{words} (while starting; its log is {self.part.log})")
            return
        pause = self._budget.next_pause(now)
        if pause is None:
            self.failure = SetupError(
                f"{words} (too often: {self._budget.limit} restarts within"
                f" {self._budget.window_seconds / 60:g} minutes; its log is {self.part.log})"
            )
            return
        self._report(f"{words} (starting it again in {pause:g} s)")
        self._due = now + pause

    def _show_problems(self, now: float) -> None:
        for line in self._throttle.let_through(problems_in(self._log.read()), now):
            self._report(f"{self.part.name}: {line}")
        turn_over(self.part.log)


class Supervisor:
    """A thread that keeps parts alive until it is stopped, or until one of them cannot be kept.

    `report` is called from that thread.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._keepers: list[Keeper] = []
        self._stopping = threading.Event()
        self._crash: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="shelter-supervisor", daemon=True)

    def add(self, part: Part) -> None:
        """Have this part started and kept alive."""
        self._keepers = [*self._keepers, Keeper(part, self._report)]
        if not self._thread.is_alive():
            self._thread.start()

    def await_answers(self, timeout_seconds: float) -> None:
        """Wait until every part answers. Raises SetupError naming the one that does not, and why."""
        deadline = time.monotonic() + timeout_seconds
        while waiting := [keeper.part for keeper in self._keepers if not keeper.ready]:
            self.check()
            if time.monotonic() > deadline:
                raise SetupError(
                    f"{waiting[0].name} did not answer within {timeout_seconds:g} s"
                    f" (SHELTER_START_TIMEOUT_SECONDS); its log is {waiting[0].log}"
                )
            time.sleep(_POLL_SECONDS)

    def wait(self) -> None:
        """Wait for ever. Raises SetupError when a part cannot be kept alive."""
        while True:
            self.check()
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise the SetupError of a part that cannot be kept alive, if there is one."""
        if self._crash is not None:
            raise self._crash
        for keeper in self._keepers:
            if keeper.failure is not None:
                raise keeper.failure

    def let_go(self) -> None:
        """Stop watching; the parts run on, and it is the caller's turn to stop them."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.wait(_POLL_SECONDS):
                for keeper in self._keepers:
                    keeper.step(time.monotonic())
        except Exception as error:  # noqa: BLE001 - handed to the main thread, which stops everything
            self._crash = error
