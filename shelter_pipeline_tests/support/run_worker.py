"""A worker of its own process: waits for a line, rescues the batches it is given, prints how each ended.

python -m shelter_pipeline_tests.support.run_worker RUN_ID BATCH...
"""

from __future__ import annotations

import sys

from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import load_settings


def main() -> None:
    run_id, *keys = sys.argv[1:]
    with open_workplace(load_settings(), migrated=False) as workplace:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for key in keys:
            result = rescue_batch(workplace, key, run_id=f"{run_id}-{key}")
            sys.stdout.write(f"{key} {result.state} {result.settled} {result.late}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
