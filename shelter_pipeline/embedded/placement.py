"""Where the embedded server keeps its data, its socket and its programs.

In the home, whenever the account that runs the server can reach it. When Shelter is root
and the home is closed to that account, the data goes to a folder of its own under a
system state folder, and the home keeps a note of where; no permission of any folder that
exists is changed for it. The note and the folder's own record are two names of one file
where the filesystem allows it, so a moved home keeps its database whoever starts first, a
copied home never shares one, and the database of a deleted home is swept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.accounts import Account, account_of, make_private_folder, server_account
from shelter_pipeline.embedded.binaries import Binaries, check_runnable, copy_binaries
from shelter_pipeline.embedded.locks import held_alone
from shelter_pipeline.embedded.postmaster import SOCKET_NAME, find_postmaster

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
MAX_SOCKET_PATH_BYTES = 103
_KEPT_SECONDS = 30 * 24 * 3600.0
_STATE_NAME = re.compile(r"[0-9a-f]{16}\Z")


@dataclass(frozen=True, slots=True)
class Placement:
    """Everything about the server that depends on the machine; `notices` are for the person who starts it."""

    data: Path
    sockets: Path
    binaries: Binaries
    account: Account
    notices: tuple[str, ...] = ()


def default_state_roots() -> tuple[Path, ...]:
    """Where state may go that cannot lie in the home, best first."""
    return (Path("/var/lib/shelter"), Path(tempfile.gettempdir()) / "shelter")


def postgres_folder(home: Path) -> Path:
    """The folder of the home that belongs to the server, made if missing. Raises SetupError."""
    folder = home / "postgres"
    try:
        folder.mkdir()
        folder.chmod(0o755 if os.geteuid() == 0 else 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise SetupError(f"SHELTER_HOME: the folder {folder} cannot be made: {error.strerror}") from error
    return folder


def recorded_data(home: Path) -> Path:
    """Where a former start has put the data folder, or would put it first."""
    note = home / "postgres" / "location"
    return Path(_line(note, 0)) / "data" if note.is_file() else home / "postgres" / "data"


def place(home: Path, binaries: Binaries, os_user: str, roots: Sequence[Path]) -> Placement:
    """Decide where things are; whatever a former start decided stands. Raises SetupError.

    To be called by one process at a time for a home.
    """
    folder = postgres_folder(home)
    data, account, notices = _place_data(folder, home, os_user, roots)
    if account.credentials:
        sweep(roots)
    programs = binaries
    if account.credentials and not account.may_enter(binaries.folder):
        programs = copy_binaries(binaries, _usable_root(roots, account))
    check_runnable(programs, account)
    return Placement(data, _place_sockets(data.parent, account), programs, account, notices)


def _place_data(
    folder: Path, home: Path, os_user: str, roots: Sequence[Path]
) -> tuple[Path, Account, tuple[str, ...]]:
    data, note = folder / "data", folder / "location"
    if note.exists():
        state, notices = _recorded_state(note, home)
        if state is not None:
            return state / "data", _owner(state / "data", os_user), notices
        note.unlink()
    else:
        notices = ()
    if data.exists():
        return data, _owner(data, os_user), notices
    account = server_account(os_user)
    if account.may_enter(folder) and _keeps_ownership(folder, account):
        return data, account, notices
    if not account.credentials:
        raise SetupError(f"SHELTER_HOME: {folder} is on a filesystem that cannot keep a folder private")
    state = _new_state(home, _usable_root(roots, account))
    notice = (
        f"the database is in {state}, because the account {account.name!r} that runs PostgreSQL cannot enter"
        f" {folder}"
    )
    return state / "data", account, (*notices, notice)


def _owner(data: Path, os_user: str) -> Account:
    """Existing data is served by its owner. Raises SetupError when that cannot be."""
    if not data.exists():
        return server_account(os_user)
    account = account_of(data.stat().st_uid)
    if account.uid == 0:
        raise SetupError(f"the database folder {data} belongs to root, and PostgreSQL refuses to run as root")
    if os.geteuid() not in (0, account.uid):
        raise SetupError(
            f"the database folder {data} belongs to {account.name!r}: run Shelter as root or as that account,"
            " or set SHELTER_HOME to another folder"
        )
    if account.credentials and not account.may_enter(data.parent):
        raise SetupError(
            f"the database folder {data} cannot be reached any more by its owner {account.name!r}: a folder"
            " above it was closed; open it again or move the home"
        )
    return account


def _keeps_ownership(folder: Path, account: Account) -> bool:
    probe = folder / f".probe-{os.getpid()}"
    if not make_private_folder(probe, account):
        return False
    probe.rmdir()
    return True


def _usable_root(roots: Sequence[Path], account: Account) -> Path:
    for root in roots:
        with contextlib.suppress(OSError):
            if not root.exists():
                root.mkdir(mode=0o755, parents=True)
                root.chmod(0o755)
            if _only_we_write(root) and account.may_enter(root):
                return root.resolve()
    raise SetupError(
        f"the account {account.name!r}, which runs PostgreSQL, can enter neither SHELTER_HOME nor any of"
        f" {', '.join(map(str, roots))}: set SHELTER_HOME to a folder that it can enter, or set"
        " SHELTER_DATABASE_URL"
    )


def _only_we_write(folder: Path) -> bool:
    info = folder.lstat()
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022


def _new_state(home: Path, root: Path) -> Path:
    state = root / secrets.token_hex(8)
    with held_alone(root / ".lock"):
        state.mkdir(mode=0o755)
        state.chmod(0o755)
        # Before the lock is gone: without the note, a sweep would take the folder for an orphan.
        _tie(state, home)
    return state


def _tie(state: Path, home: Path) -> None:
    """Let the home and the state folder name each other, by one file with two names if that can be."""
    record, note = state / "home", home / "postgres" / "location"
    record.write_text(f"{state}\n{home}\n")
    if note.exists() and note.samefile(record):
        return
    fresh = note.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    try:
        os.link(record, fresh)
    except OSError:  # another filesystem
        fresh.write_text(record.read_text())
    fresh.replace(note)


def _recorded_state(note: Path, home: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The state folder a home's note leads to, if it still is this home's."""
    state = Path(_line(note, 0))
    try:
        usable = _only_we_write(state) and _only_we_write_file(state / "home")
    except FileNotFoundError:
        return None, (f"the database that was in {state} is gone; a new one is made",)
    except PermissionError:
        usable = False
    if not usable:
        raise SetupError(
            f"{note} leads to {state}, which is not a folder of this account: run Shelter as the account that"
            " made it, or remove that file to begin with an empty database"
        )
    former = Path(_line(state / "home", 1))
    if former != home and _leads_to(former, state):
        return None, (f"this home is a copy of {former}, whose database it cannot share; a new one is made",)
    _tie(state, home)
    return state, ()


