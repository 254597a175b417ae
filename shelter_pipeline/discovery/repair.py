"""What a catalogue wrote in the field of a URL, made into the URL that it means, where that is certain.

A repair has one reading only, mostly the one that every browser has of the same text, and
its slug is recorded; where there are two, the text is left as it is and stays invalid. No
repair changes which host or which path a person would have reached. Time is linear in the
text, and a field too long to hold URLs is not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from shelter_pipeline.discovery.asset_kinds import kind_of_extension
from shelter_pipeline.domain.urls import MAX_URL_LENGTH

LONGEST_FIELD = 16 * MAX_URL_LENGTH  # characters
MOST_URLS = 1000  # taken from one field

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
# What no URL holds as it stands.
_ODD = re.compile("[\\s\"'<>\\\\\u00ad\u200b-\u200f\u2018-\u201d\u202a-\u202e\u2060\ufeff]")
_ENDS = frozenset(".,;:!|)]}")
_ANCHOR = re.compile(r"""<a\s[^<>]*?\bhref\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:(amp|quot|apos|lt|gt)|#([0-9]{2,6})|#x([0-9a-f]{2,5}));", re.IGNORECASE)
_ENTITIES = {"amp": "&", "quot": '"', "apos": "'", "lt": "<", "gt": ">"}
_MOST_ESCAPES = 3  # `&amp;amp;` has gone through two catalogues
_BREAKS = re.compile(r"[\r\n\t]+")
_PAIRS = {"<": ">", "(": ")", "[": "]", "{": "}"}
_OPENS = {")": "(", "]": "[", "}": "{"}
_QUOTES = '"\u2018\u2019\u201c\u201d'
_URL_LABEL = re.compile(r"url\s?[:=]\s?(?=(?:https?|ftp)://)", re.IGNORECASE)

# The name of a host with a domain: what follows is certain only before one.
_NAME = r"(?=[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,63}(?:[:/?#]|\Z))"
_GOOD_SCHEME = re.compile(r"(?:https?|ftp)://[^/\s]", re.IGNORECASE)
_SCHEME = re.compile(
    rf"(h{{1,2}}t{{1,3}}p{{1,2}}s{{0,2}}|ttps?|f{{1,2}}t{{1,2}}p)(?:[:;.]{{1,2}}/{{1,4}}|/{{2,4}}|:){_NAME}",
    re.IGNORECASE,
)
_SCHEME_BEFORE_SCHEME = re.compile(rf"(?:https?|ftp)(?::/{{0,3}}|//)(?={_SCHEME.pattern})", re.IGNORECASE)
_SPACED_SCHEME = re.compile(r"(https?|ftp)\s?:\s?//\s?(?=[a-z0-9])", re.IGNORECASE)
_BARE_HOST = re.compile(rf"(//|www[0-9]?\.|ftp\.){_NAME}", re.IGNORECASE)
# Whoever writes one of these domains before a path means a host: no file has such a name.
_PUBLIC_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:gov|mil|edu)/", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:\s?|(?:dx\.)?doi\.org/)?(10\.[0-9]{4,9}/[!-;=?-~]+)\Z", re.IGNORECASE)

_URL_INSIDE = re.compile(r"(?:https?|ftp)://|(?<=\s)(?:www|ftp)\.(?=[a-z0-9-]+\.)", re.IGNORECASE)
_BETWEEN_URLS = frozenset(",;|\"'<> \t\r\n")
_MARKUP = re.compile(r"[<>\"]")
_EXTENSION_AT_END = re.compile(r"\.([A-Za-z7][A-Za-z0-9]{1,6})\Z")  # one letter may be an initial
_LONGEST_ENDING = 8
_WORD_OF_PROSE = re.compile(r" (?:[(\[]|www\.|ftp\.|//|[^ ]*(?:://|@))", re.IGNORECASE)
_MOST_SPACES = 8  # a name with more words of it is a sentence


@dataclass(frozen=True, slots=True)
class Repaired:
    """The text after repair, and the slugs of what was repaired."""

    text: str
    repairs: tuple[str, ...] = ()


