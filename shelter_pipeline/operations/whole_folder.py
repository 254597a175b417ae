"""A folder that is whole or absent: filled under another name, made durable, and given its own at the end."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from shelter_pipeline.domain.errors import SetupError

_INCOMPLETE = ".shelter-incomplete-"  # a name of ours alone: what is old of it is removed
_ABANDONED_SECONDS = 24 * 3600.0
_TAKEN = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR})


class NewFolder:
    """A private folder on its way to its name; `path` is where it is filled, and afterwards where it stands."""

    def __init__(self, path: Path) -> None:
        self.path = path


@contextmanager
def new_folder(
    parent: Path, name: str, what: str, *, numbered: bool = False, mode: int = 0o700
) -> Iterator[NewFolder]:
    """A private folder for a block, which becomes `parent/name` at its end, with this mode, or nothing at all.

    Everything in it is durable then, and nothing is ever replaced: where the name is taken it becomes `name-2` if it
    may be `numbered`. Raises SetupError, naming `what` it is, when it cannot be written there, or is there already.
    """
    with _writing(what, parent):
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        incomplete = Path(tempfile.mkdtemp(prefix=_INCOMPLETE, dir=parent))
    folder = NewFolder(incomplete)
    try:
        with _writing(what, parent):
            yield folder
            for path in sorted(incomplete.rglob("*")):
                _sync(path)
            incomplete.chmod(mode)
            _sync(incomplete)
            folder.path = _named(incomplete, parent, name, what, numbered=numbered)
            _sync(parent)
    finally:
        shutil.rmtree(incomplete, ignore_errors=True)


def _named(incomplete: Path, parent: Path, name: str, what: str, *, numbered: bool) -> Path:
    for number in count(1) if numbered else (1,):
        final = parent / (name if number == 1 else f"{name}-{number}")
        if os.path.lexists(final):
            continue
        try:
            return incomplete.rename(final)
        except OSError as error:  # somebody else took the name just now
            if error.errno not in _TAKEN:
                raise
    raise SetupError(f"there is a {what} {parent / name} already; nothing was overwritten")


@contextmanager
def _writing(what: str, parent: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(f"the {what} cannot be written to {parent}: {error.strerror or error}") from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(parent: Path) -> None:
    """Remove what killed writers left; what is being written is younger."""
    for left in parent.glob(f"{_INCOMPLETE}*"):
        if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
