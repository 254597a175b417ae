"""Volunteers' nodes as the API meets them: honest ones and liars, over a catalog of files that exist nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import requests
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.challenges import challenge_answer
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

_CLAIM = """
WITH known AS (
    INSERT INTO node (name, last_seen_at, trust) VALUES (:node, now(), :trust)
        ON CONFLICT (name) DO UPDATE SET last_seen_at = now()
    RETURNING id
)
INSERT INTO claim (asset_id, node_id, holder, purpose, slot, lease_until)
SELECT asset.id, known.id, 'node:' || :node, :purpose, CASE :purpose WHEN 'copy' THEN 2 ELSE 1 END,
       now() + interval '1 hour'
  FROM asset CROSS JOIN known
 WHERE asset.url = :url
RETURNING token, asset_id
"""


def csv(number: int = 1) -> bytes:
    """A small table, each number another of the same size."""
    return f"station,value\n{number:04},{number * 7:05}\n".encode()


def url_of(number: int) -> str:
    """The address of the file of this number."""
    return f"https://epa.example/{number}.csv"


def with_files(catalog: Catalog, count: int, **promised: Any) -> None:
    """A dataset with so many files, each promised to be CSV."""
    portal = a_portal(catalog)
    resources = [
        a_resource(url_of(n), key=str(n), position=n, format="CSV", **promised) for n in range(count)
    ]
    harvested(catalog, portal, [a_dataset("1", *resources)])
    discovered(catalog, portal)


def rows(catalog: Catalog, query: str, **parameters: Any) -> list[Any]:
    """What the catalog says, as plain tuples."""
    with catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), parameters)]


def change(catalog: Catalog, statement: str, **parameters: Any) -> None:
    """Put the catalog into the state that a test is about."""
    with catalog.begin() as connection:
        connection.execute(sa.text(statement), parameters)


def claimed(
    catalog: Catalog, node: str, number: int, *, purpose: str = "fetch", trust: float = 0.0
) -> tuple[int, int]:
    """Asset and token of a claim that this node has on the file of this number."""
    parameters = {"node": node, "url": url_of(number), "purpose": purpose, "trust": trust}
    with catalog.begin() as connection:
        row = connection.execute(sa.text(_CLAIM), parameters).one()
    return row.asset_id, row.token


@dataclass(frozen=True, slots=True)
class Volunteer:
    """One node, as it speaks to the API."""

    api: ApiUnderTest
    name: str = "whale"
    trust: float = 0.5  # which it has when it is first seen

    @property
    def catalog(self) -> Catalog:
        """The catalog behind the API."""
        return self.api.workplace.catalog

    def claim(self, number: int, *, purpose: str = "fetch") -> dict[str, int]:
        """A claim on the file of this number."""
        asset_id, token = claimed(self.catalog, self.name, number, purpose=purpose, trust=self.trust)
        return {"asset_id": asset_id, "token": token}

    def complete(self, *results: dict[str, Any]) -> list[dict[str, Any]]:
        """Report these results; returns what came of each."""
        answer = self.api.post("/complete", {"node_id": self.name, "results": list(results)})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def reports(self, number: int, data: bytes, *, purpose: str = "fetch", **more: Any) -> dict[str, Any]:
        """Claim the file of this number and report these bytes as stored."""
        return self.complete(self.claim(number, purpose=purpose) | stored(data) | more)[0]

    def fails(self, number: int, verdict: str, reason: str, **more: Any) -> dict[str, Any]:
        """Claim the file of this number and report this failure."""
        return self.complete(self.claim(number) | {"verdict": verdict, "reason": reason} | more)[0]

    def sends(self, outcome: dict[str, Any], data: bytes) -> requests.Response:
        """Upload these bytes where an outcome asks for them."""
        return self.api.ask("PUT", outcome["proof"]["upload"], data=data)

    def brings(self, number: int, data: bytes, **more: Any) -> requests.Response:
        """Report the file of this number and upload it."""
        return self.sends(self.reports(number, data, **more), data)

    def challenges(self) -> list[dict[str, Any]]:
        """What it is asked."""
        found: list[dict[str, Any]] = self.api.get(f"/challenges?node_id={self.name}").json()["challenges"]
        return found

    def answers(self, challenge: dict[str, Any], data: bytes) -> requests.Response:
        """Answer from these bytes."""
        parts = [((first, last), [data[first : last + 1]]) for first, last in challenge["ranges"]]
        answer = challenge_answer(bytes.fromhex(challenge["nonce"]), parts)
        return self.api.post(f"/challenges/{challenge['id']}", {"node_id": self.name, "answer": answer})

    def standing(self) -> tuple[float, bool]:
        """Its trust, and whether it is blocked."""
        [found] = rows(self.catalog, "SELECT trust, blocked FROM node WHERE name = :name", name=self.name)
        return found[0], found[1]

    def events(self) -> list[str]:
        """The kinds of what it did, in order."""
        query = "SELECT kind FROM node_event JOIN node ON node.id = node_id WHERE name = :name ORDER BY node_event.id"
        return [kind for (kind,) in rows(self.catalog, query, name=self.name)]

    def copies(self) -> list[tuple[str, float]]:
        """State and weight of its copies."""
        query = (
            "SELECT state, counts FROM copy JOIN node ON node.id = node_id WHERE name = :name ORDER BY sha256"
        )
        return rows(self.catalog, query, name=self.name)


def stored(data: bytes) -> dict[str, Any]:
    """The part of a result that says what is stored."""
    return {
        "verdict": "stored",
        "reason": "stored",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "status": 200,
        "media_type": "text/csv",
    }


def state_of(catalog: Catalog, number: int) -> tuple[str, str | None]:
    """State and reason of the file of this number."""
    [found] = rows(catalog, "SELECT state, reason FROM asset WHERE url = :url", url=url_of(number))
    return found[0], found[1]


def is_due(catalog: Catalog, number: int, *, within_minutes: int = 0) -> bool:
    """Whether somebody may fetch the file of this number now, or so soon."""
    query = "SELECT next_attempt_at <= now() + make_interval(mins => :minutes) FROM asset WHERE url = :url"
    return bool(rows(catalog, query, url=url_of(number), minutes=within_minutes)[0][0])


def counted(catalog: Catalog) -> float:
    """What all copies of nodes count for together."""
    query = "SELECT coalesce(sum(counts), 0) FROM copy WHERE node_id IS NOT NULL AND state = 'good'"
    return float(rows(catalog, query)[0][0])
