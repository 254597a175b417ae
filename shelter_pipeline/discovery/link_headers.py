"""Links of a reply's head (RFC 8288) and of link sets (RFC 9264), as FAIR Signposting uses them.

`item` names a file of the thing that the page is about, wherever it stands; the other
relations are judged as the same relations of a `<link>` element are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from shelter_pipeline.discovery.asset_kinds import kind_of_media_type
from shelter_pipeline.discovery.json_ld import parsed
from shelter_pipeline.discovery.statements import Means, Statement, bytes_in
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.encoding import decode, mend_text
from shelter_pipeline.portals.protocol import Head

_RELATIONS = frozenset({"item", "alternate", "enclosure", "describedby", "cite-as", "linkset", "next"})
# What content systems put into every page: their own interfaces and records, not its data.
_PLUMBING = frozenset({"json", "xml", "feed", "json-ld", "calendar", "rdf", "turtle"})
_MOST_LINKS = 10_000
_TARGET = re.compile(r"[\s,]*<([^<>]{0,8000})>")
_PARAMETER = re.compile(
    r'\s{0,99};\s{0,99}([\w*!#$&+.^`|~-]{1,99})(?:\s{0,99}=\s{0,99}(?:"([^"]{0,2000})"|([^\s",;]{0,2000})))?'
)


@runtime_checkable
class _KnowsAll(Protocol):
    def get_all(self, name: str, /) -> list[str]: ...


def links_in_head(head: Head) -> Iterator[Statement]:
    """The statements of every `Link` field, in their order."""
    # A field may come several times, and then the first value alone is only a part.
    values = head.get_all("link") if isinstance(head, _KnowsAll) else [head.get("link") or ""]
    for value in values:
        yield from links_in_field(value)


def links_in_field(value: str, why: str = "link-header") -> Iterator[Statement]:
    """The statements of one `Link` field value, or of a link set in its text form; ends at the first broken one."""
    position = 0
    for _ in range(_MOST_LINKS):
        target = _TARGET.match(value, position)
        if target is None:
            return
        position = target.end()
        parameters: dict[str, str] = {}
        while found := _PARAMETER.match(value, position):
            parameters.setdefault(found[1].lower(), found[2] or found[3] or "")
            position = found.end()
        yield from said(
            target[1],
            parameters.get("rel", ""),
            why=why,
            media_type=parameters.get("type"),
            label=parameters.get("title", ""),
            size=parameters.get("length"),
        )


def links_in_set(body: bytes, media_type: str) -> list[Statement]:
    """The statements of a link set, JSON or text. Raises PermanentError `wrong-type` for JSON that is none."""
    text = mend_text(decode(body)[0])
    if "json" not in media_type:
        return list(links_in_field(text, "linkset"))
    return list(_of_json(text))


def _of_json(text: str) -> Iterator[Statement]:
    contexts = _contexts(text)
    for context in contexts:
        for relation, targets in context.items() if isinstance(context, dict) else ():
            for target in targets if isinstance(targets, list) else ():
                if isinstance(target, dict) and isinstance(href := target.get("href"), str):
                    yield from said(
                        href,
                        relation,
                        why="linkset",
                        media_type=_text(target.get("type")),
                        label=_text(target.get("title")) or "",
                        size=target.get("length"),
                    )


def _contexts(text: str) -> Iterable[Json]:
    document = parsed(text)
    contexts = document.get("linkset") if isinstance(document, dict) else None
    if not isinstance(contexts, list):
        raise PermanentError("the link set holds no linkset (RFC 9264)", reason="wrong-type")
    return contexts[:_MOST_LINKS]


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def said(
    reference: str, rel: str, *, why: str, media_type: str | None, label: str = "", size: Json = None
) -> Iterator[Statement]:
    """What a link with these relations says; nothing for relations that lead to no data."""
    relations = set(rel.lower().split()) & _RELATIONS
    if not relations or "stylesheet" in rel.lower().split():
        return
    if relations <= {"alternate", "describedby", "enclosure"} and _is_plumbing(media_type):
        return
    yield Statement(
        reference,
        why,
        label,
        media_type,
        bytes_in(size),
        means=Means.FILE if "item" in relations else Means.ANYTHING,
        relations=frozenset(relations),
    )


def _is_plumbing(media_type: str | None) -> bool:
    kind = kind_of_media_type(media_type)
    return kind is None or kind.slug in _PLUMBING
