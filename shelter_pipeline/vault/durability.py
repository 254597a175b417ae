"""Making writes outlive a power cut: one file or folder at a time, or a whole file system at once.

A single fsync costs a commit of the file system's journal. A group of files that are made
durable together, by one `syncfs` instead of hundreds of fsyncs, costs one commit for all
of them; Linux reports the write errors of the whole file system by it since version 5.8.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

_REPORTS_ERRORS_SINCE = (5, 8)


def sync_file(descriptor: int) -> None:
    """Make what was written through a descriptor durable. Raises OSError."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(descriptor: int) -> None:
    """Make all that was written to the file system of `descriptor` durable. Raises OSError.

    An error is told once per open descriptor, so it must have been open before the writes.
    """
    if _syncfs()(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@cache
def can_sync_file_systems() -> bool:
    """Whether `sync_file_system` can be relied on here: Linux 5.8 or newer."""
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if sys.platform != "linux" or version is None:
        return False
    return (int(version[1]), int(version[2])) >= _REPORTS_ERRORS_SINCE and hasattr(_libc(), "syncfs")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _syncfs() -> Callable[[int], int]:
    function = _libc().syncfs
    function.argtypes = (ctypes.c_int,)
    function.restype = ctypes.c_int
    return function
