"""The name under which somebody saves a file, made of the address it came from; harmless whatever that was.

A name is one segment: no separators, no control or direction characters, no name that an
operating system keeps for itself, never hidden, short enough for every file system.
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from urllib.parse import quote, unquote, urlsplit

_LONGEST_BYTES = 150
_LONGEST_EXTENSION = 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+\Z")
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([a-z0-9._-]{1,40})\"?", re.IGNORECASE)
# The library's own table, not that of the machine: the same name everywhere.
_TYPES = mimetypes.MimeTypes()
UNKNOWN_TYPE = "application/octet-stream"


def filename_of(url: str, media_type: str | None = None) -> str:
    """A name for what was fetched from `url`: its last segment, with an extension by type where it has none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    name = safe_filename(unquote(path.rstrip("/").rpartition("/")[2], errors="replace")) or "file"
    return name if has_extension(name) else name + extension_for(media_type)


def safe_filename(text: str) -> str:
    """`text` as a name that can do nothing but name; empty if nothing is left of it."""
    plain = "".join(character for character in text if unicodedata.category(character)[0] != "C")
    plain = unicodedata.normalize("NFC", plain)
    plain = _NOT_IN_NAMES.sub("_", plain).strip(" .\u00a0\u3000")
    plain = re.sub(r"\s+", " ", plain)
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    return _shortened(plain)


def has_extension(name: str) -> bool:
    """Whether a name ends in what looks like an extension."""
    stem, dot, extension = name.rpartition(".")
    return bool(stem and dot and extension.isalnum() and len(extension) < _LONGEST_EXTENSION)


def extension_for(media_type: str | None) -> str:
    """The usual extension of a media type, with its dot; empty if there is none."""
    essence = (media_type or "").partition(";")[0].strip().lower()
    return "" if essence == UNKNOWN_TYPE else _TYPES.guess_extension(essence) or ""


def usable_media_type(text: str | None) -> str:
    """A media type as it may stand in a header, its charset with it; that of unknown bytes for what is none."""
    essence = (text or "").partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.match(essence):
        return UNKNOWN_TYPE
    charset = _CHARSET.search(text or "")
    return f"{essence}; charset={charset[1].lower()}" if charset else essence


def attachment(name: str) -> str:
    """The Content-Disposition that has a file saved under this name and never shown (RFC 6266, RFC 8187)."""
    plain = re.sub(r'[^ -~]|["\\%;]', "_", name)
    if plain == name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LONGEST_BYTES:
        return name
    stem, dot, extension = name.rpartition(".") if has_extension(name) else (name, "", "")
    room = _LONGEST_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + dot + extension
