"""This machine: room on its disks, files that may be open, its time zone."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from shelter_pipeline.domain.findings import Finding, failed, ok, warning
from shelter_pipeline.operations.open_store import s3_place_of
from shelter_pipeline.settings import Settings

_DISK, _MACHINE = "disk", "machine"
_SHARE_OF_DISK = 20  # of a disk, at most one part in so many is held in reserve
_FEW_INODES = 0.02
_OF_EVERYTHING_ELSE = 256


def check_disks(settings: Settings) -> Iterator[Finding]:
    """The disks of the home, and of where files arrive: the store's folder, or the scratch of one on S3."""
    places = {"home": settings.home_path}
    if s3_place_of(settings) is None:
        places["store"] = settings.store_path
    else:
        places["scratch"] = settings.scratch_path
    for name, path in places.items():
        yield from _disk(name, path, settings.store_reserve_bytes)


def _disk(name: str, path: Path, reserve_bytes: int) -> Iterator[Finding]:
    above = next(each for each in (path, *path.parents) if each.exists())
    room = shutil.disk_usage(above)
    wanted = min(reserve_bytes, room.total // _SHARE_OF_DISK)
    message = f"{room.free / 1e9:,.1f} GB of {room.total / 1e9:,.1f} GB are free for the {name} ({path})"
    advice = "Make room, or move it to another disk."
    if room.free <= wanted:
        yield failed(_DISK, f"{message}: less than the reserve, so no file is begun", advice)
    elif room.free <= 2 * wanted:
        yield warning(_DISK, message, advice)
    else:
        yield ok(_DISK, message)
    inodes = os.statvfs(above)
    if inodes.f_files and inodes.f_favail < _FEW_INODES * inodes.f_files:
        yield warning(
            _DISK,
            f"{inodes.f_favail:,} of {inodes.f_files:,} inodes are left for the {name}",
            "Each file of the store takes one: use a file system that makes them as needed, such as XFS.",
        )
    if path.exists() and not os.access(path, os.W_OK | os.X_OK):
        yield failed(_DISK, f"this account may not write to the {name} ({path})", "Give it to this account.")


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Open files, and the time zone."""
    # A download holds a connection and a file, and slow ones are counted apart.
    wanted = 3 * settings.fetch_connections + _OF_EVERYTHING_ELSE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        yield warning(
            _MACHINE,
            f"a process may have {soft} files open, and a batch with {settings.fetch_connections} downloads needs up"
            f" to {wanted}",
            f"Raise it (`ulimit -n`, LimitNOFILE=; {hard} are allowed here), or lower SHELTER_FETCH_CONNECTIONS.",
        )
    else:
        yield ok(_MACHINE, f"a process may have {soft} files open")
    zone = time.tzname[time.localtime().tm_isdst > 0]
    yield ok(_MACHINE, f"its time zone is {zone}; schedules and all that is kept go by UTC")
