"""One file over FTP, whole only if the server says so at the end.

The head is made of what SIZE and MDTM told, and the bytes have to be as many as SIZE said.
There is no resume: a date and a size do not name a version. They do say, weakly, that
nothing changed: an ETag `W/"date-size"` that we hold ends the request before any data is
asked for.
"""

from __future__ import annotations

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.fetching.curl import pycurl
from shelter_pipeline.fetching.ftp_replies import fields_of, size_of
from shelter_pipeline.fetching.ftp_transfer import AT_REST, UNCHANGED, WHOLE, FtpTransfer


class FtpFile(FtpTransfer):
    """One request for one file over FTP."""

    data_commands = frozenset({"RETR"})

    _size: int | None = None  # as SIZE told it, once the head is complete

    @property
    def flags(self) -> tuple[str, ...]:
        """What is remarkable: a length that nobody told, a file that is unchanged by date and size only."""
        if self.head is None or self.head.status not in (WHOLE, UNCHANGED):
            return ()
        return self.head.framing.flags if self.head.status == WHOLE else ("by-date-and-size",)

    def run(self, curl: pycurl.Curl) -> BaseException | None:
        """Ask whether it changed, if we hold it, and then for all of it."""
        self.prepare(curl)
        code, message = 0, ""
        held = self._headers.get("If-None-Match")
        if held is not None:
            curl.setopt(pycurl.NOBODY, 1)
            code, message = self._perform(curl)
            if code in AT_REST and held == dict(fields_of(self._dialogue)).get("ETag"):
                self._try_accept(UNCHANGED)
                return self.conclude(curl, 0, "")
            curl.setopt(pycurl.NOBODY, 0)
        if code in AT_REST and self._error is None:
            code, message = self._retrieve(curl)
        return self.conclude(curl, code, message)

    def _retrieve(self, curl: pycurl.Curl) -> tuple[int, str]:
        curl.setopt(pycurl.PREQUOTE, [b"*SIZE " + self._name])
        return self._perform(curl)

    def _accept(self, status: int) -> None:
        self._size = size_of(self._dialogue.answer("SIZE"))
        self._check_length(self._size if status == WHOLE else None)
        super()._accept(status)

    def _fields(self, status: int) -> list[tuple[str, str]]:
        return fields_of(self._dialogue) if status in (WHOLE, UNCHANGED) else []

    def _take_body(self, data: bytes) -> int | None:
        if self._size is not None and self._body_bytes + len(data) > self._size:
            return self._fail(
                TransientError(f"more bytes came than the {self._size} of SIZE", reason="wrong-length")
            )
        return super()._take_body(data)

    def _shortcoming(self) -> ShelterError | None:
        if self.head is not None and self.head.status == UNCHANGED:
            return None
        shortcoming = super()._shortcoming()
        if shortcoming is None and self._size not in (None, self._body_bytes):
            return TransientError(f"{self._body_bytes} of {self._size} bytes arrived", reason="wrong-length")
        return shortcoming
