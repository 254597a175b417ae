"""The links of a page, each with the markup around it, in one pass over the bytes.

Bytes and not text, so that a page of any encoding costs no second copy and no name loses
a byte. Every pattern is bounded or possessive, and no two searches go over the same
stretch: the time is linear in the size of the page, whatever is in it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from shelter_pipeline.portals.encoding import decode, mend_text

# `<` ends every attempt, so attempts from different tags never overlap. The second form is
# for quotes that do not pair, as in `<a href=it's>`.
_ANCHOR = re.compile(
    rb"""<a(?=[\s/"'])(?:((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>|([^<>]*+)>)""", re.IGNORECASE
)
_HREF = re.compile(
    rb"""(?:^|[\s"'/])href\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_END_OF_LABEL = re.compile(rb"</a\b[^<>]{0,50}>?", re.IGNORECASE)
_END_OF_ROW = re.compile(rb"</tr|</pre|</table|</li|</ul|<hr", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]{0,2000}>")
_LONGEST_REFERENCE = 40_000  # five times what a URL may be: entities are longer than what they stand for
_BESIDE = 2000  # bytes of markup beside a link in which its date and size stand


class Link(NamedTuple):
    """A link: its reference in text, and where its parts are in the page.

    `begin` and `end` are those of the start tag, `floor` is the end of the tag before it,
    `ceiling` the begin of the one after it.
    """

    reference: str
    floor: int
    begin: int
    end: int
    ceiling: int


def links_in(page: bytes) -> Iterator[Link]:
    """Every link of a page that has a reference, in their order."""
    floor = 0
    matches = _ANCHOR.finditer(page)
    match = next(matches, None)
    while match is not None:
        following = next(matches, None)
        ceiling = following.start() if following else len(page)
        if (reference := _reference(match[1] if match[1] is not None else match[2])) is not None:
            yield Link(reference, floor, match.start(), match.end(), ceiling)
        floor = match.end()
        match = following


def _reference(attributes: bytes) -> str | None:
    found = _HREF.search(attributes)
    if found is None:
        return None
    written = found[found.lastindex or 0][:_LONGEST_REFERENCE].decode("utf-8", "surrogateescape")
    return html.unescape(written) if "&" in written else written


def label_of(page: bytes, link: Link) -> str:
    """The words of a link."""
    inner = page[link.end : min(link.ceiling, link.end + _BESIDE)]
    end = _END_OF_LABEL.search(inner)
    return plain(inner[: end.start()] if end else inner)


def after(page: bytes, link: Link) -> str:
    """The text from the end of a link to the end of its row."""
    beside = page[link.end : min(link.ceiling, link.end + _BESIDE)]
    end = _END_OF_LABEL.search(beside)
    if end is not None:
        beside = beside[end.end() :]
    row = _END_OF_ROW.search(beside)
    return plain(beside[: row.start()] if row else beside)


def before(page: bytes, link: Link) -> str:
    """The text between a link and the one before it."""
    beside = page[max(link.floor, link.begin - _BESIDE) : link.begin]
    end = _END_OF_LABEL.search(beside)
    return plain(beside[end.end() :] if end else beside)


def marks_directory(page: bytes, link: Link) -> bool:
    """Whether a server says beside a link that it leads to a directory."""
    beside = page[max(link.floor, link.begin - _BESIDE) : link.begin]
    return b"[DIR]" in beside or b"&lt;dir&gt;" in beside or b"&lt;DIR&gt;" in beside


def plain(markup: bytes) -> str:
    """The text of some markup, its white space folded."""
    text = _TAG.sub(b" ", markup).decode("utf-8", "replace")
    return " ".join((html.unescape(text) if "&" in text else text).split())


def as_utf8(body: bytes) -> bytes:
    """The page in an encoding that has the bytes of ASCII; one in UTF-16 or UTF-32 is written anew."""
    if b"\x00" not in body[:4] and body[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return body
    return mend_text(decode(body)[0]).encode(errors="replace")
