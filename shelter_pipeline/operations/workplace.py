"""What every operation works with: the settings, the catalog, the door, the store; opened once, closed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.discoveries import seed_asset_kinds
from shelter_pipeline.catalog.host_ledger import HostLedger
from shelter_pipeline.catalog.host_robots import HostRobots
from shelter_pipeline.catalog.impatience import Impatience
from shelter_pipeline.catalog.migrate import check_migrated, migrate
from shelter_pipeline.catalog.portals import PortalRow, add_portal
from shelter_pipeline.discovery.classification_table import classification_rules
from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.embedded.database import open_catalog
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.operations.open_store import open_store
from shelter_pipeline.portals.registry import parse_portal
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.store import BlobStore

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Workplace:
    """The rooms as they stand for one process."""

    settings: Settings
    catalog: Catalog
    door: Door  # for downloads, which take their turn at a host themselves
    reader: PoliteDoor  # for catalogues, which an operator has named
    politeness: Politeness
    robots: RobotsBook
    store: BlobStore

    def downloader(self) -> Downloader:
        """What fetches files through the door into the store."""
        return Downloader(
            self.door,
            self.store,
            max_attempts=self.settings.fetch_max_attempts,
            retry_delay_seconds=self.settings.fetch_retry_delay_seconds,
            politeness=self.politeness,
            reserve_bytes=self.settings.store_reserve_bytes,
            rules=content_rules(self.settings.content_rules),
            robots=self.robots,
        )

    def patiently(self, ask: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
        """What a statement that may be repeated says of the catalog; asked for up to a lease while that is away."""
        return patiently(
            lambda: ask(self.catalog, *arguments, **named), for_seconds=self.settings.lease_seconds
        )

    def has_room(self) -> bool:
        """Whether more than the reserve is free where bytes arrive."""
        room = self.store.room_bytes(self.settings.store_reserve_bytes)
        return room is None or room > 0

    @classmethod
    def of(
        cls,
        settings: Settings,
        catalog: Catalog,
        politeness: Politeness | None = None,
        robots: RobotsBook | None = None,
    ) -> Workplace:
        """The rooms that these settings describe, around an open catalog.

        Without a `politeness` and `robots` that are shared with other processes the limits of
        hosts hold in this one alone.
        """
        door, politeness = Door.of(settings), politeness or Politeness.of(settings)
        robots = robots or RobotsBook.of(settings, politeness)
        return cls(
            settings,
            catalog,
            door,
            PoliteDoor(door, politeness),
            politeness,
            robots,
            open_store(None, settings),
        )


@contextmanager
def open_workplace(
    settings: Settings,
    *,
    migrated: bool = True,
    impatience: Impatience | None = None,
    connections: int = 5,
) -> Iterator[Workplace]:
    """The workplace of these settings; the embedded PostgreSQL is started for it if none is running.

    With `migrated` the schema is brought up to date first, with all the patience that takes; `impatience`
    bounds what is asked afterwards, over up to twice so many `connections`. Raises SetupError when
    something has to be set, installed or freed before anything can work.
    """
    with open_catalog(settings) as url:
        if migrated:
            with closing(Catalog(url)) as patient:
                prepare_catalog(patient, settings)
        catalog = Catalog(url, pool_size=connections, impatience=impatience)
        try:
            with (
                Politeness.of(settings, HostLedger(catalog)) as politeness,
                closing(RobotsBook.of(settings, politeness, HostRobots(catalog))) as robots,
            ):
                yield Workplace.of(settings, catalog, politeness, robots)
        finally:
            catalog.close()


def prepare_catalog(catalog: Catalog, settings: Settings, *, asked: bool = False) -> tuple[str | None, str]:
    """Migrate, and make the asset kinds and the default portal known; returns the revisions before and after.

    Where the settings leave migrations to `shelter migrate`, only what was `asked` for migrates; SetupError then
    if the schema is not one to work with.
    """
    if asked or settings.auto_migrate:
        revisions = migrate(
            catalog,
            lock_timeout=timedelta(seconds=settings.migration_lock_timeout_seconds),
            statement_timeout=timedelta(seconds=settings.migration_statement_timeout_seconds),
            patience=timedelta(seconds=settings.migration_patience_seconds),
        )
    else:
        revision = check_migrated(catalog)
        revisions = (revision, revision)
    kinds = classification_rules(settings.classification_rules).kinds
    seed_asset_kinds(catalog, [(kind.slug, kind.label, kind.family) for kind in kinds])
    default_portal(catalog, settings)
    return revisions


def default_portal(catalog: Catalog, settings: Settings) -> PortalRow:
    """The portal that the nightly harvest reads when nobody added another one."""
    kind, url = parse_portal(settings.portal)
    return add_portal(catalog, kind, url)
