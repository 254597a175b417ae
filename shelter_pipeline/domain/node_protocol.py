"""The words that nodes and the API share; the whole protocol is told in docs/how-to/node-protocol.md."""

from __future__ import annotations

import re
from typing import Final

VERSION_HEADER: Final = "Shelter-Node-Version"
# A nickname: shown to all, part of URLs and of log lines.
NODE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
MOST_ALLOCATED: Final = 100  # files in one allocation
MOST_RESULTS: Final = 200  # results in one completion
MOST_TOKENS: Final = 5000  # claims in one heartbeat
GB: Final = 10**9
MB: Final = 10**6
