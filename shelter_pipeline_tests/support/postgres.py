"""One embedded PostgreSQL for a whole test session, and a database of its own for every test.

A database that must begin filled (migrated, say) is made once as a template; a test gets
a copy of it, which takes the server a few hundredths of a second.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from shelter_pipeline.embedded.postgres import EmbeddedPostgres

Fill = Callable[[str], None]
# A test may lose its data in a power cut.
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgresForTests:
    """The session's server."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._templates: dict[Fill, str] = {}
        self._numbers = itertools.count(1)

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """The SQLAlchemy URL of one database."""
        return self._server.url(database, driver)

    @contextlib.contextmanager
    def fresh_database(self, filled_by: Fill | None = None) -> Iterator[str]:
        """A database for the length of a block, as its URL; dropped afterwards, whoever is connected.

        `filled_by` is called once a session with the URL of an empty database, whose copies are given out;
        it has to close its connections.
        """
        name = f"test_{next(self._numbers)}"
        self._create(name, self._template(filled_by) if filled_by else "template0")
        try:
            yield self.url(name)
        finally:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, statement: sql.Composed) -> None:
        """Run one administrative statement."""
        with psycopg.connect(self.url("postgres", "postgresql"), autocommit=True) as connection:
            connection.execute(statement)

    def _template(self, fill: Fill) -> str:
        if fill not in self._templates:
            name = f"template_{next(self._numbers)}"
            self._create(name, "template0")
            fill(self.url(name))
            self._templates[fill] = name
        return self._templates[fill]

    def _create(self, name: str, template: str) -> None:
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


@contextlib.contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that every account can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="shelter-test-")).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """The session's server; started by the first test that needs it."""
    with reachable_folder() as folder, EmbeddedPostgres(folder / "home", options=FAST) as server:
        yield PostgresForTests(server)


@pytest.fixture
def database_url(postgres: PostgresForTests) -> Iterator[str]:
    """The URL of an empty database that only this test has."""
    with postgres.fresh_database() as url:
        yield url
