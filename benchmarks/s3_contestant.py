"""One contestant of the uploads, in a process of its own: `python -m benchmarks.s3_contestant NAME ENDPOINT ...`.

It stores every file of a folder below `s3://bucket/folder` and prints what that cost as
JSON. `ours` is the upload alone, of files that a download has left hashed in partials;
`ours-whole` counts the hashing and the spooling too. The others read their files from disk.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shelter_pipeline.vault.partial import LocalPartial

THREADS = 8
_PIECE = 64 * 1024
_GROUP = 200  # files published together, as a batch does
_REGION = "us-east-1"


class Ours:
    """The store of production: bytes come a piece at a time, and are published a group at a time."""

    def __init__(self, endpoint: str, place: str, folder: str) -> None:
        from shelter_pipeline.vault.s3 import S3Store
        from shelter_pipeline.vault.s3_client import S3Options, S3Place

        options = S3Options(endpoint_url=endpoint, connections=THREADS)
        self._store = S3Store(S3Place.parse(place), Path(folder), options)

    def spool(self, path: Path) -> LocalPartial:
        """What a download leaves of a file."""
        partial = self._store.partial()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                partial.write(piece)
        return partial

    def publish(self, partials: list[LocalPartial]) -> None:
        """Store them all."""
        from shelter_pipeline.vault.store import Blob

        assert all(isinstance(outcome, Blob) for outcome in self._store.publish_all(partials))


def ours(endpoint: str, place: str, files: list[Path]) -> Callable[[], None]:
    """The upload alone."""
    mine = Ours(endpoint, place, f"{files[0].parent}-scratch")
    spooled = [mine.spool(path) for path in files]
    return lambda: mine.publish(spooled)


def ours_whole(endpoint: str, place: str, files: list[Path]) -> Callable[[], None]:
    """Hashing and spooling too."""
    mine = Ours(endpoint, place, f"{files[0].parent}-scratch")

    def work() -> None:
        for start in range(0, len(files), _GROUP):
            mine.publish([mine.spool(path) for path in files[start : start + _GROUP]])

    return work


def _boto3(endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=4 * THREADS, s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=endpoint, region_name=_REGION, config=config)


def _in_threads(files: list[Path], step: Callable[[Path], object]) -> Callable[[], None]:
    def work() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(step, files))

    return work


def upload_fileobj(endpoint: str, place: str, files: list[Path]) -> Callable[[], None]:
    """boto3's managed upload, as its documentation recommends it."""
    client = _boto3(endpoint)
    bucket, _, prefix = place.removeprefix("s3://").partition("/")

    def step(path: Path) -> None:
        with path.open("rb") as file:
            client.upload_fileobj(file, bucket, f"{prefix}/{path.name}")

    return _in_threads(files, step)


def put_object(endpoint: str, place: str, files: list[Path]) -> Callable[[], None]:
    """boto3's plain put with the SHA-256 of the bytes, which it takes from us."""
    client = _boto3(endpoint)
    bucket, _, prefix = place.removeprefix("s3://").partition("/")

    def step(path: Path) -> None:
        with path.open("rb") as file:
            checksum = b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
            file.seek(0)
            client.put_object(Bucket=bucket, Key=f"{prefix}/{path.name}", Body=file, ChecksumSHA256=checksum)

    return _in_threads(files, step)


def obstore(endpoint: str, place: str, files: list[Path]) -> Callable[[], None]:
    """The object store of Apache Arrow's Rust family; no SHA-256, no condition."""
    from obstore.store import S3Store

    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    store = S3Store(
        bucket, prefix=prefix, endpoint=endpoint, region=_REGION, client_options={"allow_http": True}
    )
    return _in_threads(files, lambda path: store.put(path.name, path))


CONTESTANTS = {
    "ours": ours,
    "ours-whole": ours_whole,
    "upload_fileobj": upload_fileobj,
    "put_object": put_object,
    "obstore": obstore,
}


def main() -> None:
    """Run one contestant and print its cost."""
    name, endpoint, place, folder = sys.argv[1:]
    files = sorted(path for path in Path(folder).iterdir() if path.is_file())
    work = CONTESTANTS[name](endpoint, place, files)
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cost = {
        "contestant": name,
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "wall": wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak": after.ru_maxrss * 1024,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
