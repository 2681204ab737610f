"""Stock that is counted apart from its product: the catalogue items it is the stock of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.changes import StockChange
from relay.translation.rules.levels import note_level
from relay.translation.rules.products import NOT_WANTED, settle_product
from relay.translation.scene import Ending, Scene, ignored

NAMELESS = ignored("no-inventory-item")
UNKNOWN = ignored("unknown-inventory-item")


def take_stock(scene: Scene, change: StockChange, body: Mapping[str, Any]) -> Ending:
    """Keep a count, and bring the catalogue up to date once a product has named the counted item."""
    if not scene.group.products:
        return NOT_WANTED
    if change.item_id is None:
        return NAMELESS
    product_id = note_level(scene, change.item_id, change)
    return UNKNOWN if product_id is None else settle_product(scene, product_id)
