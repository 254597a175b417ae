"""Nodes that are started to be killed: processes forked from one that has everything imported."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from shelter_pipeline_tests.support.nodes import NodeUnderTest

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["shelter_pipeline_tests.support.node_victims"])


def start_node(api: str, folder: Path, **changes: Any) -> BaseProcess:
    """A node at work in a process of its own, until it is killed or, with `once`, ends."""
    process = _FORKS.Process(target=_work, args=(api, folder, changes), daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """SIGKILL, and wait until it is gone."""
    with suppress(ProcessLookupError):
        os.kill(process.pid or 0, signal.SIGKILL)
    process.join()


def _work(api: str, folder: Path, changes: dict[str, Any]) -> None:
    node = NodeUnderTest(api, folder, **changes)
    node._run()
    os._exit(0 if node.went_well else 1)
