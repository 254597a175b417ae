"""Rows G of the fault list: a store on a disk that is full, failing or shared never shows anything torn."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.settings import load_settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.behaviours import noise
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.fetching import bodies_in, fetched, files_in
from shelter_pipeline_tests.support.invariants import torn_blobs
from shelter_pipeline_tests.support.shelter_process import measured_fetch
from shelter_pipeline_tests.support.small_disk import SmallDisk, small_disk

MEBIBYTE = 2**20
BODY = noise(600_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "size=2m") as mounted:
        yield mounted


@pytest.mark.parametrize("size", [1_900_000, 3_000_000], ids=["G3-near the end", "G3-in the middle"])
def test_a_disk_that_fills_up_under_a_body_is_transient_and_holds_nothing_of_it(
    server: FaultServer, disk: SmallDisk, size: int
) -> None:
    store = disk.path / "store"
    kept = fetched(server.serves("/small", *whole(noise(400_000))), store)
    url = server.serves("/big", *whole(noise(size, 1)))

    said = fetched(url, store, fetch_max_bytes=10**7)

    assert (said["verdict"], said["reason"], said["requests"]) == ("transient", "no-space", 1)
    assert [path.name for path in bodies_in(store)] == [kept["sha256"]]
    assert torn_blobs(LocalStore(store)) == []

    disk.change("size=9m")
    assert fetched(url, store, fetch_max_bytes=10**7)["verdict"] == "stored"


def test_a_disk_without_inodes_is_transient(server: FaultServer, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=8m,nr_inodes=40") as disk:
        store = disk.path / "store"
        urls = [server.serves(f"/G3/{number}", *whole(noise(900, number))) for number in range(40)]
        said: list[Any] = []
        with suppress(ShelterError):  # not even the record of it had room
            said.extend(fetched(url, store) for url in urls)

        held = [one["sha256"] for one in said if one["verdict"] == "stored"]
        assert {one["reason"] for one in said} <= {"stored", "no-space"}
        assert len(held) >= 2
        assert set(held) <= {path.name for path in files_in(store, "blobs")}
        assert torn_blobs(LocalStore(store)) == []
        assert files_in(store, "partial") == []


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_verdict_is_said_even_where_it_cannot_be_written_down(
    server: FaultServer, disk: SmallDisk, trouble: str
) -> None:
    store = disk.path / "store"
    LocalStore(store)
    disk.fill()
    if trouble == "read-only":
        disk.change("ro")
    url = server.serves("/G3", *whole(BODY))

    run = measured_fetch(url, store)

    assert run.code == 0
    assert run.said["verdict"] == "transient"


# The calls by which a store touches its disk, and which of them are failed.
CALLS: dict[str, tuple[str, Callable[..., bool]]] = {
    "G3-open": ("open", lambda path, *_: "/partial/" in os.fspath(path)),
    "G3-write": ("pwrite", lambda *_: True),
    "G3-fsync": ("fsync", lambda *_: True),
    "G3-rename": ("replace", lambda _source, target, *_: "/blobs/" in os.fspath(target)),
    "G3-mkdir": ("mkdir", lambda path, *_: "/blobs/" in os.fspath(path) and not Path(path).is_dir()),
}
ERRORS = {
    "ENOSPC": "no-space",
    "EDQUOT": "no-space",
    "EIO": "store-failed",
    "EROFS": "store-failed",
    "EACCES": "store-failed",
}


class _FailsOnce:
    """The real call, but for the `nth` one that matters."""

    def __init__(self, name: str, matters: Callable[..., bool], code: int, nth: int = 1) -> None:
        self._real = getattr(os, name)
        self._matters, self._code, self._left = matters, code, nth

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self._matters(*arguments):
            self._left -= 1
            if self._left == 0:
                raise OSError(self._code, os.strerror(self._code))
        return self._real(*arguments, **named)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", CALLS)
def test_a_failing_call_of_the_disk_is_an_outcome_and_leaves_nothing(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: str
) -> None:
    name, matters = CALLS[call]
    url = server.serves("/file", *whole(BODY))
    fetched(server.serves("/other", *whole(b"other")), tmp_path)
    before = bodies_in(tmp_path)
    monkeypatch.setattr(os, name, _FailsOnce(name, matters, getattr(errno, error)))

    said = fetched(url, tmp_path)

    monkeypatch.undo()
    assert (said["verdict"], said["reason"], said["sha256"]) == ("transient", ERRORS[error], None)
    assert bodies_in(tmp_path) == before
    assert fetched(url, tmp_path)["verdict"] == "stored"


@pytest.mark.parametrize("call", CALLS)
def test_whichever_call_fails_nothing_torn_is_seen_and_the_next_fetch_mends_it(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Curl's torture: the first call fails, then the second, and so on through the whole fetch."""
    name, _matters = CALLS[call]
    url = server.serves("/file", *whole(BODY))
    for nth in range(1, 16):
        root = tmp_path / str(nth)
        LocalStore(root)
        monkeypatch.setattr(os, name, _FailsOnce(name, lambda *_: True, errno.ENOSPC, nth))
        said: dict[str, Any] = {}
        with suppress(ShelterError):  # the record of it met the same disk
            said = fetched(url, root)
        monkeypatch.undo()

        store = LocalStore(root)
        store.sweep_partials(0)
        assert torn_blobs(store) == []
        assert files_in(root, "partial") == []
        if said.get("verdict") == "stored":
            assert store.size_of(said["sha256"]) == len(BODY)
        assert fetched(url, root)["verdict"] in ("stored", "unchanged")


