"""What people write into CKAN's `q` and `fq`: the part of Solr's language that tools for catalogues use.

A query is read into clauses that must all hold; each names a field and what it may be.
Whatever is beyond that, such as OR between different fields, is refused by name: a filter
that is not understood must not be taken for one that lets everything through.

https://docs.ckan.org/en/2.11/api/#ckan.logic.action.get.package_search
https://solr.apache.org/guide/solr/latest/query-guide/standard-query-parser.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

TEXT = "text"
_LONGEST = 4000  # characters
_DEEPEST = 20
_MOST_CLAUSES = 100
_SAME = {"owner_org": "organization", "name": "id", "keywords": "tags", "format": "res_format", "*": TEXT}
_SAME |= {"dataset_type": "type", "title_string": "title", "organization_name": "organization"}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<phrase>"(?:[^"\\]|\\.)*")
      | (?P<range>[\[{]\s*(?P<low>[^\s\]}]+)\s+TO\s+(?P<high>[^\s\]}]+)\s*[\]}])
      | (?P<field>[A-Za-z_*][\w.*-]*):
      | (?P<sign>[()]|&&|\|\||[+!-](?=\S))
      | (?P<word>(?![\[{])(?:[^\s()"\\:]|\\.|:)+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_BOOST = re.compile(r"(?<=.)(\^\d+(\.\d+)?|~\d*(\.\d+)?)\Z")
_DATE_MATH = re.compile(
    r"NOW(?:/[A-Z]+)?(?:([+-]\d{1,6})(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|YEAR)S?)?(?:/[A-Z]+)?\Z"
)
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
_SECONDS |= {"WEEK": 7 * 86_400, "MONTH": 30 * 86_400, "YEAR": 365 * 86_400}


class QueryError(Exception):
    """A query that cannot be answered; the message says what of it."""


@dataclass(frozen=True, slots=True)
class Words:
    """One word or, as a phrase, several in this order."""

    text: str
    is_phrase: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """Whatever begins so."""

    text: str


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value at all."""


@dataclass(frozen=True, slots=True)
class Between:
    """From the one to the other, as written; `*` is no bound, and a bound in braces does not belong to it."""

    low: str
    high: str
    with_low: bool = True
    with_high: bool = True


Value = Words | Beginning | Anything | Between


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: the field is one of the values, or none of them."""

    field: str
    values: tuple[Value, ...]
    negated: bool = False


def parse_query(text: str) -> tuple[Clause, ...]:
    """The clauses of a query, all of which must hold; none for one that asks for everything. Raises QueryError."""
    if len(text) > _LONGEST:
        raise QueryError(f"a query may have {_LONGEST} characters")
    if text.lstrip().startswith("{!"):
        raise QueryError("local parameters are not supported")
    parser = _Parser(text)
    clauses = tuple(parser.whole())
    if len(clauses) > _MOST_CLAUSES:
        raise QueryError(f"a query may have {_MOST_CLAUSES} conditions")
    return clauses


def moment_of(text: str, now: datetime) -> datetime | None:
    """A bound of a range of dates; None for a star. Days of months and years are counted as 30 and 365."""
    if text == "*":
        return None
    math = _DATE_MATH.match(text)
    try:
        if math:
            return now + timedelta(seconds=int(math[1] or 0) * _SECONDS.get(math[2], 0))
        found = datetime.fromisoformat(text.strip('"'))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"{text[:50]!r} is no date; write 2026-01-31T00:00:00Z, NOW-7DAYS or *") from None


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    low: str = ""
    high: str = ""


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"it cannot be read from {text[at : at + 30]!r} on")
        at = match.end()
        kind = next(name for name in ("phrase", "range", "field", "sign", "word") if match[name] is not None)
        written = match[kind]
        if kind == "word" and written in ("AND", "OR", "NOT"):
            kind = "sign"
        yield _Token(kind, written, match["low"] or "", match["high"] or "")
    yield _Token("end", "")


class _Parser:
    """Recursive descent over the tokens; what it returns are conditions that must all hold."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> list[Clause]:
        if self._next().kind == "end":
            return []
        found = self._any_of(None)
        if self._next().kind != "end":
            raise QueryError("a parenthesis is closed that was not opened")
        return [clause for clause in found if not _is_everything(clause)]

    def _any_of(self, field: str | None) -> list[Clause]:
        """Alternatives, within the parentheses of a field or without one."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError("it is nested too deeply")
        found = self._all_of(field)
        while self._takes("OR", "||"):
            found = _either(found, self._all_of(field))
        self._depth -= 1
        return found

    def _all_of(self, field: str | None) -> list[Clause]:
        found = self._one(field)
        while True:
            joined = self._takes("AND", "&&")
            token = self._next()
            ends = token.kind == "end" or (token.kind == "sign" and token.text in (")", "OR", "||"))
            if ends and not joined:
                return found
            found = found + self._one(field)

    def _one(self, field: str | None) -> list[Clause]:
        negated = False
        while self._next().kind == "sign" and self._next().text in ("+", "-", "!", "NOT"):
            negated ^= self._take().text != "+"
        found = self._primary(field)
        if not negated:
            return found
        if len(found) != 1:
            raise QueryError("a group of several conditions cannot be negated")
        return [replace(found[0], negated=not found[0].negated)]

    def _primary(self, field: str | None) -> list[Clause]:
        token = self._take()
        if token.kind == "sign" and token.text == "(":
            found = self._any_of(field)
            if not self._takes(")"):
                raise QueryError("a parenthesis is not closed")
            return found
        if token.kind == "field":
            if field is not None:
                raise QueryError(f"{token.text!r} is a field within the parentheses of another")
            return self._primary(_SAME.get(token.text, token.text))
        if token.kind in ("end", "sign"):
            raise QueryError(
                "something is missing at its end" if token.kind == "end" else f"{token.text!r} is misplaced"
            )
        return [Clause(field or TEXT, (_value(token),))]

    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _takes(self, *signs: str) -> bool:
        if self._next().kind == "sign" and self._next().text in signs:
            self._take()
            return True
        return False


def _value(token: _Token) -> Value:
    if token.kind == "range":
        written = token.text.strip()
        return Between(token.low, token.high, written[0] == "[", written[-1] == "]")
    if token.kind == "phrase":
        return Words(_plain(token.text[1:-1]), is_phrase=True)
    written = _BOOST.sub("", token.text)
    if written == "*":
        return Anything()
    if (
        written.endswith("*")
        and not written.endswith("\\*")
        and "*" not in written[:-1]
        and "?" not in written
    ):
        return Beginning(_plain(written[:-1]))
    if re.search(r"(?<!\\)[*]", written):
        raise QueryError(f"{token.text[:50]!r}: a star may stand at the end of a word only")
    return Words(_plain(written))


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _is_everything(clause: Clause) -> bool:
    return clause.field == TEXT and not clause.negated and Anything() in clause.values


def _either(one: list[Clause], other: list[Clause]) -> list[Clause]:
    if (
        len(one) == len(other) == 1
        and one[0].field == other[0].field
        and not (one[0].negated or other[0].negated)
    ):
        return [replace(one[0], values=one[0].values + other[0].values)]
    raise QueryError("OR is supported between values of one field only; ask twice, or leave it out")
