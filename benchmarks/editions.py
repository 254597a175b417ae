"""Generated records on disk, so that serving them costs no more than sending a stretch of a file.

One file holds all records of a catalogue with commas between, another where each of them
begins. The changed edition is the same file with one word of every hundredth record
replaced by one of the same length, so it needs no second copy.
"""

from __future__ import annotations

import os
from array import array
from dataclasses import asdict
from pathlib import Path

import msgspec

from benchmarks.pages import CHANGED, RECORDS, UNCHANGED
from benchmarks.shape import Shape, Size

CHANGED_EVERY = 100


def write_edition(folder: Path, name: str, size: Size, *, up_to_bytes: int | None = None) -> Size:
    """Generate the records of one kind of portal, or as many as make `up_to_bytes`; returns what was written."""
    make, shape = RECORDS[name], Shape(size)
    offsets, links = array("Q", [0]), 0
    with (folder / f"{name}.json").open("wb") as out:
        for position in range(size.datasets):
            length = out.write(make(shape, position) + b",")
            offsets.append(offsets[-1] + length)
            links += shape.links(position)
            if up_to_bytes is not None and offsets[-1] >= up_to_bytes:
                break
    written = Size(len(offsets) - 1, links)
    (folder / f"{name}.at").write_bytes(offsets.tobytes())
    about = {"planned": asdict(size), "written": asdict(written)}
    (folder / f"{name}.about").write_bytes(msgspec.json.encode(about))
    return written


class Edition:
    """A written catalogue, open for reading. Raises FileNotFoundError when it was not written."""

    def __init__(self, folder: Path, name: str) -> None:
        about = msgspec.json.decode((folder / f"{name}.about").read_bytes())
        self.shape, self.written = Shape(Size(**about["planned"])), Size(**about["written"])
        self.file = (folder / f"{name}.json").open("rb")
        self._at = array("Q", (folder / f"{name}.at").read_bytes())

    def stretch(self, first: int, last: int) -> tuple[int, int]:
        """Where in the file the records from `first` to before `last` stand: offset and length, the last comma off."""
        return (self._at[first], self._at[last] - self._at[first] - 1) if last > first else (0, 0)

    def read(self, first: int, last: int, *, changed: bool = False) -> bytes:
        """Those records, with commas between."""
        offset, length = self.stretch(first, last)
        records = os.pread(self.file.fileno(), length, offset)
        if not changed:
            return records
        altered = bytearray(records)
        for position in range(-(-first // CHANGED_EVERY) * CHANGED_EVERY, last, CHANGED_EVERY):
            begin, end = self._at[position] - offset, self._at[position + 1] - offset - 1
            altered[begin:end] = altered[begin:end].replace(UNCHANGED, CHANGED)
        return bytes(altered)
