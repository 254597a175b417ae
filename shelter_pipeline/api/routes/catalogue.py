"""Reads of the Rescue DB: datasets, resources, assets, organizations, statistics, reasons of scores."""

from __future__ import annotations

from fastapi import APIRouter

from shelter_pipeline.api.routes import assets, datasets, organizations, priorities

router = APIRouter()
for _module in (datasets, assets, organizations, priorities):
    router.include_router(_module.router)
