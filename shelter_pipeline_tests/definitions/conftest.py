"""Fixtures of the Dagster tests."""

from __future__ import annotations

from shelter_pipeline_tests.support.dagster import deployment, planned

__all__ = ["deployment", "planned"]
