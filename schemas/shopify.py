"""Shopify's bodies as records: what ``handlers/shopify.py`` names for each topic.

The bodies are the REST resources themselves, in the shape of whichever API version Shopify chose to send.
"""

from __future__ import annotations

from relay.commerce import Deletion, ResourceKind
from relay.shops import Shop
from schemas.fields import Id, LenientSchema, load
from schemas.shopify_change import (
    read_email_consent,
    read_level,
    read_merge,
    read_sms_consent,
    read_tags_added,
    read_tags_removed,
)
from schemas.shopify_checkout import read_checkout
from schemas.shopify_customer import read_customer
from schemas.shopify_edit import read_edit
from schemas.shopify_order import read_order
from schemas.shopify_product import read_product
from schemas.shopify_refund import read_refund

__all__ = [
    "read_checkout",
    "read_customer",
    "read_customer_deletion",
    "read_edit",
    "read_email_consent",
    "read_level",
    "read_merge",
    "read_order",
    "read_order_deletion",
    "read_product",
    "read_product_deletion",
    "read_refund",
    "read_sms_consent",
    "read_tags_added",
    "read_tags_removed",
]


class DeletedSchema(LenientSchema):
    """What is left of a deleted resource. Older versions send more keys; none of them is needed."""

    id = Id(required=True)


_DELETED = DeletedSchema()


def read_customer_deletion(body: object, shop: Shop) -> Deletion:
    """Read the body of customers/delete; raises PayloadInvalid."""
    return Deletion(ResourceKind.CUSTOMER, load(_DELETED, body)["id"])


def read_order_deletion(body: object, shop: Shop) -> Deletion:
    """Read the body of orders/delete; raises PayloadInvalid."""
    return Deletion(ResourceKind.ORDER, load(_DELETED, body)["id"])


def read_product_deletion(body: object, shop: Shop) -> Deletion:
    """Read the body of products/delete; raises PayloadInvalid."""
    return Deletion(ResourceKind.PRODUCT, load(_DELETED, body)["id"])
