"""A good server behind a bad network: what arrives is whole, or it is an outcome that leads to another attempt."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline_tests.support.behaviours import noise, ranged
from shelter_pipeline_tests.support.fault_server import FaultServer
from shelter_pipeline_tests.support.fetching import fetched, files_in
from shelter_pipeline_tests.support.toxic_proxy import ToxicProxy

BODY = noise(400_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def proxy(server: FaultServer) -> Iterator[ToxicProxy]:
    server.serves_in_turn("/file", ranged(BODY, '"v1"'))
    with ToxicProxy(server.port) as running:
        yield running


def test_a_network_of_long_ways_costs_only_time(proxy: ToxicProxy, tmp_path: Path) -> None:
    proxy.latency_seconds = 0.02

    said = fetched(proxy.url("/file"), tmp_path)

    assert (said["verdict"], said["sha256"]) == ("stored", SHA256)


def test_a_thin_line_above_the_least_rate_is_waited_for(proxy: ToxicProxy, tmp_path: Path) -> None:
    proxy.bytes_per_second = 300_000
    began = time.monotonic()

    said = fetched(proxy.url("/file"), tmp_path, fetch_stall_window_seconds=0.5)

    assert (said["verdict"], said["sha256"]) == ("stored", SHA256)
    assert time.monotonic() - began >= 1


def test_a_line_that_goes_silent_in_the_middle_is_left_after_the_window(
    proxy: ToxicProxy, tmp_path: Path
) -> None:
    proxy.bytes_per_second = 400_000
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(
            fetched, proxy.url("/file"), tmp_path, fetch_stall_window_seconds=0.5, fetch_max_attempts=1
        )
        time.sleep(0.3)
        proxy.black_hole = True
        silent_from = time.monotonic()
        said = fetching.result()

    assert time.monotonic() - silent_from <= 2.5
    assert (said["verdict"], said["reason"]) == ("transient", "too-slow")
    assert files_in(tmp_path, "blobs", "suspect") == []


@pytest.mark.parametrize("toxic", ["cut_after_bytes", "reset_after_bytes"])
def test_a_line_that_breaks_every_time_ends_when_the_file_is_whole(
    server: FaultServer, proxy: ToxicProxy, tmp_path: Path, toxic: str
) -> None:
    setattr(proxy, toxic, 150_000)

    said = fetched(proxy.url("/file"), tmp_path, fetch_max_attempts=8)

    assert (said["verdict"], said["sha256"]) == ("stored", SHA256)
    assert proxy.passed_bytes <= len(BODY) * 1.1
    assert server.requests("/file") <= 8


def test_a_cable_that_is_pulled_is_an_outcome_and_the_file_comes_when_it_is_back(
    proxy: ToxicProxy, tmp_path: Path
) -> None:
    proxy.bytes_per_second = 500_000

    def pull(_: int) -> None:
        time.sleep(0.2)
        proxy.down = True
        proxy.sever()

    with ThreadPoolExecutor(1) as pool:
        pulled = pool.submit(pull, 0)
        away = fetched(proxy.url("/file"), tmp_path, fetch_max_attempts=3)
        pulled.result()
    proxy.down, proxy.bytes_per_second = False, None

    back = fetched(proxy.url("/file"), tmp_path)

    assert (away["verdict"], away["sha256"]) == ("transient", None)
    assert (back["verdict"], back["sha256"]) == ("stored", SHA256)


def test_a_line_that_is_severed_again_and_again_loses_nothing(proxy: ToxicProxy, tmp_path: Path) -> None:
    proxy.bytes_per_second = 1_000_000
    said: list[dict[str, Any]] = []

    def sever_often() -> None:
        while not said:
            time.sleep(0.15)
            proxy.sever()

    with ThreadPoolExecutor(1) as pool:
        severing = pool.submit(sever_often)
        try:
            ended = fetched(proxy.url("/file"), tmp_path, fetch_max_attempts=40)
        finally:
            said.append({})
        severing.result()

    assert (ended["verdict"], ended["sha256"]) == ("stored", SHA256)


def test_a_server_that_is_down_is_transient(proxy: ToxicProxy, tmp_path: Path) -> None:
    proxy.down = True

    said = fetched(proxy.url("/file"), tmp_path)

    assert said["verdict"] == "transient"
    assert said["reason"] in ("connect-failed", "connection-lost")
