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
from functools import partial
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
    two halves are done at once, each in transactions of its own: broken off, it leaves
    scores that are right and scores that the next scoring renews.
    """
    with catalog.begin() as lock:
        lock.execute(statement("lock_scoring"), {"lock": _SCORING_LOCK})
        scope = _scope(lock, asset_ids)
        with catalog.begin() as connection:
            _plan(connection)
            _read_words(connection, rules, scope.dataset_ids)
        if asset_ids is not None:
            return _score_few(catalog, rules, scope)
        with ThreadPoolExecutor(_HALVES) as pool:
            signals = [partial(_keep_signals, rules, scope, span) for span in _halves(catalog, "dataset")]
            list(pool.map(partial(_in_transaction, catalog), (*signals, partial(_keep_hosts, rules, scope))))
            scores = [partial(_keep_scores, rules, scope, span) for span in _halves(catalog, "asset")]
            return sum(pool.map(partial(_in_transaction, catalog), scores))


def what_if(catalog: Catalog, rules: Rules, *, limit: int) -> dict[str, list[dict[str, Any]]]:
    """What a scoring by these rules would change: `{levels, organizations, rise, fall}`. Nothing is written."""
    with catalog.begin() as connection:
        connection.execute(statement("lock_scoring"), {"lock": _SCORING_LOCK})
        scope = _scope(connection, None)
        _plan(connection)
        _read_words(connection, rules, None)
        _keep_signals(rules, scope, _EVERYTHING, connection)
        _keep_hosts(rules, scope, connection)
        _stage_scores(rules, scope, _EVERYTHING, connection)
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


@dataclass(frozen=True, slots=True)
class _Scope:
    """The assets that are scored and the datasets that list them; None: all."""

    asset_ids: list[int] | None
    dataset_ids: list[int] | None


_Span = tuple[int, int]  # ids, the first and the last


def _scope(connection: Connection, asset_ids: Sequence[int] | None) -> _Scope:
    if asset_ids is None:
        return _Scope(None, None)
    wanted = {"asset_ids": list(asset_ids)}
    return _Scope(list(asset_ids), list(connection.scalars(statement("datasets_of_assets"), wanted)))


def _in_transaction(catalog: Catalog, task: Callable[[Connection], Any]) -> Any:
    with catalog.begin() as connection:
        _plan(connection)
        return task(connection)


def _plan(connection: Connection) -> None:
    connection.execute(statement("plan_for_scoring"), {"work_mem": _WORK_MEM})


def _halves(catalog: Catalog, what: str) -> list[_Span]:
    """Two spans of ids that hold everything there is, about half of it each."""
    ends = catalog.rows(f"{what}_ids_end")[0]
    middle = (ends["first"] + ends["last"]) // _HALVES
    return [(_EVERYTHING[0], middle), (middle + 1, _EVERYTHING[1])]


def _score_few(catalog: Catalog, rules: Rules, scope: _Scope) -> int:
    with catalog.begin() as connection:
        _plan(connection)
        _keep_signals(rules, scope, _EVERYTHING, connection)
        _keep_overrides(connection, scope)
        return _keep_scores(rules, scope, _EVERYTHING, connection)


def _keep_signals(rules: Rules, scope: _Scope, span: _Span, connection: Connection) -> None:
    wanted = {"first": span[0], "last": span[1], "dataset_ids": scope.dataset_ids}
    _run(connection, ("stage_signals", "keep_signals"), {**rules.parameters(), **wanted})


def _keep_hosts(rules: Rules, scope: _Scope, connection: Connection) -> None:
    _run(connection, ("stage_hosts", "keep_hosts"), rules.parameters())
    _keep_overrides(connection, scope)


def _keep_overrides(connection: Connection, scope: _Scope) -> None:
    words = ("stage_overrides", "drop_overrides", "keep_overrides")
    _run(connection, words, {"asset_ids": scope.asset_ids})


def _keep_scores(rules: Rules, scope: _Scope, span: _Span, connection: Connection) -> int:
    _stage_scores(rules, scope, span, connection)
    return connection.execute(statement("keep_scores")).rowcount


def _stage_scores(rules: Rules, scope: _Scope, span: _Span, connection: Connection) -> None:
    wanted = {"first": span[0], "last": span[1], "asset_ids": scope.asset_ids}
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
        execution_options={"stream_results": True, "max_row_buffer": _GROUP},
    )
    found = 0
    for group in unread.partitions(_GROUP):
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
