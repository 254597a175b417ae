"""One pass over an HTML page: what it says of links, and what can be seen on it.

The page is streamed through lxml's parser and no tree is built, so memory does not grow
with the page. Everything is counted and bounded: links, scripts, labels, depth. What a
bound left out is said in `notes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree
from w3lib.encoding import html_to_unicode

from shelter_pipeline.discovery.json_ld import downloads_in
from shelter_pipeline.discovery.labels import LONGEST_LABEL, one_line
from shelter_pipeline.discovery.link_headers import said
from shelter_pipeline.discovery.marked_up import Scopes
from shelter_pipeline.discovery.statements import Means, Statement
from shelter_pipeline.portals.encoding import decode

MOST_LINKS = 50_000
_MOST_BYTES = 16 * 1024 * 1024
_MOST_SCRIPT = 8 * 1024 * 1024
_LONGEST_TITLE = 400
# An end tag is compared with every element that is open, so a deep page is parsed anew from where it is too deep.
_DEEPEST = 500
_PORTION = 4096

_FRAME = frozenset({"nav", "header", "footer"})
_FRAME_ROLES = frozenset({"navigation", "banner", "contentinfo"})
_FRAME_NAMES = frozenset(
    """
    nav navbar navigation main-nav mainnav site-nav sitenav global-nav topnav menu main-menu mainmenu site-menu
    footer site-footer page-footer global-footer usa-footer header site-header page-header usa-header usa-nav
    breadcrumb breadcrumbs usa-banner masthead
    """.split()  # noqa: SIM905 - a table
)
_FRAMED_ELEMENTS = frozenset({"div", "ul", "ol", "section", "table", "td"})
# A header within the content is a heading's place, not the site's.
_CONTENT = frozenset({"main", "article"})
_UNSEEN = frozenset({"script", "style", "noscript", "template", "title", "head"})
_EMBEDS = {"object": "data", "embed": "src", "iframe": "src"}
_BUTTON_ATTRIBUTES = ("data-href", "data-url", "data-download-url", "data-download", "data-file-url")
_FILE_METAS = frozenset({"og:url", "dc.identifier", "dcterms.identifier", "dc.relation", "dcterms.relation"})


@dataclass(slots=True)
class Page:
    """What one page holds. `words` counts its visible characters but white space."""

    statements: list[Statement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    base: str = ""
    title: str = ""
    heading: str = ""
    words: int = 0
    scripts: int = 0


class _EnoughError(Exception):
    """The page has more links than are judged."""


def scan(body: bytes, content_type: str | None) -> Page:
    """Everything of the page that counts; never raises, whatever the bytes."""
    scanner = _Scanner()
    page = scanner.page
    if len(body) > _MOST_BYTES:
        page.notes.append(f"only the first {_MOST_BYTES // 2**20} MiB of the page were read")
    text = _text_of(body[:_MOST_BYTES], content_type).replace("\x00", "")
    try:
        _feed(scanner, text)
        scanner.finish()
    except _EnoughError:
        page.notes.append(f"only the first {MOST_LINKS} links of the page were judged")
    except etree.LxmlError:
        page.notes.append("the page breaks off in markup that cannot be read")
    return page


def _text_of(body: bytes, content_type: str | None) -> str:
    """Valid UTF-8 and UTF-16 is what it is; of other bytes the header and the page's own words tell the encoding."""
    text, has_undecoded = decode(body)
    return html_to_unicode(content_type, body, default_encoding="cp1252")[1] if has_undecoded else text


def _feed(scanner: _Scanner, text: str) -> None:
    parser = _parser(scanner)
    for start in range(0, len(text), _PORTION):
        parser.feed(text[start : start + _PORTION])
        if scanner.depth > _DEEPEST and not scanner.is_in_raw_text:
            parser.close()
            parser = _parser(scanner)
    parser.close()


def _parser(scanner: _Scanner) -> etree.HTMLParser:
    parser = etree.HTMLParser(target=scanner, huge_tree=True)
    parser.feed("<!doctype html>")  # a parser that was fed nothing cannot be closed
    return parser


