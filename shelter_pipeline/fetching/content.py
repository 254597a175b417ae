"""Is it the thing? A whole file against what was promised of it, by the rules of a table.

The rules speak against a file only when something definite was promised and the bytes are
definitely something else. Catalogues name formats loosely, so a file that is any one of
the kinds promised (format, media type, extension) is the thing; where nothing was
promised, or a web page was, every content is good. What the rules are stands in
`content_rules.toml`, and in `docs/how-to/content-rules.md` for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from shelter_pipeline.fetching.kinds import Family, Kind
from shelter_pipeline.fetching.signs import Sign, Signs

Question = Literal["content", "whole", "amount"]
QUESTIONS: tuple[Question, ...] = ("content", "whole", "amount")

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 65_557  # the end of a ZIP (22 bytes) and the longest comment that may follow it

_SEPARATORS = re.compile(r"[,;|\s()]+")
_SAYS_NOTHING = frozenset(
    {"text/plain", "application/octet-stream"}
)  # what servers say of what they do not know
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks against a file: its reason, the sentence for its record, and the rule that says so."""

    reason: str
    detail: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. A condition that is not given holds; bytes are those of the file."""

    name: str
    question: Question
    reason: str
    says: str
    promised: frozenset[Family] = frozenset()  # any of the kinds is of these
    only: frozenset[Family] = frozenset()  # all of them are
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    max_bytes: int | None = None
    held_min_bytes: int | None = None
    below_percent_of_held: float | None = None

    def concerns(self, families: AbstractSet[Family]) -> bool:
        """Whether it is about files of which kinds of these families were promised."""
        return (not self.promised or bool(families & self.promised)) and (
            not self.only or families <= self.only
        )

    def holds(self, arrival: Signs, signs: Mapping[str, Sign]) -> bool:
        """Whether every condition on the file itself is met."""
        return (
            self._amount_fits(arrival)
            and all(arrival.shows(sign, signs) for sign in self.all)
            and (not self.any or any(arrival.shows(sign, signs) for sign in self.any))
        )

    def _amount_fits(self, arrival: Signs) -> bool:
        if self.max_bytes is not None and arrival.size > self.max_bytes:
            return False
        held = arrival.held_size or 0
        if held < (self.held_min_bytes or 0):
            return False
        percent = self.below_percent_of_held
        return percent is None or all(size * _PERCENT < percent * held for size in arrival.sizes)

    def finding(self, arrival: Signs) -> Finding:
        """What this rule says of the file."""
        detail = self.says.format(
            wanted=", ".join(kind.name for kind in arrival.promised),
            first=arrival.head[:8].hex(" "),
            size=arrival.size,
            catalogue_size=arrival.catalogue_size,
            held_size=arrival.held_size,
        )
        return Finding(self.reason, detail, self.name)


@dataclass(frozen=True, slots=True)
class ContentRules:
    """The whole table: kinds by their names, signs, and rules in order."""

    kinds: Mapping[str, Kind]
    signs: Mapping[str, Sign]
    rules: tuple[Rule, ...]
    _tables: dict[tuple[Question, frozenset[Family]], tuple[Rule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def promised_kinds(
        self,
        url: str,
        *,
        format: str | None = None,
        media_type: str | None = None,
        served_as: str | None = None,
    ) -> tuple[Kind, ...]:
        """The kinds a file may be of: what the catalogue says, and what the URL's extension says.

        An extension of a web page counts only where the catalogue promises no data kind, and
        the reply's own Content-Type only where nothing else promises anything.
        """
        named = (*_words(format), *_subtypes(media_type))
        promised = [kind for kind in map(self.kind_named, named) if kind]
        extension = self.kind_named(_extension(url))
        if extension is not None and (extension.family != "page" or not promised):
            promised.append(extension)
        if not promised:
            promised = [kind for kind in map(self.kind_named, _subtypes(served_as)) if kind]
        return tuple(dict.fromkeys(promised))

    def kind_named(self, name: str) -> Kind | None:
        """The kind that a format, extension or media subtype names; None for one we know nothing of."""
        return self.kinds.get(name.strip().lower().removeprefix("."))

    def findings(self, arrival: Signs) -> tuple[Finding, ...]:
        """What speaks against the file: at most one finding a question, in the order of the questions."""
        return tuple(self._found(arrival))

    def _found(self, arrival: Signs) -> Iterator[Finding]:
        families = frozenset(kind.family for kind in arrival.promised)
        for question in _questions(arrival):
            for rule in self._table(question, families):
                if rule.holds(arrival, self.signs):
                    yield rule.finding(arrival)
                    break

    def _table(self, question: Question, families: frozenset[Family]) -> tuple[Rule, ...]:
        """The rules that are about such files, found once."""
        table = self._tables.get((question, families))
        if table is None:
            rules = (rule for rule in self.rules if rule.question == question and rule.concerns(families))
            table = self._tables[question, families] = tuple(rules)
        return table


def _questions(arrival: Signs) -> Iterator[Question]:
    """What may be asked of this file: an empty one has no content, and what was not promised cannot be missed."""
    kinds = arrival.promised
    if arrival.size and kinds:
        if not any(kind.family == "page" or kind.is_known_by(arrival.head, arrival.text) for kind in kinds):
            yield "content"
        yield "whole"
    yield "amount"


def _words(format: str | None) -> Iterator[str]:
    """Names in a format as catalogues write it: `CSV (zipped)`, `application/pdf`, `pdf/xls`, `web page`."""
    text = (format or "").strip().lower()
    yield text.replace(" ", "-")
    for word in _SEPARATORS.split(text):
        if "/" not in word:
            yield word
        elif word not in _SAYS_NOTHING:
            yield from word.split("/")


def _subtypes(media_type: str | None) -> Iterator[str]:
    """`csv` of `text/csv; charset=utf-8`; nothing for types that say nothing."""
    text = (media_type or "").partition(";")[0].strip().lower()
    if text not in _SAYS_NOTHING:
        yield text.rpartition("/")[2]


def _extension(url: str) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name.rpartition(".")[2] if "." in name else ""
