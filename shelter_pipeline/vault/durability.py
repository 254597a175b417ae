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
_WAIT_BEFORE = 1  # SYNC_FILE_RANGE_WAIT_BEFORE


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


def check_written(descriptor: int) -> None:
    """Raises OSError if anything written to the file since `descriptor` was opened did not reach its medium.

    Costs nothing once all of it is written; it makes nothing durable itself. Linux only.
    """
    if _sync_file_range()(descriptor, 0, 0, _WAIT_BEFORE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@cache
def can_sync_file_systems() -> bool:
    """Whether `sync_file_system` can be relied on here: Linux 5.8 or newer."""
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if sys.platform != "linux" or version is None:
        return False
    known = hasattr(_libc(), "syncfs") and hasattr(_libc(), "sync_file_range")
    return known and (int(version[1]), int(version[2])) >= _REPORTS_ERRORS_SINCE


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _syncfs() -> Callable[[int], int]:
    function = _libc().syncfs
    function.argtypes = (ctypes.c_int,)
    function.restype = ctypes.c_int
    return function


@cache
def _sync_file_range() -> Callable[[int, int, int, int], int]:
    function = _libc().sync_file_range
    function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function
