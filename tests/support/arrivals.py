"""All orders in which deliveries can arrive, tried together.

What happens next depends on what has been remembered alone, not on how it came to be. So orders of arrival that have
led to the same memory go on as one, and thousands of them take the time of some hundreds of deliveries. The number of
ways is counted, so that nobody has to believe that all of them were there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from relay import jsontext
from relay.commerce import Record
from relay.platforms import Platforms, Topic
from relay.shops import Shop
from tests.support.lives import Step
from tests.support.world import World


@dataclass
class Ending:
    """What some orders of arrival have led to."""

    world: World
    arrived: frozenset[int]
    ways: int = 1


def endings_of(world: World, steps: Sequence[Step]) -> list[Ending]:
    """Deliver the steps to a world in every order; give the different endings.

    At every stage each delivery that is there already arrives once more, and must change nothing.
    """
    stage = {world.everything(): Ending(world, frozenset())}
    for _ in steps:
        following: dict[str, Ending] = {}
        for ending in stage.values():
            for place in set(range(len(steps))) - ending.arrived:
                world = ending.world.fork()
                deliver(world, steps[place])
                key = f"{world.everything()} {sorted(ending.arrived | {place})}"
                if key in following:
                    following[key].ways += ending.ways
                else:
                    following[key] = Ending(world, ending.arrived | {place}, ending.ways)
        for ending in following.values():
            check_repeats(ending.world, [steps[place] for place in ending.arrived])
        stage = following
    return list(stage.values())


def deliver(world: World, step: Step) -> None:
    """Deliver one step."""
    world.deliver(step.topic, step.body, step.at)


def check_repeats(world: World, steps: Sequence[Step]) -> None:
    """Fail where one of the steps, arriving once more, asks for anything."""
    for step in steps:
        again = world.fork()
        deliver(again, step)
        assert again.commands == world.commands, f"{step.topic} of {step.at} was told twice"


def reading_once(platforms: Platforms) -> Platforms:
    """Give platforms that read each body once and know it again: the same body always gives the same record.

    For thousands of deliveries to one and the same shop, of which reading takes the most time.
    """
    return {
        name: replace(platform, topics={topic: _once(known) for topic, known in platform.topics.items()})
        for name, platform in platforms.items()
    }


def _once(topic: Topic) -> Topic:
    seen: dict[str, Record] = {}

    def read(body: Any, shop: Shop) -> Record:
        key = jsontext.dumps(body)
        if key not in seen:
            seen[key] = topic.read(body, shop)
        return seen[key]

    return Topic(topic.kind, read)
