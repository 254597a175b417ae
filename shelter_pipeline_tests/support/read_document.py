"""A process of its own that reads one DCAT-US document and prints what came, and how much memory that took.

python -m shelter_pipeline_tests.support.read_document URL
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from shelter_pipeline.domain.records import DatasetRecord
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import open_door


def most_memory() -> int:
    """The most resident memory of this process so far, in bytes (proc(5): VmHWM).

    getrusage would count what the parent held when it started us.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 if found else 0


def main() -> None:
    portal = DcatUsPortal(sys.argv[1], PageReader(open_door(), max_bytes=2**30, attempts=1))
    before = most_memory()
    total = portal.witnesses()[0].total
    kept = [sum(isinstance(record, DatasetRecord) for record in page.records) for page in portal.pages()]
    sys.stdout.write(json.dumps({"total": total, "kept": sum(kept), "memory": most_memory() - before}))


if __name__ == "__main__":
    main()
