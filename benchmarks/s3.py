"""Uploads to S3, ours beside others: `python -m benchmarks.s3`, against one SeaweedFS started for it on loopback.

Each contestant stores the same files in a process of its own and is checked: as many
objects, as many bytes. CPU seconds are the solid figure; the server shares the cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.s3_contestant import CONTESTANTS
from shelter_pipeline_tests.support.seaweedfs import BUCKET, KEY, SECRET, SeaweedFS, running_seaweedfs

_TIMEOUT_SECONDS = 900
_LEAST_SMALL_PER_SECOND = 300


@dataclass(frozen=True, slots=True)
class Load:
    """So many files of a size, in bytes."""

    name: str
    files: int
    size: int


def loads(scale: float) -> list[Load]:
    """The three loads at full size, or at a part of it."""
    return [
        Load("12 kB", max(1, int(2000 * scale)), 12_000),
        Load("1 MB", max(1, int(500 * scale)), 1_000_000),
        Load("1 GB", 1, max(100_000_000, int(1_000_000_000 * min(1, scale)))),
    ]


def make_files(folder: Path, load: Load) -> None:
    """Files that all differ and cannot be compressed."""
    folder.mkdir()
    block = os.urandom(min(load.size, 1_000_000))
    for number in range(load.files):
        with (folder / f"{number:05}").open("wb") as file:
            file.write(number.to_bytes(8, "big"))
            left = load.size - 8
            while left:
                left -= file.write(block[:left])


def run(server: SeaweedFS, name: str, load: Load, folder: Path) -> dict[str, Any]:
    """One contestant with one load, checked."""
    prefix = f"{name}-{load.name.replace(' ', '-')}"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.s3_contestant",
            name,
            server.endpoint,
            f"s3://{BUCKET}/{prefix}",
            folder,
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )
    if ended.returncode:
        raise RuntimeError(f"{name} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    cost: dict[str, Any] = json.loads(ended.stdout) | {"load": load.name}
    pages = server.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    stored = [item["Size"] for page in pages for item in page.get("Contents", ())]
    assert (len(stored), sum(stored)) == (cost["files"], cost["bytes"]), f"{name} stored something else"
    return cost


def show(costs: list[dict[str, Any]]) -> None:
    """The table, and the goals."""
    print("| load | contestant | wall s | CPU s | CPU s/GB | objects/s | MB/s | peak RSS MB | CPU / ours |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    mine = {cost["load"]: cost for cost in costs if cost["contestant"] == "ours"}
    for cost in costs:
        gigabytes = cost["bytes"] / 1e9
        print(
            f"| {cost['load']} | {cost['contestant']} | {cost['wall']:.2f} | {cost['cpu']:.2f} |"
            f" {cost['cpu'] / gigabytes:.2f} | {cost['files'] / cost['wall']:,.0f} |"
            f" {cost['bytes'] / 1e6 / cost['wall']:,.0f} | {cost['peak'] / 1e6:.0f} |"
            f" {cost['cpu'] / mine[cost['load']]['cpu']:.2f} |"
        )
    managed = {cost["load"]: cost for cost in costs if cost["contestant"] == "upload_fileobj"}
    print()
    for load, cost in mine.items():
        if load in managed:
            ratio = cost["cpu"] / managed[load]["cpu"]
            met = "met" if ratio < 1 else "not met"
            print(f"CPU of {load} below upload_fileobj's: {ratio:.2f} times, {met}")
    rate = mine["12 kB"]["files"] / mine["12 kB"]["wall"]
    met = "met" if rate >= _LEAST_SMALL_PER_SECOND else "not met"
    print(f"at least {_LEAST_SMALL_PER_SECOND} small objects/s: {rate:,.0f} {met}")


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size")
    parser.add_argument("--peers", default=",".join(CONTESTANTS), help="names, separated by commas")
    parser.add_argument("--folder", type=Path, help="where to put the files; the system's temporary folder")
    parser.add_argument("--json", type=Path, help="file for all numbers")
    chosen = parser.parse_args()
    names = ["ours", *(name for name in chosen.peers.split(",") if name != "ours")]
    costs = []
    with running_seaweedfs() as server, tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for load in loads(chosen.scale):
            files = Path(folder) / load.name
            make_files(files, load)
            costs += [run(server, name, load, files) for name in names]
    show(costs)
    if chosen.json:
        chosen.json.write_text(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
