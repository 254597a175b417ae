"""A backup as a folder: dumps, and a `backup.json` beside them that makes them one; without it there is no backup.

It is written last, and the whole folder is made under another name and renamed, so what has
the name of a backup is a whole one. Every file is listed with its size and SHA-256, so
that bit rot is found before a database is made of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.whole_folder import new_folder

FORMAT = 1
CATALOG, DAGSTER = "catalog", "dagster"
_RECORD = "backup.json"
_FIELDS = frozenset({"format", "taken_at", "release", "revision", "postgres", "store", "files"})


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """What `backup.json` says. `files` are `{path: [bytes, SHA-256]}`, by their path in the folder."""

    taken_at: str
    release: str
    revision: str
    postgres: int
    store: str
    files: dict[str, list[Any]] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def bytes(self) -> int:
        """The size of all dumps."""
        return sum(int(size) for size, _digest in self.files.values())

    def holds(self, database: str) -> bool:
        """Whether there is a dump of this database."""
        return any(name.startswith(f"{database}/") for name in self.files)


@contextmanager
def new_backup(folder: Path, name: str) -> Iterator[Path]:
    """A private folder to be filled, which becomes `folder/name` at the end of the block, or nothing at all.

    Raises SetupError when it cannot be made there, or is there already.
    """
    with new_folder(folder, name, "backup") as made:
        yield made.path


def write_record(folder: Path, record: BackupRecord) -> BackupRecord:
    """List every file of the folder in its `backup.json`; returns the record with them."""
    files = {path.relative_to(folder).as_posix(): _facts(path) for path in _files(folder)}
    whole = BackupRecord(**(asdict(record) | {"files": files}))
    with (folder / _RECORD).open("w", encoding="utf-8") as written:
        json.dump(asdict(whole), written, indent=1)
        written.flush()
        os.fsync(written.fileno())
    return whole


def read_backup(folder: Path) -> BackupRecord:
    """The record of a backup, every file of which was read and is what was written.

    Raises SetupError naming what is missing or damaged.
    """
    try:
        told = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except OSError:
        raise SetupError(
            f"{folder} is no backup: there is no {_RECORD} in it; name the folder that `shelter backup` printed"
        ) from None
    except ValueError:
        raise SetupError(f"{folder / _RECORD} is damaged; take an earlier backup") from None
    if not isinstance(told, dict) or told.keys() != _FIELDS or not isinstance(told["files"], dict):
        raise SetupError(f"{folder / _RECORD} is not what `shelter backup` writes; take another backup")
    if told["format"] != FORMAT:
        raise SetupError(f"{folder} was written by a newer Shelter, {told['release']}; upgrade Shelter")
    record = BackupRecord(**told)
    present = {path.relative_to(folder).as_posix() for path in _files(folder)}
    for name, facts in record.files.items():
        if name not in present or _facts(folder / name) != facts:
            raise SetupError(f"{folder / name} is missing or damaged; take an earlier backup")
    return record


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _RECORD)


def _facts(path: Path) -> list[Any]:
    with path.open("rb") as content:
        return [path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()]
