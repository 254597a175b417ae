"""The benchmark of probes at a small size: who is compared must have asked about the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.fetching_site import can_wait, find_nginx
from shelter_pipeline_tests.support.postgres import reachable_folder

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_nginx() is None or not can_wait(), reason="needs nginx with its echo module"),
]


def test_every_contestant_sees_every_file_and_ours_knows_all_sizes() -> None:
    with reachable_folder() as folder:
        results = folder / "results.json"
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.probing", "--scale", "0.04"),
                *("--folder", str(folder), "--json", str(results)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        found = json.loads(results.read_text())
        assert [path.name for path in folder.iterdir()] == [results.name]

    ours = {name: run for name, run in found["runs"].items() if name.startswith("ours")}
    assert len(ours) == 2
    assert {run["right"] for run in found["runs"].values()} == {found["files"]}
    assert {run["known_bytes"] for run in ours.values()} == {found["bytes"]}
    assert ended.stdout.count("the size of every file, exactly") == 2
    # So few are over before a run is in its stride: whether the rate is met is not asked here.
    assert ended.returncode in (0, 1), ended.stderr
