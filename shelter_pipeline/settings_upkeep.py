"""The settings of upkeep: how processes log, and how the schema comes up to date. A part of `Settings`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from shelter_pipeline.settings_sharing import Seconds


class UpkeepSettings(BaseSettings):
    """What an operator can set of logs and migrations."""

    # Logs
    log_format: Literal["text", "json"] = Field(
        "text", description="How processes log: lines for people, or one JSON object a record."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )

    # Migrations
    auto_migrate: bool = Field(
        True,
        description="Whether any process brings the schema up to date; otherwise only `shelter migrate` does.",
    )
    migration_patience_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        300, description="How long a migration tries again to get its locks from those who are at work."
    )
    migration_lock_timeout_seconds: Seconds = Field(10, description="Longest wait for a lock in a migration.")
    migration_statement_timeout_seconds: Seconds = Field(600, description="Longest statement in a migration.")
