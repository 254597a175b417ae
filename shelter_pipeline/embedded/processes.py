"""Finding and stopping the processes of a part again, even those of a supervisor that was killed.

Each part is started in a session of its own, and a record of its leader (process id and
start time) is kept in a file until the session is empty. A session's number is not given
to another process while one of its members lives, so members without their leader are
ours, and a leader with another start time is a stranger.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL_SECONDS = 0.1
_KILL_SECONDS = 10.0
_CLOCK_STEP_SECONDS = 60.0  # the kernel tells start times by a clock that may be set


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """The file that remembers one session, and what is in it."""

    path: Path
    part: str
    leader: int
    started: float  # seconds since the epoch, as the kernel tells it

    def remove(self) -> None:
        """Forget the session."""
        self.path.unlink(missing_ok=True)


def remember(folder: Path, part: str, leader: int) -> SessionRecord:
    """Write down a session that was just started."""
    record = SessionRecord(folder / f"{part}-{leader}.json", part, leader, _started(leader))
    fresh = record.path.with_suffix(".new")
    fresh.write_text(json.dumps({"part": part, "pid": leader, "started": record.started}) + "\n")
    fresh.replace(record.path)
    return record


def _started(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # gone already; its session may still have members
        return 0.0


def remembered(folder: Path) -> list[SessionRecord]:
    """Every session written down; a file that cannot be read is removed."""
    records = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text())
            records.append(
                SessionRecord(path, content["part"], int(content["pid"]), float(content["started"]))
            )
        except (ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
    return records


def members(record: SessionRecord) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == record.leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    if any(process.pid == record.leader and _is_stranger(process, record) for process in found):
        return []
    return found


def _is_stranger(process: psutil.Process, record: SessionRecord) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return abs(process.create_time() - record.started) > _CLOCK_STEP_SECONDS
    return False


def stop_sessions(
    records: Sequence[SessionRecord], grace_seconds: float, hurry: Callable[[], bool] = lambda: False
) -> None:
    """Ask every process of these sessions to end (SIGTERM), then end by force what has not.

    `hurry` cuts the time of grace short. On return the sessions are empty and forgotten.
    """
    _tell(records, psutil.Process.terminate)
    deadline = time.monotonic() + grace_seconds
    while _populated(records) and time.monotonic() < deadline and not hurry():
        time.sleep(_POLL_SECONDS)
    deadline = time.monotonic() + _KILL_SECONDS
    while (left := _populated(records)) and time.monotonic() < deadline:
        _tell(left, psutil.Process.kill)
        time.sleep(_POLL_SECONDS)
    for record in records:
        record.remove()


def _populated(records: Sequence[SessionRecord]) -> list[SessionRecord]:
    return [record for record in records if members(record)]


def _tell(records: Sequence[SessionRecord], sign: Callable[[psutil.Process], None]) -> None:
    for record in records:
        for process in members(record):
            with contextlib.suppress(psutil.NoSuchProcess):
                sign(process)
