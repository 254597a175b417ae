"""A node put together in its folder: what `shelter node run`, `sign-off` and `status` do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from typing import Any

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.fetching.collecting import rarer_collections
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.node.contact import Tell
from shelter_pipeline.node.folder import NodeFolder
from shelter_pipeline.node.joining import Introduction, identity_of
from shelter_pipeline.node.journal import Journal
from shelter_pipeline.node.plan import Plan, Stops
from shelter_pipeline.node.space import GivenSpace
from shelter_pipeline.node.worker import Worker
from shelter_pipeline.settings import Settings

Watch = Callable[[Worker], AbstractContextManager[None]]

_KEPT_PARTIALS_SECONDS = 7 * 86_400.0
_ABANDONED_SECONDS = 3600.0


def run_node(
    plan: Plan,
    introduction: Introduction,
    folder: NodeFolder,
    settings: Settings,
    *,
    tell: Tell,
    stops: Stops,
    watch: Watch,
) -> bool:
    """Work in this folder until asked to stop; whether all went well. `watch` is around the work.

    Raises SetupError for what a person has to change: the folder, the address, the token, the
    version of this program.
    """
    with ExitStack() as opened:
        opened.enter_context(folder.locked())
        identity = identity_of(folder, introduction, tell, stops, once=plan.once)
        if identity is None:
            return False
        store = GivenSpace(folder.store, given_bytes=plan.given_bytes, reserve_bytes=plan.reserve_bytes)
        store.sweep_partials(_ABANDONED_SECONDS, kept_seconds=_KEPT_PARTIALS_SECONDS)
        journal = opened.enter_context(closing(Journal(folder.journal)))
        journal.note("lease_seconds", identity.lease_seconds)
        politeness = opened.enter_context(Politeness.of(settings))
        robots = opened.enter_context(closing(RobotsBook.of(settings, politeness)))
        downloader = Downloader(
            Door.of(settings),
            store,
            max_attempts=settings.fetch_max_attempts,
            retry_delay_seconds=settings.fetch_retry_delay_seconds,
            politeness=politeness,
            rules=content_rules(settings.content_rules),
            robots=robots,
        )
        opened.enter_context(rarer_collections())
        worker = Worker(
            plan,
            introduction.client(identity.token),
            identity.node_id,
            journal,
            store,
            downloader,
            politeness,
            tell,
            stops,
            heartbeat_seconds=identity.heartbeat_seconds,
        )
        tell(
            "started",
            node_id=identity.node_id,
            api=identity.api,
            folder=str(folder.path),
            given=plan.given_bytes,
        )
        opened.enter_context(watch(worker))
        went_well = worker.run()
        kept = journal.kept()
        tell("ended-all", files=kept.files, bytes=kept.size, proved=kept.proved)
        return went_well


def sign_off(folder: NodeFolder, *, version: str, user_agent: str) -> dict[str, Any]:
    """Leave for good: what is in hand goes back, the files stay where they are. Raises SetupError.

    The API's answer: status, released, copies.
    """
    identity = folder.identity()
    if identity is None or identity.left:
        raise SetupError(f"no node lives in {folder.path}", reason="bad-setting")
    with folder.locked():
        introduction = Introduction(identity.api, identity.node_id, "", 0, None, version, user_agent)
        answer, _ = introduction.client(identity.token).ask("POST", f"/nodes/{identity.node_id}/sign-off", {})
        folder.remember(replace(identity, left=True, token=None))
    said = answer if isinstance(answer, dict) else {}
    return {"node_id": identity.node_id, "folder": str(folder.store), **said}


def node_status(folder: NodeFolder) -> dict[str, Any]:
    """What the node in this folder keeps and has in hand; asks nobody. Raises SetupError if there is none."""
    identity = folder.identity()
    if identity is None:
        raise SetupError(f"no node lives in {folder.path}", reason="bad-setting")
    is_running = folder.is_in_use()
    with closing(Journal(folder.journal)) as journal:
        kept = journal.kept()
        return {
            "node_id": identity.node_id,
            "api": identity.api,
            "folder": str(folder.path),
            "running": is_running,
            "signed_off": identity.left,
            "files": kept.files,
            "bytes": kept.size,
            "proved": kept.proved,
            "in_hand": len(journal.unfinished()),
            "to_report": journal.unheard(),
            "trust": journal.fact("trust"),
        }
