"""Nodes' workers are killed, stopped for longer than their leases, and lose their database: no file is settled twice.

Short here; `python -m benchmarks.claims_chaos` does it at full length.
"""

from __future__ import annotations

import pytest

from benchmarks.claims_chaos import is_right, run
from shelter_pipeline_tests.support.postgres import reachable_folder


@pytest.mark.timeout(300)
def test_killed_stopped_and_cut_off_workers_settle_every_file_once() -> None:
    with reachable_folder() as folder:
        found = run(folder, files=400, kills=4, stops=3, restarts=1)

    assert is_right(found), found
    assert found["expired"] > 0
