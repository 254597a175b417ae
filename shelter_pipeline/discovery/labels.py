"""What people are shown of a link or a file: one short line, whoever wrote it."""

from __future__ import annotations

LONGEST_LABEL = 200  # characters
_LOOKED_AT = 8 * LONGEST_LABEL


def one_line(text: str) -> str:
    """The text on one line of at most 200 characters, white space folded, without characters that nobody sees."""
    line = " ".join(text[:_LOOKED_AT].split())
    if not line.isprintable():
        line = "".join(filter(str.isprintable, line))
    return line[:LONGEST_LABEL].strip()