def may_need_repair(text: str) -> bool:
    """Whether a text that can be read as a URL may mean another one, or several."""
    return (
        len(text) > LONGEST_FIELD
        or _ODD.search(text) is not None
        or text[-1] in _ENDS
        or text.count("://") > 1
        or "://http" in text
        or ("&" in text and _ENTITY.search(text) is not None)
    )


def repair(written: str) -> Repaired:
    """The one URL that a text means, as far as that is certain. Never raises.

    Whether what comes out is a URL is for the caller to find out.
    """
    if len(written) > LONGEST_FIELD:
        return Repaired(written)
    text, done = written, []
    for slug, step in _STEPS:
        changed = step(text)
        if changed != text:
            done.append(slug)
            text = changed
    return Repaired(text, tuple(dict.fromkeys(done)))


def split_urls(written: str) -> list[str]:
    """The field cut where another URL begins; one part where it holds no more than one. Never raises.

    A comma within a URL parts nothing, nor does a URL that stands in the path or the query
    of another. What comes before the first URL, words for instance, is a part of its own.
    """
    if len(written) > LONGEST_FIELD:
        return [written]
    text = _without_entities(written).strip()
    if len(links := _links(text)) > 1:
        return list(dict.fromkeys(links))[: MOST_URLS + 1]
    starts = [0, *_starts_of_others(text), len(text)]
    parts = [text[begin:end].strip(" \t\r\n,;|") for begin, end in pairwise(starts)]
    if len(parts) > 1:  # tags between URLs are none of them
        parts = [_MARKUP.split(part.lstrip(">\"'"), 1)[0].strip(" \t\r\n,;|'") for part in parts]
    return [part for part in parts if part][: MOST_URLS + 1] or [text]


def is_whole(text: str) -> bool:
    """Whether a URL may well end here: after a slash or the extension of a file."""
    return text.endswith("/") or _ends_like_file(text)


def _starts_of_others(text: str) -> list[int]:
    starts: list[int] = []
    begun, within = 0, False  # whether a URL stands inside the one that has begun
    for match in _URL_INSIDE.finditer(text):
        start = match.start()
        before = text[start - 1 : start]
        if before in ("=", "/"):
            within = True
        elif (before in _BETWEEN_URLS and not (within and before == ",")) or (
            before.isalnum() and _ends_like_file(text[max(begun, start - _LONGEST_ENDING) : start])
        ):
            starts.append(start)
            begun, within = start, False
    return starts


def _links(text: str) -> list[str]:
    """What the anchors of a snippet of HTML point to."""
    if "<" not in text:
        return []
    return [
        next(target for target in match.groups() if target is not None) for match in _ANCHOR.finditer(text)
    ]


def _out_of_markup(text: str) -> str:
    links = set(_links(text))
    return links.pop() if len(links) == 1 else text


def _without_entities(text: str) -> str:
    for _ in range(_MOST_ESCAPES):
        changed = _ENTITY.sub(_meant, text) if "&" in text else text
        if changed == text:
            break
        text = changed
    return text


def _meant(entity: re.Match[str]) -> str:
    """The character of an entity; those beyond printable ASCII stay as they are written."""
    name, decimal, hexadecimal = entity.groups()
    if name:
        return _ENTITIES[name.lower()]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0x20 < code < 0x7F else entity[0]  # noqa: PLR2004, the ends of printable ASCII


def _without_invisible(text: str) -> str:
    """In a text of ASCII they are nothing but left over; in other scripts some of them mean something."""
    shown = _INVISIBLE.sub("", text)
    return shown if shown.isascii() else text


def _joined_lines(text: str) -> str:
    """A URL that was broken into lines, if each break stands beside a mark that only parts of URLs have."""
    parts = [part.strip() for part in _BREAKS.split(text)]
    for before, after in pairwise(parts):
        whole = _ends_like_file(before) or not (before and after)
        if whole or " " in after or not (before[-1] in "/?&=-_%.+" or after[0] in "/?&=#%-_."):
            return text
    return "".join(parts)


