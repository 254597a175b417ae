"""A message by e-mail: one plain text to a mail server that the operator named, within a deadline.

    smtps://          TLS from the first byte (RFC 8314), port 465
    smtp://           STARTTLS (RFC 3207), port 587; a server that cannot is refused
    smtp+plain://     no TLS, port 25, for a relay on the same machine or network

A password never travels in the clear, but to this very machine.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import threading
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.networks import is_loopback

DEADLINE_SECONDS = 30.0
_STEP_SECONDS = 10.0
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_LONGEST_SUBJECT = 150
_FINAL: dict[type[Exception], str] = {
    smtplib.SMTPAuthenticationError: "the mail server does not accept this user and password",
    smtplib.SMTPNotSupportedError: "the mail server offers no STARTTLS, or no login: use another scheme",
    smtplib.SMTPRecipientsRefused: "the mail server refuses every recipient",
    smtplib.SMTPSenderRefused: "the mail server refuses the sender",
}


def send_mail(url: str, sender: str, recipients: Sequence[str], subject: str, text: str) -> None:
    """Send it to all. Raises TransientError or PermanentError with a sentence that holds no password."""
    parts = urlsplit(url)
    if parts.scheme == "smtp+plain" and parts.username is not None and not is_loopback(parts.hostname or ""):
        raise PermanentError("a password would travel in the clear: use smtps:// or smtp:// (STARTTLS)")
    letter = _letter(sender, recipients, subject, text)
    try:
        with _connected(parts) as server:
            if parts.username is not None:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            refused = server.send_message(letter, sender, list(recipients))
    except (smtplib.SMTPException, OSError) as error:
        raise _told(error) from None
    if refused:
        raise PermanentError(f"the mail server refuses {len(refused)} of {len(recipients)} recipients")


def _told(error: Exception) -> ShelterError:
    """What went wrong, in words of our own: the server's may repeat what we sent."""
    for kind, words in _FINAL.items():
        if isinstance(error, kind):
            return PermanentError(words)
    if isinstance(error, smtplib.SMTPResponseException):
        return TransientError(f"the mail server answers {error.smtp_code}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransientError("the mail server's certificate is not one we can trust")
    return TransientError(f"the mail server does not answer ({type(error).__name__})")


def _letter(sender: str, recipients: Sequence[str], subject: str, text: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, ", ".join(recipients)
    # A header is one line, whoever wrote its words.
    letter["Subject"] = " ".join(subject.split())[:_LONGEST_SUBJECT]
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    letter.set_content(text)
    return letter


class _BoundedSMTP(smtplib.SMTP):
    """A connection that is cut when its deadline is over.

    The timeout of a socket counts from byte to byte: a server that sends one now and then would hold us for ever.
    """

    def connect(self, *place: Any, **named: Any) -> tuple[int, bytes]:
        self._deadline = threading.Timer(DEADLINE_SECONDS, self._cut)
        self._deadline.daemon = True
        self._deadline.start()
        return super().connect(*place, **named)

    def close(self) -> None:
        self._deadline.cancel()
        super().close()

    def _cut(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(SHUT_RDWR)


class _BoundedTLS(_BoundedSMTP, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


@contextlib.contextmanager
def _connected(parts: SplitResult) -> Iterator[smtplib.SMTP]:
    """A server that has greeted us, over TLS where that is asked for."""
    place = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    tls = ssl.create_default_context()
    server = (
        _BoundedTLS(*place, timeout=_STEP_SECONDS, context=tls)
        if parts.scheme == "smtps"
        else _BoundedSMTP(*place, timeout=_STEP_SECONDS)
    )
    try:
        if parts.scheme == "smtp":
            server.starttls(context=tls)
        yield server
        with contextlib.suppress(smtplib.SMTPException, OSError):  # it has taken the letter
            server.quit()
    finally:
        server.close()
