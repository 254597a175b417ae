"""The running server of a data folder, found by the file that PostgreSQL itself keeps.

`postmaster.pid` outlives a killed server and its number may be another process by now,
so a server counts as running only if the process is a PostgreSQL that works in this very
folder.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_LINE = 4  # pid, data folder, start time, port, socket folder, ...
_FAST_SECONDS = 60.0
_IMMEDIATE_SECONDS = 15.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server process and the folder of its socket."""

    process: psutil.Process
    sockets: Path


def read_pid_file(data: Path) -> tuple[int, Path] | None:
    """Process id and socket folder as the last server wrote them; None if it stopped in order.

    Also None while a server that is starting has not finished writing them.
    """
    try:
        *lines, _ = (data / "postmaster.pid").read_text().split("\n")
        return (int(lines[0]), Path(lines[_SOCKET_LINE])) if lines[_SOCKET_LINE] else None
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on this data folder, whoever started it."""
    record = read_pid_file(data)
    if record is None:
        return None
    try:
        process = psutil.Process(record[0])
        return Postmaster(process, record[1]) if _works_in(process, data) else None
    except psutil.Error:
        return None


def _works_in(process: psutil.Process, data: Path) -> bool:
    return (
        process.name().startswith("postgres")
        and process.status() != psutil.STATUS_ZOMBIE
        and process.cwd() == str(data)
    )


def answers_out_of_sight(data: Path) -> bool:
    """Whether something we cannot see as a process (another container) serves this data folder."""
    record = read_pid_file(data)
    if record is None or find_postmaster(data) is not None:
        return False
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.settimeout(5)
        client.connect(str(record[1] / SOCKET_NAME))
        return True
    return False


def forget_strangers(data: Path, sockets: Path) -> None:
    """Remove the lock files of a dead server whose number belongs to something else, or to its own remains.

    PostgreSQL takes any process of that number for a running server. To be called when none runs.
    """
    for lock in (data / "postmaster.pid", sockets / f"{SOCKET_NAME}.lock"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError, IndexError):
            if psutil.pid_exists(int(lock.read_text().splitlines()[0])):
                lock.unlink()


def stop_postmaster(postmaster: Postmaster, data: Path) -> None:
    """Shut the server down and wait: fast, then immediate, then by force; data is safe in each case."""
    for sign, seconds in (
        (signal.SIGINT, _FAST_SECONDS),
        (signal.SIGQUIT, _IMMEDIATE_SECONDS),
        (signal.SIGKILL, _IMMEDIATE_SECONDS),
    ):
        with contextlib.suppress(psutil.NoSuchProcess):
            postmaster.process.send_signal(sign)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _is_alive(postmaster.process):
                end_backends(data)
                return
            time.sleep(_POLL_SECONDS)


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def end_backends(data: Path) -> None:
    """End what a killed server left behind: a backend in a long statement holds its shared memory."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if _works_in(process, data):
                process.terminate()
                left.append(process)
    _, stubborn = psutil.wait_procs(left, timeout=10)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
