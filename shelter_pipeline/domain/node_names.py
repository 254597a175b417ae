"""Nicknames for nodes: one for who brings none, and the next free one for who brings a taken one."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator

LONGEST = 64  # characters, as `node_protocol.NODE_NAME` has it
_TRIES = 30

_ADJECTIVES = """
amber ancient autumn blue bold brave bright bronze calm careful clever coastal copper coral crimson
curious dawn deep dusky eager early fair fern gentle glad golden grand green hardy hidden humble indigo
ivory jade jolly keen kind lively lucky lunar mellow merry misty mossy noble northern olive opal patient
pearly proud quick quiet rapid ruby rustic sandy scarlet shy silent silver snowy solar spry steady sunny
tidal vivid warm wild wise
"""
_ANIMALS = """
albatross alpaca badger beaver bison bittern bobcat caribou condor cormorant crane curlew dolphin eagle
egret elk falcon ferret finch fox gannet gecko goshawk grouse gull hare harrier hawk heron ibex ibis
jackdaw jay kestrel kingfisher kite lark lemur linnet lynx magpie manatee marmot marten merlin mole moose
narwhal newt nightjar ocelot oriole osprey otter owl panther partridge pelican petrel pika plover puffin
quail raven robin salmon sandpiper seal shrike skylark snipe sparrow stoat swan swift tapir tern thrush
toucan turtle vole walrus warbler whale wolverine woodcock wren
"""
ADJECTIVES, ANIMALS = tuple(_ADJECTIVES.split()), tuple(_ANIMALS.split())


def nicknames(dice: random.Random) -> Iterator[str]:
    """Friendly names without end, each to be tried if those before it are taken: pairs first, then with a number."""
    for turn in range(2**31):
        pair = f"{dice.choice(ADJECTIVES)}-{dice.choice(ANIMALS)}"
        yield pair if turn < _TRIES else f"{pair}-{dice.randrange(1000, 10**6)}"


def alternatives(name: str, dice: random.Random) -> list[str]:
    """Names like `name` to offer in its place, best first: numbered from two on, and one that is hardly ever taken."""
    endings = [f"-{number}" for number in range(2, 20)] + [f"-{dice.randrange(10**5, 10**6)}"]
    return [f"{name[: LONGEST - len(ending)]}{ending}" for ending in endings]


def first_free(names: Collection[str], taken: Collection[str]) -> str | None:
    """The first of these names that nobody has, whatever its capitals."""
    lowered = {name.lower() for name in taken}
    return next((name for name in names if name.lower() not in lowered), None)
