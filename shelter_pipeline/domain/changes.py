"""What differs between two JSON records, field by field, and whether it means anything.

The walk keeps its own stack, so that no record is nested too deeply for it. Numbers are
compared as they are written, objects without regard to the order of their keys. Lists of
objects are matched by what identifies their objects where all have it: a distribution
put first is not a change of all that follow.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import TypeAlias

import msgspec

from shelter_pipeline.domain.records import Json, canonical_json
from shelter_pipeline.domain.volatile import VOLATILE_IN_CKAN, VOLATILE_IN_DATAGOV, lasting_extras

LONGEST_SHOWN = 500
# More levels than any catalogue has: what differs further down is told as a change of the whole record.
DEEPEST = 100
_CONTEXT = 60
_WHOLE = "$"
_ORDER = "[]"
_IDENTITIES = ("@id", "identifier", "id", "key", "name", "url", "downloadURL", "accessURL", "title")
_LARGEST = 2**63 - 1
_NOT_SHOWN = "(too large or too deep to be shown)"

# An organization is compared by its short name: see `_content`.
VOLATILE = (VOLATILE_IN_DATAGOV | VOLATILE_IN_CKAN) - {"organization"}
# Fields of which any change is clerical: dates of modification, and counters.
_CLERICAL = VOLATILE | {
    "dct:modified",
    "downloads",
    "last_modified",
    "modified",
    "num_resources",
    "num_tags",
    "updated_at",
    "view_count",
    "views",
}
# Addresses of persons, which are the same in capitals.
_EMAILS = frozenset(
    {"author_email", "contact_email", "email", "hasEmail", "maintainer_email", "vcard:hasEmail"}
)

Path: TypeAlias = tuple["Path", str] | None


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field that differs. A side on which the field does not stand is UNSET, and left out of JSON.

    `path` is like `distribution[2].downloadURL`; the number is the position before, or
    after for what was added. A path that ends in `[]` tells of the order of a list, `$` of
    the record as a whole. Objects and lists are shown as JSON text, and everything long
    shortened to 500 characters.
    """

    path: str
    before: Json = msgspec.UNSET
    after: Json = msgspec.UNSET


def record_differences(before: bytes, after: bytes, *, limit: int = 200) -> tuple[Change, ...]:
    """What differs between two canonical records, without what is volatile in any catalogue."""
    return differences(_readable(before), _readable(after), ignored=VOLATILE, limit=limit)


def differences(
    before: Json, after: Json, *, ignored: Collection[str] = (), limit: int = 200
) -> tuple[Change, ...]:
    """What differs, at most `limit` changes; nothing for equal values.

    Fields of the record itself that are `ignored` are passed over. Where there are more
    changes, the last one is `$`, the record as a whole; a difference more than 100 levels
    down makes `$` the only one.
    """
    found: list[Change] = []
    for path, one, other in _walk(before, after, frozenset(ignored)):
        written = _written(path)
        if written is None:
            return (Change(_WHOLE, _shown(before), _shown(after)),)
        if len(found) == limit:
            return (*found[: limit - 1], Change(_WHOLE, _shown(before), _shown(after)))
        found.append(_change(written, one, other))
    return tuple(sorted(found, key=lambda change: change.path))


def is_substantive(changes: Collection[Change]) -> bool:
    """Whether any change is more than clerical.

    Clerical are dates of modification and counters, the order of a list, spaces, and the
    capitals of an e-mail address; whatever is not known to be clerical is substantive.
    """
    return not all(_is_clerical(change) for change in changes)


def _is_clerical(change: Change) -> bool:
    name = change.path.rpartition(".")[2].partition("[")[0]
    if change.path.endswith(_ORDER) or name in _CLERICAL:
        return True
    before, after = change.before, change.after
    if not (isinstance(before, str) and isinstance(after, str)) or _is_cut(before) or _is_cut(after):
        return False
    before, after = " ".join(before.split()), " ".join(after.split())
    return before == after or (name in _EMAILS and before.casefold() == after.casefold())


def _readable(raw: bytes) -> Json:
    """The record, with its organization by the short name alone; one that no parser takes is its own text."""
    try:
        record = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            return raw.decode(errors="replace")
    return _content(record) if isinstance(record, dict) else record


def _content(record: dict[str, Json]) -> dict[str, Json]:
    if isinstance(owner := record.get("organization"), dict):
        # A new logo of the agency is no change of its datasets.
        record["organization"] = owner.get("slug") or owner.get("name") or owner.get("title")
    if "extras" in record:
        record["extras"] = lasting_extras(record["extras"])
    return record


