"""Dumps of a database and their way back, by PostgreSQL's own `pg_dump` and `pg_restore`.

Programs of the server's own version are used where this machine has them, else newer ones,
for older ones cannot read it. A password goes to them by the environment: the arguments of
a process are there for everybody to see.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.binaries import find_binaries

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_DEBIAN = Path("/usr/lib/postgresql")  # where it keeps several versions side by side
_SETTING_SINCE = 17  # `pg_restore` has set transaction_timeout since then, which earlier servers refuse
_SECRET_FIELDS = frozenset({"password", "sslpassword"})


@dataclass(frozen=True, slots=True)
class _Tools:
    """The client programs of one version."""

    folder: Path
    major: int


def dump(url: str, folder: Path, *, jobs: int) -> None:
    """Write the database into `folder`, which must not be there, as it stands at one moment; `jobs` tables at once.

    What others write meanwhile waits for nothing; a migration does. Raises SetupError, in PostgreSQL's own words.
    """
    tools = _tools_for(url)
    _run(
        url,
        tools.folder / "pg_dump",
        ("--format=directory", f"--jobs={jobs}", "--no-owner", "--no-privileges", f"--file={folder}"),
    )


def restore(url: str, folder: Path, *, jobs: int) -> None:
    """Fill the empty database from a dump: whole or not at all with one job, at worst in part with several.

    Raises SetupError, in PostgreSQL's own words.
    """
    tools = _tools_for(url)
    if server_major(url) < _SETTING_SINCE <= tools.major:
        raise SetupError(
            f"pg_restore {tools.major} cannot fill a server that is older than {_SETTING_SINCE}: install the client"
            f" programs of its own version (Debian: postgresql-client-{server_major(url)}), or restore into a newer one"
        )
    how = ("--single-transaction",) if jobs == 1 else (f"--jobs={jobs}", "--exit-on-error")
    _run(url, tools.folder / "pg_restore", (*how, "--no-owner", "--no-privileges", str(folder)))


def server_major(url: str) -> int:
    """The major version of the server. Raises SetupError when it does not answer."""
    try:
        with psycopg.connect(_conninfo(url), connect_timeout=10) as connection:
            return connection.info.server_version // 10_000
    except psycopg.OperationalError as error:
        raise SetupError(f"the database does not answer: {_first_line(str(error))}") from None


def _tools_for(url: str) -> _Tools:
    wanted = server_major(url)
    usable = [tools for tools in _installed() if tools.major >= wanted]
    if not usable:
        raise SetupError(
            f"the server is PostgreSQL {wanted}, and this machine has no pg_dump and pg_restore of that version:"
            f" install its client programs (Debian: postgresql-client-{wanted})"
        )
    return min(usable, key=lambda tools: tools.major)


def _installed() -> Iterator[_Tools]:
    found = shutil.which("pg_dump")
    folders = [Path(found).parent] if found else []
    folders += [place / "bin" for place in _DEBIAN.glob("*")]
    with contextlib.suppress(SetupError):  # no embedded server for this platform, and none is needed
        folders.append(find_binaries().folder)
    for folder in folders:
        if all((folder / name).is_file() for name in ("pg_dump", "pg_restore")):
            told = subprocess.run(
                [folder / "pg_dump", "--version"], capture_output=True, text=True, check=False, timeout=60
            )
            if major := _VERSION.search(told.stdout):
                yield _Tools(folder, int(major[1]))


def _run(url: str, program: Path, arguments: Sequence[str]) -> None:
    parameters = conninfo_to_dict(_conninfo(url))
    open_ones = {name: value for name, value in parameters.items() if name not in _SECRET_FIELDS}
    secret = parameters.get("password")
    # Nothing else of PG* may sway it: another host, another database.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if secret:
        environment["PGPASSWORD"] = str(secret)
    connection = f"--dbname={make_conninfo('', **open_ones)}"
    ended = subprocess.run(
        [program, connection, "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        said = ended.stderr.replace(str(secret), "***") if secret else ended.stderr
        raise SetupError(f"{program.name} did not succeed: {_telling(said)}")


def _telling(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return " / ".join((errors or lines or ["it said nothing"])[:2])


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no answer"


def _conninfo(url: str) -> str:
    """An SQLAlchemy URL as libpq reads it."""
    _driver, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}"
