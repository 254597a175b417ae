"""Whatever stands at an FTP URL, for those who read: a directory as its listing, a file as itself.

A path is a directory if the server lets us change into it, whether or not it ends in a
slash. Its listing comes by MLSD (RFC 3659) where FEAT names it, else by LIST, else by
NLST, always of the directory we are in: servers take what follows LIST for options or
patterns. The type of such a reply is `text/x-ftp-listing`, its parameter `form` names the
command, `cut=yes` says that the server admits to have left something out, and `Date` is
our own clock, for dates without a year.

Who accepts nothing but listings gets of a file only what SIZE and MDTM tell, as one line
in the form of MLST; no byte of the file is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.fetching.curl import pycurl
from shelter_pipeline.fetching.ftp_file import FtpFile
from shelter_pipeline.fetching.ftp_paths import LISTING_TYPE, accepts_listings_only
from shelter_pipeline.fetching.ftp_replies import (
    FtpReply,
    error_of_refusal,
    hides_a_failure,
    lists_nothing,
    modified_of,
    size_of,
)
from shelter_pipeline.fetching.ftp_transfer import AT_REST, WHOLE

_LISTS = frozenset({"MLSD", "LIST", "NLST"})
# What a server says to CWD with the name of a file, or of nothing.
_NO_DIRECTORY = frozenset({"not-found", "forbidden", "directory", "http-status"})
_NOT_IMPLEMENTED = frozenset({500, 501, 502, 504})
_BUSY_FILE = 450  # said of much that is neither busy nor a file


class FtpPage(FtpFile):
    """One request for what may be a directory, over FTP."""

    data_commands = _LISTS | FtpFile.data_commands

    _form = ""  # of the listing, if it is one
    _date = ""
    _settled = False  # all that is to be told was told, without a data connection
    _refusal: FtpReply | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """Those of a file; a listing is never of a known length."""
        return () if self._form else super().flags

    def run(self, curl: pycurl.Curl) -> BaseException | None:
        """Change into the directory and list it; if it is none, take it for a file."""
        self.prepare(curl)
        code, message = self._enter(curl)
        if code == 0 and self._error is None:
            code, message = self._list(curl)
        elif (refusal := self._no_directory(code)) is not None:
            curl.setopt(pycurl.URL, self.url.text)
            if accepts_listings_only(self._headers):
                code, message = self._look_up(curl, refusal)
            else:
                code, message = self._retrieve(curl)
        return self.conclude(curl, code, message)

    def _enter(self, curl: pycurl.Curl) -> tuple[int, str]:
        """Log in, ask what the server can do, change into the directory."""
        curl.setopt(pycurl.URL, self.url.text + ("/" if self._name else ""))
        curl.setopt(pycurl.QUOTE, [b"*FEAT"])
        curl.setopt(pycurl.NOBODY, 1)
        ended = self._perform(curl)
        curl.setopt(pycurl.NOBODY, 0)
        curl.unsetopt(pycurl.QUOTE)
        return ended

    def _no_directory(self, code: int) -> FtpReply | None:
        """The reply to CWD that says so, of a path that may name a file."""
        refusal = self._dialogue.refusal
        if refusal is None or refusal.command != "CWD" or not self._name or self._error is not None:
            return None
        says_so = code in AT_REST and error_of_refusal(refusal)[0].reason in _NO_DIRECTORY
        return refusal if says_so else None

    def _list(self, curl: pycurl.Curl) -> tuple[int, str]:
        code, message = 0, ""
        for command in self._commands():
            if command == "LIST":
                curl.unsetopt(pycurl.CUSTOMREQUEST)
            else:
                curl.setopt(pycurl.CUSTOMREQUEST, command)
            code, message = self._perform(curl)
            reply = self._dialogue.answer(command)
            if self.head is not None or self._error is not None or code not in AT_REST or reply is None:
                break
            if command != "MLSD" and lists_nothing(reply):
                self._tell(command, b"")
                return 0, ""
            self._refusal = reply  # libcurl takes 450 for an empty directory, whatever the words are
            if not _is_worth_another(command, reply):
                break
        return code, message

    def _commands(self) -> Iterator[str]:
        if self._dialogue.features & {"MLST", "MLSD"}:
            yield "MLSD"
        yield from ("LIST", "NLST")

    def _look_up(self, curl: pycurl.Curl, refusal: FtpReply) -> tuple[int, str]:
        """What SIZE and MDTM tell of a file; where neither is known, that it is no directory has to do.

        Neither is answered at all where already the folder is missing.
        """
        curl.setopt(pycurl.NOBODY, 1)
        code, message = self._perform(curl)
        if code not in AT_REST or self._error is not None:
            return code, message
        answers = [self._dialogue.answer("SIZE"), self._dialogue.answer("MDTM")]
        size, modified = size_of(answers[0]), modified_of(answers[1])
        if size is None and modified is None and (not any(answers) or any(map(_is_denial, answers))):
            self._refusal = refusal
            return code, message
        facts = b"type=file;"
        facts += b"size=%d;" % size if size is not None else b""
        facts += f"modify={modified:%Y%m%d%H%M%S};".encode() if modified is not None else b""
        self._tell("MLST", facts + b" " + self._name + b"\r\n")
        return 0, ""

    def _tell(self, form: str, body: bytes) -> None:
        """A listing that did not come over a data connection."""
        self._command, self._settled = form, True
        self._try_accept(WHOLE)
        if body and self._error is None:
            self._take_body(body)

    def _accept(self, status: int) -> None:
        if self._command in FtpFile.data_commands:
            super()._accept(status)
            return
        self._form = self._command.lower()
        self._date = format_datetime(datetime.now(UTC), usegmt=True)
        super(FtpFile, self)._accept(
            status
        )  # a file's SIZE is neither that of its listing nor held against the cap

    def _fields(self, status: int) -> list[tuple[str, str]]:
        if not self._form:
            return super()._fields(status)
        closing = self._dialogue.answer(self._command)
        is_cut = closing is not None and "truncated" in closing.text.lower()  # as Pure-FTPd says
        media_type = f"{LISTING_TYPE}; form={self._form}" + ("; cut=yes" if is_cut else "")
        return [("Content-Type", media_type), ("Date", self._date)]

    def _error_of(self, curl: pycurl.Curl, code: int, message: str) -> ShelterError | None:
        if self.head is None and self._refusal is not None and code in AT_REST:
            error, status = error_of_refusal(self._refusal)
            self.head = self._head(status)
            return error
        return super()._error_of(curl, code, message)

    def _shortcoming(self) -> ShelterError | None:
        if self._settled:
            return None
        closing = self._dialogue.answer(self._command)
        if self._form and closing is not None and hides_a_failure(closing):
            return PermanentError(f"the server answered {closing.code} {closing.text}", reason="forbidden")
        return super()._shortcoming()


def _is_worth_another(command: str, refusal: FtpReply) -> bool:
    """Whether another command may list what this one was refused for; not while the server has enough of us."""
    if command != "MLSD":
        return refusal.code in _NOT_IMPLEMENTED
    error, _ = error_of_refusal(refusal)
    return refusal.code == _BUSY_FILE or not isinstance(error, TransientError)


def _is_denial(reply: FtpReply | None) -> bool:
    """Whether a server that knows the command says that there is no such file."""
    return reply is not None and reply.code not in _NOT_IMPLEMENTED
