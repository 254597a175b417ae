"""How long a catalog may take, for whoever has somebody waiting: a server that hangs is told from one that works.

`statement_timeout` is kept by the server, so a server that is stopped, swapped out or cut
off keeps none. Here the client counts as well, and a connection on which it has waited
too long is closed: the thread that used it is free again, and the next one connects anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.abc import RV, PQGen
from sqlalchemy.engine import Engine

_GRACE_SECONDS = 1.0  # the server's own word that a statement took too long shall come first
_CONNECT_SECONDS = 2  # libpq's least


@dataclass(frozen=True, slots=True)
class Impatience:
    """Bounds in seconds: of a statement, of the wait for a connection, of the question whether one still works."""

    statement_seconds: float
    pool_seconds: float = 2.0
    ping_seconds: float = 1.0

    @property
    def engine_arguments(self) -> dict[str, Any]:
        """What SQLAlchemy is told."""
        return {
            "pool_timeout": self.pool_seconds,
            "connect_args": {
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "shelter-api",
                "tcp_user_timeout": int((self.statement_seconds + _GRACE_SECONDS) * 1000),
                "keepalives_idle": 10,
            },
        }

    def rule(self, engine: Engine) -> None:
        """Make every connection of this engine keep the bounds."""

        @sa.event.listens_for(engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> Any:
            return ImpatientConnection.connect(**named)

        @sa.event.listens_for(engine, "connect")
        def _tell_server(connection: ImpatientConnection, _record: Any) -> None:
            milliseconds = int(self.statement_seconds * 1000)
            connection.patience_seconds = self.ping_seconds
            connection.execute(f"SET statement_timeout = {milliseconds}".encode())
            connection.commit()

        # While it waits in the pool the next question is only whether it still works.
        @sa.event.listens_for(engine, "checkin")
        def _at_rest(connection: ImpatientConnection | None, _record: Any) -> None:
            if connection is not None:
                connection.patience_seconds = self.ping_seconds

        @sa.event.listens_for(engine, "checkout")
        def _at_work(connection: ImpatientConnection, _record: Any, _proxy: Any) -> None:
            connection.patience_seconds = self.statement_seconds + _GRACE_SECONDS


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server says nothing for longer than its patience."""

    patience_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the server. Raises OperationalError when it takes too long, having closed the connection."""
        try:
            return super().wait(gen, interval, timeout or self.patience_seconds)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - documented, and exported nowhere else
            self.pgconn.finish()
            raise psycopg.OperationalError("the server takes too long to answer") from error
