"""Which account the database server runs as, and what that account can reach.

PostgreSQL refuses to run as root. When Shelter is root, the server runs as an account
that exists already; whether it can reach a folder is read from the mode bits of every
parent, because the alternative, opening the parents to everybody, would change folders
that are not ours.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from shelter_pipeline.domain.errors import SetupError


class Credentials(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change the account of a child."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine; its supplementary groups are given up on purpose."""

    name: str
    uid: int
    gid: int

    @property
    def credentials(self) -> Credentials:
        """How to start a child as this account; nothing to do when it is the account we are."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, folder: Path) -> bool:
        """Whether this account can reach what lies in `folder`, by the mode bits of it and its parents."""
        return all(self._may_search(each.stat()) for each in (folder, *folder.parents))

    def owns_privately(self, path: Path) -> bool:
        """Whether `path` is a real folder of this account, closed to everybody else."""
        info = path.lstat()
        return stat.S_ISDIR(info.st_mode) and info.st_uid == self.uid and not info.st_mode & 0o077

    def _may_search(self, info: os.stat_result) -> bool:
        if self.uid == info.st_uid:
            return bool(info.st_mode & stat.S_IXUSR)
        if self.gid == info.st_gid:
            return bool(info.st_mode & stat.S_IXGRP)
        return bool(info.st_mode & stat.S_IXOTH)


def account_of(uid: int) -> Account:
    """The account with this user id, named by its number when the system has no name for it."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, os.getegid() if uid == os.geteuid() else uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def server_account(os_user: str) -> Account:
    """Who a new server runs as: `os_user` when we are root, ourselves otherwise.

    Raises SetupError naming SHELTER_POSTGRES_OS_USER when that account is missing or is root.
    """
    if os.geteuid() != 0:
        return account_of(os.geteuid())
    try:
        entry = pwd.getpwnam(os_user)
    except KeyError:
        raise SetupError(
            f"SHELTER_POSTGRES_OS_USER: this machine has no account {os_user!r}; PostgreSQL refuses to run"
            " as root, so name an account that exists"
        ) from None
    if entry.pw_uid == 0:
        raise SetupError(
            f"SHELTER_POSTGRES_OS_USER: {os_user!r} is root, and PostgreSQL refuses to run as root"
        )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def make_private_folder(path: Path, account: Account) -> bool:
    """Make `path` a folder that only `account` can enter; False when it cannot be had here.

    An existing folder of another owner or with open permissions is not taken over, and a
    filesystem that ignores ownership is noticed.
    """
    try:
        path.mkdir(mode=0o700, parents=False)
    except FileExistsError:
        return account.owns_privately(path)
    except OSError:
        return False
    try:
        path.chmod(0o700)
        if account.credentials:
            os.chown(path, account.uid, account.gid)
        made = account.owns_privately(path)
    except OSError:
        made = False
    if not made:
        path.rmdir()
    return made
