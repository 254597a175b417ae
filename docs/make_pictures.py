"""Makes the pictures from the real thing: the demo's closing table, its overview, Dagster after it, a backfill.

Run by `make pictures`. It needs Chromium, and the default ports free.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from make_backfill_pictures import make_backfill_pictures
from rich.console import Console

from shelter_pipeline.demo import run_demo
from shelter_pipeline.embedded.stack import ALL_PARTS, Stack
from shelter_pipeline.operations.prepare import prepare_stack
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.browser import open_page

PICTURES = Path(__file__).parent / "pictures"
# As the UI writes it when all groups are opened by hand.
LINEAGE = "asset-groups/?expanded=" + "%2C".join(
    f"global%40global%3A{group}" for group in ("outside", "catalog", "rescue", "kept", "report")
)
VERDICT = "assets/organization_rescue?partition=epa-gov&view=partitions"
OVERVIEW = "assets/rescue_overview"
_SETTLED_MILLISECONDS = 8000


def main() -> None:
    """Write `demo.svg`, `overview-page.png`, `lineage.png`, `verdict.png`, `overview.png` and `backfill-*.png`."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shelter-pictures-") as folder:
        Path(folder).chmod(0o755)
        settings = load_settings(home=Path(folder) / "home")
        console = Console(record=True, width=108, file=io.StringIO(), force_terminal=True)
        if not run_demo(settings, console, Console(stderr=True)):
            raise SystemExit(console.export_text())
        console.save_svg(str(PICTURES / "demo.svg"), title="shelter demo")
        with Stack(settings, ALL_PARTS) as stack:
            stack.start(lambda _: None)
            prepare_stack(stack, settings)
            take_overview(stack.urls["api"])
            take(stack.urls["dagster"])
    make_backfill_pictures()


def take_overview(url: str) -> None:
    """Photograph the top of the page that everybody sees first, light and live."""
    with open_page(width=1400, height=660) as page:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(url, wait_until="load")
        page.locator("#live.on").wait_for()
        page.screenshot(path=PICTURES / "overview-page.png")


def take(url: str) -> None:
    """Photograph the pages of Dagster's webserver."""
    for name, page_path, height in (
        ("lineage", LINEAGE, 620),
        ("verdict", VERDICT, 900),
        ("overview", OVERVIEW, 1250),
    ):
        with open_page(width=1600, height=height) as page:
            page.goto(f"{url}/{page_path}")
            page.wait_for_timeout(_SETTLED_MILLISECONDS)
            page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
