"""What a URL is, told from the URL and what its catalogue says of it, without asking anyone.

A path ending in `/` or `%2F` is a directory. An extension counts as a file type only if it
begins with a letter or 7 and has at most five characters (or is geojson, tar.Z, tar.z), and
is not aspx, htm, html, htmlx or shtml; everything else is a web page. Before that rule the
table of known places is consulted; after it, the declared format and media type. A field
that is no URL is repaired where its meaning is certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.asset_kinds import AssetKind
from shelter_pipeline.discovery.classification_table import ClassificationRules, rules_in_use
from shelter_pipeline.discovery.known_places import Address, Kind
from shelter_pipeline.discovery.repair import MOST_URLS, is_whole, may_need_repair, repair, split_urls
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url, read_url

__all__ = ["Classification", "Kind", "classify", "extension_of"]


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict on one URL. `rule` is the slug of the rule that decided; `url` is its normal form.

    `repair` names what was repaired before it could be read, parted by commas. `urls` are the
    normal forms of several URLs in one field, which is invalid as a whole.
    """

    kind: Kind
    asset_kind: str | None
    rule: str
    url: str | None
    problem: str = ""
    repair: str = ""
    urls: tuple[str, ...] = ()


_LONG_EXTENSIONS = frozenset({"geojson", "tar.Z", "tar.z"})
_EXTENSION = re.compile(r"[A-Za-z7][A-Za-z0-9]{0,4}\Z")
_TWO_PART = re.compile(r"\.(tar\.(?:gz|bz2|xz|zst|z))\Z", re.IGNORECASE)
_ROUTE_IN_FRAGMENT = re.compile(r"[!/]")
_WORDS = re.compile(r"[^\"'()<>=/@]*\s*\Z")
_CODE_SCHEME = re.compile(
    r"\s*(?:(?:git|svn|hg|bzr|ssh|cvs)(?:\+[a-z]+)?://|git@[a-z0-9.-]+:)", re.IGNORECASE
)
_HTML = frozenset(
    {"text/html", "application/xhtml+xml", "html", "htm", "web page", "webpage", "website", "web site"}
)