def test_a_disk_that_fills_and_empties_at_random_never_shows_anything_torn(
    server: FaultServer, disk: SmallDisk
) -> None:
    """As borg tries its repositories: ten times to the brim, with files of any size."""
    store, dice, held = disk.path / "store", random.Random(7), {}
    for number in range(60):
        if number % 6 == 5:
            disk.empty()
        elif number % 6 == 2:
            with suppress(OSError):
                disk.fill(leave=dice.randrange(300_000))
        body = noise(dice.randrange(1, 120_000), number)
        url = server.serves(f"/G3/{number}", *whole(body))
        with suppress(ShelterError):
            said = fetched(url, store)
            assert said["reason"] in ("stored", "no-space")
            if said["sha256"]:
                held[said["sha256"]] = len(body)

        assert torn_blobs(LocalStore(store)) == []
    assert len(held) >= 10
    assert {sha256: LocalStore(store).size_of(sha256) for sha256 in held} == held


SAME_BYTES = """
import pathlib, sys
from shelter_pipeline.vault.local import LocalStore
store, body = LocalStore(pathlib.Path(sys.argv[1])), b"the same bytes" * 5000
print("ready", flush=True)
sys.stdin.readline()
for _ in range(125):
    with store.receive() as partial:
        partial.write(body)
        store.publish(partial)
"""


def test_eight_workers_that_store_the_same_bytes_a_thousand_times_make_one_blob(tmp_path: Path) -> None:
    """G9. And a reader that looks all the while sees them whole."""
    body = b"the same bytes" * 5000
    store = LocalStore(tmp_path)
    with store.receive() as partial:
        partial.write(body)
        sha256 = store.publish(partial).sha256
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", SAME_BYTES, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()

    looks = 0
    while any(worker.poll() is None for worker in workers):
        with store.open(sha256) as blob:
            assert blob.read() == body
        looks += 1
    ended = [worker.communicate() for worker in workers]

    assert looks > 10
    assert [(worker.returncode, errors) for worker, (_said, errors) in zip(workers, ended, strict=True)] == [
        (0, "")
    ] * 8
    assert [path.name for path in bodies_in(tmp_path)] == [sha256]


@pytest.mark.parametrize("thing", ["folder", "pipe", "link", "rot", "cut"])
def test_what_stands_in_a_blobs_place_never_becomes_a_wrong_blob(
    server: FaultServer, tmp_path: Path, thing: str
) -> None:
    url = server.serves("/G10", *whole(BODY))
    fetched(url, tmp_path)
    (path,) = files_in(tmp_path, "blobs")
    path.unlink()
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_bytes(b"precious")
    make: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to(outside),
        "rot": lambda: path.write_bytes(bytes(len(BODY))),
        "cut": lambda: path.write_bytes(BODY[:-1]),
    }
    make[thing]()
    found = scrub_store(str(tmp_path), load_settings())

    said = fetched(url, tmp_path)

    assert found["damaged"] == 1
    assert said["verdict"] == "stored"
    assert path.read_bytes() == BODY
    assert outside.read_bytes() == b"precious"
    assert scrub_store(str(tmp_path), load_settings())["ok"] == 1
