"""The benchmark of dispatching at a small size: what it measures must be there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_every_tick_and_page_is_measured_on_what_was_filled_in(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.dispatching", "--sizes", "look", "--json", str(results)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    costs = json.loads(results.read_text())["look"]
    assert {name for name in costs if name.startswith("tick")} >= {"tick of download_sensor"}
    assert all(seconds > 0 for seconds in costs.values())
    assert "of 200 partitions 50 are materialized" in ended.stdout