def classify(
    url: str | None,
    *,
    format: str | None = None,
    media_type: str | None = None,
    rules: ClassificationRules | None = None,
) -> Classification:
    """What `url` is, by the rules that come with Shelter or by others. Never raises.

    What cannot be a URL is INVALID, with the problem in words. Code that is offered by no
    protocol of ours is CODE, and has no URL to be asked for either.
    """
    if not url or url.isspace():
        return Classification(Kind.EMPTY, None, "empty", None, "there is no URL")
    asked = _Asked(format, media_type, rules or rules_in_use())
    if may_need_repair(url):
        return asked.of_field(url)
    try:
        parsed = read_url(url)
    except RefusedError:
        return asked.of_field(url)
    return asked.of_url(url, parsed)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a catalogue declares of one resource, and the rules that are asked about it."""

    format: str | None
    media_type: str | None
    rules: ClassificationRules

    def of_field(self, written: str) -> Classification:
        """What a text is that is no URL in a common form: one URL with marks around it, several, or none."""
        parts = split_urls(written)
        if len(parts) > 1 and (several := self._of_parts(parts)) is not None:
            return several
        repaired = repair(written)
        try:
            parsed = read_url(repaired.text)
        except RefusedError as error:
            if _CODE_SCHEME.match(written):
                return Classification(Kind.CODE, None, "code-scheme", None, str(error))
            return Classification(Kind.INVALID, None, error.reason, None, str(error))
        verdict = self.of_url(repaired.text, parsed)
        return replace(verdict, repair=",".join(repaired.repairs)) if repaired.repairs else verdict

    def _of_parts(self, parts: list[str]) -> Classification | None:
        read = [_read(part) for part in parts[:MOST_URLS]]
        found = tuple(dict.fromkeys(url.text for url in read if url))
        # Words before the only URL are passed over; another one that cannot be read may be the one that is meant.
        if len(found) == 1 and all(url or _WORDS.match(part) for url, part in zip(read, parts, strict=False)):
            slug = "words" if None in read else "repeated"
            return replace(self.of_url(found[0], read_url(found[0])), repair=slug)
        if len(found) < 2 and sum("://" in part for part in parts) < 2:  # noqa: PLR2004, several are two or more
            return None
        problem = "several URLs stand in one field"
        if len(parts) > MOST_URLS or None in read:
            problem += "; not all of them could be read"
        return Classification(Kind.INVALID, None, "several-urls", None, problem, urls=found)

    def of_url(self, written: str, url: Url) -> Classification:
        """The verdict on a URL in normal form; of what was written the fragment and the end still count."""
        name = url.host.rpartition(":")[0]
        query = url.text.partition("?")[2]
        ending, extension = _ending(url.path, self.rules)
        kind = self._declared_kind() if extension is None else None
        address = Address(name, url.path, query, ending, extension, kind is not None)
        if (place := self.rules.places.find(address)) is not None:
            if place.kind is not Kind.FILE:
                text = _with_fragment(written, url, place.fragment) if place.fragment else url.text
                return Classification(place.kind, None, place.rule, text)
            known = self.rules.kinds.of_format(place.format) if place.format else None
            if known is None and extension is not None:
                known = self.rules.kinds.of_extension(extension)
            return _file(known or self._declared_kind(), place.rule, url.text)
        return self._of_path(written, url, ending, extension, kind)

    def _of_path(
        self, written: str, url: Url, ending: str, extension: str | None, declared: AssetKind | None
    ) -> Classification:
        if "#" in written and _ROUTE_IN_FRAGMENT.match(written.partition("#")[2]):
            return Classification(Kind.WEB_PAGE, None, "page-in-fragment", url.text)
        if extension is not None:
            known = self.rules.kinds.of_extension(extension)
            return _file(known or self._declared_kind(), "extension", url.text)
        if ending in self.rules.pages and url.scheme != "ftp":
            return Classification(Kind.WEB_PAGE, None, "page-extension", url.text)
        if service := self._declared_service():
            return Classification(Kind.SERVICE, None, f"declared-{service}", url.text)
        if _is_directory(written, url):
            return Classification(Kind.DIRECTORY, None, "trailing-slash", url.text)
        return self._of_declaration(url, declared)

    def _of_declaration(self, url: Url, declared: AssetKind | None) -> Classification:
        """A URL that says nothing of itself is what its catalogue declares, else a web page."""
        if declared is not None:
            by_format = self.rules.kinds.of_format(self.format) is not None
            return _file(declared, "declared-format" if by_format else "declared-media-type", url.text)
        rule = "page-extension" if "." in url.path.rpartition("/")[2] else "no-extension"
        return Classification(Kind.WEB_PAGE, None, rule, url.text)

    def _declared_kind(self) -> AssetKind | None:
        """The kind of files that the catalogue declares; none where it declares a page as well."""
        for text in (self.format, self.media_type):
            if text and text.partition(";")[0].strip().lower() in _HTML:
                return None
        kinds = self.rules.kinds
        return kinds.of_format(self.format) or kinds.of_media_type(self.media_type)

    def _declared_service(self) -> str | None:
        for text in (self.format, self.media_type):
            if text and (service := self.rules.services.get(text.strip().lower())):
                return service
        return None


def _read(part: str) -> Url | None:
    """The URL of one part of a field. Where words follow it, it must be certain where it ends."""
    head, space, _ = part.partition(" ")
    if space and is_whole(head):
        part = head
    elif space and not is_whole(part):
        return None
    try:
        return read_url(repair(part).text)
    except RefusedError:
        return None


def _with_fragment(written: str, url: Url, parameter: str) -> str:
    """The URL with what its fragment shows as a parameter: the normal form has no fragment."""
    shown = unquote(written.partition("#")[2]).removeprefix("!").removeprefix(f"{parameter}=").lstrip("/")
    if not shown:
        return url.text
    mark = "&" if "?" in url.text else "?"
    try:
        return read_url(f"{url.text}{mark}{parameter}={quote(shown, safe='', errors='replace')}").text
    except RefusedError:  # it would be too long
        return url.text


def _is_directory(written: str, url: Url) -> bool:
    if url.scheme == "ftp":  # FTP has no pages: what is no file is a directory
        return True
    if url.path == "/":  # the normal form of no path is the same
        return "/" in written.partition("://")[2].partition("#")[0].partition("?")[0]
    return url.path.endswith(("/", "%2F", "%2f"))


def _file(kind: AssetKind | None, rule: str, url: str) -> Classification:
    is_archive = kind is not None and kind.family == "archive"
    return Classification(Kind.ARCHIVE if is_archive else Kind.FILE, kind.slug if kind else None, rule, url)


def _ending(path: str, rules: ClassificationRules) -> tuple[str, str | None]:
    """What the last part of a path ends in, lower case, and the extension that makes a file of it, if it does."""
    last = path.rpartition("/")[2]
    if "." not in last and "%" not in last:
        return "", None
    last = _name_of_file(last)
    extension = _extension(last, rules.all_pages)
    return last.rpartition(".")[2].lower(), extension


def extension_of(path: str, *, rules: ClassificationRules | None = None) -> str | None:
    """The extension that makes a URL's path a file, in its own case; None for a page or a directory."""
    rules = rules or rules_in_use()
    return _ending(path, rules)[1]


def _name_of_file(last: str) -> str:
    if "%" in last:
        last = unquote(last).rpartition("/")[2]
    return last.partition(";")[0]


def _extension(name: str, pages: frozenset[str]) -> str | None:
    stem, dot, extension = name.rpartition(".")
    if not (dot and stem):
        return None
    if two_part := _TWO_PART.search(name):
        return two_part[1]
    lower = extension.lower()
    if extension in _LONG_EXTENSIONS or lower == "geojson":
        return extension
    return extension if _EXTENSION.match(extension) and lower not in pages else None
