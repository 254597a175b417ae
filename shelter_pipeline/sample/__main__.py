"""`python -m shelter_pipeline.sample`: the sample portal, for a person to look at."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import asdict

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.sample.server import SamplePortal

_WHERE = """\
The sample portal listens until Ctrl-C.

  catalog.data.gov's API   {base}/search?per_page=5
  organizations            {base}/api/organizations
  CKAN Action API          {base}/api/3/action/package_search?rows=5
  DCAT-US 1.1              {base}/data.json
  a directory              {base}/files/noaa-gov/listing/
  a landing page           {base}/pages/nasa-gov/campaign
  files on another host    {other}/files/usgs-gov/

A correct rescue ends with:

{expected}
"""


def main() -> int:
    """Serve until interrupted. Exit code 1, with the reason, if a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m shelter_pipeline.sample", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="port of the portal (default 8765, 0 is any)")
    parser.add_argument("--second-port", type=int, default=0, help="port of the other host (default any)")
    options = parser.parse_args()
    # Blocked before any thread starts, so that every thread leaves them to `sigwait`.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        portal = SamplePortal(options.port, options.second_port)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with portal:
        expected = json.dumps(asdict(portal.expectations.overall), indent=2)
        base, other = portal.file_bases
        sys.stdout.write(_WHERE.format(base=base, other=other, expected=expected))
        sys.stdout.flush()
        signal.sigwait(signals)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
