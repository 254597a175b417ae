"""Downloads that a page names in JSON-LD: schema.org DataDownload, DCAT distributions, Croissant files.

Names are compared by their last part, so that `contentUrl`, `schema:contentUrl` and a whole
IRI are one. Scripts that are almost JSON are repaired where only one reading is possible:
HTML entities, comments, commas before a closing bracket, a CDATA frame.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

from shelter_pipeline.discovery import download_terms as terms
from shelter_pipeline.discovery.statements import Means, Statement, bytes_in
from shelter_pipeline.domain.records import Json

Node = dict[str, Json]

_HEX_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+\Z")
_MOST_NODES = 500_000
_SHOWN = 200

# Strings are matched whole and first, so that nothing inside one is taken for a comment or a comma. Possessive
# and without alternatives that begin alike: each character is looked at once, however the script goes on.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_COMMENT = re.compile(
    rf"{_STRING}|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|<!\[CDATA\[|\]\]>|<!--|-->", re.DOTALL
)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*+[\]}}])", re.DOTALL)


def downloads_in(script: str) -> Iterator[Statement]:
    """The downloads named anywhere in a script, in its order; walked by hand, so no depth is too deep."""
    waiting: list[Json] = [parsed(script)]
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(value for value in reversed(node) if isinstance(value, dict | list))
        elif isinstance(node, dict):
            yield from _said_by(node)
            waiting.extend(value for value in reversed(node.values()) if isinstance(value, dict | list))


def parsed(text: str) -> Json:
    """The JSON of a text, repaired where the repair is certain; None if it is no JSON."""
    for attempt in (_as_it_is, _mended, _unescaped):
        try:
            value: Json = json.loads(attempt(text), strict=False)
        except (ValueError, RecursionError):
            continue
        return value
    return None


def _as_it_is(text: str) -> str:
    return text


def _mended(text: str) -> str:
    for pattern in (_COMMENT, _LAST_COMMA):
        text = pattern.sub(lambda match: match[0] if match[0].startswith('"') else " ", text)
    return text


def _unescaped(text: str) -> str:
    return _mended(html.unescape(text)) if "&" in text else ""


def _said_by(node: Node) -> Iterator[Statement]:
    named = {terms.last_part(key): value for key, value in reversed(node.items())}
    types = str(node.get("@type"))[:_SHOWN].lower()
    # A file inside another one (Croissant) has a path there, and no URL of its own.
    if terms.is_no_data(types) or "containedin" in named:
        return
    urls = [(url, Means.FILE) for key in terms.FILE for url in _urls(named.get(key))]
    urls += [(url, Means.ACCESS) for key in terms.ACCESS for url in _urls(named.get(key))]
    if not urls and terms.is_download(types):
        urls = [(url, Means.ACCESS) for url in _urls(named.get("url"))]
    declared = next((text for key in terms.FORMAT if (text := _text(named.get(key)))), None)
    size = next((number for key in terms.SIZE if (number := _size(named.get(key))) is not None), None)
    label = next((text for key in terms.NAME if (text := _text(named.get(key)))), "")
    for url, means in urls:
        alone = len(urls) == 1  # of several files nobody says which one has the size
        yield Statement(
            url,
            "json-ld",
            label,
            declared,
            size if alone else None,
            _checksum(named) if alone else None,
            means,
        )


def _urls(value: Json) -> Iterator[str]:
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, dict):
            one = one.get("@id") or one.get("@value") or one.get("url")  # noqa: PLW2901
        if isinstance(one, str) and one.strip():
            yield one


def _text(value: Json) -> str | None:
    """The first text of a value that may be wrapped, or one of several."""
    if isinstance(value, list):
        return next(
            (text for one in value[:10] if (text := _text(one) if not isinstance(one, list) else None)), None
        )
    if isinstance(value, dict):
        value = value.get("@value") or value.get("@id") or value.get("name")
    return value if isinstance(value, str) and value.strip() else None


def _size(value: Json) -> int | None:
    if isinstance(value, dict):
        value = value.get("@value") or value.get("value")
    return bytes_in(value)


def _checksum(named: Node) -> str | None:
    """`algorithm:hex` of a digest with the right number of digits, SPDX's form included."""
    claimed = named.get("checksum")
    claimed = claimed[0] if isinstance(claimed, list) and claimed else claimed
    if isinstance(claimed, dict):
        inner = {terms.last_part(key): value for key, value in claimed.items()}
        algorithm = terms.last_part((_text(inner.get("algorithm")) or "").replace("_", ":").replace("-", ""))
        named = {algorithm: inner.get("checksumvalue")}
    for name, length in _HEX_LENGTHS.items():
        digits = (_text(named.get(name)) or "").strip().lower()
        if len(digits) == length and _HEX.match(digits):
            return f"{name}:{digits}"
    return None
