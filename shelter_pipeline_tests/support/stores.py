"""Both kinds of store for one set of tests, with a way to look and to meddle behind each one's back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from shelter_pipeline.operations.open_store import open_store
from shelter_pipeline.settings import Settings
from shelter_pipeline_tests.support.seaweedfs import BUCKET


class StoreUnderTest:
    """A fresh store; `partials` is the folder where its files wait, `opened` another one on the same place."""

    def __init__(self, where: str, settings: Settings, partials: Path) -> None:
        self.where, self.settings, self.partials = where, settings, partials
        self.store = self.opened()

    def opened(self) -> Any:
        store = open_store(self.where, self.settings)
        store.prepare()
        return store

    def command(self, script: str, *arguments: str) -> list[str]:
        """A process that runs this script with `store` open."""
        opening = (
            "from shelter_pipeline.operations.open_store import open_store\n"
            "from shelter_pipeline.settings import Settings\n"
            f"store = open_store({self.where!r}, Settings(scratch={str(self.settings.scratch)!r},"
            f" s3_endpoint_url={self.settings.s3_endpoint_url!r}))\n"
            "store.prepare()\n"
        )
        return [sys.executable, "-c", opening + script, *arguments]

    def waiting(self) -> list[str]:
        """Names of the files that wait to be published or swept."""
        return sorted(path.name for path in self.partials.iterdir())

    def locations(self) -> list[str]:
        """Everything that is published: blobs, suspects, documents, what is in quarantine."""
        raise NotImplementedError

    def read(self, location: str) -> bytes:
        raise NotImplementedError

    def replace(self, location: str, data: bytes | None) -> None:
        """Other bytes in a blob's place, or nothing, as a fault of the medium would leave it."""
        raise NotImplementedError


class FolderUnderTest(StoreUnderTest):
    def __init__(self, root: Path) -> None:
        self.root = root
        super().__init__(str(root), Settings(), root / "partial")

    def locations(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file() and path.parent != self.partials)
        return sorted(path.relative_to(self.root).as_posix() for path in files)

    def read(self, location: str) -> bytes:
        return (self.root / location).read_bytes()

    def replace(self, location: str, data: bytes | None) -> None:
        path = self.root / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)


class BucketUnderTest(StoreUnderTest):
    def __init__(self, where: str, endpoint_url: str, scratch: Path, client: Any) -> None:
        self.client, self.prefix = client, where.removeprefix(f"s3://{BUCKET}/")
        settings = Settings(s3_endpoint_url=endpoint_url, scratch=scratch, s3_max_attempts=2)
        super().__init__(where, settings, scratch / "partial")

    def locations(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=self.prefix)
        keys = (item["Key"] for page in pages for item in page.get("Contents", ()))
        return sorted(key.removeprefix(f"{self.prefix}/") for key in keys)

    def read(self, location: str) -> bytes:
        body = self.client.get_object(Bucket=BUCKET, Key=f"{self.prefix}/{location}")["Body"].read()
        assert isinstance(body, bytes)
        return body

    def replace(self, location: str, data: bytes | None) -> None:
        key = f"{self.prefix}/{location}"
        if data is None:
            self.client.delete_object(Bucket=BUCKET, Key=key)
        else:
            self.client.put_object(Bucket=BUCKET, Key=key, Body=data)
