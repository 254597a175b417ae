"""A document larger than anyone would hold in memory is read in little of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.fault_server import FaultServer, Step, head

DATASETS = 42_000
DESCRIPTION = 'It holds what was measured, \\"where\\" and {when}: [see below]. ' * 75
MEGABYTES = 10**6


def a_large_document(_request: str) -> Iterator[Step]:
    yield head("Content-Type: application/json", "Connection: close") + b'{"conformsTo": "1.1", "dataset": ['
    for number in range(DATASETS):
        comma = "," if number else ""
        yield (
            f'{comma}\n{{"identifier": "D-{number}", "title": "Dataset {number}", "description": "{DESCRIPTION}", '
            f'"publisher": {{"name": "Office {number % 50}"}}, '
            f'"distribution": [{{"downloadURL": "https://example.gov/{number}.csv"}}]}}'
        ).encode()
    yield b"]}"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from proc(5)")
def test_two_hundred_megabytes_of_records_are_read_in_less_than_a_hundred_of_memory(
    server: FaultServer,
) -> None:
    url = server.serves_in_turn("/data.json", a_large_document)

    ended = subprocess.run(
        [sys.executable, "-m", "shelter_pipeline_tests.support.read_document", url],
        check=True,
        capture_output=True,
        timeout=120,
    )

    result = json.loads(ended.stdout)
    assert (result["total"], result["kept"]) == (DATASETS, DATASETS)
    assert result["memory"] < 100 * MEGABYTES
