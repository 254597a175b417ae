"""A node that is killed at any moment tells nothing twice, tears nothing, and goes on where it was.

`NODE_KILLS=200` in the environment kills it more often.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections import Counter
from pathlib import Path

from shelter_pipeline.node.folder import NodeFolder
from shelter_pipeline.node.start import node_status
from shelter_pipeline_tests.support.behaviours import noise
from shelter_pipeline_tests.support.fault_server import KEEP, FaultServer, Pause, field, head
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.node_api import NodeApi
from shelter_pipeline_tests.support.node_victims import kill, start_node

KILLS = int(os.environ.get("NODE_KILLS", "12"))
FILES = 6 * KILLS


def trickling(body: bytes) -> tuple[object, ...]:
    half = len(body) // 2
    return (head(f"Content-Length: {len(body)}"), body[:half], Pause(0.05), body[half:], KEEP)


def test_a_node_that_is_killed_again_and_again_reports_each_file_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    bodies = {
        f"/{number}.bin": noise(chance.choice((500, 150_000, 400_000)), number) for number in range(FILES)
    }
    with NodeApi(heartbeat_seconds=0.1) as api, FaultServer() as source:
        for path, body in bodies.items():
            source.serves(path, *trickling(body))
            api.wants(source.url(path))
        copies = [noise(300_000, 10_000 + number) for number in range(KILLS)]
        for copy in copies:
            api.mirrors(copy)

        lived = 0
        for _ in range(KILLS):
            node = start_node(api.url, tmp_path)
            time.sleep(chance.uniform(0.1, 0.7))
            lived += node.is_alive()
            kill(node)
        last = start_node(api.url, tmp_path)
        until = time.monotonic() + 60
        while (api.open_assets or api.uploads) and time.monotonic() < until:
            time.sleep(0.02)
        kill(last)

    assert lived == KILLS
    assert Counter(api.outcomes) == Counter((number, "settled") for number in api.assets)
    assert set(api.settled.values()) == {"stored"}
    assert api.released == []
    held = {path.name for path in files_in(tmp_path / "store", "blobs")}
    assert held == {hashlib.sha256(body).hexdigest() for body in (*bodies.values(), *copies)}
    for path in files_in(tmp_path / "store", "blobs"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert set(api.uploaded) == held
    assert len(source.log) <= FILES + 20 * (KILLS + 1)  # at most what was in hand is asked for again
    assert node_status(NodeFolder(tmp_path))["to_report"] == 0
    assert all(field(seen.head, "User-Agent") for seen in source.log)
