"""Advisory locks on files of the home: who uses it, who supervises it, who starts the server.

The kernel drops such a lock with the process that held it, however it died, so there is
no stale lock to clean up and no counter to correct. The text inside a lock file is for
people; only the lock decides.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from shelter_pipeline.domain.errors import SetupError


class FileLock:
    """One holder's view of a lock file; may be held shared or alone."""

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SetupError(
                f"SHELTER_HOME: the lock file {path} cannot be used: {error.strerror}"
            ) from error

    def try_alone(self) -> bool:
        """Take or upgrade to the exclusive lock if nobody else holds it; a shared hold is lost otherwise."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait_alone(self) -> None:
        """Wait until nobody else holds it, then hold it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def share(self) -> None:
        """Hold it together with others, waiting for one who holds it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def read(self) -> str:
        """What the holder wrote about itself."""
        return os.pread(self._descriptor, 1000, 0).decode(errors="replace").strip()

    def write(self, text: str) -> None:
        """Say who holds it."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{text}\n".encode(), 0)

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)


@contextlib.contextmanager
def held_alone(path: Path) -> Iterator[None]:
    """Hold the lock at `path` alone for the length of a block, waiting for it first."""
    lock = FileLock(path)
    try:
        lock.wait_alone()
        yield
    finally:
        lock.close()


def make_home(home: Path) -> Path:
    """The home as a folder with no links in its path. Raises SetupError naming SHELTER_HOME."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        home = home.resolve(strict=True)
    except OSError as error:
        raise SetupError(f"SHELTER_HOME: the folder {home} cannot be used: {error.strerror}") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise SetupError(f"SHELTER_HOME: nothing can be written to {home}")
    return home


def claim_home(home: Path, purpose: str) -> FileLock:
    """Become the one supervisor of a home, until the lock is closed or the process ends.

    `purpose` is what people know this process by, such as `shelter up`.

    Raises SetupError naming the process that is there already.
    """
    lock = FileLock(home / "lock")
    if not lock.try_alone():
        holder = lock.read() or "another one"
        lock.close()
        raise SetupError(
            f"Shelter is already running as process {holder} on {home}; stop it first, or set SHELTER_HOME to"
            " another folder"
        )
    lock.write(f"{os.getpid()} ({purpose})")
    return lock
