"""What was fetched in part is taken up again under its key: all of it, or nothing of it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.stores import StoreUnderTest

PART, REST = os.urandom(300_000), os.urandom(200_000)
NOTE = {"url": "http://h/", "etag": '"1"'}
KEEPER = """
import sys, time
partial = store.partial("key")
partial.write(bytes.fromhex(sys.stdin.readline()))
assert partial.keep({"etag": '"1"'})
partial.write(bytes(1_000_000))
partial.flush()
print("kept", flush=True)
time.sleep(60)
"""


def keep(place: StoreUnderTest, data: bytes = PART, *, more: bytes = b"") -> None:
    with place.store.receive("key") as partial:
        partial.write(data)
        assert partial.keep(NOTE)
        partial.write(more)
        partial.flush()


def data_file(place: StoreUnderTest) -> Path:
    return place.partials / "key.part"


@pytest.mark.parametrize("more", [b"", b"written after the note"])
def test_what_was_kept_is_taken_up_and_ended(place: StoreUnderTest, more: bytes) -> None:
    keep(place, more=more)

    with place.opened().receive("key") as partial:
        taken = (partial.size, partial.sha256, partial.read_tail(5), dict(partial.note))
        partial.write(REST)
        blob = place.store.publish(partial)

    digest = hashlib.sha256(PART).hexdigest()
    assert taken == (len(PART), digest, PART[-5:], {**NOTE, "size": len(PART), "sha256": digest})
    assert place.read(blob.location) == PART + REST
    assert blob.sha256 == hashlib.sha256(PART + REST).hexdigest()
    assert place.waiting() == []


def test_a_small_file_can_be_kept_too(place: StoreUnderTest) -> None:
    keep(place, b"a few bytes")

    with place.store.receive("key") as partial:
        assert partial.read_head(100) == b"a few bytes"


def test_what_was_kept_and_taken_up_can_be_forgotten(place: StoreUnderTest) -> None:
    keep(place)

    with place.store.receive("key") as partial:
        partial.reset()
        assert (partial.size, partial.note) == (0, None)
        partial.write(REST)
        blob = place.store.publish(partial)

    assert place.read(blob.location) == REST
    assert place.waiting() == []


def test_what_was_forgotten_is_not_taken_up(place: StoreUnderTest) -> None:
    keep(place)
    with place.store.receive("key") as partial:
        partial.reset()

    with place.store.receive("key") as partial:
        assert (partial.size, partial.note) == (0, None)


def flip_a_bit(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(1234)
        byte = file.read(1)[0]
        file.seek(1234)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize(
    "meddle",
    [
        flip_a_bit,
        lambda path: os.truncate(path, len(PART) - 1),
        lambda path: os.truncate(path, 0),
        Path.unlink,
        lambda path: path.with_suffix(".json").write_text("{"),
        lambda path: path.with_suffix(".json").write_text(json.dumps({"size": 10, "sha256": "ab" * 32})),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
    ],
    ids=["a bit", "a cut", "empty", "gone", "torn note", "another's note", "no note", "a link"],
)
def test_bytes_that_are_not_what_the_note_says_are_not_taken_up(
    place: StoreUnderTest, meddle: object
) -> None:
    keep(place)
    meddle(data_file(place))  # type: ignore[operator]

    with place.store.receive("key") as partial:
        assert (partial.size, partial.note) == (0, None)
        partial.write(PART + REST)
        blob = place.store.publish(partial)

    assert place.read(blob.location) == PART + REST


def test_of_two_writers_of_one_key_the_second_works_beside_the_first(place: StoreUnderTest) -> None:
    keep(place)

    with place.store.receive("key") as first, place.opened().receive("key") as second:
        assert (second.size, second.note) == (0, None)
        second.write(b"x" * 300_000)
        assert not second.keep(NOTE)
        other = place.store.publish(second)
        first.write(REST)
        blob = place.store.publish(first)

    assert place.read(blob.location) == PART + REST
    assert place.read(other.location) == b"x" * 300_000
    assert place.waiting() == []


def test_without_a_key_nothing_is_kept(place: StoreUnderTest) -> None:
    with place.store.receive() as partial:
        partial.write(PART)
        assert not partial.keep(NOTE)

    assert place.waiting() == []


@pytest.mark.usefixtures("s3_credentials")
def test_what_a_killed_writer_kept_is_taken_up(place: StoreUnderTest) -> None:
    with subprocess.Popen(
        place.command(KEEPER), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(f"{PART.hex()}\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "kept\n"
        writer.send_signal(signal.SIGKILL)

    with place.opened().receive("key") as partial:
        assert partial.note is not None
        assert (partial.read_head(len(PART) + 1), partial.note["etag"]) == (PART, '"1"')


def test_what_another_process_keeps_meanwhile_is_not_overwritten(place: StoreUnderTest) -> None:
    store = place.opened()
    with place.opened().receive("key") as other:
        other.write(PART)
        assert other.keep({"etag": '"1"'})

    with store.receive("key") as partial:
        partial.write(b"x" * 400_000)
        kept = partial.keep({"etag": '"2"'})

    with place.opened().receive("key") as partial:
        found = (partial.note or {}).get("etag")
    assert (kept, found) == (False, '"1"')


def test_what_another_process_has_kept_is_taken_up_once_the_store_was_swept(place: StoreUnderTest) -> None:
    store = place.opened()
    keep(place)
    assert not store.keeps("key")

    store.sweep_partials(3600)

    assert store.keeps("key")
    with store.receive("key") as partial:
        assert (partial.size, partial.sha256) == (len(PART), hashlib.sha256(PART).hexdigest())


def test_old_partials_are_swept_and_young_ones_left(place: StoreUnderTest) -> None:
    for name in ("old", "young", "kept.part", "kept.json", "lone.json", "in-hand"):
        (place.partials / name).write_bytes(b"left behind")
        os.utime(place.partials / name, (1, 1))
    os.utime(place.partials / "young")

    swept = place.store.sweep_partials(3600, kept_seconds=1e12)

    assert swept == 2
    assert place.waiting() == ["kept.json", "kept.part", "young"]
    assert place.store.sweep_partials(3600) == 1
    assert place.waiting() == ["young"]


def test_what_somebody_works_on_is_not_swept(place: StoreUnderTest) -> None:
    keep(place)

    with place.store.receive("key") as partial:
        os.utime(data_file(place), (1, 1))
        os.utime(data_file(place).with_suffix(".json"), (1, 1))
        swept = place.store.sweep_partials(3600)
        partial.write(REST)
        blob = place.store.publish(partial)

    assert swept == 0
    assert place.read(blob.location) == PART + REST
