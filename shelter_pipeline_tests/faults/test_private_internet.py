"""Rows D1 to D11 of the fault list on real addresses: in a network of its own, where every one of them answers.

What is forbidden is counted by the sockets that listen on the forbidden addresses, not by
what the engine says of itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline_tests.support.private_internet import PUBLIC, REBINDINGS

pytestmark = pytest.mark.timeout(150)


def _why_not() -> str | None:
    """What keeps this machine from having networks of our own."""
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    return None if tried.returncode == 0 else tried.stderr.strip() or "unshare failed"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all combinations."""
    try:
        reason = _why_not()
    except FileNotFoundError as error:
        reason = str(error)
    if reason is not None:
        pytest.skip(f"THE ADDRESS GUARD WAS NOT TESTED ON REAL ADDRESSES, no network of its own: {reason}")
    program = [sys.executable, "-m", "shelter_pipeline_tests.support.private_internet"]
    folder = tmp_path_factory.mktemp("internet")
    ended = subprocess.run(
        ["unshare", "--net", "--mount", *program, str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    made: dict[str, Any] = json.loads(ended.stdout)
    return made


def test_the_forbidden_addresses_would_have_answered(report: dict[str, Any]) -> None:
    assert report["control"] == "the public page"
    assert report["reachable"] >= 30


def test_no_spelling_hop_or_name_reaches_a_forbidden_address(report: dict[str, Any]) -> None:
    """D1, D2, D3, D7, D8, D11."""
    assert report["combinations"] >= 2000
    assert set(report["called"]) == {PUBLIC}
    assert report["outcomes"]["private-address"] >= 2000
    assert sum(report["outcomes"].values()) == report["combinations"]


def test_a_name_that_changes_its_mind_never_leads_inside(report: dict[str, Any]) -> None:
    """D9."""
    assert sum(report["rebound"].values()) == 2 * REBINDINGS
    assert set(report["rebound"]) == {"private-address", "the public page"}
    assert set(report["called"]) == {PUBLIC}


def test_no_byte_of_a_secret_page_is_kept(report: dict[str, Any], tmp_path: Path) -> None:
    assert report["secrets"] == 0
    assert set(report["fetched"]) <= {"refused", "stored"}


def test_many_transfers_at_once_are_guarded_like_one(report: dict[str, Any]) -> None:
    assert sum(report["together"].values()) >= 600
    assert set(report["together"]) <= {"refused", "stored", "unchanged", "permanent"}
    assert set(report["called"]) == {PUBLIC}


def test_an_address_where_nobody_answers_is_left_at_the_connect_limit(report: dict[str, Any]) -> None:
    """C6."""
    for host in ("nowhere.test", "93.184.216.99"):
        reason, seconds = report["waits"][host]
        assert reason == "connect-failed"
        assert 0.4 <= seconds <= 1.5


def test_a_name_server_that_does_not_answer_is_left_at_the_connect_limit(report: dict[str, Any]) -> None:
    reason, seconds = report["waits"]["silent.test"]

    assert reason == "dns-failed"
    assert seconds <= 1.5
