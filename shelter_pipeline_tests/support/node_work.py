"""Files that wait for nodes, and how a node's claims end, over a real catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from shelter_pipeline.catalog.claims import ClaimedAsset, know_store
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import NodeRow, know_node
from shelter_pipeline.catalog.settling import CaptureRow, settle_claim
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.domain.verdicts import verdict_of
from shelter_pipeline.operations.node_reports import Report, settle_reports
from shelter_pipeline.operations.node_work import refresh_queue
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested


def waiting(workplace: Workplace, urls: Sequence[str], *, organization: str = "epa-gov") -> None:
    """Let these files be known, scored and queued."""
    know_store(workplace.catalog, workplace.store.name)
    portal = a_portal(workplace.catalog)
    resources = [a_resource(url, key=url, position=number) for number, url in enumerate(urls)]
    owner = OrganizationRecord(organization, organization)
    harvested(workplace.catalog, portal, [a_dataset(organization, *resources, organization=owner)])
    discovered(workplace.catalog, portal)
    score_all(workplace)
    refresh_queue(workplace)


def node(workplace: Workplace, name: str) -> NodeRow:
    """A node of this name."""
    return know_node(workplace.catalog, name)


def run(catalog: Catalog, query: str, **parameters: Any) -> None:
    """One statement of the test's own."""
    with catalog.begin() as connection:
        connection.execute(sa.text(query), parameters)


def scalar(catalog: Catalog, query: str, **parameters: Any) -> Any:
    """What one query of the test's own says."""
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query), parameters)


def let_leases_run_out(catalog: Catalog) -> None:
    """No lease that is live lasts any longer."""
    run(catalog, "UPDATE claim SET lease_until = now() - interval '1 second' WHERE state = 'held'")


def report(workplace: Workplace, node: NodeRow, asset_id: int, token: int, reason: str) -> bool:
    """Let a node report how a claim ended; whether it still was its own."""
    is_stored = reason == "stored"
    said = Report(
        asset_id,
        token,
        verdict_of(reason).value,
        reason,
        sha256=f"{asset_id:064x}" if is_stored else None,
        size=5 if is_stored else None,
    )
    [outcome] = settle_reports(workplace, node, [said])
    return outcome.outcome == "settled"


def settle(workplace: Workplace, claim: ClaimedAsset, reason: str, *, held: bool = False) -> bool:
    """Settle a claim as runs do; whether it still was theirs."""
    capture = CaptureRow(
        verdict=verdict_of(reason).value,
        reason=reason,
        detail="",
        final_url=claim.url,
        status=200,
        heads={},
        flags=(),
        requests=1,
        wire_bytes=5,
        sha256=f"{claim.asset_id:064x}" if reason == "stored" else None,
        size=5 if reason == "stored" else None,
        media_type=None,
        etag=None,
        last_modified=None,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:01+00:00",
        held=held,
    )
    after = follow_up(reason, claim.attempts, max_attempts=5)
    return settle_claim(workplace.catalog, claim, capture, after, batch_id=None, store=workplace.store.name)


def hold(workplace: Workplace, urls: Sequence[str]) -> None:
    """Let our own store hold these files, as a run would have fetched them."""
    rows = """
    INSERT INTO claim (asset_id, holder, lease_until)
    SELECT id, 'run', now() + interval '1 minute' FROM asset WHERE url = ANY (:urls)
    RETURNING token, asset_id
    """
    with workplace.catalog.begin() as connection:
        taken = connection.execute(sa.text(rows), {"urls": list(urls)}).all()
    for token, asset_id in taken:
        url = scalar(workplace.catalog, "SELECT url FROM asset WHERE id = :id", id=asset_id)
        claim = ClaimedAsset(token, asset_id, url, "", None, None, None, None, None, None, None, 0)
        assert settle(workplace, claim, "stored", held=True)
