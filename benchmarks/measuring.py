"""What a piece of work cost: wall time, our CPU time, PostgreSQL's CPU time, peak memory.

CPU seconds are the solid figure on a machine that does other things too; wall time is to
be compared only within one run. A program is always measured as a child process of its
own, so that no contestant pays for what another one left in memory.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

_LAST_WORDS = 4000
_KILOBYTE = 1024  # the unit of ru_maxrss on Linux


@dataclass(slots=True)
class Cost:
    """Seconds: of the clock, of CPU in the client and everything it started, of CPU in PostgreSQL."""

    wall: float = 0.0
    client: float = 0.0
    postgres: float = 0.0

    @property
    def cpu(self) -> float:
        """CPU seconds of both sides."""
        return self.client + self.postgres


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended: what it printed, what it cost, the most memory it held, in bytes."""

    output: str
    cost: Cost
    peak_bytes: int


class Postgres:
    """The CPU time of a server whose postmaster is known."""

    def __init__(self, postmaster: int) -> None:
        self.postmaster = postmaster
        self._process = psutil.Process(postmaster)

    def seconds(self) -> float:
        """CPU seconds of the server since it was started: of its processes that live and of those that ended."""
        total = 0.0
        own = self._process.cpu_times()
        for process in self._process.children(recursive=True):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:  # ended meanwhile: the postmaster's account has it from now on
                continue
            total += times.user + times.system
        return total + own.user + own.system + own.children_user + own.children_system


class Stopwatch:
    """Adds up the sections of a loop that count, and leaves out what stands between them."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._begun = postgres.seconds()
        self._cost = Cost()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the block."""
        wall, client = time.perf_counter(), time.process_time()
        yield
        self._cost.wall += time.perf_counter() - wall
        self._cost.client += time.process_time() - client

    def stop(self) -> Cost:
        """What was counted. The server's share is all it did since the watch was made."""
        self._cost.postgres = self._postgres.seconds() - self._begun
        return self._cost


def run_program(
    command: Sequence[str], environment: Mapping[str, str], postgres: Postgres | None = None
) -> Ran:
    """Run a program to its end. RuntimeError with its last words if it fails.

    The kernel counts a child's memory from before it became another program, so a peak is
    never below what this process holds; it holds little.
    """
    before = postgres.seconds() if postgres else 0.0
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as words:
        child = subprocess.Popen(list(command), env=dict(environment), stdout=output, stderr=words)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        output.seek(0)
        words.seek(0)
        printed = output.read().decode(errors="replace")
        if child.returncode != 0:
            said = words.read().decode(errors="replace")[-2000:]
            raise RuntimeError(
                f"{' '.join(command)} ended with {child.returncode}: {said or printed[-2000:]}"
            )
    after = postgres.seconds() if postgres else 0.0
    cost = Cost(wall, usage.ru_utime + usage.ru_stime, after - before)
    return Ran(printed, cost, usage.ru_maxrss * _KILOBYTE)


def machine(postgres_version: str) -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "postgresql": postgres_version,
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), sys.platform
    )


def as_dict(cost: Cost) -> dict[str, float]:
    """The cost for a JSON file, in seconds."""
    return {name: round(value, 3) for name, value in asdict(cost).items()}
