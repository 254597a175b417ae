"""The kinds of files there are: by extension, media type, and the names catalogues use.

The table `asset_kinds.toml` is the whole knowledge; an operator's is laid over it by
`classification_table`. An extension, a media type or a name belongs to one kind only. The
functions of this module answer from the table that comes with Shelter; who has another
one asks that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

# Short extensions are also words ("map", "m"): alone in a field they are meant, among others they are not.
_CERTAIN_FAMILIES = frozenset({"table", "archive", "geo", "scientific", "structured", "document"})
_SHORTEST_CERTAIN_NAME = 3
_LONGEST_NAME = 200
_SEVERAL = re.compile(r"[\s,;+|&()]+")
# Half a million resources name a few hundred formats.
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class AssetKind:
    """One row: slug and label for people, family for reports, and everything it is recognised by."""

    slug: str
    label: str
    family: str  # table | archive | geo | scientific | structured | document | image | media | program | web
    extensions: tuple[str, ...] = ()  # lower case, without the dot
    media_types: tuple[str, ...] = ()  # lower case, without parameters
    formats: tuple[str, ...] = ()  # lower case, beyond slug and extensions


class AssetKinds:
    """A table of kinds, made once and never changed. Where two rows claim a name the later one has it."""

    def __init__(self, rows: Iterable[AssetKind]) -> None:
        self.rows = tuple(rows)
        self._by_slug = {kind.slug: kind for kind in self.rows}
        self._by_extension = {name: kind for kind in self.rows for name in kind.extensions}
        self._by_media_type = {name: kind for kind in self.rows for name in kind.media_types}
        names = {name: kind for kind in self.rows for name in kind.formats}
        self._by_name = self._by_extension | self._by_slug | names
        self.of_format = lru_cache(_REMEMBERED)(self._of_format)

    def __iter__(self) -> Iterator[AssetKind]:
        return iter(self.rows)

    def named(self, slug: str | None) -> AssetKind | None:
        """The row of a slug."""
        return self._by_slug.get(slug) if slug else None

    def of_extension(self, extension: str) -> AssetKind | None:
        """The kind an extension stands for, without its dot, in any case."""
        return self._by_extension.get(extension.lower())

    def of_media_type(self, media_type: str | None) -> AssetKind | None:
        """The kind a media type stands for, parameters ignored (RFC 9110 section 8.3)."""
        if not media_type:
            return None
        return self._by_media_type.get(media_type.partition(";")[0].strip().lower())

    def _of_format(self, name: str | None) -> AssetKind | None:
        """The kind a catalogue means by a format: a name, an extension, a media type, or a URL that ends in one.

        Of several in one field the first that is known counts.
        """
        if not name:
            return None
        written = name.strip().lower().lstrip(".")[-_LONGEST_NAME:]
        found = self._by_name.get(written) or self.of_media_type(written)
        if found:
            return found
        if "://" in written:
            parts = written.rstrip("/").split("/")
            return self._by_media_type.get("/".join(parts[-2:])) or self._by_name.get(parts[-1])
        return next((kind for part in _SEVERAL.split(written) if (kind := self._certain(part))), None)

    def _certain(self, part: str) -> AssetKind | None:
        kind = self._by_name.get(part.lstrip(".")) or self.of_media_type(part)
        if kind is None or len(part) < _SHORTEST_CERTAIN_NAME or kind.family not in _CERTAIN_FAMILIES:
            return None
        return kind


def kind_of_row(slug: str, row: Mapping[str, Any]) -> AssetKind:
    """A kind as the table writes it: extensions and media types parted by white space, names as a list."""
    return AssetKind(
        slug,
        row["label"],
        row["family"],
        tuple(row.get("extensions", "").lower().split()),
        tuple(row.get("media_types", "").lower().split()),
        tuple(name.lower() for name in row.get("names", ())),
    )


@cache
def bundled_kinds() -> AssetKinds:
    """The table that comes with Shelter."""
    text = files(__package__).joinpath("asset_kinds.toml").read_text(encoding="utf-8")
    return AssetKinds(kind_of_row(slug, row) for slug, row in tomllib.loads(text)["kind"].items())


IN_USE: ContextVar[AssetKinds | None] = ContextVar("asset_kinds", default=None)


def kinds_in_use() -> AssetKinds:
    """The table of the block that `classification_table.using` opened, else the one that comes with Shelter."""
    return IN_USE.get() or bundled_kinds()


def kind_named(slug: str | None) -> AssetKind | None:
    """The row of a slug, of those that come with Shelter."""
    return kinds_in_use().named(slug)


def kind_of_extension(extension: str) -> AssetKind | None:
    """As `AssetKinds.of_extension`, of the kinds that come with Shelter."""
    return kinds_in_use().of_extension(extension)


def kind_of_media_type(media_type: str | None) -> AssetKind | None:
    """As `AssetKinds.of_media_type`, of the kinds that come with Shelter."""
    return kinds_in_use().of_media_type(media_type)


def kind_of_format(name: str | None) -> AssetKind | None:
    """As `AssetKinds.of_format`, of the kinds that come with Shelter."""
    return kinds_in_use().of_format(name)