@dataclass(slots=True)
class _Anchor:
    """A link that is still open, and the text in it so far."""

    attributes: dict[str, str]
    in_frame: bool
    text: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, text: str) -> None:
        if self.length < LONGEST_LABEL * 2:
            self.text.append(text[: LONGEST_LABEL * 2])
            self.length += len(text)

    @property
    def label(self) -> str:
        written = one_line(" ".join(self.text))
        return written or one_line(self.attributes.get("title") or self.attributes.get("aria-label") or "")


class _Scanner:
    """lxml's target: is told of elements and text as they come, and keeps only what counts."""

    def __init__(self) -> None:
        self.page = Page()
        self.depth = 0
        self._scopes = Scopes()
        self._anchor: _Anchor | None = None
        self._script: list[str] | None = None
        self._script_length = 0
        self._unseen = 0  # how many elements are open whose text nobody sees
        self._frame_at = 0  # the depth at which the frame began; 0 outside of it
        self._content_at = 0
        self._title_of = ""  # title or h1 while one is being read
        self._raw = ""

    @property
    def is_in_raw_text(self) -> bool:
        return bool(self._raw)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self._place(tag, attributes)
        if tag in _UNSEEN:
            self._unseen += 1
        self._raw = tag if tag in ("script", "style", "title", "textarea") else ""
        handler = getattr(self, f"_on_{tag}", None) if tag in _HANDLED else None
        if handler is not None:
            handler(attributes)
        if attributes:
            self._of_any_element(tag, attributes)

    def end(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        self._raw = ""
        if tag == "a":
            self._close_anchor()
        elif tag == "script":
            self._close_script()
        elif tag in ("title", "h1"):
            self._title_of = ""
        self._take(self._scopes.leave(self.depth))
        if self._frame_at == self.depth:
            self._frame_at = 0
        if self._content_at == self.depth:
            self._content_at = 0
        self.depth -= 1

    def data(self, text: str) -> None:
        if self._script is not None:
            self._add_to_script(text)
            return
        if self._title_of == "title":
            self.page.title = (self.page.title + text)[:_LONGEST_TITLE]
        if self._unseen:
            return
        self.page.words += sum(map(len, text.split()))
        if self._title_of == "h1":
            self.page.heading = (self.page.heading + text)[:_LONGEST_TITLE]
        if self._anchor is not None:
            self._anchor.add(text)
        self._scopes.read(text)

    def comment(self, _: str) -> None:
        """Comments say nothing."""

    def close(self) -> None:
        """The parser's end; what is still open is ended by `finish`."""

    def finish(self) -> None:
        """Take what was still open when the page ended."""
        self._close_anchor()
        self._close_script()
        self._take(self._scopes.leave(0))

    def _place(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._content_at and (tag in _CONTENT or attributes.get("role") == "main"):
            self._content_at = self.depth
        if not self._frame_at and _is_frame(tag, attributes, within_content=bool(self._content_at)):
            self._frame_at = self.depth

    def _keep(self, statement: Statement) -> None:
        if len(self.page.statements) >= MOST_LINKS:
            raise _EnoughError
        self.page.statements.append(statement)

    def _take(self, statements: list[Statement]) -> None:
        for statement in statements:
            self._keep(statement)

    def _on_base(self, attributes: dict[str, str]) -> None:
        self.page.base = self.page.base or attributes.get("href", "")

    def _on_title(self, _: dict[str, str]) -> None:
        # A picture drawn in SVG has titles too; the page's comes first.
        self._title_of = "" if self.page.title else "title"

    def _on_h1(self, _: dict[str, str]) -> None:
        self._title_of = "" if self.page.heading else "h1"

    def _on_script(self, attributes: dict[str, str]) -> None:
        self._close_script()
        if "ld+json" in attributes.get("type", "").lower():
            self._script = []
        else:
            self.page.scripts += 1

    def _on_link(self, attributes: dict[str, str]) -> None:
        relation, href = attributes.get("rel", ""), attributes.get("href", "")
        if relation and href:
            self._take(
                list(
                    said(
                        href,
                        relation,
                        why="link",
                        media_type=attributes.get("type"),
                        label=one_line(attributes.get("title", "")),
                    )
                )
            )

    def _on_meta(self, attributes: dict[str, str]) -> None:
        name = (attributes.get("name") or attributes.get("property") or "").lower()
        content = attributes.get("content", "")
        if content and ((name.startswith("citation_") and name.endswith("_url")) or name in _FILE_METAS):
            self._keep(Statement(content, "meta", one_line(name)))

    def _on_a(self, attributes: dict[str, str]) -> None:
        self._close_anchor()
        if attributes.get("href"):
            self._anchor = _Anchor(dict(attributes), bool(self._frame_at))

    def _on_area(self, attributes: dict[str, str]) -> None:
        if attributes.get("href"):
            self._keep(_of_anchor(attributes, one_line(attributes.get("alt", "")), bool(self._frame_at)))

    def _on_img(self, attributes: dict[str, str]) -> None:
        if self._anchor is not None and not self._anchor.text:
            self._anchor.add(attributes.get("alt", ""))

    def _on_option(self, attributes: dict[str, str]) -> None:
        if "/" in (value := attributes.get("value", "")):
            self._keep(Statement(value, "option", in_frame=bool(self._frame_at)))

    def _of_any_element(self, tag: str, attributes: dict[str, str]) -> None:
        self._scopes.enter(self.depth, attributes)
        if tag in _EMBEDS and (reference := attributes.get(_EMBEDS[tag])):
            self._keep(Statement(reference, "embedded", one_line(attributes.get("title", ""))))
        for name in _BUTTON_ATTRIBUTES:
            if reference := attributes.get(name):
                label = one_line(attributes.get("title") or attributes.get("aria-label") or "")
                self._keep(Statement(reference, "data-attribute", label, in_frame=bool(self._frame_at)))

    def _close_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            self._keep(_of_anchor(anchor.attributes, anchor.label, anchor.in_frame))

    def _add_to_script(self, text: str) -> None:
        self._script_length += len(text)
        if self._script is not None and self._script_length <= _MOST_SCRIPT:
            self._script.append(text)

    def _close_script(self) -> None:
        script, self._script = self._script, None
        if script is None:
            return
        if self._script_length > _MOST_SCRIPT:
            self.page.notes.append(f"only the first {_MOST_SCRIPT // 2**20} MiB of JSON-LD were read")
            return
        for statement in downloads_in("".join(script)):
            self._keep(statement)


_HANDLED = frozenset(name.removeprefix("_on_") for name in vars(_Scanner) if name.startswith("_on_"))


def _is_frame(tag: str, attributes: dict[str, str], *, within_content: bool) -> bool:
    if tag == "nav" or attributes.get("role") in _FRAME_ROLES:
        return True
    if within_content:
        return False
    if tag in _FRAME:
        return True
    if tag not in _FRAMED_ELEMENTS or not attributes:
        return False
    names = f"{attributes.get('id', '')} {attributes.get('class', '')}"[:400].lower().split()
    return not _FRAME_NAMES.isdisjoint(names)


def _of_anchor(attributes: dict[str, str], label: str, in_frame: bool) -> Statement:
    name = attributes.get("download", "")[-LONGEST_LABEL:]
    saves = "download" in attributes
    return Statement(
        attributes["href"],
        "download-attribute" if saves else "anchor",
        label or one_line(name),
        attributes.get("type") or name or None,
        means=Means.FILE if saves else Means.ANYTHING,
        in_frame=in_frame,
        relations=frozenset(attributes.get("rel", "")[:LONGEST_LABEL].lower().split()),
        hints=f"{attributes.get('class', '')[:LONGEST_LABEL]} {attributes.get('id', '')[:LONGEST_LABEL]}",
    )
