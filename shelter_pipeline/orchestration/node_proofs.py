"""The hourly look after volunteers' copies: what was not proved in time, whom to ask again, whose word was true."""

import dagster as dg

from shelter_pipeline.domain.fleet import UPKEEP
from shelter_pipeline.operations.proofs import node_table, prove_nodes
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import first_in_queue
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.tables import bar, table


@dg.op
def prove(context: dg.OpExecutionContext, workplaces: dg.ResourceParam[Workplaces]) -> None:
    """Expire, compare, weigh, challenge, and tell beside the blobs."""
    with workplaces.open() as workplace:
        done = prove_nodes(workplace)
        nodes = node_table(workplace)
    shown = [
        {
            "node": row["node"],
            "trust": bar(row["trust"], 1.0),
            "blocked": "yes" if row["blocked"] else "",
            "lies": row["lies"] or "",
            "copies proved": row["proved"],
            "count for": round(row["counting"], 2),
            "not proved": row["unproved"],
            "asked for": row["open"],
            "last seen": row["last_seen_at"],
        }
        for row in nodes
    ]
    context.add_output_metadata({name.replace("_", " "): count for name, count in done.items()})
    context.add_output_metadata({"nodes, least trusted first": table(shown)})


@dg.job(
    executor_def=dg.in_process_executor,
    tags=first_in_queue(at_most_hours=1, queue=UPKEEP),
    **about("node_proofs"),
)
def node_proofs() -> None:
    """One op: all that is due."""
    prove()
