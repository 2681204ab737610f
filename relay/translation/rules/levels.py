"""Counts of stock that arrive apart from their product, one place at a time.

A body states the stock of all places together, a count that of one. How much of the body's sum was at that place
nobody says, so a later count cannot be put in its stead; the sum of the places that have been counted is the best that
can be known. It is too low while a place has not been counted yet, which the product's next body mends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay.changes import StockChange
from relay.commerce import Product, ResourceKind, Variant
from relay.memory import Resource
from relay.translation.scene import Scene
from relay.translation.versions import microseconds

_LEVELS = "levels"  # of an item: place -> [available, age ...]; of a product: item -> the same
_PRODUCT = "product"


def note_level(scene: Scene, item_id: str, change: StockChange) -> str | None:
    """Keep a count with its item and its product; gives the product's id, None while no product has named the item."""
    facts = scene.notes.facts(scene.shop.key, ResourceKind.INVENTORY, item_id)
    levels = dict(facts.get(_LEVELS, {}))
    # Shops date counts in whole seconds; of two of one second the one that was triggered later counts.
    counted = [change.available, microseconds(change.at or scene.happened_at), microseconds(scene.happened_at)]
    place = change.location_id or ""
    levels[place] = max(levels.get(place, counted), counted, key=_age)
    scene.notes.note_facts(scene.shop.key, ResourceKind.INVENTORY, item_id, facts | {_LEVELS: levels})
    product_id: str | None = facts.get(_PRODUCT)
    if product_id is not None:
        _copy(scene, product_id, {item_id: levels})
    return product_id


def note_items(scene: Scene, product: Product) -> None:
    """Let the items of a product's variants know their product, and the product how they were counted before."""
    named = {variant.inventory_item_id for variant in product.variants if variant.inventory_item_id}
    known = scene.notes.facts(scene.shop.key, ResourceKind.PRODUCT, product.id).get(_LEVELS, {})
    found: dict[str, Any] = {}
    for item_id in sorted(named - known.keys()):
        facts = scene.notes.facts(scene.shop.key, ResourceKind.INVENTORY, item_id)
        scene.notes.note_facts(scene.shop.key, ResourceKind.INVENTORY, item_id, facts | {_PRODUCT: product.id})
        found[item_id] = facts.get(_LEVELS, {})
    if found:
        _copy(scene, product.id, found)


def with_levels(product: Product, resource: Resource) -> Product:
    """Give a product with the stock that its newest counts make, where these are younger than its body."""
    since = microseconds(product.updated_at) if product.updated_at else 0
    variants = tuple(with_counts(variant, resource, since) for variant in product.variants)
    if variants == product.variants:
        return product
    states = {variant.available for variant in variants}
    sold_out = None if None in states or product.stock is None else False
    return replace(
        product,
        variants=variants,
        # The body's own sum is missing where it does not cover all variants.
        stock=None if product.stock is None else sum(variant.stock or 0 for variant in variants),
        available=True if True in states else sold_out,
    )


def with_counts(variant: Variant, resource: Resource, since: int) -> Variant:
    """Give a variant with the stock that its newest counts make, where these are younger than ``since``."""
    levels: Mapping[str, Any] = resource.facts.get(_LEVELS, {}).get(variant.inventory_item_id or "", {})
    counts = [available for available, *_ in levels.values() if available is not None]
    if variant.stock is None or not counts or max(at for _, at, _ in levels.values()) <= since:
        return variant
    stock = sum(counts)
    return replace(variant, stock=stock, available=stock > 0 or bool(variant.backorders))


def _age(counted: list[Any]) -> tuple[int, int, int]:
    """Give what decides which of two counts is kept: their dates, then the smaller."""
    available, at, told_at = counted
    return at, told_at, -(available or 0)


def _copy(scene: Scene, product_id: str, items: Mapping[str, Any]) -> None:
    facts = scene.notes.facts(scene.shop.key, ResourceKind.PRODUCT, product_id)
    facts[_LEVELS] = {**facts.get(_LEVELS, {}), **items}
    scene.notes.note_facts(scene.shop.key, ResourceKind.PRODUCT, product_id, facts)
