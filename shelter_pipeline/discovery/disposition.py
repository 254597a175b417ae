"""The name that a server gives a file, from Content-Disposition (RFC 6266): for people, never for a path."""

from __future__ import annotations

import re
from urllib.parse import unquote

_LONGEST_FIELD = 2048  # characters that are looked at
_LONGEST_NAME = 255
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*\"?(utf-8|iso-8859-1)'[^'\"]*'([^;\"\s]+)", re.IGNORECASE)
_PLAIN = re.compile(r';\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";]+))', re.IGNORECASE)


def file_name_of(field: str | None) -> str | None:
    r"""The last part of the name as it may be shown; None where the field gives none.

    >>> file_name_of("attachment; filename=a.csv; filename*=UTF-8''caf%C3%A9.csv")
    'café.csv'
    >>> file_name_of('attachment; filename="..\\..\\passwd"')
    'passwd'
    """
    text = (field or "")[:_LONGEST_FIELD]
    found = _EXTENDED.search(text)
    if found is not None:
        name = unquote(found[2], encoding=found[1], errors="replace")
    else:
        plain = _PLAIN.search(text)
        name = _utf8(plain[1] if plain[1] is not None else plain[2]) if plain else ""
    # A backslash is another system's separator more often than an escape.
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(char for char in last if char.isprintable()).strip()[:_LONGEST_NAME]
    return None if shown in ("", ".", "..") else shown


def _utf8(text: str) -> str:
    """Header fields are read as latin-1, and written as UTF-8 by most who write more than ASCII."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text
