"""A scene for rules that are tried one by one, on the memory of a world that keeps what they note and ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from relay.deliveries import Delivery, DeliveryState, Translation
from relay.translation.notebook import Notebook
from relay.translation.scene import Scene
from tests.support.world import DEFAULT, PLATFORMS, World, _MemoryView


@contextmanager
def scene_in(
    world: World, topic: str = "orders/updated", at: datetime | None = None, **settings: Any
) -> Iterator[Scene]:
    """Give the scene of a delivery sent at ``at``; what was noted and asked for in it is kept at the end."""
    delivery = Delivery(
        id=1,
        platform=world.shop.platform,
        group=world.group.key,
        shop=world.shop.key,
        topic=topic,
        headers={},
        body=b"{}",
        received_at=at or world.now,
        triggered_at=at,
    )
    scene = Scene(
        delivery=delivery,
        shop=world.shop,
        group=world.group,
        platform=PLATFORMS[world.shop.platform],
        mapping=DEFAULT["default"],
        notes=Notebook(_MemoryView(world)),
        now=world.now,
    )
    yield scene
    world.keep(
        Translation(
            DeliveryState.TRANSLATED,
            commands=tuple(each.command for each in scene.asked),
            resources=scene.notes.resources,
            items=scene.notes.changed_items,
            dry_run=scene.shop.dry_run,
        )
    )
