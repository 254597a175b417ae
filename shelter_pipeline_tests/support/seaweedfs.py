"""A real S3 server for a whole test session, from SeaweedFS's wheel; a place of its own for every test.

It takes some seconds to start, so only the first test that asks for it waits. At the end it
is killed and its folder removed, which is faster than asking it to stop.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shelter_pipeline_tests.support.ports import free_ports

KEY, SECRET, BUCKET = "tests-key", "tests-secret", "rescued"
PUBLIC_BUCKET, ANOTHER_PUBLIC_BUCKET = "public", "places"
_START_SECONDS = 60
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)


class SeaweedFS:
    """A running server; `endpoint` is its S3 door."""

    def __init__(self, folder: Path) -> None:
        ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        self.port = ports["s3.port"]
        self._folder = folder
        with (folder / "log").open("wb") as log:
            self._process = self._start(ports, log)

    def _start(self, ports: dict[str, int], log: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                str(Path(sys.executable).with_name("weed")),
                "server",
                f"-dir={self._folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-s3",
                f"-s3.config={self._identities()}",
                "-master.volumeSizeLimitMB=1024",
                "-volume.max=60",  # every bucket takes seven
                "-master.telemetry=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                *(f"-{name}={port}" for name, port in ports.items()),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def client(self):  # type: ignore[no-untyped-def]
        """A plain client of boto3, to look behind the store's back."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def wait(self) -> None:
        """Return once it has taken an object."""
        client, until = self.client(), time.monotonic() + _START_SECONDS
        while True:
            try:
                client.create_bucket(Bucket=BUCKET)
                client.put_object(Bucket=BUCKET, Key="started", Body=b"")
                client.delete_object(Bucket=BUCKET, Key="started")
            except (BotoCoreError, ClientError):
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._folder / "log").read_text()[-5000:]) from None
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """End it at once; what it holds is not needed any more."""
        with suppress(ProcessLookupError):  # it gave up by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _identities(self) -> Path:
        path = self._folder / "s3.json"
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        # What is in the public buckets may be listed and read by anybody, as the data of public bodies may.
        public = (PUBLIC_BUCKET, ANOTHER_PUBLIC_BUCKET)
        actions = [f"{action}:{bucket}" for bucket in public for action in ("Read", "List")]
        anybody = {"name": "anonymous", "actions": actions}
        path.write_text(json.dumps({"identities": [identity, anybody]}), encoding="utf-8")
        return path


@contextmanager
def running_seaweedfs() -> Iterator[SeaweedFS]:
    """A server for the length of a block, with an empty bucket."""
    folder = Path(tempfile.mkdtemp(prefix="shelter-s3-"))
    server = SeaweedFS(folder)
    try:
        server.wait()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[SeaweedFS]:
    """The session's server; started by the first test that needs it."""
    with running_seaweedfs() as server:
        yield server


@pytest.fixture
def s3_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of the session's server, where boto3 looks for them, and nothing else that sways it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def s3_place(seaweedfs: SeaweedFS, s3_credentials: None) -> str:
    """A place on the session's server that only this test has."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"
