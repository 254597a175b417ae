"""A rebuild in a process of its own, in small portions: prints a line after each of them.

python -m shelter_pipeline_tests.support.run_rebuild STORE
"""

from __future__ import annotations

import sys
from pathlib import Path

from shelter_pipeline.operations import rebuild_catalog as module
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import load_settings
from shelter_pipeline.vault.local import LocalStore

LINES_A_PORTION = 20


def main() -> None:
    module.LINES_AT_ONCE = LINES_A_PORTION

    def show(name: str, done: int) -> None:
        sys.stdout.write(f"{name} {done}\n")
        sys.stdout.flush()

    store = LocalStore(Path(sys.argv[1]))
    with open_workplace(load_settings(), migrated=False) as workplace:
        module.rebuild_catalog(workplace, store, progress=show)


if __name__ == "__main__":
    main()
