"""Server-sent events as they come over the wire, read in a thread of their own."""

from __future__ import annotations

import http.client
import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 60


class EventStream:
    """What a listener is told, in order; after `await_end`, `ended_well` says whether it was cut off."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.headers = response.headers
        self.ended_well = False
        self._response = response
        self._told: queue.Queue[tuple[str, Any] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def await_event(self, name: str) -> Any:
        """The data of the next event of this name; others are passed over."""
        while True:
            told = self._told.get(timeout=_PATIENCE_SECONDS)
            assert told is not None, f"the stream ended before {name!r}"
            if told[0] == name:
                return told[1]

    def await_end(self) -> None:
        """Return when nothing comes any more."""
        self._thread.join(_PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the stream does not end"

    def _listen(self) -> None:
        received = b""
        try:
            while piece := self._response.read1():
                *blocks, received = (received + piece).split(b"\n\n")
                for block in blocks:
                    self._note(dict(line.split(": ", 1) for line in block.decode().splitlines()))
            self.ended_well = True
        except (http.client.HTTPException, OSError, ValueError):
            self.ended_well = False
        self._told.put(None)

    def _note(self, event: dict[str, str]) -> None:
        if "event" in event:
            self._told.put((event["event"], json.loads(event["data"])))


@contextmanager
def listening(url: str) -> Iterator[EventStream]:
    """A listener of these events; it goes away without a word at the end."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=_PATIENCE_SECONDS)
    connection.request("GET", place.path)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    place_of_reading, stream = connection.sock, EventStream(response)
    try:
        yield stream
    finally:
        with suppress(OSError):  # it may have ended by itself
            place_of_reading.shutdown(socket.SHUT_RDWR)  # wakes the thread, as closing would not do
        stream.await_end()
        connection.close()