def _without_brackets(text: str) -> str:
    if text[:1] in _PAIRS and text[-1:] == _PAIRS[text[0]]:
        text = text[1:-1].strip()
    if text[-1:] in _OPENS and text.count(text[-1]) > text.count(_OPENS[text[-1]]) and is_whole(text[:-1]):
        text = text[:-1]
    if "<" in text[1:] or ">" in text[:-1]:
        return text
    return text.lstrip("<").rstrip(">")


def _without_quotes(text: str) -> str:
    if text[:1] == "'" or (text[-1:] == "'" and is_whole(text[:-1])):
        text = text.strip("'")
    return text.strip(_QUOTES)


def _without_punctuation(text: str) -> str:
    """A path ends in no comma; it may end in a full stop (`D.C.`), but not after the extension of a file."""
    if "?" in text or "#" in text:
        return text
    core = text.rstrip(".,;:!|")
    return core if is_whole(core) else text.rstrip(",;|")


def _without_label(text: str) -> str:
    """RFC 3986 appendix C: `URL:` was once recommended before one."""
    found = _URL_LABEL.match(text)
    return text[found.end() :] if found else text


def _with_slashes(text: str) -> str:
    """As browsers read backslashes; not after a user name, where clients differ, and not in a name of Windows."""
    if "@" in text or text[:1] == "\\" or text[1:2] == ":":
        return text
    end = next((place for place, letter in enumerate(text) if letter in "?#"), len(text))
    return text[:end].replace("\\", "/") + text[end:].replace("\\", "%5C")


def _with_scheme(text: str) -> str:
    text = text.removeprefix("git+")
    while outer := _SCHEME_BEFORE_SCHEME.match(text):
        text = text[outer.end() :]
    if _GOOD_SCHEME.match(text):
        return text
    if found := _SCHEME.match(text):
        written = found[1].lower()
        scheme = "ftp" if written.startswith("f") else "https" if "s" in written else "http"
        return f"{scheme}://{text[found.end() :]}"
    # Browsers ask a host without scheme by https first, and so do all hosts of U.S. agencies (OMB M-15-13).
    if bare := _BARE_HOST.match(text):
        first = bare[1].lower()
        return f"ftp://{text}" if first == "ftp." else f"https:{text}" if first == "//" else f"https://{text}"
    return f"https://{text}" if _PUBLIC_HOST.match(text) else text


def _resolved(text: str) -> str:
    return f"https://doi.org/{found[1]}" if (found := _DOI.match(text)) else text


def _with_spaces_encoded(text: str) -> str:
    """As browsers encode them in path and query; not where the URL may have ended before the words."""
    text = _SPACED_SCHEME.sub(r"\1://", text, count=1) if _SPACED_SCHEME.match(text) else text
    first = text.find(" ")
    if first < 0 or not _GOOD_SCHEME.match(text):
        return text
    begun = text.partition("://")[2].partition(" ")[0]
    is_prose = _ends_like_file(begun) or text.count(" ") > _MOST_SPACES or _WORD_OF_PROSE.search(text)
    if is_prose or not ("/" in begun or "?" in begun) or begun.endswith(("/", "#")):
        return text
    return text.replace(" ", "%20")


def _ends_like_file(text: str) -> bool:
    found = _EXTENSION_AT_END.search(text[-_LONGEST_ENDING:])
    return found is not None and (
        kind_of_extension(found[1]) is not None or found[1].lower() in ("htm", "html")
    )


# In this order: each step may lay bare what the next one mends.
_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("entities", _without_entities),
    ("markup", _out_of_markup),
    ("invisible", _without_invisible),
    ("spaces", str.strip),
    ("line-breaks", _joined_lines),
    ("brackets", _without_brackets),
    ("quotes", _without_quotes),
    ("punctuation", _without_punctuation),
    ("label", _without_label),
    ("backslashes", _with_slashes),
    ("doi", _resolved),
    ("scheme", _with_scheme),
    ("spaces", _with_spaces_encoded),
)
