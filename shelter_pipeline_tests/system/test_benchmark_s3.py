"""The benchmark of uploads at a small size: who is compared must have stored the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.s3_contestant import CONTESTANTS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_every_contestant_stores_the_same_files(tmp_path: Path) -> None:
    pytest.importorskip("obstore")
    results = tmp_path / "results.json"

    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.s3", "--scale", "0.01", "--json", results, "--folder", tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    stored = {(cost["contestant"], cost["load"]): cost["files"] for cost in json.loads(results.read_text())}
    assert stored == {
        (name, load): files
        for name in CONTESTANTS
        for load, files in (("12 kB", 20), ("1 MB", 5), ("1 GB", 1))
    }
    assert [path.name for path in tmp_path.iterdir()] == [results.name]
