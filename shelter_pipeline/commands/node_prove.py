"""`shelter node prove`: what Dagster does every hour, by hand."""

from __future__ import annotations

from shelter_pipeline.commands.printing import AsJson, print_result
from shelter_pipeline.settings import load_settings


def prove(as_json: AsJson = False) -> None:
    """End proofs that did not come, weigh silent nodes' copies, compare what nodes said, set challenges."""
    from shelter_pipeline.operations.proofs import prove_nodes
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        print_result(prove_nodes(workplace), as_json)