def _line(path: Path, number: int) -> str:
    """One line of a record; empty when there is no such line."""
    return dict(enumerate(path.read_text().splitlines())).get(number, "")


def _only_we_write_file(path: Path) -> bool:
    info = path.lstat()
    return stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022


def _leads_to(home: Path, state: Path) -> bool:
    try:
        return _line(home / "postgres" / "location", 0) == str(state)
    except OSError:
        return False


def sweep(roots: Sequence[Path]) -> list[Path]:
    """Remove the state of homes that are gone; returns what was removed.

    A home that was moved is not gone, and a running server is left alone. Where nobody can tell a moved
    home from a deleted one, because it was on another volume, its state is kept for a month without use.
    """
    removed = []
    for root in roots:
        if root.is_dir() and _only_we_write(root):
            with held_alone(root / ".lock"):
                orphans = [state for state in root.iterdir() if _is_orphan(state)]
                for state in orphans:
                    shutil.rmtree(state, ignore_errors=True)
            removed += orphans
    return removed


def _is_orphan(state: Path) -> bool:
    record = state / "home"
    if not _STATE_NAME.match(state.name) or not record.is_file():
        return False
    home, info = Path(_line(record, 1)), record.stat()
    elsewhere = info.st_nlink > 1
    unused_seconds = time.time() - info.st_mtime
    tied = info.st_dev == _device(home)
    gone = not elsewhere and not _leads_to(home, state) and (tied or unused_seconds > _KEPT_SECONDS)
    return gone and find_postmaster(state / "data") is None


def _device(path: Path) -> int:
    """The filesystem that a path is on, or was on when it existed."""
    return next(each.stat().st_dev for each in (path, *path.parents) if each.exists())


def _place_sockets(beside: Path, account: Account) -> Path:
    """A private folder with a path short enough for a socket: beside the data, else a temporary one."""
    digest = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
    temps = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - checked for ownership below
    for folder in (beside / "socket", *(temp / f"shelter-{account.uid}-{digest}" for temp in temps)):
        fits = len(os.fsencode(folder / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES
        # libpq reads a comma in a host as a list of hosts.
        if fits and "," not in str(folder) and _private_and_reachable(folder, account):
            return folder
    raise SetupError(
        "there is no private folder with a short enough path for PostgreSQL's socket: tried"
        f" {beside} and {temps[0]}; set SHELTER_HOME or TMPDIR to a shorter path"
    )


def _private_and_reachable(folder: Path, account: Account) -> bool:
    return make_private_folder(folder, account) and (
        not account.credentials or account.may_enter(folder.parent)
    )
