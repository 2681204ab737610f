"""Products: the catalogue items they are, and which of them a visitor can buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from relay import jsontext
from relay.commands import Command, CommandKind, ProductSubject
from relay.commerce import Product, ResourceKind, Variant
from relay.errors import PayloadInvalid
from relay.memory import CatalogItem, Resource
from relay.translation.mapping import Source
from relay.translation.rules.levels import note_items, with_levels
from relay.translation.rules.orders import NO_CHANGE
from relay.translation.rules.remembering import (
    body_of,
    deleted_at,
    note_alive,
    note_deletion,
    record_of,
    remember,
)
from relay.translation.rules.variants import note_variants, with_named
from relay.translation.scene import TRANSLATED, Ending, Scene, ignored
from schemas.salesmanago import product_payload
from schemas.values import as_text

NOT_WANTED = ignored("products-not-configured")
UNKNOWN = ignored("unknown-product")

SHARED_ID = "Several products share one id in the catalogue; only the one that was there first is in it."

_CHILDREN = "children"


def take_product(scene: Scene, product: Product, body: Mapping[str, Any]) -> Ending:
    """Remember a product and bring its catalogue items up to date."""
    if not scene.group.products:
        return NOT_WANTED
    note_variants(scene, product)
    resource = remember(scene, ResourceKind.PRODUCT, product.id, body, product.updated_at)
    restored = scene.delivery.topic in scene.platform.restoring
    at = product.updated_at or scene.happened_at
    note_alive(scene, resource, max(at, scene.happened_at) if restored else at)
    note_items(scene, product)
    if product.parent_id is not None:
        _adopt(scene, product.parent_id, product.id)
    return settle_product(scene, product.id)


def delete_product(scene: Scene, product_id: str) -> Ending:
    """Take a deleted product, or one of its variations, out of the feed and the catalogue."""
    if not scene.group.products:
        return NOT_WANTED
    note_deletion(scene, ResourceKind.PRODUCT, product_id)
    return settle_product(scene, product_id)


def settle_product(scene: Scene, product_id: str) -> Ending:
    """Bring the catalogue items up to what is known of a product and of the variations that arrived by themselves."""
    resource = scene.notes.resource(scene.shop.key, ResourceKind.PRODUCT, product_id)
    if resource is None:
        return UNKNOWN
    found = _product(scene, product_id)
    if found is not None:
        _settle_with_parent(scene, *found)
    for child in _children(scene, resource):
        _settle_items(scene, *child)
    if scene.asked or scene.notes.changed_items:
        return TRANSLATED
    return UNKNOWN if found is None else NO_CHANGE


def _settle_with_parent(scene: Scene, resource: Resource, product: Product) -> None:
    """Settle a product or variation; the parent comes first, since it may hold an item that is its child's by now."""
    parent = _product(scene, product.parent_id) if product.parent_id else None
    if parent is not None:
        _settle_items(scene, *parent)
    if _settle_items(scene, resource, product) and parent is not None:
        for child in _children(scene, parent[0]):
            _settle_items(scene, *child)  # a sibling with the same article number is the item now


def _settle_items(scene: Scene, resource: Resource, product: Product) -> bool:
    """Bring the items of one product up to date; tells whether one of them is not for sale any more."""
    shop, group = scene.shop, scene.group
    known = {item.product_id: item for item in scene.notes.items(group.key, shop.location, shop.key, product.id)}
    active = _is_published(scene, resource, product)
    released = [item for item in known.values() if item.active and not active]
    seen: set[str] = set()
    for fields, sources in _items(scene, resource, product):
        item_id = as_text(fields["id"])
        earlier = known.pop(item_id, None) or scene.notes.item(group.key, shop.location, item_id)
        item = CatalogItem(group.key, shop.location, item_id, shop.key, product.id, fields, active)
        if item_id in seen or _is_anothers(item, earlier):
            scene.warn(SHARED_ID)
        elif active or (earlier is not None and earlier.source_id == product.id):
            _settle_item(scene, item, earlier, sources)
        seen.add(item_id)
    for gone in known.values():
        _settle_item(scene, replace(gone, active=False), gone, {})
    return bool(released or any(item.active for item in known.values()))


def _is_anothers(item: CatalogItem, earlier: CatalogItem | None) -> bool:
    """Tell whether an id stands for another product that is for sale: of several the one that was there first."""
    if earlier is None or not earlier.active or earlier.shop != item.shop or earlier.source_id == item.source_id:
        return False
    return _place(earlier) < _place(item)


def _place(item: CatalogItem) -> tuple[int, str]:
    """Give what puts a shop's numbers in their order."""
    return len(item.source_id or ""), item.source_id or ""


