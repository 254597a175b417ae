"""Row L1 of the fault list: a certificate that cannot be trusted is an outcome, and no bytes of it are kept."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest

from shelter_pipeline_tests.support.behaviours import noise, redirect
from shelter_pipeline_tests.support.certificates import Authority
from shelter_pipeline_tests.support.fault_server import CUT, FaultServer, Step, head, whole
from shelter_pipeline_tests.support.fetching import bodies_in, fetched

BODY = noise(20_000)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one authority that is trusted, in place of the world's."""
    monkeypatch.setattr(certifi, "where", lambda: str(authority.root))


def _old_protocol(authority: Authority, _folder: Path) -> ssl.SSLContext:
    context = authority.shows("old-protocol")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


# What shows the certificate, and a word of the sentence that the record must have.
BAD: dict[str, tuple[Callable[[Authority, Path], ssl.SSLContext], str]] = {
    "L1-expired": (lambda ours, _: ours.shows("expired", days=(-5, -1)), "expired"),
    "L1-not yet valid": (lambda ours, _: ours.shows("not-yet", days=(1, 5)), "not yet valid"),
    "L1-of another host": (
        lambda ours, _: ours.shows("host", names="DNS:example.org"),
        "subject name matches",
    ),
    "L1-of another address": (
        lambda ours, _: ours.shows("address", names="IP:127.0.0.2"),
        "subject name matches",
    ),
    "L1-signed by itself": (lambda ours, _: ours.shows_self_signed(), "self-signed"),
    "L1-of an authority nobody knows": (lambda _, folder: Authority(folder).shows("unknown"), "local issuer"),
    "L1-without its intermediate": (lambda ours, _: ours.shows("short", with_chain=False), "local issuer"),
    "L1-with a weak key": (lambda ours, _: ours.shows("weak", key="rsa:1024"), "too weak"),
    "L1-of TLS 1.0 only": (_old_protocol, "protocol version"),
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate_is_refused_and_the_record_says_why(
    authority: Authority, tmp_path: Path, case: str
) -> None:
    make, word = BAD[case]
    with FaultServer(tls=make(authority, tmp_path / "other")) as server:
        url = server.serves("/file", *whole(BODY))

        said = fetched(url, tmp_path / "store", fetch_max_attempts=3)

        assert server.accepted == 1
        assert server.log == []
    assert (said["verdict"], said["reason"], said["sha256"]) == ("permanent", "tls-failed", None)
    assert word in _record(tmp_path / "store")["detail"]
    assert bodies_in(tmp_path / "store") == []


def test_a_good_certificate_is_trusted(authority: Authority, tmp_path: Path) -> None:
    with FaultServer(tls=authority.shows("good")) as server:
        said = fetched(server.serves("/file", *whole(BODY)), tmp_path)

    assert (said["verdict"], said["size"]) == ("stored", len(BODY))


@pytest.mark.parametrize(
    "steps",
    [
        (head(f"Content-Length: {len(BODY)}"), BODY[:10_000], CUT),
        (head("Transfer-Encoding: chunked"), b"4e20\r\n" + BODY[:10_000], CUT),
        (head(), BODY[:10_000], CUT),
    ],
    ids=["L1-by length", "L1-in chunks", "L1-by the close alone"],
)
def test_a_connection_that_ends_without_a_goodbye_proves_no_end(
    authority: Authority, tmp_path: Path, steps: tuple[Step, ...]
) -> None:
    with FaultServer(tls=authority.shows("rude")) as server:
        said = fetched(server.serves("/file", *steps), tmp_path)

    assert (said["verdict"], said["sha256"]) == ("transient", None)
    assert bodies_in(tmp_path) == []


def test_a_redirect_to_a_bad_certificate_is_no_way_round(
    authority: Authority, server: FaultServer, tmp_path: Path
) -> None:
    with FaultServer(tls=authority.shows("late", days=(-5, -1))) as other:
        url = server.serves("/file", *redirect(other.serves("/there", *whole(BODY))))
        said = fetched(url, tmp_path)

    assert (said["verdict"], said["reason"]) == ("permanent", "tls-failed")


def _record(store: Path) -> dict[str, Any]:
    (manifest,) = (store / "manifests").rglob("*.jsonl")
    record: dict[str, Any] = json.loads(manifest.read_bytes())
    return record
