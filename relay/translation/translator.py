"""From a stored delivery to what it means: its record, the memory of it, and the commands these ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from relay.changes import AccountMerge, ConsentChange, Piece, StockChange, TagChange
from relay.commerce import Cart, Customer, Deletion, Order, PlatformError, Product, ResourceKind
from relay.deliveries import Delivery, Translation
from relay.errors import TranslationError
from relay.memory import EmptyMemory, Memory, Resource
from relay.platforms import Platform, Platforms
from relay.privacy import RELAY_PLATFORM, CustomerRedaction, DataRequest, ShopRedaction
from relay.shops import Directory, Group, Shop
from relay.translation.api import API_PLATFORM, api_replay
from relay.translation.mapping import Mapping as FieldMapping
from relay.translation.notebook import Notebook
from relay.translation.opening import Opened, opened, parsed
from relay.translation.rules.carts import take_cart
from relay.translation.rules.changes import take_consent, take_merge, take_tags
from relay.translation.rules.customers import take_customer
from relay.translation.rules.deletions import take_deletion
from relay.translation.rules.forgotten import bare
from relay.translation.rules.orders import take_order
from relay.translation.rules.pieces import take_piece
from relay.translation.rules.privacy import take_data_request, take_redaction, take_shop_redaction
from relay.translation.rules.products import take_product
from relay.translation.rules.stock import take_stock
from relay.translation.scene import Ending, ExplainedCommand, ExplainedField, Scene, ignored
from schemas.people import read_erasure

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
    Piece: take_piece,
    ConsentChange: take_consent,
    TagChange: take_tags,
    AccountMerge: take_merge,
    StockChange: take_stock,
    DataRequest: take_data_request,
    CustomerRedaction: take_redaction,
    ShopRedaction: take_shop_redaction,
    PlatformError: _platform_error,
}

_KINDS: Mapping[type, ResourceKind] = {
    Customer: ResourceKind.CUSTOMER,
    Order: ResourceKind.ORDER,
    Cart: ResourceKind.CART,
    Product: ResourceKind.PRODUCT,
}


def _take_nothing(*_: object) -> NoReturn:
    raise TranslationError("The relay's own deliveries come from no platform.")


_NO_PLATFORM = Platform(RELAY_PLATFORM, verify=_take_nothing, identify=_take_nothing, topics={})


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

    def opened(self, delivery: Delivery) -> Opened | None:
        """Read a shop's delivery ahead of its translation; None for what ``translate`` has to look at by itself."""
        shop = self._directory.shops.get(delivery.shop or "")
        platform = self._platforms.get(shop.platform) if shop else None
        topic = platform.topics.get(delivery.topic) if platform else None
        if shop is None or topic is None or delivery.platform in (API_PLATFORM, RELAY_PLATFORM):
            return None
        try:
            return opened(delivery.body, topic, shop)
        except TranslationError:
            return None  # ``translate`` meets the same fault, and tells it

    def translate(self, delivery: Delivery, memory: Memory, now: datetime, opened: Opened | None = None) -> Translation:
        """Give all that a delivery means, of a shop, of the REST API or of the relay itself.

        ``opened`` is what was read of it ahead, if it was.

        Raises: TranslationError when it has to become a dead letter; its message names the field.
        """
        if delivery.platform == API_PLATFORM:
            return self._api(delivery)
        if delivery.platform == RELAY_PLATFORM:
            return _carried_out(self._own_scene(delivery, memory, now))
        return _shops(self._scene(delivery, memory, now), opened)

    def explain(
        self, delivery: Delivery, now: datetime, memory: Memory | None = None
    ) -> tuple[Translation, tuple[ExplainedCommand, ...]]:
        """Translate a delivery as if it was the first of its shop, and tell where each field comes from.

        Raises: TranslationError as ``translate`` does.
        """
        scene = self._scene(delivery, memory or EmptyMemory(), now)
        return _shops(scene), tuple(each.explained() for each in scene.asked)

    def _api(self, delivery: Delivery) -> Translation:
        group = self._group(delivery)
        return api_replay(delivery, group, self._mappings[group.mapping])

    def _scene(self, delivery: Delivery, memory: Memory, now: datetime) -> Scene:
        shop = self._directory.shops.get(delivery.shop or "")
        if shop is None or shop.platform not in self._platforms:
            raise TranslationError(f"Shop {delivery.shop} is not configured any more; configure it, then replay.")
        return self._set(delivery, shop, self._platforms[shop.platform], memory, now)

    def _own_scene(self, delivery: Delivery, memory: Memory, now: datetime) -> Scene:
        """Give the scene of one of the relay's own deliveries: of a shop, which may have left, or of none."""
        group = self._group(delivery)
        known = self._directory.shops.get(delivery.shop or "")
        shop = known or Shop(delivery.shop or "", RELAY_PLATFORM, group.key, group.location, (), group.mapping)
        return self._set(delivery, shop, self._platforms.get(shop.platform, _NO_PLATFORM), memory, now)

    def _set(self, delivery: Delivery, shop: Shop, platform: Platform, memory: Memory, now: datetime) -> Scene:
        return Scene(
            delivery=delivery,
            shop=shop,
            group=self._directory.group_of(shop),
            platform=platform,
            mapping=self._mappings[shop.mapping],
            notes=Notebook(memory),
            now=now,
            test_orders=self._test_orders,
            shops=tuple(dict.fromkeys([shop.key, *self._shops_of(shop.group)])),
        )

    def _shops_of(self, group: str) -> list[str]:
        return [key for key, each in self._directory.shops.items() if each.group == group]

    def _group(self, delivery: Delivery) -> Group:
        group = self._directory.groups.get(delivery.group)
        if group is None:
            raise TranslationError(f"Group {delivery.group} is not configured any more; configure it, then replay.")
        return group


