"""The API as its callers meet it: a real uvicorn on a port of its own, over a catalog and store of a test's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from fastapi import APIRouter, Depends

from shelter_pipeline.api.security import principal_of
from shelter_pipeline.api.serve import server_of
from shelter_pipeline.api.services import Services
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.postgres import PostgresForTests, reachable_folder
from shelter_pipeline_tests.support.workplaces import a_workplace

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ApiUnderTest:
    """A running API: where it is, and the workplace behind it."""

    url: str
    workplace: Workplace

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request, with a deadline."""
        return requests.request(method, self.url + path, timeout=_SECONDS, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET this path."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        """POST this body as JSON."""
        return self.ask("POST", path, json=body, **more)


@contextmanager
def an_api(
    catalog_url: str, store: Path, /, *, routes: Sequence[APIRouter] = (), **changes: Any
) -> Iterator[ApiUnderTest]:
    """A running API over this catalog and a local store in this folder; with `routes` of a test's own."""
    [port] = free_ports(1)
    with a_workplace(catalog_url, store, **({"api_port": port} | changes)) as workplace:
        server = server_of(Services(workplace))
        for router in routes:
            server.config.app.include_router(router, dependencies=[Depends(principal_of)])
        thread = threading.Thread(target=server.run, name="api", daemon=True)
        thread.start()
        until = time.monotonic() + _SECONDS
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started, "the API did not start"
        try:
            yield ApiUnderTest(f"http://127.0.0.1:{port}", workplace)
        finally:
            server.should_exit = True
            thread.join(_SECONDS)


@contextmanager
def an_own_api(postgres: PostgresForTests, /, **more: Any) -> Iterator[ApiUnderTest]:
    """The same with an empty catalog that goes with it: for tests that share one, as they leave nothing behind."""
    with (
        reachable_folder() as folder,
        postgres.fresh_database(filled_by=_migrated) as url,
        an_api(url, folder / "store", **more) as running,
    ):
        yield running
