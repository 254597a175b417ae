"""One process of a topology: started, asked, stopped like a container, or killed with all it started."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from docker.native.stand_ins import Program, answers_http
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.logs import last_words, open_log
from shelter_pipeline.embedded.processes import SessionRecord, members, remember

_POLL_SECONDS = 0.05
_KILL_SECONDS = 10.0
_STEADY_SECONDS = 10.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 10.0


class Process:
    """A service, or one replica of it, as a process in a session of its own.

    `wanted` says whether it is to be up; whoever watches starts it again when it is not (`due`).
    """

    def __init__(
        self, name: str, program: Program, folder: Path, *, restarts: bool, grace_seconds: float
    ) -> None:
        self.name = name
        self.program = program
        self.log = folder / "logs" / f"{name}.log"
        self.restarts = restarts
        self.starts = 0
        self.wanted = False
        self._grace_seconds = grace_seconds
        self._run_folder = folder / "run"
        self._process: subprocess.Popen[bytes] | None = None
        self._session: SessionRecord | None = None
        self._log_begin = 0
        self._started_at = 0.0
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._due_at: float | None = None
        self._lock = threading.RLock()

    @property
    def pid(self) -> int:
        """The process id of its last start. Raises SetupError before the first."""
        if self._process is None:
            raise SetupError(f"{self.name} has not been started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or before its first start."""
        return None if self._process is None else self._process.poll()

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """The last problem that its log tells since its last start."""
        return last_words(self.log, self._log_begin)

    def start(self) -> None:
        """Start it unless it runs. Raises SetupError."""
        with self._lock:
            self.wanted, self._due_at = True, None
            if self.is_alive():
                return
            self._bury()
            self.program.before()
            with open_log(self.log) as output:
                self._log_begin = output.tell()
                try:
                    self._process = subprocess.Popen(
                        self.program.command,
                        env=dict(self.program.environment),
                        cwd=self.program.folder,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                        **self.program.credentials,
                    )
                except OSError as error:
                    raise SetupError(f"{self.name} cannot be started: {error}") from error
            self._session = remember(self._run_folder, self.name, self._process.pid)
            self._started_at = time.monotonic()
            self.starts += 1

    def restart_if_due(self) -> None:
        """Start it again, as its restart policy says, if it ended by itself and its pause is over."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not (self.wanted and self.restarts and self.starts) or self.is_alive():
                return
            now = time.monotonic()
            if self._due_at is None:
                self._due_at = now + self._next_pause(now - self._started_at)
            elif now >= self._due_at:
                self.start()
        finally:
            self._lock.release()

    def _next_pause(self, lived_seconds: float) -> float:
        pause = _FIRST_PAUSE_SECONDS if lived_seconds > _STEADY_SECONDS else self._pause_seconds
        self._pause_seconds = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        return pause

    def answers(self, health: Sequence[str], timeout_seconds: float) -> bool:
        """Whether its health check is content; without one, whether it runs."""
        if not self.is_alive():
            return False
        if self.program.probe is not None:
            return self.program.probe()
        if not health:
            return True
        if "wget" in health[1:2]:  # what the small images have to ask with
            return answers_http(health[-1])
        return self._run_check(health, timeout_seconds)

    def _run_check(self, health: Sequence[str], timeout_seconds: float) -> bool:
        command = ["sh", "-c", health[1]] if health[0] == "CMD-SHELL" else list(health[1:])
        try:
            return not subprocess.run(
                command,
                env=dict(self.program.environment),
                cwd=self.program.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_seconds,
                check=False,
            ).returncode
        except (OSError, subprocess.TimeoutExpired):
            return False

    def kill(self, *, hold: bool = False) -> None:
        """End it and all it started with SIGKILL, as a container dies; it is started again unless held."""
        with self._lock:
            self.wanted = self.wanted and not hold
            self._bury()

    def stop(self, grace_seconds: float | None = None) -> None:
        """Ask its first process to end, wait for its time of grace or this one, and end by force what is left."""
        with self._lock:
            self.wanted = False
            if self._process is not None and self.is_alive():
                self._process.send_signal(self.program.stop_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(self._grace_seconds if grace_seconds is None else grace_seconds)
            self._bury()

    def _bury(self) -> None:
        """End whatever is left of the last start, and forget it."""
        if self._process is None:
            return
        deadline = time.monotonic() + _KILL_SECONDS
        while (left := self._family()) and time.monotonic() < deadline:
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(_POLL_SECONDS)
            self._process.poll()
        self._process.wait()
        if self._session is not None:
            self._session.remove()
            self._session = None

    def _family(self) -> list[psutil.Process]:
        """Its living processes: those of its session, and descendants that made sessions of their own."""
        found = {process.pid: process for process in members(self._session)} if self._session else {}
        if self.is_alive():
            with contextlib.suppress(psutil.NoSuchProcess):
                leader = psutil.Process(self.pid)
                found |= {process.pid: process for process in (leader, *leader.children(recursive=True))}
        return [process for process in found.values() if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
