"""Make a started stack ready for people: the schema migrated, what the catalog knows shown as partitions."""

from __future__ import annotations

from pydantic import SecretStr

from shelter_pipeline.embedded.stack import Stack
from shelter_pipeline.operations.ledger import organization_keys, portal_keys
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import Settings


def settings_of(stack: Stack, settings: Settings) -> Settings:
    """The settings with which this process works on the stack's running databases."""
    databases = stack.databases
    return settings.model_copy(
        update={
            "database_url": SecretStr(databases.catalog),
            "dagster_database_url": SecretStr(databases.dagster),
        }
    )


def prepare_stack(stack: Stack, settings: Settings) -> None:
    """Migrate the catalog, try out the store, and show portals and organizations in Dagster.

    Batches, of which there may be many thousands, are shown by whoever plans or starts them.
    """
    with open_workplace(settings_of(stack, settings)) as workplace:
        workplace.store.prepare()
        keys = {
            "portal": portal_keys(workplace),
            "organization": organization_keys(workplace),
        }
    for name, wanted in keys.items():
        stack.dagster.add_partitions(name, wanted)
