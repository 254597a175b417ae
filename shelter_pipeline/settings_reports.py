"""The settings of reports. A part of `Settings`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from shelter_pipeline.settings_sharing import Seconds


class ReportSettings(BaseSettings):
    """What an operator can set of reports that are printed."""

    browser: str = Field(
        "", description="Chromium that prints reports as PDF, a name or a path; empty means one on PATH."
    )
    report_print_seconds: Seconds = Field(180, description="How long printing one report may take.")
