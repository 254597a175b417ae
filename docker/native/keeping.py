"""What the folder of a topology keeps: its secrets, its addresses and ports, the files of its services.

All of it stays the same from one start to the next, because databases remember passwords and SeaweedFS's
master knows itself by its address.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from docker.native.compose_file import Service, required_variables
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.locks import FileLock

# SeaweedFS's ports by their options; the first is the one that others use.
_WEED_PORTS = tuple(
    f"{part}.port{way}" for part in ("s3", "master", "volume", "filer") for way in ("", ".grpc")
)
_OURS = ("SHELTER_", "AWS_")
_CLAIM_PORT = 65000
_TRIED_NETWORKS = 20


def claim_folder(folder: Path) -> FileLock:
    """Become the one topology of a folder. Raises SetupError naming the process that is there already."""
    lock = FileLock(folder / "lock")
    if not lock.try_alone():
        holder = lock.read() or "another one"
        lock.close()
        raise SetupError(
            f"a topology is running in {folder} as process {holder}; stop it, or give another folder"
        )
    lock.write(str(os.getpid()))
    return lock


def claim_network(note: Path) -> tuple[socket.socket, str]:
    """A /24 of the loopback that no other topology has, as `127.70.3`, written down in `note`.

    It is ours while the socket is open. Raises SetupError where only 127.0.0.1 is on the loopback.
    """
    former = [note.read_text(encoding="ascii")] if note.exists() else []
    fresh = (f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}" for _ in range(_TRIED_NETWORKS))
    for prefix in (*former, *fresh):
        claim = socket.socket()
        try:
            claim.bind((f"{prefix}.1", _CLAIM_PORT))
            claim.listen()
        except OSError:
            claim.close()
        else:
            note.write_text(prefix, encoding="ascii")
            return claim, prefix
    raise SetupError(
        "no free addresses on the loopback: it must have all of 127.0.0.0/8, as on Linux; elsewhere give"
        " `network`, a /24 whose addresses exist"
    )


def make_files(service: Service, root: Path, volumes: Path) -> None:
    """The places of a service's files: its own in `root`, those of named volumes by links to `volumes`."""
    root.mkdir(parents=True, exist_ok=True)
    for mount in sorted(service.mounts, key=lambda mount: mount.target):
        place = root / mount.target.lstrip("/")
        if mount.is_file:
            continue
        if not mount.source:
            place.mkdir(parents=True, exist_ok=True)
            continue
        shared = volumes / mount.source
        shared.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(shared, target_is_directory=True)


def kept_ports(path: Path) -> dict[str, int]:
    """Ports for SeaweedFS, the same as last time if they are free: its master knows itself by one of them."""
    kept: dict[str, int] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    with contextlib.ExitStack() as opened:
        probes = {option: opened.enter_context(socket.socket()) for option in _WEED_PORTS}
        try:
            for option, probe in probes.items():
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", kept.get(option, 0)))
        except OSError:
            path.unlink()
            return kept_ports(path)
        kept = {option: int(probe.getsockname()[1]) for option, probe in probes.items()}
    path.write_text(json.dumps(kept), encoding="ascii")
    return kept


def kept_secrets(path: Path, compose: str) -> dict[str, str]:
    """A random value for each secret that compose.yaml asks for, made once for a folder."""
    known = dict(_lines_of(path))
    fresh = {name: secrets.token_hex(24) for name in required_variables(compose) if name not in known}
    if fresh:
        path.touch(mode=0o600)
        with path.open("a", encoding="ascii") as kept:
            kept.writelines(f"{name}={value}\n" for name, value in fresh.items())
    return known | fresh


def keep_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write our settings down for a shell to read; passwords are among them, so only its owner may."""
    path.touch(mode=0o600)
    path.write_text(
        "".join(
            f"export {name}={shlex.quote(value)}\n"
            for name, value in environment.items()
            if name.startswith(_OURS)
        ),
        encoding="utf-8",
    )


def _lines_of(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="ascii").splitlines() if path.exists() else ():
        name, _, value = line.partition("=")
        yield name, value
