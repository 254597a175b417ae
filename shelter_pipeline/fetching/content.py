"""Is it the thing? First bytes against what was promised, by rules that stand in a table.

The rules only ever speak against a file when something definite was promised and the
bytes are definitely something else; where nothing was promised, or a web page was, every
content is good. Catalogues name formats loosely, so a file that is any one of the kinds
promised (format, media type, extension) is the thing.

| promised | arrived | finding |
| --- | --- | --- |
| a data kind, no web page | a web page that asks for a password or a login | `login-page` |
| a data kind, no web page | any other web page | `html-instead` |
| only kinds with known first bytes | none of them | `wrong-type` |
| text, JSON or XML | a PDF or a picture | `wrong-type` |
| a data kind | a few words that say "not found", "access denied", … | `wrong-type` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from shelter_pipeline.fetching.kinds import DOCUMENTS, HTML, XML, Kind, kind_named

HEAD_BYTES = 64 * 1024
_SHORT_BYTES = 600

_SEPARATORS = re.compile(r"[,;|\s()]+")
_BEFORE_MARKUP = re.compile(r"(?:\s|<\?xml.*?\?>|<!--.*?-->)*", re.DOTALL)
_MARKUP = re.compile(
    r"<(?:!doctype\s+html|(?:html|head|body|title|meta|script|style|link|center|h[1-6]|p|div|br|b|font|form|table)"
    r"(?=[\s/>]))",
    re.IGNORECASE,
)
_WHOLE_PAGE = re.compile(r"<(?:!doctype\s+html|html(?=[\s/>]))", re.IGNORECASE)
_PASSWORD = re.compile(r"<input[^>]+type\s*=\s*[\"']?password", re.IGNORECASE)
_LOGIN_WORDS = re.compile(
    r"\b(?:sign|log)[ -]?in\b|\blogin\b|single sign[ -]on|authentication required|\bcaptcha\b", re.IGNORECASE
)
_TITLES = re.compile(r"<(title|h1|h2)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_SOFT_ERROR = re.compile(
    r"\s*(?:(?:<\?xml[^>]*\?>\s*)?<error>|\{\s*\"(?:error|errors)\"\s*:|"
    r"(?:error\s*:?\s*)?(?:[45][0-9]{2}\b.{0,5})?"
    r"(?:(?:the\s+)?(?:requested\s+)?(?:page|file|object|resource|url|document)?\s*(?:was\s+)?not\s+found|"
    r"no\s+such\s+(?:file|key|page)|access\s+(?:is\s+)?denied|forbidden|unauthorized|"
    r"internal\s+server\s+error|service\s+unavailable|bad\s+gateway))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks against a file: a reason of verdict suspect, and the sentence for its record."""

    reason: str
    detail: str


def promised_kinds(
    url: str, *, format: str | None = None, media_type: str | None = None, served_as: str | None = None
) -> tuple[Kind, ...]:
    """The kinds a file may be of: what the catalogue says, and what the URL's extension says.

    An extension of a web page counts only where the catalogue promises no data kind, and
    the reply's own Content-Type only where nothing else promises anything.
    """
    named = (*_SEPARATORS.split(format or ""), _subtype(media_type))
    catalogue = [kind for kind in map(kind_named, named) if kind]
    extension = kind_named(_extension(url))
    if extension is not None and (extension is not HTML or not catalogue):
        catalogue.append(extension)
    served = kind_named(_subtype(served_as)) if not catalogue else None
    return tuple(dict.fromkeys(catalogue if served is None else [served]))


def judge(head: bytes, size: int, promised: tuple[Kind, ...]) -> Finding | None:
    """What speaks against a file of `size` bytes that begins with `head`; None if nothing does."""
    if not promised or HTML in promised:
        return None
    wanted = ", ".join(kind.name for kind in promised)
    text = _as_text(head)
    if _is_web_page(text, strictly=XML in promised):
        reason = "login-page" if _asks_for_login(text) else "html-instead"
        return Finding(reason, f"a web page arrived where {wanted} was promised")
    if not any(kind.matches(head) for kind in promised):
        return Finding("wrong-type", f"the first bytes, {head[:8].hex(' ')}, are not of {wanted}")
    if any(not kind.magic for kind in promised):
        return _judge_text(head, text, size, promised, wanted)
    return None


def _judge_text(head: bytes, text: str, size: int, promised: tuple[Kind, ...], wanted: str) -> Finding | None:
    if any(kind.matches(head) for kind in DOCUMENTS if kind not in promised):
        return Finding("wrong-type", f"a document or picture arrived where {wanted} was promised")
    if size <= _SHORT_BYTES and _SOFT_ERROR.match(text):
        return Finding("wrong-type", f"a message of {size} bytes arrived where {wanted} was promised")
    return None


def _subtype(media_type: str | None) -> str:
    """`csv` of `text/csv; charset=utf-8`; nothing for types that say nothing."""
    kind, _, subtype = (media_type or "").partition(";")[0].strip().lower().partition("/")
    return "" if (kind, subtype) == ("text", "plain") else subtype


def _extension(url: str) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name.rpartition(".")[2] if "." in name else ""


def _as_text(head: bytes) -> str:
    for mark, encoding in (
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xef\xbb\xbf", "utf-8"),
    ):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace")
    return head.decode("latin-1")


def _is_web_page(text: str, *, strictly: bool) -> bool:
    """Whether a page's markup comes first; `strictly`: a whole page's, for XML has tables and titles too."""
    start = _BEFORE_MARKUP.match(text)
    markup = _WHOLE_PAGE if strictly else _MARKUP
    return start is not None and markup.match(text, start.end()) is not None


def _asks_for_login(text: str) -> bool:
    titles = " ".join(match[2] for match in _TITLES.finditer(text))
    return _PASSWORD.search(text) is not None or _LOGIN_WORDS.search(titles) is not None
