"""A store survives its writers: killed at any moment, a file is whole or absent."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
from pathlib import Path

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fetching import files_in

WRITER = """
import os, pathlib, sys
from shelter_pipeline.vault.local import LocalStore
store = LocalStore(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
while True:
    with store.receive() as partial:
        for _ in range(4):
            partial.write(os.urandom(100_000))
        store.publish(partial)
        store.put_document(f"records/{partial.sha256[:2]}/{partial.sha256}.json", b"{}" * 5000)
"""


def test_a_killed_writer_leaves_nothing_torn_and_nothing_that_cannot_be_swept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.root)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            try:
                writer.wait(timeout=random.uniform(0.01, 0.1))
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)

    store.sweep_partials(0)

    blobs = files_in(store.root, "blobs")
    assert blobs
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in blobs)
    assert {data for _name, data in store.documents("records/")} <= {b"{}" * 5000}
    assert files_in(store.root, "partial") == []