def _translation(scene: Scene, ending: Ending, about: tuple[str, str] | None) -> Translation:
    return Translation(
        state=ending.state,
        reason=ending.reason,
        commands=tuple(each.command for each in scene.asked),
        resources=_remembered(scene, ending, about),
        items=scene.notes.changed_items,
        warnings=tuple(scene.warnings),
        due_at=ending.due_at,
        resource_kind=about[0] if about else None,
        resource_id=about[1] if about else None,
        dry_run=scene.shop.dry_run,
        privacy=tuple(scene.privacy),
        erased=ending.erased,
    )


def _shops(scene: Scene, ahead: Opened | None = None) -> Translation:
    """Translate a delivery of a shop."""
    return _translation(scene, *_translated(scene, ahead))


def _carried_out(scene: Scene) -> Translation:
    """Do what one of the relay's own deliveries asks for; there is one topic of these."""
    redaction = read_erasure(parsed(scene.delivery.body))
    return _translation(scene, take_redaction(scene, redaction, {}), _about(redaction))


def _translated(scene: Scene, ahead: Opened | None) -> tuple[Ending, tuple[str, str] | None]:
    """Apply the rule for a delivery's record; gives how it ends, and the kind and id of what it is about."""
    name = scene.delivery.topic
    topic = scene.platform.topics.get(name)
    if topic is None:
        why = scene.platform.ignored.get(name)
        return ignored(f"topic-ignored: {why}" if why else "topic-unknown"), None
    read = ahead or opened(scene.delivery.body, topic, scene.shop)
    scene.delivered = (read.body, read.record)
    about = _about(read.record)
    return _RULES[type(read.record)](scene, read.record, read.body), about


def _remembered(scene: Scene, ending: Ending, about: tuple[str, str] | None) -> tuple[Resource, ...]:
    """Give what is to be remembered; of a resource of somebody who was forgotten, moments only."""
    if not ending.erased:
        return scene.notes.resources
    known = scene.notes.resource(scene.shop.key, *about) if about and not ending.stays else None
    return () if known is None else (bare(known),)


def _about(record: Any) -> tuple[str, str] | None:
    match record:
        case Deletion() | Piece():
            return record.kind, record.id
        case ConsentChange() | TagChange():
            return ResourceKind.CUSTOMER, record.customer_id
        case DataRequest() | CustomerRedaction():
            return (ResourceKind.CUSTOMER, record.customer_id) if record.customer_id else None
        case AccountMerge():
            return ResourceKind.CUSTOMER, record.kept_id
        case StockChange():
            return (ResourceKind.INVENTORY, record.item_id) if record.item_id else None
    kind = _KINDS.get(type(record))
    return (kind, record.id) if kind and record.id else None
