"""One line of JSON a request: who, what, how it ended, how long it took. No secret, no raw control character."""

from __future__ import annotations

import logging
import sys

from starlette.types import Scope

from shelter_pipeline.logs import JsonFormatter, told

_log = logging.getLogger("shelter.access")
_MOST_CHARACTERS = 500


def write_access_log() -> None:
    """Let this process write its access log to standard output, whatever else it logs where."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    _log.handlers = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


def log_request(scope: Scope, *, who: str, status: int, seconds: float, size: int) -> None:
    """Note one request. The query is left out: people put secrets there."""
    if not _log.handlers:  # nobody asked for it
        return
    method, path = scope["method"][:_MOST_CHARACTERS], scope["path"][:_MOST_CHARACTERS]
    fields = told(
        client=scope["client"][0] if scope.get("client") else None,
        who=who,
        method=method,
        path=path,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        bytes=size,
    )
    _log.info("%s %s %d", method, path, status, extra=fields)
