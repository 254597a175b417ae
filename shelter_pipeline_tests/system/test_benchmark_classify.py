"""The benchmark of classification at a small size: both contestants decide on every resource."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("fixtures", [True, False])
def test_every_contestant_decides_on_every_resource(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixtures: bool
) -> None:
    if not fixtures:
        monkeypatch.setenv("SHELTER_FIXTURES", str(tmp_path))
    results = tmp_path / "results.json"

    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.classify", "--resources", "3000", "--json", results],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    costs = json.loads(results.read_text())
    assert [cost["contestant"] for cost in costs] == ["ours", "urlsplit + mimetypes"]
    assert [sum(cost["kinds"].values()) for cost in costs] == [3000, 3000]
    assert {"file", "web-page", "directory", "service", "repository"} <= costs[0]["kinds"].keys()
