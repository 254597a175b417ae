"""The tables of classification: read from the package, and a file of an operator's laid over them, or refused.

A file of the same form adds to the tables. To a kind or service of a known name its
extensions, media types and names are added, and taken from whoever had them; label and
family are replaced. Places come before those of the package, so that they decide first;
`switched_off` names rules of places that are not asked. Nothing of a file with a mistake
in it is used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from shelter_pipeline.discovery.asset_kinds import IN_USE, AssetKind, AssetKinds
from shelter_pipeline.discovery.expressions import expression_problem
from shelter_pipeline.discovery.known_places import KEYS, Kind, Place, Places
from shelter_pipeline.domain.errors import SetupError

Table = dict[str, Any]
Row = TypeVar("Row")
Family = Literal[
    "table", "archive", "geo", "scientific", "structured", "document", "image", "media", "program", "web"
]
PlaceKind = Literal["file", "directory", "web-page", "service", "repository", "code", "login-wall"]
Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_EXTENSION = re.compile(r"[a-z0-9][a-z0-9+_-]*(?:\.[a-z0-9]+)?\Z")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+\Z")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?:\.\*)?\Z")


class KindRow(msgspec.Struct, forbid_unknown_fields=True):
    """A kind of files as the file writes it; label and family must be there where the kind is new."""

    label: str = ""
    family: Family | None = None
    extensions: str = ""
    media_types: str = ""
    names: list[str] = []


class ServiceRow(msgspec.Struct, forbid_unknown_fields=True):
    """What catalogues declare of a kind of service."""

    names: list[str] = []
    media_types: str = ""


class PlaceRow(msgspec.Struct, forbid_unknown_fields=True):
    """A place as the file writes it: words parted by white space, expressions as text."""

    rule: Slug
    kind: PlaceKind
    hosts: str = ""
    segments: str = ""
    parameters: str = ""
    extensions: str = ""
    path: str | None = None
    query: str | None = None
    format: str = ""
    fragment: str = ""
    unless: Literal["", "file", "declared"] = ""


class PagesRow(msgspec.Struct, forbid_unknown_fields=True):
    """Extensions of pages that a server makes."""

    always: str = ""
    unless_declared: str = ""


@dataclass(frozen=True, slots=True)
class ClassificationRules:
    """All tables that classification asks, as they stand for one process."""

    kinds: AssetKinds
    places: Places
    services: Mapping[str, str]  # a declared format or media type, lower case → the slug of the service
    pages: frozenset[str]  # extensions that are never files
    all_pages: frozenset[str]  # these, and those that are files only where the catalogue says so


@cache
def classification_rules(path: Path | None = None) -> ClassificationRules:
    """The tables that come with Shelter, with those of a TOML file laid over them.

    Raises SetupError naming the file, the row and the key at fault.
    """
    bundled: Table = {}
    for name in ("asset_kinds.toml", "places.toml"):
        bundled |= tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    if path is None:
        return read_classification_rules(bundled, {}, "the bundled tables")
    try:
        changes = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}", reason="bad-setting") from error
    return read_classification_rules(bundled, changes, str(path))


_IN_USE: ContextVar[ClassificationRules | None] = ContextVar("classification_rules", default=None)


@contextmanager
def using(rules: ClassificationRules) -> Iterator[None]:
    """Let everything in the block, on this thread, classify by these rules where it is given no others.

    Pages are read by many small parsers; an operator's table reaches all of them this way.
    """
    of_rules, of_kinds = _IN_USE.set(rules), IN_USE.set(rules.kinds)
    try:
        yield
    finally:
        _IN_USE.reset(of_rules)
        IN_USE.reset(of_kinds)


def rules_in_use() -> ClassificationRules:
    """The rules of the innermost `using`, else those that come with Shelter."""
    return _IN_USE.get() or classification_rules()


def read_classification_rules(bundled: Table, changes: Table, place: str) -> ClassificationRules:
    """The rules of two parsed tables, `changes` over `bundled`; `place` is named in every complaint."""
    return _Reader(bundled, changes, place).rules()


class _Reader:
    """Merges and checks, and gathers every complaint before it speaks."""

    def __init__(self, bundled: Table, changes: Table, place: str) -> None:
        self._bundled = bundled
        self._changes = changes
        self._place = place
        self._problems: list[str] = []

    def rules(self) -> ClassificationRules:
        known = ("kind", "place", "service", "pages", "switched_off")
        self._problems += [
            f"{name} is not a section; sections are {', '.join(known)}"
            for name in self._changes
            if name not in known
        ]
        kinds = self._kinds()
        places = self._places(kinds)
        services = self._services()
        own, bundled = self._pages(self._changes), self._pages(self._bundled)
        if self._problems:
            raise SetupError(f"{self._place}: " + "; ".join(self._problems), reason="bad-setting")
        always = (bundled.always | own.always) - own.undeclared
        return ClassificationRules(
            kinds, places, services, always, always | bundled.undeclared | own.undeclared
        )

    def _kinds(self) -> AssetKinds:
        own = dict(self._named_rows(self._changes, "kind", KindRow))
        merged = {slug: _kind(slug, row) for slug, row in self._named_rows(self._bundled, "kind", KindRow)}
        self._problems += _claimed_twice("kind", own, _words_of_kind)
        for slug, row in own.items():
            where = f"[kind.{slug}]"
            self._check_words(where, row)
            if slug not in merged and not (row.label and row.family):
                self._problems.append(f"{where}: a new kind has a label and a family")
            claimed = _kind(slug, row)
            merged = {name: _without(kind, claimed) for name, kind in merged.items()}
            merged[slug] = _both(merged[slug], claimed) if slug in merged else claimed
        return AssetKinds(merged.values())

    def _check_words(self, where: str, row: KindRow) -> None:
        for key, words, shape in (
            ("extensions", row.extensions, _EXTENSION),
            ("media_types", row.media_types, _MEDIA_TYPE),
        ):
            self._problems += [
                f"{where} {key}: {word!r} is none" for word in words.lower().split() if not shape.match(word)
            ]
        self._problems += [f"{where} names: a name is empty" for name in row.names if not name.strip()]

    def _services(self) -> Mapping[str, str]:
        own = dict(self._named_rows(self._changes, "service", ServiceRow))
        self._problems += _claimed_twice("service", own, _words_of_service)
        rows = [*self._named_rows(self._bundled, "service", ServiceRow), *own.items()]
        return MappingProxyType({word: slug for slug, row in rows for word in _words_of_service(row)})

    def _pages(self, table: Table) -> _Pages:
        row = self._built("[pages]", table.get("pages", {}), PagesRow) or PagesRow()
        return _Pages(frozenset(row.always.lower().split()), frozenset(row.unless_declared.lower().split()))

    def _places(self, kinds: AssetKinds) -> Places:
        rows = [*self._place_rows(self._changes, kinds), *self._place_rows(self._bundled, kinds)]
        off = self._changes.get("switched_off", [])
        if not isinstance(off, list):
            self._problems.append("switched_off is not a list of names of rules")
            off = []
        known = {row.rule for row in rows}
        self._problems += [f"switched_off: {name!r} is not a rule" for name in off if name not in known]
        return Places(row for row in rows if row.rule not in off)

    def _place_rows(self, table: Table, kinds: AssetKinds) -> Iterator[Place]:
        rows = table.get("place", [])
        if not isinstance(rows, list):
            self._problems.append("place is not a list of tables: write [[place]]")
            return
        for number, raw in enumerate(rows, 1):
            name = raw.get("rule", "") if isinstance(raw, dict) else ""
            where = f"place {number} ({name})" if name else f"place {number}"
            row = self._built(where, raw, PlaceRow)
            if row is not None:
                yield self._made(where, row, kinds)

    def _made(self, where: str, row: PlaceRow, kinds: AssetKinds) -> Place:
        words = {key: frozenset(getattr(row, key).lower().split()) for key in KEYS}
        if not any(words.values()):
            self._problems.append(f"{where}: it needs one of {', '.join(KEYS)}")
            words["segments"] = frozenset({""})  # never asked, for the complaint is raised
        self._problems += [
            f"{where} hosts: {host!r} is none" for host in words["hosts"] if not _HOST.match(host)
        ]
        if row.format and not kinds.of_format(row.format):
            self._problems.append(f"{where} format: {row.format!r} is the name of no kind")
        if row.format and row.kind != "file":
            self._problems.append(f"{where} format: only a file has one")
        if row.fragment and not _PARAMETER.match(row.fragment):
            self._problems.append(f"{where} fragment: {row.fragment!r} is the name of no parameter")
        return Place(
            row.rule,
            Kind(row.kind),
            **words,
            path=self._expression(f"{where} path", row.path),
            query=self._expression(f"{where} query", row.query),
            format=row.format.lower(),
            fragment=row.fragment,
            unless=row.unless,
        )

    def _expression(self, where: str, text: str | None) -> re.Pattern[str] | None:
        if text is None:
            return None
        if problem := expression_problem(text):
            self._problems.append(f"{where}: {problem}")
            return None
        return re.compile(text, re.IGNORECASE)

    def _named_rows(self, table: Table, section: str, shape: type[Row]) -> Iterator[tuple[str, Row]]:
        rows = table.get(section, {})
        if not isinstance(rows, dict):
            self._problems.append(f"[{section}] is not a table: write [{section}.name]")
            return
        for slug, raw in rows.items():
            if not _SLUG.match(slug):
                self._problems.append(
                    f"[{section}.{slug}]: a name has small letters, digits and hyphens only"
                )
            row = self._built(f"[{section}.{slug}]", raw, shape)
            if row is not None:
                yield slug, row

    def _built(self, where: str, row: Any, shape: type[Row]) -> Row | None:
        try:
            return msgspec.convert(row, shape)
        except msgspec.ValidationError as error:
            # Msgspec's `$.max_bytes` is `max_bytes` in the file.
            self._problems.append(f"{where}: {str(error).replace('`$.', '`')}")
            return None


@dataclass(frozen=True, slots=True)
class _Pages:
    always: frozenset[str]
    undeclared: frozenset[str]


def _kind(slug: str, row: KindRow) -> AssetKind:
    return AssetKind(
        slug,
        row.label,
        row.family or "",
        tuple(row.extensions.lower().split()),
        tuple(row.media_types.lower().split()),
        tuple(name.strip().lower() for name in row.names),
    )


def _without(kind: AssetKind, claimed: AssetKind) -> AssetKind:
    """What is left of a kind when another one has claimed words of it."""
    if kind.slug == claimed.slug:
        return kind
    return replace(
        kind,
        extensions=tuple(word for word in kind.extensions if word not in claimed.extensions),
        media_types=tuple(word for word in kind.media_types if word not in claimed.media_types),
        formats=tuple(word for word in kind.formats if word not in claimed.formats),
    )


def _both(kind: AssetKind, more: AssetKind) -> AssetKind:
    return AssetKind(
        kind.slug,
        more.label or kind.label,
        more.family or kind.family,
        tuple(dict.fromkeys((*kind.extensions, *more.extensions))),
        tuple(dict.fromkeys((*kind.media_types, *more.media_types))),
        tuple(dict.fromkeys((*kind.formats, *more.formats))),
    )


def _words_of_kind(row: KindRow) -> list[str]:
    return [*row.extensions.lower().split(), *row.media_types.lower().split()] + [
        name.strip().lower() for name in row.names
    ]


def _words_of_service(row: ServiceRow) -> list[str]:
    return [*(name.strip().lower() for name in row.names), *row.media_types.lower().split()]


def _claimed_twice(section: str, rows: Mapping[str, Row], words: Callable[[Row], list[str]]) -> list[str]:
    """A complaint for each word that two rows of one file claim: which is meant cannot be known."""
    owners: dict[str, set[str]] = {}
    for slug, row in rows.items():
        for word in words(row):
            owners.setdefault(word, set()).add(slug)
    return [
        f"[{section}]: {' and '.join(sorted(slugs))} both claim {word!r}"
        for word, slugs in owners.items()
        if len(slugs) > 1
    ]
