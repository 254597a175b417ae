"""Why a file has the score it has, in words: each signal's facts become one sentence.

Pure: facts come as the catalog gives them, the weights as the analyst wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from shelter_pipeline.priorities.weights import Risk, Weights
from shelter_pipeline.priorities.wording import Reader, WordList

Facts = Mapping[str, Any]
_THOUSAND = 1000
_SHOWN = 4


def sentences(asset: Facts, datasets: Sequence[Facts], weights: Weights, day: date) -> dict[str, str]:
    """One sentence a signal, by the signal's name."""
    reader = weights.reader()
    said: dict[str, Callable[[], str]] = {
        "popularity": lambda: _popularity(datasets),
        "threat": lambda: _threat(asset, datasets, weights, day),
        "relevance": lambda: _relevance(datasets, weights, reader),
        "scarcity": lambda: _scarcity(asset),
        "staleness": lambda: _staleness(asset, datasets),
        "smallness": lambda: _smallness(asset),
        "completeness": lambda: _completeness(datasets),
    }
    return {name: say() for name, say in said.items()}


def _popularity(datasets: Sequence[Facts]) -> str:
    told = []
    for one in datasets:
        if one["views"]:
            told.append(f"its portal counts {one['views']:,} uses of {one['slug']}")
        if one["ranking"] and one["events"]:
            told.append(
                f"{one['slug']} is number {one['ranked']:,} of the ranking {one['ranking']} with {one['events']:,} uses"
            )
    return _sentence(told, "nothing is known of how often it is used")


def _threat(asset: Facts, datasets: Sequence[Facts], weights: Weights, day: date) -> str:
    told = [
        *(reason for one in datasets for reason in _losses(asset, one)),
        *_listed(datasets, "organization_slug", weights.organizations, "organizations", day),
        *_topics(datasets, weights, day),
        *_host(asset, weights, day),
    ]
    return _sentence(told, "nothing says that it is in danger")


def _losses(asset: Facts, one: Facts) -> Iterator[str]:
    if one["lost"] or one["state"] == "absent":
        state = one["lost"] or "confirmed"
        yield f"its portal does not list {one['slug']} any more (loss {state})"
    others = (one["dead_links"] or 0) - (1 if asset["lost"] else 0)
    if others > 0:
        yield f"{_count(others, 'other link')} of {one['slug']} {'has' if others == 1 else 'have'} died (0.8)"
    if one["organization_lost"]:
        yield (
            f"{one['organization_lost']:,} of {one['organization_datasets']:,} datasets of {one['organization']}"
            " are being lost"
        )


def _listed(
    datasets: Sequence[Facts], field: str, risks: Mapping[str, Risk], what: str, day: date
) -> Iterator[str]:
    for name in dict.fromkeys(one[field] for one in datasets):
        if name in risks:
            yield f"{name} is on the list of threatened {what} ({_risk(risks[name], day)})"


def _topics(datasets: Sequence[Facts], weights: Weights, day: date) -> Iterator[str]:
    topics = WordList.of(weights.topics)
    found = {
        topic
        for one in datasets
        for topic in topics.found_in((one["title"], *one["keywords"], *one["themes"]))
    }
    for topic in sorted(found, key=lambda name: -weights.topics[name].on(day)):
        yield f'"{topic}" is on the list of threatened topics ({_risk(weights.topics[topic], day)})'


def _host(asset: Facts, weights: Weights, day: date) -> Iterator[str]:
    name = asset["host"].partition(":")[0]
    for listed, risk in weights.hosts.items():
        if name == listed or name.endswith(f".{listed}"):
            yield f"{name} is on the list of threatened hosts ({_risk(risk, day)})"
    if asset["host_dead"]:
        yield (
            f"of {asset['host_looked_at']:,} files of {name} that were asked for {asset['host_dead']:,} are gone"
        )


def _risk(risk: Risk, day: date) -> str:
    today = risk.on(day)
    if risk.deadline is None:
        return f"{risk.risk:g}"
    if today != risk.risk:
        return f"{risk.risk:g}, by today {today:g}, deadline {risk.deadline}"
    return f"{risk.risk:g}, deadline {risk.deadline}"


def _relevance(datasets: Sequence[Facts], weights: Weights, reader: Reader) -> str:
    told = []
    words = weights.vocabulary
    for one in datasets:
        found = reader.read(one["title"], one["keywords"], one["themes"]).because[:_SHOWN]
        if found:
            listed = ", ".join(f'"{word}"' for word in found)
            told.append(f"{one['slug']} speaks of {listed}")
        weight = words.organizations.get(one["organization_slug"])
        if weight:
            told.append(f"{one['organization']} is an organization of the vocabulary ({weight:g})")
    return _sentence(told, "no word, theme or organization of the vocabulary is in it")


def _scarcity(asset: Facts) -> str:
    copies, holders = float(asset["copies"] or 0), asset["holders"] or []
    told = [f"{_number(copies)} verified {'copy' if copies == 1 else 'copies'} here"]
    if holders:
        more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
        told.append(f"held elsewhere, as they say, by {', '.join(holders[:_SHOWN])}{more}")
    else:
        told.append("nobody else is known to hold it")
    return _sentence(told, "")


def _staleness(asset: Facts, datasets: Sequence[Facts]) -> str:
    if asset["state"] != "held":
        return "We have never captured it."
    captured: datetime | None = asset["captured_at"]
    when = f"our last capture is of {captured:%Y-%m-%d}" if captured else "it is held"
    if asset["alarm"] == "changed":
        return _sentence([when, "its server has another version now"], "")
    if captured and asset["listed_modified"] and asset["listed_modified"] > captured:
        return _sentence([when, f"its listing dates it {asset['listed_modified']:%Y-%m-%d}"], "")
    newer = [one for one in datasets if captured and one["modified"] and one["modified"] > captured]
    if newer:
        dated = f"the record of {newer[0]['slug']} says changed on {newer[0]['modified']:%Y-%m-%d}"
        return _sentence([when, dated], "")
    return _sentence([when, "nothing newer is known"], "")


def _smallness(asset: Facts) -> str:
    if asset["bytes"] is None:
        return "Nobody has said how large it is, so it counts as middling."
    return f"It has {_size(asset['bytes'])}, {asset['bytes_are']}."


def _completeness(datasets: Sequence[Facts]) -> str:
    told = [
        f"{one['held']:,} of {_count(one['files'], 'file')} of {one['slug']} are held" for one in datasets
    ]
    return _sentence(told, "no dataset lists it any more")


def _sentence(parts: Sequence[str], otherwise: str) -> str:
    told = [*parts[:_SHOWN], f"and {len(parts) - _SHOWN} more"] if len(parts) > _SHOWN else list(parts)
    text = "; ".join(told) or otherwise
    if text.partition(" ")[0].isalpha():  # a key, such as epa-gov, is left as it is spelt
        text = f"{text[0].upper()}{text[1:]}"
    return f"{text}."


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _number(value: float) -> str:
    return {0.0: "no", 1.0: "one"}.get(value, f"{value:g}")


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < _THOUSAND:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= _THOUSAND
    return f"{count:.1f} TB"
