"""What shops ask for people's sake: to tell what is stored about somebody, to forget somebody, to forget a shop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relay.commerce import ResourceKind
from relay.privacy import CustomerRedaction, DataRequest, Disclosure, ShopErasure, ShopRedaction
from relay.translation.rules.customers import settle_customer
from relay.translation.rules.erasing import erase, person_of
from relay.translation.rules.forgotten import is_bare, note_forgotten
from relay.translation.scene import TRANSLATED, Ending, Scene
from relay.translation.versions import microseconds

_UNFIT_FOR_FILES = re.compile(r"[^A-Za-z0-9_-]")


def take_data_request(scene: Scene, request: DataRequest, body: Mapping[str, Any]) -> Ending:
    """Have all that is stored about a person written down for the merchant."""
    number = _UNFIT_FOR_FILES.sub("", request.request_id or "") or f"delivery-{scene.delivery.id}"
    name = f"{scene.shop.key}-{number}.json"
    scene.privacy.append(Disclosure(person_of(scene, request), name))
    scene.warn(f"What is stored about the person is written to data-requests/{name} in RELAY_DATA, for the merchant.")
    return TRANSLATED


def take_redaction(scene: Scene, redaction: CustomerRedaction, body: Mapping[str, Any]) -> Ending:
    """Forget a person; what is said of them after the redaction is a new relationship."""
    person = person_of(scene, redaction)
    note_forgotten(scene, person, microseconds(scene.happened_at))
    erase(
        scene,
        person,
        scene.happened_at,
        "the person wants to be forgotten",
        for_good=True,
        thorough=redaction.thorough,
    )
    for shop, account in person.accounts:
        if not is_bare(scene.notes.resource(shop, ResourceKind.CUSTOMER, account)):
            settle_customer(scene, account)  # it has said something since
    return TRANSLATED


def take_shop_redaction(scene: Scene, redaction: ShopRedaction, body: Mapping[str, Any]) -> Ending:
    """Forget all that a shop has sent."""
    wish = ShopErasure(
        group=scene.group.key,
        shop=scene.shop.key,
        peers=tuple(shop for shop in scene.shops if shop != scene.shop.key),
        until=scene.happened_at,
        delete_contacts=scene.shop.on_shop_redact == "delete",
    )
    scene.privacy.append(wish)
    return TRANSLATED
