"""Scores in the catalog: signals of datasets and hosts, then of files, writing only what changed.

Records are read for their words by a function that the caller gives, and only those that
are new, changed, or not yet read with its vocabulary; everything else is arithmetic over
whole tables in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement

_SCORING_LOCK = 0x5C02E  # any constant of our own
_WORK_MEM = "256MB"
_GROUP = 10_000
# What a host answers of a file that is not there any more, or when it is not there itself.
DEAD = ("not-found", "gone", "dns-failed", "connect-failed", "html-instead", "landing-page-only")
_HALVES = 2
_EVERYTHING = (-(2**63), 2**63 - 1)
MOST_AT_ONCE = 50_000  # of more files it is cheaper to score all


@dataclass(frozen=True, slots=True)
class Rules:
    """What scores are made by. `read` gives of title, keywords and themes the relevance and the topics, by number.

    `steps` are the least scores of levels 2 to 10, `floors` and `ceilings` the least and greatest of each level.
    `fingerprint` is another one whenever `read` would say something else.
    """

    shares: Mapping[str, float]
    steps: Sequence[float]
    floors: Sequence[float]
    ceilings: Sequence[float]
    read: Callable[[str, Sequence[str], Sequence[str]], tuple[float, Sequence[int]]]
    fingerprint: int
    topic_risks: Sequence[float] = ()
    organization_risks: Mapping[str, float] = field(default_factory=dict)
    host_risks: Mapping[str, float] = field(default_factory=dict)
    relevant_organizations: Mapping[str, float] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        return {
            **self.shares,
            "steps": list(self.steps),
            "floors": list(self.floors),
            "ceilings": list(self.ceilings),
            "vocabulary": self.fingerprint,
            "topic_risks": list(self.topic_risks),
            "organizations": list(self.organization_risks),
            "organization_risks": list(self.organization_risks.values()),
            "hosts": list(self.host_risks),
            "host_risks": list(self.host_risks.values()),
            "relevant": list(self.relevant_organizations),
            "relevant_weights": list(self.relevant_organizations.values()),
            "dead_reasons": list(DEAD),
        }


def today(catalog: Catalog) -> date:
    """The day it is, by the database's clock and in UTC."""
    found: date = catalog.rows("today")[0]["today"]
    return found


def score_assets(catalog: Catalog, rules: Rules, *, asset_ids: Sequence[int] | None = None) -> int:
    """Score every asset, or those; returns how many scores changed.

    For a few assets the signals of hosts stay as the last scoring of all found them. Of all,
    two halves are scored at once, each in a transaction of its own: broken off, it leaves
    scores that are right and scores that the next scoring renews.
    """
    with catalog.begin() as lock:
        lock.execute(statement("lock_scoring"), {"lock": _SCORING_LOCK})
        with catalog.begin() as connection:
            _plan(connection, processes=_HALVES)
            _keep_signals(connection, rules, asset_ids)
        if asset_ids is not None:
            return _keep_scores(catalog, rules, _EVERYTHING, asset_ids)
        halves = _halves(catalog)
        with ThreadPoolExecutor(len(halves)) as pool:
            return sum(pool.map(lambda span: _keep_scores(catalog, rules, span, None), halves))


def what_if(catalog: Catalog, rules: Rules, *, limit: int) -> dict[str, list[dict[str, Any]]]:
    """What a scoring by these rules would change: `{levels, organizations, rise, fall}`. Nothing is written."""
    with catalog.begin() as connection:
        connection.execute(statement("lock_scoring"), {"lock": _SCORING_LOCK})
        _plan(connection, processes=_HALVES)
        _keep_signals(connection, rules, None)
        _stage_scores(connection, rules, _EVERYTHING, None)
        report = {
            name: [dict(row) for row in connection.execute(statement(f"would_{name}"), asked).mappings()]
            for name, asked in (
                ("levels", {}),
                ("organizations", {"limit": limit}),
                ("rise", {"limit": limit}),
                ("fall", {"limit": limit}),
            )
        }
        connection.rollback()
        return report


def _plan(connection: Connection, *, processes: int) -> None:
    connection.execute(
        statement("plan_for_scoring"), {"work_mem": _WORK_MEM, "processes": processes if processes > 1 else 0}
    )


def _halves(catalog: Catalog) -> list[tuple[int, int]]:
    """Spans of ids that hold all assets, about as many each; one span of few."""
    ends = catalog.rows("asset_ids_end")[0]
    first, last = ends["first"], ends["last"]
    if last - first < MOST_AT_ONCE:
        return [(first, last)]
    middle = (first + last) // _HALVES
    return [(first, middle), (middle + 1, last)]


def _keep_signals(connection: Connection, rules: Rules, asset_ids: Sequence[int] | None) -> None:
    """Renew what is known of datasets, hosts and overrides; of the datasets of a few assets, or of all."""
    dataset_ids = None
    if asset_ids is not None:
        dataset_ids = list(
            connection.scalars(statement("datasets_of_assets"), {"asset_ids": list(asset_ids)})
        )
    scope = {"asset_ids": None if asset_ids is None else list(asset_ids), "dataset_ids": dataset_ids}
    _read_words(connection, rules, dataset_ids)
    _run(connection, ("stage_signals", "keep_signals"), {**rules.parameters(), **scope})
    if asset_ids is None:
        _run(connection, ("stage_hosts", "keep_hosts"), rules.parameters())
    _run(connection, ("stage_overrides", "drop_overrides", "keep_overrides"), scope)


def _keep_scores(
    catalog: Catalog, rules: Rules, span: tuple[int, int], asset_ids: Sequence[int] | None
) -> int:
    with catalog.begin() as connection:
        _plan(connection, processes=1)
        _stage_scores(connection, rules, span, asset_ids)
        return connection.execute(statement("keep_scores")).rowcount


def _stage_scores(
    connection: Connection, rules: Rules, span: tuple[int, int], asset_ids: Sequence[int] | None
) -> None:
    wanted = {"first": span[0], "last": span[1], "asset_ids": None if asset_ids is None else list(asset_ids)}
    _run(connection, ("stage_scores",), {**rules.parameters(), **wanted})


def _run(connection: Connection, names: Sequence[str], parameters: Mapping[str, Any]) -> None:
    for name in names:
        wanted = statement(name)
        connection.execute(wanted, {key: parameters[key] for key in wanted.compile().params})


def _read_words(connection: Connection, rules: Rules, dataset_ids: Sequence[int] | None) -> None:
    connection.execute(statement("stage_wordings"))
    unread = connection.execute(
        statement("unread_records"),
        {"vocabulary": rules.fingerprint, "dataset_ids": dataset_ids},
        execution_options={"yield_per": _GROUP},
    )
    found = 0
    for group in unread.partitions():
        found += len(group)
        copy_rows(
            connection,
            "staged_wording",
            (
                (row.id, row.changed_at, *_wording(rules, row.title, row.keywords, row.themes))
                for row in group
            ),
        )
    if found:
        connection.execute(statement("keep_wordings"), {"vocabulary": rules.fingerprint})
    if found >= _GROUP:
        # A table that was empty and is not any more would be planned for as if it still were.
        connection.execute(statement("analyze_signals"))


def _wording(
    rules: Rules, title: str, keywords: Sequence[str], themes: Sequence[str]
) -> tuple[float, list[int] | None]:
    relevance, topics = rules.read(title, keywords, themes)
    return relevance, list(topics) or None
