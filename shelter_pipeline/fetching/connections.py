"""Kept connections, looked at before they are used again.

What a server says on a connection when nobody has asked it anything would be taken for the
answer to whatever is asked next. libcurl looks for such bytes at most once a second, so each
request on a kept connection is held back until we have looked ourselves.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from shelter_pipeline.fetching.curl import pycurl

_MOST = 4096

End = tuple[str, int]  # our address and port


class KeptConnections:
    """Which descriptor each kept connection of one loop has, by our end of it."""

    def __init__(self) -> None:
        self._descriptors: dict[End, int] = {}

    def note(self, curl: pycurl.Curl) -> None:
        """A transfer has ended: remember the connection that it leaves, if it leaves one."""
        descriptor: int = curl.getinfo(pycurl.ACTIVESOCKET)
        if descriptor < 0:
            return
        if len(self._descriptors) >= _MOST:
            self._descriptors.clear()  # most have been closed long ago; what is kept is noted again
        self._descriptors[curl.getinfo(pycurl.LOCAL_IP), curl.getinfo(pycurl.LOCAL_PORT)] = descriptor

    def holds_bytes(self, end: End) -> bool:
        """Whether something waits to be read on the connection that is about to be used; false for a new one."""
        descriptor = self._descriptors.pop(end, None)
        if descriptor is None:
            return False
        with suppress(OSError), socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as kept:
            # The number may be that of another file by now.
            return kept.getsockname()[:2] == end and bool(kept.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False
