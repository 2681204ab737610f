"""Products: the catalogue items they are, and which of them a visitor can buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from relay import jsontext
from relay.commands import Command, CommandKind, ProductSubject
from relay.commerce import Product, ResourceKind, Variant
from relay.errors import PayloadInvalid
from relay.memory import CatalogItem, Resource
from relay.translation.mapping import Source
from relay.translation.rules.orders import NO_CHANGE
from relay.translation.rules.remembering import (
    body_of,
    deleted_at,
    note_alive,
    note_deletion,
    record_of,
    remember,
)
from relay.translation.scene import TRANSLATED, Ending, ExplainedField, Scene, ignored
from schemas.salesmanago import product_payload
from schemas.values import as_text

NOT_WANTED = ignored("products-not-configured")
UNKNOWN = ignored("unknown-product")

_CHILDREN = "children"


def take_product(scene: Scene, product: Product, body: Mapping[str, Any]) -> Ending:
    """Remember a product and bring its catalogue items up to date."""
    if not scene.group.products:
        return NOT_WANTED
    resource = remember(scene, ResourceKind.PRODUCT, product.id, body, product.updated_at)
    restored = scene.delivery.topic in scene.platform.restoring
    at = product.updated_at or scene.happened_at
    note_alive(scene, resource, max(at, scene.happened_at) if restored else at)
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
    found = _product(scene, product_id)
    if found is None:
        return UNKNOWN
    resource, product = found
    _settle_items(scene, resource, product)
    if product.parent_id is not None and (parent := _product(scene, product.parent_id)):
        _settle_items(scene, *parent)
    for child_id in resource.facts.get(_CHILDREN, ()):
        if child := _product(scene, child_id):
            _settle_items(scene, *child)
    return TRANSLATED if scene.asked or scene.notes.changed_items else NO_CHANGE


def _settle_items(scene: Scene, resource: Resource, product: Product) -> None:
    shop, group = scene.shop, scene.group
    known = {item.product_id: item for item in scene.notes.items(group.key, shop.location, shop.key, product.id)}
    for fields, sources in _items(scene, resource, product):
        item_id = as_text(fields["id"])
        active = _is_published(scene, resource, product)
        earlier = known.pop(item_id, None)
        if active or earlier is not None:
            item = CatalogItem(group.key, shop.location, item_id, shop.key, product.id, fields, active)
            _settle_item(scene, item, earlier, sources)
    for gone in known.values():
        _settle_item(scene, replace(gone, active=False), gone, {})


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
    if earlier is None or (earlier.fields, earlier.active) != (item.fields, item.active):
        scene.notes.note_item(item)
    told = earlier.digest if earlier else None
    if "catalog" in scene.group.products and jsontext.digest(shaped.payload) != told:
        subject = ProductSubject(item.location, item.product_id)
        command = Command(CommandKind.PRODUCT_UPSERT, subject, shaped.payload, warnings=shaped.warnings)
        fields = (ExplainedField(name, value, sources.get(name)) for name, value in item.fields.items())
        scene.ask(command, "the product is for sale" if item.active else "the product is not for sale any more", fields)


def _items(scene: Scene, resource: Resource, product: Product) -> Iterator[tuple[dict[str, Any], Mapping[str, Source]]]:
    """Give the fields of each catalogue item that a product is."""
    if not _stands_alone(scene, resource, product):
        return
    raw = body_of(resource)
    product = _completed(scene, product)
    for variant in _variants(scene, product):
        fields = scene.mapping.product(scene.names(raw, product=product, variant=variant))
        if fields.values.get("id") is None:
            scene.warn(f"A product without {scene.shop.product_id} cannot be in the catalogue.")
            continue
        yield fields.values, fields.sources


def _variants(scene: Scene, product: Product) -> tuple[Variant | None, ...]:
    return (None,) if scene.shop.product_id == "product" else product.variants or (None,)


def _stands_alone(scene: Scene, resource: Resource, product: Product) -> bool:
    """Tell whether a product is an item: either products are, or their variations, never both."""
    if scene.shop.product_id == "product":
        return product.parent_id is None
    children = (_product(scene, child_id) for child_id in resource.facts.get(_CHILDREN, ()))
    return not any(child is not None and deleted_at(child[0].facts) is None for child in children)


def _is_published(scene: Scene, resource: Resource, product: Product) -> bool:
    if not product.published or deleted_at(resource.facts) is not None:
        return False
    parent = _product(scene, product.parent_id) if product.parent_id else None
    return parent is None or (parent[1].published and deleted_at(parent[0].facts) is None)


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
    )


def _product(scene: Scene, product_id: str) -> tuple[Resource, Product] | None:
    resource = scene.notes.resource(scene.shop.key, ResourceKind.PRODUCT, product_id)
    product = record_of(scene, resource) if resource else None
    return (resource, product) if resource is not None and isinstance(product, Product) else None


def _adopt(scene: Scene, parent_id: str, child_id: str) -> None:
    facts = scene.notes.facts(scene.shop.key, ResourceKind.PRODUCT, parent_id)
    if child_id not in facts.get(_CHILDREN, ()):
        facts[_CHILDREN] = sorted({*facts.get(_CHILDREN, ()), child_id})
        scene.notes.note_facts(scene.shop.key, ResourceKind.PRODUCT, parent_id, facts)
