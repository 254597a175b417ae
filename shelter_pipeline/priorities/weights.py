"""The weights an analyst may change: read from two files, checked whole, refused with the line at fault."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.priorities.toml_lines import line_of
from shelter_pipeline.priorities.wording import Reader, readable

SIGNALS = (
    "popularity",
    "threat",
    "relevance",
    "scarcity",
    "staleness",
    "smallness",
    "completeness",
)
LEVELS = range(1, 11)
THREATS = ("organizations", "topics", "hosts")
EQUAL_STEPS = tuple(step / 10 for step in range(1, 10))
_GROWS_FOR_DAYS = 182
_JUST_BELOW = 1e-6  # scores are kept to six places
_MOST_WEIGHT = 1000.0


@dataclass(frozen=True, slots=True)
class Risk:
    """How likely something is to go, 0 to 1, and the day by which it is said to."""

    risk: float
    deadline: date | None = None

    def on(self, day: date) -> float:
        """The risk of a day, to two places: it grows to 1 in the half year before the deadline, which is its peak."""
        left = math.inf if self.deadline is None else (self.deadline - day).days
        nearness = 1 - left / _GROWS_FOR_DAYS if 0 <= left < _GROWS_FOR_DAYS else 0.0
        return round(self.risk + (1 - self.risk) * nearness, 2)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, themes and organizations that speak for climate and environment, each with how strongly, 0 to 1."""

    words: Mapping[str, float] = field(default_factory=dict)
    themes: Mapping[str, float] = field(default_factory=dict)
    organizations: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of each signal (they add up to 1), least scores of levels 2 to 10, risks by name, the vocabulary."""

    shares: Mapping[str, float]
    steps: tuple[float, ...] = EQUAL_STEPS
    organizations: Mapping[str, Risk] = field(default_factory=dict)
    topics: Mapping[str, Risk] = field(default_factory=dict)
    hosts: Mapping[str, Risk] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    def floor(self, level: int) -> float:
        """The least score of a level."""
        return 0.0 if level == LEVELS[0] else self.steps[level - 2]

    def ceiling(self, level: int) -> float:
        """The greatest score of a level."""
        return 1.0 if level == LEVELS[-1] else self.steps[level - 1] - _JUST_BELOW

    def reader(self) -> Reader:
        """What reads records for the words of these weights."""
        return Reader(self.vocabulary.words, self.vocabulary.themes, tuple(self.topics))


class _Table:
    """One table of a file under examination: what is wrong is collected, with its line."""

    def __init__(self, values: Any, name: str, source: _Source) -> None:
        self.name, self._source = name, source
        self.values: dict[str, Any] = values if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            source.complain("", name, "is not a table")

    def complain(self, key: str, problem: str) -> None:
        self._source.complain(self.name, key, problem)

    def numbers(self, highest: float) -> dict[str, float]:
        good = {}
        for key, value in self.values.items():
            if _is_number(value, highest):
                good[key] = float(value)
            else:
                self.complain(key, f"= {value!r} is not a number from 0 to {highest:g}")
        return good

    def risks(self) -> dict[str, Risk]:
        good = {}
        for key, value in self.values.items():
            risk = self._risk(key, value)
            if risk is not None:
                good[key] = risk
        return good

    def _risk(self, key: str, value: Any) -> Risk | None:
        given = value if isinstance(value, dict) else {"risk": value}
        unknown = sorted(set(given) - {"risk", "deadline"})
        deadline = given.get("deadline")
        if unknown:
            self.complain(key, f"has {unknown[0]!r}; there are risk and deadline")
        elif not _is_number(given.get("risk"), 1.0):
            self.complain(key, f"= {given.get('risk')!r} is not a number from 0 to 1")
        elif deadline is not None and (not isinstance(deadline, date) or isinstance(deadline, datetime)):
            self.complain(key, f"deadline = {deadline!r} is not a date like 2026-12-31")
        else:
            return Risk(float(given["risk"]), deadline)
        return None

    def only(self, keep: Callable[[str], bool], problem: str) -> None:
        for key in self.values:
            if not keep(key):
                self.complain(key, problem)


class _Source:
    """A TOML file as text and as tables, and what is wrong with it."""

    def __init__(self, text: str, place: str) -> None:
        self._text, self._place = text, place
        self.problems: list[str] = []
        self.tables: dict[str, Any] = tomllib.loads(text)

    def complain(self, table: str, key: str, problem: str) -> None:
        line = line_of(self._text, table, key)
        where = f"line {line}: " if line else ""
        self.problems.append(f"{where}[{table or key}] {key + ' ' if table else ''}{problem}")

    def table(self, name: str) -> _Table:
        values: Any = self.tables
        for part in name.split("."):
            values = values.get(part, {}) if isinstance(values, dict) else {}
        return _Table(values, name, self)

    def know(self, *names: str) -> None:
        """Complain of every other entry of the file."""
        for name in self.tables:
            if name not in names:
                self.complain("", name, f"is not known here; there are {', '.join(names)}")

    def check(self) -> None:
        """Raises SetupError with all complaints."""
        if self.problems:
            raise SetupError(f"{self._place}: " + "; ".join(self.problems), reason="bad-setting")


def load_weights(path: Path | None = None) -> Weights:
    """The weights of a TOML file and of the vocabulary that it names, or those that come with Shelter.

    Raises SetupError naming the file, and the line of each entry that cannot be used.
    """
    source = _open(path, "weights.toml")
    source.know("vocabulary", "weights", "levels", "threat")
    shares = _shares(source)
    steps = _steps(source.table("levels"))
    threat = source.table("threat")
    threat.only(lambda key: key in THREATS, f"is not known; there are {', '.join(THREATS)}")
    risks = {name: source.table(f"threat.{name}") for name in THREATS}
    risks["topics"].only(readable, "is not a word to look for")
    named = source.tables.get("vocabulary")
    if named is not None and (not isinstance(named, str) or not named.strip()):
        source.complain("", "vocabulary", "is not the name of a file")
    organizations, topics, hosts = (risks[name].risks() for name in THREATS)
    source.check()
    beside = None if named is None else (path.parent / named if path else Path(named))
    return Weights(shares, steps, organizations, topics, hosts, load_vocabulary(beside))


def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """The vocabulary of a TOML file, or the one that comes with Shelter. Raises SetupError as `load_weights` does."""
    source = _open(path, "vocabulary.toml")
    source.know("words", "themes", "organizations")
    words = source.table("words")
    words.only(readable, "is not a word to look for")  # an empty one would be found everywhere
    found = Vocabulary(
        words.numbers(1.0), source.table("themes").numbers(1.0), source.table("organizations").numbers(1.0)
    )
    source.check()
    return found


def _open(path: Path | None, bundled: str) -> _Source:
    place = str(path) if path else f"the bundled {bundled}"
    try:
        text = (path or files(__package__).joinpath(bundled)).read_text(encoding="utf-8")
        return _Source(text, place)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{place} cannot be read: {error}", reason="bad-setting") from error


def _shares(source: _Source) -> dict[str, float]:
    table = source.table("weights")
    table.only(lambda key: key in SIGNALS, f"is not a signal; signals are {', '.join(SIGNALS)}")
    given = table.numbers(_MOST_WEIGHT)
    total = sum(given.get(signal, 0.0) for signal in SIGNALS)
    if not total and not source.problems:
        source.complain("", "weights", "gives no signal any weight")
    return {signal: given.get(signal, 0.0) / (total or 1.0) for signal in SIGNALS}


def _steps(table: _Table) -> tuple[float, ...]:
    """The least scores of levels 2 to 10: all of them, or equal steps where none is given."""
    if not table.values:
        return EQUAL_STEPS
    names = [str(level) for level in LEVELS[1:]]
    table.only(lambda key: key in names, "is not a level from 2 to 10")
    given = table.numbers(1.0)
    steps = tuple(given.get(name, 0.0) for name in names)
    for name, before, step in zip(names[1:], steps, steps[1:], strict=False):
        if name in given and step <= before:
            table.complain(name, f"= {step:g} is not above the level before it")
    for name in names:
        if name not in table.values:
            table.complain(name, "is missing: each level from 2 to 10 needs its least score")
    if given.get(names[0]) == 0:
        table.complain(names[0], "= 0 leaves nothing to level 1")
    return steps


def _is_number(value: Any, highest: float) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= highest
