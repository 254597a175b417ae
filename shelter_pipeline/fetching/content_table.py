"""The table of content rules: read from the package, and a file of an operator's laid over it, or refused.

A file of the same form adds to the table: a kind's `names` are added, a kind, signature or
sign of a known name has its other keys replaced, a rule of a known name is replaced where
it stands and a new one comes before the others, and `switched_off` names rules that are
not asked. Nothing of a file with a mistake in it is used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, TypeVar

import msgspec

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.verdicts import REASONS, Verdict
from shelter_pipeline.fetching.content import ContentRules, Question, Rule
from shelter_pipeline.fetching.kinds import Family, Kind, Signature
from shelter_pipeline.fetching.signs import COMPUTED, Sign, Where

Table = dict[str, Any]
Row = TypeVar("Row")
_SECTIONS = ("signature", "kind", "sign")
_PLACES = frozenset({"wanted", "first", "size", "catalogue_size", "held_size"})
_MAY_FIND = frozenset({Verdict.SUSPECT, Verdict.DAMAGED, Verdict.TRANSIENT})
Hex = Annotated[str, msgspec.Meta(pattern="^(?:[0-9a-f]{2})+$")]
Count = Annotated[int, msgspec.Meta(ge=0)]


class SignatureRow(msgspec.Struct, forbid_unknown_fields=True):
    """A signature as the file writes it: bytes in hex."""

    starts: Annotated[list[Hex], msgspec.Meta(min_length=1)]
    at: tuple[Count, ...] = (0,)
    anywhere_before: Count = 0
    ends: list[Hex] = []
    within: Count = 0


class KindRow(msgspec.Struct, forbid_unknown_fields=True):
    """A kind as the file writes it: names parted by white space."""

    names: str = ""
    family: Family = "signature"
    signatures: list[str] = []
    begins: str | None = None


class SignRow(msgspec.Struct, forbid_unknown_fields=True, rename={"where": "in"}):
    """A sign as the file writes it: a pattern in a place, or signatures."""

    pattern: str | None = None
    where: Where = "start"
    signatures: list[str] = []


class RuleRow(msgspec.Struct, forbid_unknown_fields=True):
    """A rule as the file writes it."""

    name: str
    question: Question
    reason: str
    says: str
    promised: list[Family] = []
    only: list[Family] = []
    all: list[str] = []
    any: list[str] = []
    max_bytes: Count | None = None
    held_min_bytes: Count | None = None
    below_percent_of_held: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None


@cache
def content_rules(path: Path | None = None) -> ContentRules:
    """The rules that come with Shelter, with those of a TOML file laid over them.

    Raises SetupError naming the file, the rule and the key at fault.
    """
    builtin = tomllib.loads(files(__package__).joinpath("content_rules.toml").read_text(encoding="utf-8"))
    if path is None:
        return read_rules(builtin, {}, "the bundled content_rules.toml")
    try:
        changes = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}", reason="bad-setting") from error
    return read_rules(builtin, changes, str(path))


def read_rules(builtin: Table, changes: Table, place: str) -> ContentRules:
    """The rules of two parsed tables, `changes` over `builtin`; `place` is named in every complaint."""
    return _Reader(builtin, changes, place).rules()


class _Reader:
    """Merges and checks, and gathers every complaint before it speaks."""

    def __init__(self, builtin: Table, changes: Table, place: str) -> None:
        self._builtin = builtin
        self._changes = changes
        self._place = place
        self._problems: list[str] = []

    def rules(self) -> ContentRules:
        known = (*_SECTIONS, "rule", "switched_off")
        self._problems += [
            f"{name} is not a section; sections are {', '.join(known)}"
            for name in self._changes
            if name not in known
        ]
        signatures = self._section("signature", SignatureRow, _signature)
        kinds = self._section("kind", KindRow, lambda name, row: self._kind(name, row, signatures))
        signs = self._section("sign", SignRow, lambda name, row: self._sign(name, row, signatures))
        rules = self._rules(signs)
        if self._problems:
            raise SetupError(f"{self._place}: " + "; ".join(self._problems), reason="bad-setting")
        # Where two kinds claim a name, the later one has it: an operator's, which come last.
        return ContentRules({name: kind for kind in kinds.values() for name in kind.names}, signs, rules)

    def _section(self, section: str, shape: type[Row], make: Callable[[str, Row], Any]) -> dict[str, Any]:
        changes = self._changes.get(section, {})
        if not isinstance(changes, dict):
            self._problems.append(f"[{section}] is not a table")
            return {}
        merged = dict(self._builtin.get(section, {}))
        for name, row in changes.items():
            merged[name] = _over(merged.pop(name, {}), row)
        made = {}
        for name, row in merged.items():
            built = self._built(f"[{section}.{name}]", row, shape)
            if built is not None:
                made[name] = make(name, built)
        return made

    def _built(self, where: str, row: Any, shape: type[Row]) -> Row | None:
        try:
            return msgspec.convert(row, shape)
        except msgspec.ValidationError as error:
            self._problems.append(f"{where}: {_without_path(str(error))}")
            return None

    def _kind(self, name: str, row: KindRow, signatures: Mapping[str, Signature]) -> Kind:
        where = f"[kind.{name}]"
        if (row.family == "signature") is not bool(row.signatures or row.begins):
            self._problems.append(f"{where}: it has a family or signatures, and not both or neither")
        return Kind(
            name,
            frozenset(row.names.lower().split()) | {name},
            row.family,
            self._named(where, row.signatures, signatures),
            self._pattern(f"{where} begins", row.begins),
        )

    def _sign(self, name: str, row: SignRow, signatures: Mapping[str, Signature]) -> Sign:
        where = f"[sign.{name}]"
        if (row.pattern is None) is not bool(row.signatures):
            self._problems.append(f"{where}: it has a pattern or signatures, and not both or neither")
        if name in COMPUTED:
            self._problems.append(f"{where}: the sign {name} is computed")
        return Sign(
            self._pattern(f"{where} pattern", row.pattern),
            row.where,
            self._named(where, row.signatures, signatures),
        )

    def _named(
        self, where: str, names: list[str], signatures: Mapping[str, Signature]
    ) -> tuple[Signature, ...]:
        self._problems += [f"{where}: {name} is not a signature" for name in names if name not in signatures]
        return tuple(signatures[name] for name in names if name in signatures)

    def _pattern(self, where: str, text: str | None) -> re.Pattern[str] | None:
        if text is None:
            return None
        try:
            return re.compile(text, re.IGNORECASE | re.DOTALL | re.VERBOSE)
        except re.error as error:
            self._problems.append(f"{where}: {error}")
            return None

    def _rules(self, signs: Mapping[str, Sign]) -> tuple[Rule, ...]:
        new = {rule.name: rule for rule in self._rule_rows(self._changes, signs)}
        builtin = {rule.name: rule for rule in self._rule_rows(self._builtin, signs)}
        off = self._changes.get("switched_off", [])
        if not isinstance(off, list):
            self._problems.append("switched_off is not a list of names of rules")
            off = []
        self._problems += [
            f"switched_off: {name!r} is not a rule" for name in off if name not in {*new, *builtin}
        ]
        ahead = [rule for name, rule in new.items() if name not in builtin]
        stands = [new.get(name, rule) for name, rule in builtin.items()]
        return tuple(rule for rule in (*ahead, *stands) if rule.name not in off)

    def _rule_rows(self, table: Table, signs: Mapping[str, Sign]) -> list[Rule]:
        rows = table.get("rule", [])
        if not isinstance(rows, list):
            self._problems.append("rule is not a list of tables: write [[rule]]")
            return []
        made = []
        for number, row in enumerate(rows, 1):
            name = row.get("name", f"number {number}") if isinstance(row, dict) else f"number {number}"
            built = self._built(f"rule {name}", row, RuleRow)
            if built is not None:
                self._problems += [f"rule {name}: {problem}" for problem in _problems_of(built, signs)]
                made.append(_rule(built))
        return made


def _over(row: Any, change: Any) -> Any:
    """A changed row: its names are added to, its other keys replaced."""
    if not isinstance(row, dict) or not isinstance(change, dict):
        return change
    both = {**row, **change}
    if all(isinstance(part.get("names"), str) for part in (row, change)):
        both["names"] = f"{row['names']} {change['names']}"
    return both


def _problems_of(row: RuleRow, signs: Mapping[str, Sign]) -> list[str]:
    known = {*signs, *COMPUTED}
    problems = [f"{sign!r} is not a sign" for sign in (*row.all, *row.any) if sign not in known]
    reason = REASONS.get(row.reason)
    if reason is None or reason.verdict not in _MAY_FIND:
        problems.append(f"reason = {row.reason!r} is not one that speaks against a file")
    try:
        places = {name for _, name, _, _ in Formatter().parse(row.says) if name is not None}
    except ValueError as error:
        return [*problems, f"says: {error}"]
    return problems + [f"says: {{{name}}} stands for nothing" for name in sorted(places - _PLACES)]


def _rule(row: RuleRow) -> Rule:
    values = msgspec.structs.asdict(row)
    sets = {name: frozenset(values[name]) for name in ("promised", "only")}
    tuples = {name: tuple(values[name]) for name in ("all", "any")}
    return Rule(**{**values, **sets, **tuples})


def _signature(_: str, row: SignatureRow) -> Signature:
    return Signature(
        tuple(map(bytes.fromhex, row.starts)),
        row.at,
        row.anywhere_before,
        tuple(map(bytes.fromhex, row.ends)),
        row.within,
    )


def _without_path(message: str) -> str:
    """Msgspec's message with the place it names put plainly: `$.max_bytes` is `max_bytes`."""
    return message.replace("`$.", "`")
