"""The Dagster skin: assets, partitions, jobs, schedules, sensors and checks over the operations.

Dagster knows runs and batches, never single files: an asset is config in, one operation,
metadata out. Work is derived from the catalog's ledger at every tick, so a lost tick, run
or daemon costs time and nothing else.
"""

import warnings

import dagster as dg

# Backfill policies are marked beta; what they do here is measured and tested.
warnings.filterwarnings("ignore", message=r"Parameter `backfill_policy`", category=dg.BetaWarning)
