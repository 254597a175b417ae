"""On which line of a TOML file an entry stands: the parser does not say, and people look for it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(#.*)?\Z")
_ENTRY = re.compile(r"""\s*(?P<key>"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


def line_of(text: str, table: str, key: str) -> int | None:
    """The line, from 1, of this key of a table (empty: of the table or key of that name on the top level)."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            current = header["name"]
            if not table and key in (current, current.partition(".")[0]):
                return number
            if table and current == f"{table}.{key}":
                return number
            continue
        entry = _ENTRY.match(line)
        if entry and current == table and _bare(entry["key"]) == key:
            return number
    return None


def _bare(key: str) -> str:
    return key[1:-1] if key[0] in "\"'" else key
