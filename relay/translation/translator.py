"""From a stored delivery to what it means: its record, the memory of it, and the commands these ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from relay import jsontext
from relay.commerce import Cart, Customer, Deletion, Order, PlatformError, Product, ResourceKind
from relay.deliveries import Delivery, Translation
from relay.errors import PayloadInvalid, TranslationError
from relay.memory import EmptyMemory, Memory
from relay.platforms import Platforms
from relay.shops import Directory
from relay.translation.api import API_PLATFORM
from relay.translation.api import api_replay
from relay.translation.mapping import Mapping as FieldMapping
from relay.translation.notebook import Notebook
from relay.translation.rules.carts import take_cart
from relay.translation.rules.customers import take_customer
from relay.translation.rules.deletions import take_deletion
from relay.translation.rules.orders import take_order
from relay.translation.rules.products import take_product
from relay.translation.scene import Ending, ExplainedCommand, ExplainedField, Scene, ignored

__all__ = ["ExplainedCommand", "ExplainedField", "Translator"]

Rule = Callable[[Scene, Any, Mapping[str, Any]], Ending]


def _platform_error(scene: Scene, error: PlatformError, body: Mapping[str, Any]) -> Ending:
    return ignored(f"platform-error:{error.code}")


_RULES: Mapping[type, Rule] = {
    Customer: take_customer,
    Order: take_order,
    Cart: take_cart,
    Product: take_product,
    Deletion: lambda scene, deletion, body: take_deletion(scene, deletion),
    PlatformError: _platform_error,
}

_KINDS: Mapping[type, ResourceKind] = {
    Customer: ResourceKind.CUSTOMER,
    Order: ResourceKind.ORDER,
    Cart: ResourceKind.CART,
    Product: ResourceKind.PRODUCT,
}


class Translator:
    """Translates deliveries. Holds no state but the configuration, so any number of threads may share one."""

    def __init__(
        self,
        directory: Directory,
        platforms: Platforms,
        mappings: Mapping[str, FieldMapping],
        *,
        test_orders: bool = False,
    ) -> None:
        self._directory = directory
        self._platforms = platforms
        self._mappings = mappings
        self._test_orders = test_orders

    def translate(self, delivery: Delivery, memory: Memory, now: datetime) -> Translation:
        """Give all that a delivery means, of a shop or of the REST API.

        Raises: TranslationError when it has to become a dead letter; its message names the field.
        """
        if delivery.platform == API_PLATFORM:
            return self._api(delivery)
        return self._shop(delivery, memory, now)[0]

    def explain(
        self, delivery: Delivery, now: datetime, memory: Memory | None = None
    ) -> tuple[Translation, tuple[ExplainedCommand, ...]]:
        """Translate a delivery as if it was the first of its shop, and tell where each field comes from.

        Raises: TranslationError as ``translate`` does.
        """
        return self._shop(delivery, memory or EmptyMemory(), now)

    def _api(self, delivery: Delivery) -> Translation:
        group = self._directory.groups.get(delivery.group)
        if group is None:
            raise TranslationError(f"Group {delivery.group} is not configured any more; configure it, then replay.")
        return api_replay(delivery, group, self._mappings[group.mapping])

    def _shop(
        self, delivery: Delivery, memory: Memory, now: datetime
    ) -> tuple[Translation, tuple[ExplainedCommand, ...]]:
        scene = self._scene(delivery, memory, now)
        ending, about = _translated(scene)
        translation = Translation(
            state=ending.state,
            reason=ending.reason,
            commands=tuple(each.command for each in scene.asked),
            resources=scene.notes.resources,
            items=scene.notes.changed_items,
            warnings=tuple(scene.warnings),
            due_at=ending.due_at,
            resource_kind=about[0] if about else None,
            resource_id=about[1] if about else None,
            dry_run=scene.shop.dry_run,
        )
        return translation, tuple(scene.asked)

    def _scene(self, delivery: Delivery, memory: Memory, now: datetime) -> Scene:
        shop = self._directory.shops.get(delivery.shop or "")
        if shop is None or shop.platform not in self._platforms:
            raise TranslationError(f"Shop {delivery.shop} is not configured any more; configure it, then replay.")
        return Scene(
            delivery=delivery,
            shop=shop,
            group=self._directory.group_of(shop),
            platform=self._platforms[shop.platform],
            mapping=self._mappings[shop.mapping],
            notes=Notebook(memory),
            now=now,
            test_orders=self._test_orders,
        )


def _translated(scene: Scene) -> tuple[Ending, tuple[str, str] | None]:
    """Apply the rule for a delivery's record; gives how it ends, and the kind and id of what it is about."""
    name = scene.delivery.topic
    topic = scene.platform.topics.get(name)
    if topic is None:
        why = scene.platform.ignored.get(name)
        return ignored(f"topic-ignored: {why}" if why else "topic-unknown"), None
    body = _parsed(scene.delivery.body)
    record = topic.read(body, scene.shop)
    about = _about(record)
    return _RULES[type(record)](scene, record, cast(Mapping[str, Any], body)), about


def _parsed(body: bytes) -> Any:
    if not body.strip():
        raise PayloadInvalid("The body is empty.")
    try:
        return jsontext.loads(body)
    except (ValueError, RecursionError):
        raise PayloadInvalid("The body is not JSON. In Shopify, choose JSON as the webhook's format.") from None


def _about(record: Any) -> tuple[str, str] | None:
    if isinstance(record, Deletion):
        return record.kind, record.id
    kind = _KINDS.get(type(record))
    return (kind, record.id) if kind and record.id else None
