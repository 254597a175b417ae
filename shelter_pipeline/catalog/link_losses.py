"""Links that lead to nothing any more, read from the captures that were made anyway: no request is made for this.

A look counts once, and looks that are close together count as one. A suspected link is
made due again early enough that its loss can be confirmed or denied in time; bytes that
are held stay held.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.harvests import A_HANDFUL
from shelter_pipeline.domain.losses import DEAD, LASTING, LASTS_AFTER, REPLACED, LossRules
from shelter_pipeline.domain.verdicts import REASONS, holds_file


@dataclass(frozen=True, slots=True)
class LinkChanges:
    """What the newest captures changed; `replaced` counts those of the suspected that a page stands in for.

    `withheld` are of so many that failed at once that a fault of their server is likelier.
    """

    suspected: int
    withheld: int
    confirmed: int
    recovered: int
    replaced: int


def record_link_losses(catalog: Catalog, rules: LossRules, *, portal_id: int | None = None) -> LinkChanges:
    """Suspect, confirm and recover links, of one portal or of all; repeating it changes nothing."""
    parameters = {
        "portal_id": portal_id,
        "reasons": [*DEAD, *REPLACED],
        "dead": list(DEAD),
        "replaced": list(REPLACED),
        "lasting": list(LASTING),
        "lasts_after": LASTS_AFTER,
        "good": [slug for slug, reason in REASONS.items() if holds_file(reason.verdict)],
        "confirm_harvests": rules.confirm_harvests,
        "confirm_after": rules.confirm_after,
        "looks_apart": rules.looks_apart,
        "look_after": rules.look_after,
        "fraction": rules.breaker_fraction,
        "handful": A_HANDFUL,
    }
    with catalog.begin() as connection:
        connection.execute(statement("stage_looks"))
        connection.execute(statement("find_looks"), parameters)
        ended = Counter(connection.scalars(statement("recover_links"), parameters))
        connection.execute(statement("miss_links"), parameters)
        opened = Counter(
            (kind, state) for kind, state in connection.execute(statement("suspect_links"), parameters)
        )
        confirmed = connection.execute(statement("confirm_links"), parameters).rowcount
        connection.execute(statement("look_again"), parameters)
        by_state = Counter(state for _, state in opened.elements())
        return LinkChanges(
            by_state["suspected"],
            by_state["withheld"],
            confirmed,
            ended["recovered"],
            opened["replaced", "suspected"],
        )
