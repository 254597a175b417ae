"""Log files of the supervised processes, and what in them a person should see at once."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shelter_pipeline.domain.errors import SetupError

_MAX_LOG_BYTES = 10 * 1024**2
_MAX_READ_BYTES = 1024**2
_TAIL_BYTES = 20_000
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PROBLEM = re.compile(
    r'\b(ERROR|CRITICAL|FATAL|PANIC)\b|"level": ?"(?:error|critical)"|^\w*(Error|Exception)\b.*:'
)
_TRACEBACK = re.compile(r"^\s*Traceback \(most recent call last\)")


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, after putting aside one that has grown large. Raises SetupError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
            path.replace(path.with_suffix(".old.log"))
        return path.open("ab")
    except OSError as error:
        raise SetupError(f"the log {path} cannot be written: {error.strerror}") from error


def turn_over(path: Path) -> bool:
    """Put a log that has grown large aside while its process writes on; whether that was done.

    The process goes on writing to the same file, which is copied and emptied: what it says in between is lost.
    """
    try:
        if path.stat().st_size <= _MAX_LOG_BYTES:
            return False
        shutil.copyfile(path, path.with_suffix(".old.log"))
        os.truncate(path, 0)
    except OSError:  # a full disk, say: the log goes on where it is
        return False
    return True


def last_words(path: Path, begin: int = 0) -> str:
    """The last problem in a log, or its last line: why a process ended, in one line."""
    with path.open("rb") as log:
        log.seek(max(begin, path.stat().st_size - _TAIL_BYTES))
        lines = [line for line in _readable(log.read()) if line.strip()]
    problems = [line for line in lines if _PROBLEM.search(line)]
    return (problems or lines or ["it said nothing"])[-1].strip()


def _readable(text: bytes) -> list[str]:
    return _COLOUR.sub("", text.decode(errors="replace")).splitlines()


def problems_in(lines: list[str]) -> list[str]:
    """The lines a person should see: errors, and of a traceback the sentence it ends with.

    >>> problems_in(["all well", "Traceback (most recent call last):", "  File x", "KeyError: 'a'", "on"])
    ["KeyError: 'a'"]
    """
    found, inside = [], False
    for line in lines:
        if _TRACEBACK.match(line):
            inside = True
        elif inside and line[:1].isspace():
            continue
        elif inside or _PROBLEM.search(line):
            inside = False
            if line.strip():
                found.append(line.strip())
    return found


class LogReader:
    """Follows a log from where it stands; each `read` gives the whole lines added since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def read(self) -> list[str]:
        """The lines added since the last call; an unfinished line waits for its end."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return []
        if size < self._position:  # put aside and begun anew
            self._position, self._rest = 0, b""
        with self.path.open("rb") as log:
            log.seek(self._position)
            added = log.read(_MAX_READ_BYTES)
        self._position += len(added)
        *whole, self._rest = (self._rest + added).split(b"\n")
        return [line for raw in whole for line in _readable(raw) or [""]]


@dataclass(slots=True)
class Throttle:
    """Lets through so many lines a minute: a broken part says the same thing for ever."""

    limit: int = 8
    window_seconds: float = 60
    _begin: float = float("-inf")
    _passed: int = 0

    def let_through(self, lines: list[str], now: float) -> list[str]:
        """Those of `lines` that a person should still see; the last one says that there are more."""
        if now - self._begin >= self.window_seconds:
            self._begin, self._passed = now, 0
        room = self.limit - self._passed
        self._passed += len(lines)
        if len(lines) <= room or room < 0:
            return lines[: max(room, 0)]
        return [*lines[:room], "… and more of it in the log"]
