"""What the door says of connections, certificates and small replies."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import DamagedError, PermanentError, TransientError
from shelter_pipeline_tests.support.fault_server import FaultServer, head, whole
from shelter_pipeline_tests.support.fetching import door


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "both.pem"
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    made.write_bytes(key.read_bytes() + cert.read_bytes())
    return made


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def shake_hands() -> None:
        with suppress(OSError):
            while True:
                connection, _peer = listener.accept()
                with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1000)

    thread = threading.Thread(target=shake_hands, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=5)


def test_a_certificate_nobody_vouches_for_is_an_outcome(
    tls_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets"))

    with pytest.raises(PermanentError) as end:
        door().read(f"https://127.0.0.1:{tls_port}/")

    assert end.value.reason == "tls-failed"
    assert not (tmp_path / "secrets").exists()
    assert "SSLKEYLOGFILE" not in os.environ


def test_a_port_where_nobody_listens_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    with pytest.raises(TransientError) as end:
        door().read(f"http://127.0.0.1:{port}/")

    assert end.value.reason == "connect-failed"


def test_a_server_that_never_accepts_is_left_at_the_connect_limit() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))

        with pytest.raises(TransientError) as end:
            door(connect_seconds=0.3).read(f"http://127.0.0.1:{port}/")

        for filler in fillers:
            filler.close()
    assert end.value.reason == "connect-failed"


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Oops", "429 Later"])
def test_a_small_reply_is_read_whatever_its_status(server: FaultServer, status: str) -> None:
    url = server.serves("/page", *whole(b"words", "Content-Type: text/plain", status=status))

    reply = door().read(url)

    assert (reply.head.status, reply.body, reply.head.get("content-TYPE")) == (
        int(status[:3]),
        b"words",
        "text/plain",
    )


def test_a_page_is_never_cut_off_to_fit(server: FaultServer) -> None:
    url = server.serves("/page", head(), b"x" * 2000)

    with pytest.raises(PermanentError) as end:
        door().read(url, max_bytes=1999)

    assert end.value.reason == "too-large"


def test_an_encoded_page_is_unfolded_and_a_cut_one_refused(server: FaultServer) -> None:
    page = gzip.compress(b"<a href=x>" * 999)
    good = server.serves("/good", *whole(page, "Content-Encoding: gzip"))
    cut = server.serves("/cut", *whole(page[:-9], "Content-Encoding: gzip"))

    reply = door().read(good)
    with pytest.raises(DamagedError) as end:
        door().read(cut)

    assert reply.body == b"<a href=x>" * 999
    assert end.value.reason == "truncated-encoding"


def test_a_method_that_writes_is_not_for_us() -> None:
    with pytest.raises(ValueError, match="POST"):
        door().exchange("http://127.0.0.1/", method="POST", on_head=print, sink=print)


def test_the_head_alone_can_be_asked_for(server: FaultServer) -> None:
    url = server.serves("/file", head("Content-Length: 999999999"))
    body: list[bytes] = []

    exchange = door().exchange(url, method="HEAD", on_head=lambda _head: None, sink=body.append)

    assert (exchange.head.get("content-length"), body) == ("999999999", [])
    assert server.heads("/file")[0].startswith("HEAD ")
