"""When something is lost, and how sure we are: the words, the rules and the breaker, as pure decisions.

A loss is never believed at first sight. It is suspected, or withheld while so much is
missing at once that the harvest is likelier to be at fault, and it is confirmed only by
repeats over a time. Whatever is seen again ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from shelter_pipeline.domain.harvests import is_mass_drop

STATES: dict[str, str] = {
    "withheld": "So many vanished at once that a fault of the harvest is likelier; nobody is alarmed.",
    "suspected": "It was missing when we last looked, and not yet often or long enough to be sure.",
    "confirmed": "It was missing in look after look, for as long as the settings ask for.",
    "recovered": "It was lost, and it is there again.",
    "dismissed": "It was no loss: it was seen again after a mass drop, or a person found it to be there.",
}
KINDS: dict[str, str] = {
    "delisted": "The portal does not list the dataset any more.",
    "moved": "The portal does not list the dataset any more, and another one stands in its place.",
    "link-dead": "The link of a dataset leads to nothing any more.",
    "replaced": "A stub, a login or a landing page stands where the file was promised.",
    "harvest-fault": "Nothing was lost: the harvest, or the portal's answer to it, was at fault.",
}
# What subscribers of the feed are told of.
ANNOUNCED = ("suspected", "confirmed", "recovered")

# Reasons of a capture after which a link counts as dead, and why. Our own troubles, rate limits,
# refusals and anything else that says nothing about the file are not among them.
DEAD: dict[str, str] = {
    "not-found": "The server was reached and has nothing at this address.",
    "gone": "The server was reached and says that the file was removed for good.",
    "http-status": "The server was reached and answers with a status that holds no file.",
    "dns-failed": "The server's name has not been resolved for days.",
}
REPLACED: dict[str, str] = {
    "html-instead": "The server was reached and hands out a web page in place of the file.",
    "login-page": "The server was reached and hands out a login page in place of the file.",
    "shrunk": "The server was reached and hands out next to nothing of the file.",
    "landing-page-only": "The page was reached and leads to no file.",
}
# Of these one look is no evidence, for the trouble may be ours: they must have gone on for a while.
LASTING = frozenset({"dns-failed"})
LASTS_AFTER = timedelta(days=2)

# A title or a file that more datasets share than this says nothing about which one followed which.
HANDFUL = 5
_SHORTEST_REST = timedelta(hours=1)
# Harvests do not end on the same minute every week: what is missing for 13.9 days was missing for two weeks.
_NIGHTS_DIFFER = 0.98


@dataclass(frozen=True, slots=True)
class LossRules:
    """How many may vanish at once, and how often and how long a thing must be missing."""

    breaker_fraction: float  # of an organization's or portal's datasets, above 0 to 1
    confirm_harvests: int  # complete harvests, or looks at a link, without it
    confirm_days: float

    @property
    def confirm_after(self) -> timedelta:
        """How long a thing must be missing before its loss is confirmed."""
        return timedelta(days=self.confirm_days) * _NIGHTS_DIFFER

    @property
    def look_after(self) -> timedelta:
        """How long after a look the next one at a suspected link is due, so that enough fit into the time."""
        return max(self.confirm_after / self.confirm_harvests, _SHORTEST_REST)

    @property
    def looks_apart(self) -> timedelta:
        """How far apart two looks at a link must be to count as two."""
        return self.confirm_after / self.confirm_harvests / 2


@dataclass(frozen=True, slots=True)
class OrganizationDrop:
    """What one complete harvest missed of one organization, of what was listed before."""

    id: int
    key: str
    listed: int
    missing: int


@dataclass(frozen=True, slots=True)
class Breakers:
    """Where so much vanished at once that nothing is announced: the whole portal, or some organizations."""

    portal: bool
    organizations: tuple[OrganizationDrop, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What tripped, for people: "portal" first, then the keys of organizations."""
        return ("portal",) * self.portal + tuple(drop.key for drop in self.organizations)


def tripped_breakers(drops: Iterable[OrganizationDrop], fraction: float) -> Breakers:
    """Which breakers the drops of one portal's organizations trip.

    The portal has a breaker of its own: a few of every organization are many in all.
    """
    known = sorted(drops, key=lambda drop: drop.key)
    return Breakers(
        portal=is_mass_drop(
            listed=sum(drop.listed for drop in known),
            missing=sum(drop.missing for drop in known),
            fraction=fraction,
        ),
        organizations=tuple(
            drop
            for drop in known
            if is_mass_drop(listed=drop.listed, missing=drop.missing, fraction=fraction)
        ),
    )