def _settle_item(scene: Scene, item: CatalogItem, earlier: CatalogItem | None, sources: Mapping[str, Source]) -> None:
    """Note an item and tell the catalogue about it, as far as either is news."""
    try:
        shaped = product_payload(item.fields, item.active)
    except PayloadInvalid as error:
        scene.warn(f"Left out of the catalogue: {error}")
        if earlier is None or not earlier.active:
            return
        item = replace(earlier, active=False)
        shaped = product_payload(item.fields, active=False)
    if earlier is None or _content(earlier) != _content(item):
        scene.notes.note_item(item)
    told = earlier.digest if earlier else None
    if "catalog" in scene.group.products and (digest := jsontext.digest(shaped.payload)) != told:
        subject = ProductSubject(item.location, item.product_id)
        command = Command(CommandKind.PRODUCT_UPSERT, subject, shaped.payload, None, shaped.warnings, digest)
        rule = "the product is for sale" if item.active else "the product is not for sale any more"
        scene.ask(command, rule, sources, values=item.fields)


def _content(item: CatalogItem) -> tuple[Any, ...]:
    return item.shop, item.source_id, item.fields, item.active


def _items(scene: Scene, resource: Resource, product: Product) -> Iterator[tuple[dict[str, Any], Mapping[str, Source]]]:
    """Give the fields of each catalogue item that a product is."""
    raw = body_of(resource, scene.notes.parsed)
    whole = _completed(scene, product)
    for variant in _forms(scene, resource, product):
        fields = scene.mapping.product(scene.names(raw, product=whole, variant=variant))
        if fields.values.get("id") is None:
            scene.warn(f"A product without {scene.shop.product_id} cannot be in the catalogue.")
            continue
        yield {name: _storable(value) for name, value in fields.values.items()}, fields.sources


def _forms(scene: Scene, resource: Resource, product: Product) -> tuple[Variant | None, ...]:
    """Give what of a product is an item: either products are (None), or their variations, never both."""
    if scene.shop.product_id == "product":
        return () if product.parent_id else (None,)
    arrived = {child.id: deleted_at(kept.facts) is None for kept, child in _children(scene, resource)}
    if product.variants:
        return tuple(variant for variant in product.variants if variant.id not in arrived)
    return () if any(arrived.values()) else (None,)


def _is_published(scene: Scene, resource: Resource, product: Product) -> bool:
    if not product.published or deleted_at(resource.facts) is not None:
        return False
    if product.parent_id is None:
        return True
    parent = _product(scene, product.parent_id)
    facts = scene.notes.facts(scene.shop.key, ResourceKind.PRODUCT, product.parent_id)
    return deleted_at(facts) is None and (parent is None or parent[1].published)


def _completed(scene: Scene, product: Product) -> Product:
    """Give a variation what only its product says."""
    parent = _product(scene, product.parent_id) if product.parent_id else None
    if parent is None:
        return product
    whole = parent[1]
    return replace(
        product,
        description=product.description or whole.description,
        vendor=product.vendor or whole.vendor,
        categories=product.categories or whole.categories,
        tags=product.tags or whole.tags,
        images=product.images or whole.images,
        attributes={**whole.attributes, **product.attributes},
        stock=whole.stock if product.shares_stock else product.stock,
        available=whole.available if product.shares_stock else product.available,
    )


def _product(scene: Scene, product_id: str) -> tuple[Resource, Product] | None:
    resource = scene.notes.resource(scene.shop.key, ResourceKind.PRODUCT, product_id)
    product = record_of(scene, resource) if resource else None
    if resource is None or not isinstance(product, Product):
        return None
    return resource, with_named(with_levels(product, resource), resource)


def _children(scene: Scene, resource: Resource) -> Iterator[tuple[Resource, Product]]:
    """Give the variations of a product that arrived by themselves."""
    found = (_product(scene, child_id) for child_id in resource.facts.get(_CHILDREN, ()))
    yield from (child for child in found if child is not None)


def _adopt(scene: Scene, parent_id: str, child_id: str) -> None:
    facts = scene.notes.facts(scene.shop.key, ResourceKind.PRODUCT, parent_id)
    if child_id not in facts.get(_CHILDREN, ()):
        facts[_CHILDREN] = sorted({*facts.get(_CHILDREN, ()), child_id})
        scene.notes.note_facts(scene.shop.key, ResourceKind.PRODUCT, parent_id, facts)


def _storable(value: Any) -> Any:
    """Give a value as JSON keeps it."""
    return as_text(value) if isinstance(value, date) else value