def _unfold(value: Json) -> Json:
    """What a search index folded into text: an object or a list again. Anything else stays."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return value
    return value


def _walk(before: Json, after: Json, ignored: frozenset[str]) -> Iterator[tuple[Path, Json, Json]]:
    """Every place at which the two differ."""
    waiting: list[tuple[Path, Json, Json]] = [(None, before, after)]
    while waiting:
        path, one, other = waiting.pop()
        one, other = _unfold(one), _unfold(other)
        if isinstance(one, dict) and isinstance(other, dict):
            for name in sorted(one.keys() | other.keys(), reverse=True):
                if path is not None or name not in ignored:
                    inner = (path, f".{name}")
                    waiting.append((inner, one.get(name, msgspec.UNSET), other.get(name, msgspec.UNSET)))
        elif isinstance(one, list) and isinstance(other, list):
            waiting.extend(_pairs(path, [*map(_unfold, one)], [*map(_unfold, other)]))
        elif isinstance(one, dict | list) or isinstance(other, dict | list) or not _same(one, other):
            yield path, one, other


def _pairs(path: Path, before: list[Json], after: list[Json]) -> Iterator[tuple[Path, Json, Json]]:
    named_before, named_after = _by_identity(before, after)
    for identity, (index, item) in named_before.items():
        _, new = named_after.get(identity, (index, msgspec.UNSET))
        yield (path, f"[{index}]"), item, new
    for identity, (index, item) in named_after.items():
        if identity not in named_before:
            yield (path, f"[{index}]"), msgspec.UNSET, item
    kept = [str(identity) for identity in named_before if identity in named_after]
    now = [str(identity) for identity in named_after if identity in named_before]
    if kept != now:
        yield (path, _ORDER), ", ".join(kept), ", ".join(now)


_Named: TypeAlias = dict[str | int, tuple[int, Json]]


def _by_identity(before: list[Json], after: list[Json]) -> tuple[_Named, _Named]:
    """The items of both lists by what identifies them; by their position where nothing does."""
    for name in ("", *_IDENTITIES):
        one, other = _named(before, name), _named(after, name)
        if one is not None and other is not None:
            return one, other
    return dict(enumerate(enumerate(before))), dict(enumerate(enumerate(after)))


def _named(items: list[Json], name: str) -> _Named | None:
    """Items by the field `name`, or by themselves where they are text; None unless each has one of its own."""
    named: _Named = {}
    for index, item in enumerate(items):
        identity = item.get(name) if name and isinstance(item, dict) else item if not name else None
        if not isinstance(identity, str) or identity in named:
            return None
        named[identity] = (index, item)
    return named


def _same(one: Json, other: Json) -> bool:
    """Equal scalars of one type: 1, 1.0 and true are three things, NaN is itself."""
    if type(one) is not type(other):
        return False
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


def _written(path: Path) -> str | None:
    """The path as people write it; None where it is too deep to be written."""
    parts: list[str] = []
    while path is not None:
        path, part = path
        parts.append(part)
        if len(parts) > DEEPEST:
            return None
    return _cut("".join(reversed(parts)).removeprefix(".") or _WHOLE)


def _change(path: str, before: Json, after: Json) -> Change:
    if isinstance(before, str) and isinstance(after, str):
        start = _first_difference(before, after) - _CONTEXT
        if start > 0 and max(len(before), len(after)) > LONGEST_SHOWN:
            return Change(path, _shown("…" + before[start:]), _shown("…" + after[start:]))
    return Change(path, _shown(before), _shown(after))


def _first_difference(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _shown(value: Json) -> Json:
    """The value as a database keeps it in JSON: nothing long, no NUL, no half characters, no huge number."""
    if value is msgspec.UNSET or value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= _LARGEST:  # neither NaN nor infinity is
        return value
    if isinstance(value, str):
        return _cut(value)
    try:
        return _cut(canonical_json(value).decode())
    except (RecursionError, ValueError):  # ValueError: a number of more than 4,300 digits
        return _NOT_SHOWN


def _cut(text: str) -> str:
    if len(text) > LONGEST_SHOWN:
        text = text[: LONGEST_SHOWN - 1] + "…"
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def _is_cut(text: str) -> bool:
    return text.startswith("…") or (len(text) == LONGEST_SHOWN and text.endswith("…"))
