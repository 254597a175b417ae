"""One line of JSON a request: who, what, how it ended, how long it took. No secret, no raw control character."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

from starlette.types import Scope

_log = logging.getLogger("shelter.access")
_MOST_CHARACTERS = 500
_TOKEN = re.compile(r"(shelter_[a-z]+_[0-9a-f]{12}_)[A-Za-z0-9_-]+")


def write_access_log() -> None:
    """Let this process write its access log to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.handlers = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


def log_request(scope: Scope, *, who: str, status: int, seconds: float, size: int) -> None:
    """Note one request. The query is left out: people put secrets there."""
    if not _log.isEnabledFor(logging.INFO):
        return
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "client": scope["client"][0] if scope.get("client") else None,
        "who": who,
        "method": _plain(scope["method"]),
        "path": _plain(scope["path"]),
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "bytes": size,
    }
    # ASCII alone: line ends, escape codes and bidirectional marks are all spelled out.
    _log.info("%s", json.dumps(line, ensure_ascii=True))


def _plain(text: str) -> str:
    return _TOKEN.sub(r"\1…", text)[:_MOST_CHARACTERS]
