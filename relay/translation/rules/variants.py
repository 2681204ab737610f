"""Variants that a product's newest body only names: Shopify describes a hundred of them and names the others.

Which ones are described changes from body to body. So each is remembered as the newest body that describes it has it,
for as long as the newest body of all names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from relay import jsontext
from relay.commerce import Product, ResourceKind, Variant
from relay.memory import Resource
from relay.translation.rules.levels import with_counts
from relay.translation.rules.remembering import record_of
from relay.translation.scene import Scene
from relay.translation.versions import microseconds

_DESCRIBED = "described"  # variant id -> [microseconds since 1970, the variant]
_AMOUNTS = ("price", "regular_price")


def note_variants(scene: Scene, product: Product) -> None:
    """Keep how a body describes the variants of a product that has too many; before the body itself is remembered."""
    facts = scene.notes.facts(scene.shop.key, ResourceKind.PRODUCT, product.id)
    bodies = [product]
    if _DESCRIBED not in facts:
        known = scene.notes.resource(scene.shop.key, ResourceKind.PRODUCT, product.id)
        earlier = record_of(scene, known) if known else None
        bodies += [earlier] if isinstance(earlier, Product) else []
        if not any(each.named_variants for each in bodies):
            return
    described = dict(facts.get(_DESCRIBED, {}))
    for each in bodies:
        at = microseconds(each.updated_at or scene.happened_at)
        for variant in each.variants:
            if variant.id is not None:
                word = [at, asdict(variant)]
                described[variant.id] = max(described.get(variant.id, word), word, key=_age)
    scene.notes.note_facts(scene.shop.key, ResourceKind.PRODUCT, product.id, facts | {_DESCRIBED: described})


def with_named(product: Product, resource: Resource) -> Product:
    """Give a product with the variants that its body only names, as far as any body has described them."""
    described: Mapping[str, Any] = resource.facts.get(_DESCRIBED, {})
    words = [described[name] for name in product.named_variants if name in described]
    # Counts are compared with the body that described the variant: the newest one says nothing of its stock.
    found = [with_counts(_variant(fields), resource, at) for at, fields in words]
    return replace(product, variants=(*product.variants, *found)) if found else product


def _variant(fields: Mapping[str, Any]) -> Variant:
    amounts = {name: Decimal(fields[name]) for name in _AMOUNTS if fields[name] is not None}
    return Variant(**{**fields, **amounts})


def _age(word: list[Any]) -> tuple[int, str]:
    """Give what decides which of two descriptions is kept: their dates, then something that everybody sees alike."""
    at, variant = word
    return at, jsontext.digest(variant)
