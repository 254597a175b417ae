"""Links to files on a dataset's page, and how the page gives each of them.

A page says what its data are in JSON-LD (schema.org Dataset and DataDownload), in
`<link rel>` and `citation_*` elements, and in plain links whose URL is a file by rule.
Only links to the page's own site are taken, each once, by its strongest statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from parsel import Selector

from shelter_pipeline.discovery.asset_kinds import kind_named, kind_of_format, kind_of_media_type
from shelter_pipeline.discovery.classify import Classification, Kind, classify
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import join_url, parse_url
from shelter_pipeline.portals.encoding import decode, mend_text

_FILES = (Kind.FILE, Kind.ARCHIVE)
# A picture or a script behind a plain link belongs to the page, not to its data.
_NOT_DATA_IN_LINKS = frozenset({"image", "media", "web"})
# What content systems put into every page: their own interfaces, not its data.
_NOT_DATA_IN_ALTERNATES = frozenset({"json", "xml", "feed", "json-ld"})
_LINK_RELATIONS = frozenset({"item", "alternate", "enclosure", "describedby"})
# Public bodies under these have one name and many hosts below it.
_INSTITUTIONAL = frozenset({"gov", "mil", "edu"})
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Link:
    """One file a page leads to: `how` is json-ld, link, meta or anchor."""

    url: str
    how: str
    label: str = ""
    format: str | None = None


def parse_landing(body: bytes, url: str) -> list[Link]:
    """The files that the page at `url` gives, strongest statement first; none for a page without any."""
    text = mend_text(decode(body)[0]).replace("\x00", "")
    if not text.strip():
        return []
    page = Selector(text=text, type="html")
    base = _base_of(page, url)
    judged = (_judged(statement, base, url) for statement in _statements(page))
    found: dict[str, Link] = {}
    for link in judged:
        if link is not None:
            found.setdefault(link.url, link)
    return list(found.values())


def same_site(one: str, other: str) -> bool:
    """Whether two hosts (`name:port`) belong together: equal, one under the other, or of one .gov body."""
    first, second = (_name(host) for host in (one, other))
    if first == second or first.endswith("." + second) or second.endswith("." + first):
        return True
    ends = [host.split(".")[-2:] for host in (first, second)]
    return ends[0] == ends[1] and ends[0][-1] in _INSTITUTIONAL and not first[-1:].isdecimal()


def _name(host: str) -> str:
    return host.rpartition(":")[0].removeprefix("www.")


def _base_of(page: Selector, url: str) -> str:
    """What references are resolved against: the page's `<base>` if it stays on the site, else the page."""
    reference = page.css("base::attr(href)").get()
    if reference:
        try:
            base = join_url(url, reference)
        except RefusedError:
            return url
        if same_site(base.host, parse_url(url).host):
            return base.text
    return url


def _statements(page: Selector) -> Iterator[Link]:
    """Everything that may name a file, its reference as it stands."""
    for script in page.css("script[type*='ld+json']::text").getall():
        yield from _of_json_ld(script)
    for link in page.css("link[href][rel]"):
        relations = set(link.attrib["rel"].lower().split())
        media_type = link.attrib.get("type")
        if "item" in relations or (relations & _LINK_RELATIONS and not _is_plumbing(media_type)):
            yield Link(link.attrib["href"], "link", link.attrib.get("title", ""), media_type)
    for meta in page.css("meta[name^='citation_'][content]"):
        if meta.attrib["name"].endswith("_url"):
            yield Link(meta.attrib["content"], "meta", meta.attrib["name"])
    for anchor in page.css("a[href]"):
        label = " ".join("".join(anchor.css("::text").getall()).split())
        yield Link(anchor.attrib["href"], "anchor", label, anchor.attrib.get("type"))


def _is_plumbing(media_type: str | None) -> bool:
    kind = kind_of_media_type(media_type)
    return kind is None or kind.slug in _NOT_DATA_IN_ALTERNATES


def _of_json_ld(script: str) -> Iterator[Link]:
    """The downloads named anywhere in a JSON-LD script; walked by hand, so no depth is too deep."""
    try:
        waiting: list[Json] = [json.loads(script, strict=False)]
    except (ValueError, RecursionError):
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            types = _types(node)
            url = node.get("contentUrl") or (node.get("url") if "DataDownload" in types else None)
            if isinstance(url, str) and "ImageObject" not in types:
                declared = node.get("encodingFormat") or node.get("fileFormat")
                yield Link(url, "json-ld", _text(node.get("name")) or "", _text(declared))
            waiting.extend(value for value in reversed(node.values()) if isinstance(value, dict | list))


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _types(node: dict[str, Json]) -> str:
    return str(node.get("@type"))


def _judged(statement: Link, base: str, page: str) -> Link | None:
    """The link with its URL in full, if it is a file on the page's site."""
    try:
        target = join_url(base, statement.url.strip().replace(" ", "%20"))
    except RefusedError:
        return None
    if not same_site(target.host, parse_url(page).host) or target.text == page:
        return None
    verdict = classify(target.text, format=statement.format, media_type=statement.format)
    if not _is_file(statement.how, verdict, statement.format):
        return None
    return replace(statement, url=target.text, label=statement.label[:_LONGEST_LABEL])


def _is_file(how: str, verdict: Classification, format: str | None) -> bool:
    if how == "json-ld":
        # The page itself says that this is a download, unless it is a service or a page after all.
        return verdict.kind in _FILES
    kind = kind_named(verdict.asset_kind)
    if verdict.kind not in _FILES or kind is None:
        return False
    return how != "anchor" or kind.family not in _NOT_DATA_IN_LINKS or kind_of_format(format) is not None
