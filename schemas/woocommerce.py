"""WooCommerce's bodies as records: what ``handlers/woocommerce.py`` names for each topic.

A body is the REST answer for the resource, in the API version its webhook was made with: v1, v2, v3, or legacy v3,
which wraps it and uses other names. It can also be the REST error the shop met instead, signed like any other.
"""

from __future__ import annotations

from relay.commerce import Customer, Deletion, Order, PlatformError, Product, ResourceKind
from relay.shops import Shop
from schemas.fields import Id, LenientSchema, load
from schemas.woocommerce_body import error_in, unwrap
from schemas.woocommerce_customer import customer
from schemas.woocommerce_order import order
from schemas.woocommerce_product import product


class DeletedSchema(LenientSchema):
    """What is left of a deleted resource, in every API version. Products and orders are then in the trash."""

    id = Id(required=True)


_DELETED = DeletedSchema()


def read_order(body: object, shop: Shop) -> Order | PlatformError:
    """Read the body of a topic that carries a whole order; raises PayloadInvalid."""
    return error_in(body) or order(unwrap(body, "order"), shop)


def read_customer(body: object, shop: Shop) -> Customer | PlatformError:
    """Read the body of a topic that carries a whole user, of whatever role; raises PayloadInvalid."""
    return error_in(body) or customer(unwrap(body, "customer"), shop)


def read_product(body: object, shop: Shop) -> Product | PlatformError:
    """Read the body of a topic that carries a whole product or variation; raises PayloadInvalid."""
    return error_in(body) or product(unwrap(body, "product"), shop)


def read_order_deletion(body: object, shop: Shop) -> Deletion | PlatformError:
    """Read the body of order.deleted; raises PayloadInvalid."""
    return _deletion(ResourceKind.ORDER, body)


def read_customer_deletion(body: object, shop: Shop) -> Deletion | PlatformError:
    """Read the body of customer.deleted; raises PayloadInvalid."""
    return _deletion(ResourceKind.CUSTOMER, body)


def read_product_deletion(body: object, shop: Shop) -> Deletion | PlatformError:
    """Read the body of product.deleted; raises PayloadInvalid.

    The id can be a variation's. It can also be a page's, and with the older order storage an order's, because
    WordPress has one trash for all; an id nobody knows changes nothing.
    """
    return _deletion(ResourceKind.PRODUCT, body)


def _deletion(kind: ResourceKind, body: object) -> Deletion | PlatformError:
    return error_in(body) or Deletion(kind, load(_DELETED, unwrap(body, kind))["id"])
