"""What a node must not forget when it is killed: work in hand, results not yet heard, files kept.

SQLite in WAL with full synchronisation: what was written when a method returns is there after
`kill -9` and after a power cut. A journal that is damaged is moved aside, never repaired in
place; files are found again by listing the store, and what was in hand is given back.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import SetupError, TransientError
from shelter_pipeline.vault.store import Blob

_TABLES = (files("shelter_pipeline.node") / "journal.sql").read_text(encoding="utf-8")
# An API takes a body of 1 MiB.
_LETTER_BYTES = 512 * 1024
_BUSY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Letter:
    """Results that are reported together; the same letter has the same key and the same words."""

    key: str
    results: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """How many files are kept, of how many bytes, and how many of them the API has counted."""

    files: int
    size: int
    proved: int


class Journal:
    """The journal in this file. Safe to share between threads. Raises TransientError while the disk refuses it."""

    def __init__(self, path: Path) -> None:
        self.moved_aside: Path | None = None  # what could not be read, if there was such a thing
        self._path = path
        self._lock = threading.RLock()
        try:
            self._connection = _opened(path)
        except sqlite3.OperationalError as error:  # of the disk or its permissions, and no damage
            raise SetupError(f"{path} cannot be used: {error}", reason="bad-store") from error
        except sqlite3.DatabaseError:
            self.moved_aside = _move_aside(path)
            self._connection = _opened(path)

    def close(self) -> None:
        """Nothing more is asked of it."""
        with self._lock:
            self._connection.close()

    # Facts

    def fact(self, name: str) -> Any:
        """What was noted under this name; None if nothing was."""
        found = self._rows("SELECT value FROM fact WHERE name = ?", name)
        return json.loads(found[0][0]) if found else None

    def note(self, name: str, value: Any) -> None:
        """Note something under a name; None forgets it."""
        with self._changing() as change:
            _note(change, name, value)

    # Work in hand

    def take(self, items: Iterable[Mapping[str, Any]]) -> None:
        """The answer to the question that was noted as `asking`: these items are ours."""
        with self._changing() as change:
            change.executemany(
                "INSERT OR IGNORE INTO claim (token, asset_id, item) VALUES (?, ?, ?)",
                [(item["token"], item["id"], json.dumps(item)) for item in items],
            )
            _note(change, "asking", None)

    def unfinished(self) -> list[dict[str, Any]]:
        """Items in hand that have not ended and are not being given back, oldest first."""
        rows = self._rows(
            "SELECT item FROM claim WHERE NOT going_back AND token NOT IN (SELECT token FROM result) ORDER BY token"
        )
        return [json.loads(item) for (item,) in rows]

    def live_tokens(self) -> tuple[list[int], list[int]]:
        """Leases to be kept alive, and those of them whose work has begun."""
        rows = self._rows("SELECT token, begun FROM claim WHERE NOT going_back ORDER BY token")
        return [token for token, _ in rows], [token for token, begun in rows if begun]

    def begin(self, tokens: Iterable[int]) -> None:
        """Work on these has begun."""
        with self._changing() as change:
            change.executemany("UPDATE claim SET begun = 1 WHERE token = ?", [(token,) for token in tokens])

    def lose(self, tokens: Iterable[int]) -> None:
        """These leases are over; a result that is there is reported all the same."""
        with self._changing() as change:
            change.executemany("DELETE FROM claim WHERE token = ?", [(token,) for token in tokens])

    def give_back(self, tokens: Iterable[int]) -> None:
        """These are not to be done here."""
        with self._changing() as change:
            change.executemany(
                "UPDATE claim SET going_back = 1 WHERE token = ?", [(token,) for token in tokens]
            )

    def returning(self) -> dict[int, int]:
        """What is to be given back: lease by file."""
        return {
            asset_id: token
            for token, asset_id in self._rows("SELECT token, asset_id FROM claim WHERE going_back")
        }

    # Results

    def settle(self, ended: Sequence[tuple[dict[str, Any], Blob | None]], urls: Mapping[int, str]) -> None:
        """These have ended so, and these files are kept; `urls` by lease, for people who look."""
        with self._changing() as change:
            for body, blob in ended:
                change.execute(
                    "INSERT OR IGNORE INTO result (token, asset_id, body) VALUES (?, ?, ?)",
                    (body["token"], body["asset_id"], json.dumps(body)),
                )
                if blob is not None:
                    _hold(change, blob, urls.get(body["token"]), time.time())

    def letter(self, most: int) -> Letter | None:
        """What is to be reported next: the oldest letter that was not acknowledged, or a new one."""
        with self._changing() as change:
            found = change.execute("SELECT min(letter) FROM result WHERE letter IS NOT NULL").fetchone()
            key = found[0] or self._new_letter(change, most)
            rows = change.execute(
                "SELECT body FROM result WHERE letter = ? ORDER BY token", (key,)
            ).fetchall()
        return Letter(key, tuple(json.loads(body) for (body,) in rows)) if rows else None

    def split(self, letter: Letter) -> None:
        """Report each result of a letter in one of its own."""
        with self._changing() as change:
            change.executemany(
                "UPDATE result SET letter = ? WHERE token = ?",
                [(f"{letter.key}-{number:03d}", one["token"]) for number, one in enumerate(letter.results)],
            )

    def acknowledge(self, letter: Letter) -> None:
        """The API has heard it: its results and their leases are over."""
        tokens = [(result["token"],) for result in letter.results]
        with self._changing() as change:
            change.executemany("DELETE FROM claim WHERE token = ?", tokens)
            change.execute("DELETE FROM result WHERE letter = ?", (letter.key,))

    def unheard(self) -> int:
        """How many results the API has not acknowledged."""
        return int(self._rows("SELECT count(*) FROM result")[0][0])

    # Files

    def know(self, blobs: Iterable[Blob]) -> int:
        """Files that stand in the store; returns how many of them were news. They are to be read before they count."""
        with self._changing() as change:
            known = {row[0] for row in change.execute("SELECT sha256 FROM holding")}
            news = [blob for blob in blobs if blob.sha256 not in known]
            for blob in news:
                _hold(change, blob, None, 0.0)
        return len(news)

    def kept(self) -> Kept:
        """The files kept, all together."""
        row = self._rows("SELECT count(*), coalesce(sum(size), 0), coalesce(sum(proved), 0) FROM holding")[0]
        return Kept(*row)

    def read_at(self, sha256: str) -> float | None:
        """When (time.time) a file's bytes last hashed to its name; None if it is not kept."""
        found = self._rows("SELECT read_at FROM holding WHERE sha256 = ?", sha256)
        return float(found[0][0]) if found else None

    def mark(self, sha256: str, *, proved: bool | None = None, read: bool = False) -> None:
        """A file was counted by the API, or its bytes were read and are right."""
        with self._changing() as change:
            if proved is not None:
                change.execute("UPDATE holding SET proved = ? WHERE sha256 = ?", (proved, sha256))
            if read:
                change.execute("UPDATE holding SET read_at = ? WHERE sha256 = ?", (time.time(), sha256))

    def miss(self, sha256: str) -> None:
        """A file is not kept any more."""
        with self._changing() as change:
            change.execute("DELETE FROM holding WHERE sha256 = ?", (sha256,))

    def _new_letter(self, change: sqlite3.Connection, most: int) -> str:
        """Put as many results as fit into one letter. Keys follow one another, so that the oldest is the least."""
        key = f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}"
        size, chosen = 0, list[tuple[str, int]]()
        for token, length in change.execute(
            "SELECT token, length(body) FROM result WHERE letter IS NULL ORDER BY token LIMIT ?", (most,)
        ):
            size += length
            if chosen and size > _LETTER_BYTES:
                break
            chosen.append((key, token))
        change.executemany("UPDATE result SET letter = ? WHERE token = ?", chosen)
        return key

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        with self._lock, _speaking(self._path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _speaking(self._path), self._connection:
            yield self._connection


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _check(connection)
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("it is damaged")


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _note(change: sqlite3.Connection, name: str, value: Any) -> None:
    if value is None:
        change.execute("DELETE FROM fact WHERE name = ?", (name,))
    else:
        change.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (name, json.dumps(value)))


def _hold(change: sqlite3.Connection, blob: Blob, url: str | None, read_at: float) -> None:
    change.execute(
        "INSERT INTO holding (sha256, size, url, read_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE"
        " SET url = coalesce(url, excluded.url), read_at = max(read_at, excluded.read_at)",
        (blob.sha256, blob.size, url, read_at),
    )


@contextmanager
def _speaking(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        reason = "no-space" if "full" in str(error) else "store-failed"
        raise TransientError(f"{path} could not be written: {error}", reason=reason) from error
