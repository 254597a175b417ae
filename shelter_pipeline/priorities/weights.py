"""The weights an analyst may change: read from one file, checked whole, refused with the line at fault."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.errors import SetupError

_SECTIONS = ("weights", "threatened_organizations", "vocabulary")
SIGNALS = ("popularity", "threat", "relevance", "scarcity", "smallness", "completeness")


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of each signal (they add up to 1), organizations at risk, and the vocabulary; all in 0..1."""

    shares: dict[str, float]
    threatened_organizations: dict[str, float]
    vocabulary: dict[str, float]


def load_weights(path: Path | None = None) -> Weights:
    """The weights of a TOML file, or those that come with Shelter.

    Raises SetupError naming the file and each entry that cannot be used.
    """
    place = str(path) if path else "the bundled weights.toml"
    try:
        text = path.read_text(encoding="utf-8") if path else _bundled()
        return read_weights(tomllib.loads(text), place)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{place} cannot be read: {error}", reason="bad-setting") from error


def read_weights(table: dict[str, Any], place: str) -> Weights:
    """Weights from a parsed table; `place` is named in every complaint."""
    problems = [
        f"[{name}] is not a section; sections are {', '.join(_SECTIONS)}"
        for name in table
        if name not in _SECTIONS
    ]
    raw = _numbers(table, "weights", highest=1000.0, problems=problems)
    problems += [
        f"[weights] {name} is not a signal; signals are {', '.join(SIGNALS)}"
        for name in raw
        if name not in SIGNALS
    ]
    if not any(raw.get(signal) for signal in SIGNALS):
        problems.append("[weights] gives no signal any weight")
    threatened = _numbers(table, "threatened_organizations", highest=1.0, problems=problems)
    vocabulary = _numbers(table, "vocabulary", highest=1.0, problems=problems)
    problems += [
        f"[vocabulary] {word!r} is not a word to look for"  # an empty one would be found everywhere
        for word in vocabulary
        if not word.strip() or not word.isprintable()
    ]
    if problems:
        raise SetupError(f"{place}: " + "; ".join(problems), reason="bad-setting")
    total = sum(raw.values())
    return Weights({signal: raw.get(signal, 0.0) / total for signal in SIGNALS}, threatened, vocabulary)


def _numbers(table: dict[str, Any], section: str, *, highest: float, problems: list[str]) -> dict[str, float]:
    values = table.get(section, {})
    if not isinstance(values, dict):
        problems.append(f"[{section}] is not a table")
        return {}
    good: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
            problems.append(f"[{section}] {name} = {value!r} is not a number from 0 to {highest:g}")
        else:
            good[name] = float(value)
    return good


def _bundled() -> str:
    return files(__package__).joinpath("weights.toml").read_text(encoding="utf-8")
