"""What an FTP server says: its replies read line by line, and what each refusal means for a rescue.

Replies are those of RFC 959 4.2 and RFC 3659. Servers use few of the codes and say the
rest in words, so a refusal is judged by its code and, where that leaves several reasons,
by the words that common servers use. The table is data; the first row that fits decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from shelter_pipeline.domain.errors import DamagedError, PermanentError, ShelterError, TransientError

_LAST_LINE = re.compile(rb"([1-5][0-9]{2}) ")
_FIRST_LINE = re.compile(rb"[1-5][0-9]{2}[ -]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SIZE = re.compile(r"\s*([0-9]{1,18})\s*\Z")
_MOMENT = re.compile(r"\s*([0-9]{14})(?:\.[0-9]+)?\s*\Z")
_LONGEST_TEXT = 500
# Asked for what they may tell; a server need not know them.
_OPTIONAL = frozenset({"FEAT", "SIZE", "MDTM", "PWD", "SYST", "EPSV", "QUIT"})
_REFUSALS_BEGIN = 400
_NOTHING = frozenset({450, 550})
_EMPTY = re.compile(r"no (such )?(file|entr|match)|not found|n[o']t exist|nothing|empty", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FtpReply:
    """One whole reply: the command it answers ("" for the greeting), its code, its text on one line."""

    command: str
    code: int
    text: str


class Dialogue:
    """Commands and replies of one request, in their order. What libcurl adds of its own is not listened to."""

    def __init__(self, *, max_bytes: int) -> None:
        self.said: list[tuple[str, str]] = []
        self.replies: list[FtpReply] = []
        self.features: frozenset[str] = frozenset()  # the first words of the answer to FEAT (RFC 2389)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lines: list[str] = []

    def say(self, line: bytes) -> None:
        """A command was sent."""
        verb, _, argument = line.decode("utf-8", "replace").strip("\r\n").partition(" ")
        self.said.append((verb, argument))

    def hear(self, line: bytes) -> FtpReply | None:
        """Take one line; the reply, when it is its last. Raises DamagedError `head-too-large`."""
        self._bytes += len(line)
        if self._bytes > self._max_bytes:
            raise DamagedError(f"the replies have more than {self._max_bytes} bytes", reason="head-too-large")
        if not self._lines and not _FIRST_LINE.match(line):
            return None
        self._lines.append((line[4:] if _FIRST_LINE.match(line) else line).decode("utf-8", "replace").strip())
        last = _LAST_LINE.match(line)
        if last is None:
            return None
        text = _UNPRINTABLE.sub(" ", " ".join(self._lines))[:_LONGEST_TEXT].strip()
        if self._last_command == "FEAT":
            self.features = frozenset(line.split()[0].upper() for line in self._lines if line)
        self._lines.clear()
        reply = FtpReply(self._last_command, int(last[1]), text)
        self.replies.append(reply)
        return reply

    @property
    def _last_command(self) -> str:
        return self.said[-1][0] if self.said else ""

    def answer(self, command: str) -> FtpReply | None:
        """The last reply to this command."""
        return next((reply for reply in reversed(self.replies) if reply.command == command), None)

    @property
    def refusal(self) -> FtpReply | None:
        """The reply that ended the dialogue, if one did: it answers the last command, and that one was needed."""
        last = self.replies[-1] if self.replies else None
        if last is None or last.command in _OPTIONAL or last.command != self._last_command:
            return None
        asks_for_more = last.command in ("PASS", "ACCT") and last.code in (331, 332)
        return last if last.code >= _REFUSALS_BEGIN or asks_for_more else None


def size_of(reply: FtpReply | None) -> int | None:
    """Bytes, from the answer to SIZE (RFC 3659 4)."""
    match = _SIZE.match(reply.text) if reply is not None and reply.code == 213 else None  # noqa: PLR2004
    return int(match[1]) if match else None


def modified_of(reply: FtpReply | None) -> datetime | None:
    """When the file was changed, from the answer to MDTM (RFC 3659 3), whole seconds in UTC."""
    match = _MOMENT.match(reply.text) if reply is not None and reply.code == 213 else None  # noqa: PLR2004
    try:
        return datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def lists_nothing(reply: FtpReply) -> bool:
    """Whether this refusal to list a directory that was entered says only that it is empty, as many servers do."""
    return reply.code in _NOTHING and _EMPTY.search(reply.text) is not None


def hides_a_failure(closing: FtpReply) -> bool:
    """Whether a good end of a listing says in words that there was none: vsftpd's of a directory it may not open."""
    return "failed to open" in closing.text.lower()


def fields_of(dialogue: Dialogue) -> list[tuple[str, str]]:
    """Length, date and a weak validator (RFC 9110 8.8.1), as far as the server told them, as header fields."""
    size, modified = size_of(dialogue.answer("SIZE")), modified_of(dialogue.answer("MDTM"))
    fields = []
    if size is not None:
        fields.append(("Content-Length", str(size)))
    if modified is not None:
        fields.append(("Last-Modified", format_datetime(modified, usegmt=True)))
    if size is not None and modified is not None:
        fields.append(("ETag", f'W/"{modified:%Y%m%d%H%M%S}-{size}"'))
    return fields


@dataclass(frozen=True, slots=True)
class _Rule:
    codes: frozenset[int]
    words: str  # a regular expression; empty fits every text
    kind: type[PermanentError | TransientError]
    reason: str
    status: int  # HTTP's number for it: what politeness and the record of the capture understand

    def fits(self, reply: FtpReply) -> bool:
        return reply.code in self.codes and re.search(self.words, reply.text, re.IGNORECASE) is not None


_T, _P = TransientError, PermanentError
_NO_FILE = frozenset({550, 551, 553})
_REFUSALS = (
    _Rule(
        frozenset({421, 430, 530, 550}),
        r"too many|maximum|limit|already connected|try again|server (is )?(full|busy)",
        _T, "rate-limited", 429,
    ),
    _Rule(frozenset({331, 332, 430, 530, 532}), "", _P, "login-required", 401),
    _Rule(frozenset({421}), "", _T, "server-error", 503),
    _Rule(frozenset({425, 426}), "", _T, "connection-lost", 500),
    _Rule(_NO_FILE, r"no such|not found|n[o']t exist|can(not|'t) find", _P, "not-found", 404),
    _Rule(_NO_FILE, r"is a directory|(plain|regular) file|not a file", _P, "directory", 404),
    _Rule(_NO_FILE, r"permission|denied|not permitted|not allowed|forbidden|authori[sz]", _P, "forbidden", 403),
    _Rule(_NO_FILE, "", _P, "not-found", 404),
    _Rule(frozenset({*range(400, 500), 552}), "", _T, "server-error", 500),
    _Rule(frozenset(range(500, 600)), "", _P, "http-status", 501),
)  # fmt: skip


def error_of_refusal(reply: FtpReply) -> tuple[ShelterError, int]:
    """The verdict of a reply that ended the dialogue, and HTTP's status for it."""
    rule = next(rule for rule in _REFUSALS if rule.fits(reply))
    said = f"the server answered {reply.code} {reply.text}".rstrip()
    return rule.kind(said, reason=rule.reason), rule.status
