"""The folder of one node: who it is to the API, its token, its lock, and where the rest of it stands.

identity.json   API, name and token; for its owner's eyes only (0600)
journal.sqlite3 what is in hand, what the API has not heard, what is kept
store/          the files, by their hash
lock            held by the one process that works here
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.vault.durability import sync_folder

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is to which API; without a token on an API that asks for none."""

    api: str
    node_id: str
    token: str | None
    lease_seconds: float = 600.0
    heartbeat_seconds: float = 200.0
    left: bool = False  # it has signed off

    def __repr__(self) -> str:  # a token is in no log
        return f"Identity({self.node_id!r} of {self.api!r})"


class NodeFolder:
    """One node's folder, made if it is missing. Raises SetupError `bad-store` if it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"the folder {self.path} cannot be used: {error}", reason="bad-store") from error

    @property
    def store(self) -> Path:
        """Where the files are."""
        return self.path / "store"

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.path / "journal.sqlite3"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Work here alone for a block. Raises SetupError if another process does."""
        descriptor = self._open_lock()
        try:
            if not _lock(descriptor):
                raise SetupError(
                    f"another node works in {self.path}; stop it first, or give this one a --folder of its own",
                    reason="bad-store",
                )
            yield
        finally:
            os.close(descriptor)

    def is_in_use(self) -> bool:
        """Whether a process works here now."""
        descriptor = self._open_lock()
        try:
            return not _lock(descriptor)
        finally:
            os.close(descriptor)

    def identity(self) -> Identity | None:
        """Who this node is; None before it has joined. Raises SetupError if that cannot be read."""
        path = self.path / "identity.json"
        try:
            return _identity_of(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise SetupError(
                f"{path} cannot be read ({error}); put it right, or move it away to join as a new node",
                reason="bad-store",
            ) from error

    def remember(self, identity: Identity) -> None:
        """Keep who we are, whole or not at all. Raises SetupError if that cannot be."""
        facts = {name: getattr(identity, name) for name in Identity.__slots__}
        path, beside = self.path / "identity.json", self.path / "identity.json.new"
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(descriptor, _PRIVATE)  # it may have been there
                json.dump(facts, file, indent=1)
                file.flush()
                os.fsync(descriptor)
            beside.replace(path)
            sync_folder(self.path)
        except OSError as error:
            raise SetupError(f"{path} cannot be written: {error}", reason="bad-store") from error

    def _open_lock(self) -> int:
        try:
            return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            raise SetupError(f"the folder {self.path} cannot be used: {error}", reason="bad-store") from error


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _identity_of(facts: dict[str, Any]) -> Identity:
    return Identity(
        str(facts["api"]),
        str(facts["node_id"]),
        facts["token"] if facts["token"] is None else str(facts["token"]),
        float(facts["lease_seconds"]),
        float(facts["heartbeat_seconds"]),
        bool(facts["left"]),
    )
