"""What a store has lost is found by a scrub and fetched again, once, and then it is whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.mend_store import mend_store
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.rebuilding import rows
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

BODIES = [b"a,b\n" + f"{number},2\n".encode() * 100 for number in range(3)]


def rescue_what_is_due(workplace: Workplace, run: str) -> None:
    for key in plan_organization(workplace, "epa-gov", urgent=False)["open"]:
        rescue_batch(workplace, key, run_id=f"{run}-{key}")


def test_damaged_and_missing_files_are_fetched_again_and_only_they(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with FaultServer() as server, a_workplace(catalog_url, tmp_path / "store", robots="ignore") as workplace:
        urls = [server.serves(f"/{n}.csv", *whole(body, 'ETag: "same"')) for n, body in enumerate(BODIES)]
        portal = add_portal(workplace, "datagov:https://portal.example")
        harvested(catalog, portal, [a_dataset(str(n), a_resource(url)) for n, url in enumerate(urls)])
        discovered(catalog, portal)
        rescue_what_is_due(workplace, "first")
        digests = dict(rows(workplace, "SELECT url, sha256 FROM asset"))
        blobs = {path.name: path for path in files_in(tmp_path / "store", "blobs")}
        blobs[digests[urls[0]]].write_bytes(b"rot")
        blobs[digests[urls[1]]].unlink()

        found = mend_store(workplace)
        again = mend_store(workplace)
        rescue_what_is_due(workplace, "second")
        healed = mend_store(workplace)

        shutil.rmtree(tmp_path / "store")  # the whole of it, manifests too
        (tmp_path / "store" / "blobs").mkdir(parents=True)
        lost = mend_store(workplace)
        rescue_what_is_due(workplace, "third")

        assert (lost["ok"], lost["missing"], lost["wanted_again"]) == (0, 3, 3)
        assert mend_store(workplace)["ok"] == 3

        assert (found["damaged"], found["missing"], found["wanted_again"]) == (1, 1, 2)
        assert again["wanted_again"] == 0  # it is wanted already
        assert [server.requests(f"/{n}.csv") for n in range(3)] == [3, 3, 2]
        assert (healed["ok"], healed["damaged"], healed["missing"], healed["wanted_again"]) == (3, 0, 0, 0)
        assert rows(workplace, "SELECT DISTINCT state FROM copy") == [("good",)]
