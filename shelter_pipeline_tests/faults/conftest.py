"""A server that misbehaves, and an empty store to misbehave against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")
