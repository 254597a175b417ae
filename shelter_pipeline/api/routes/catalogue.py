"""Reads of the Rescue DB: datasets, resources, assets, organizations, statistics, reasons of scores."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
