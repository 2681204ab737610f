"""What Shopify tells of a customer or a stock level apart from the resource itself: consent, tags, merges, counts."""

from __future__ import annotations

from relay.changes import AccountMerge, ConsentChange, StockChange, TagChange
from relay.shops import Shop
from schemas.fields import Id, LenientSchema, NestedObject, Text, TextList, Timestamp, Whole, load
from schemas.shopify_customer import ConsentSchema, read_channel


class GlobalId(Id):
    """An id as GraphQL spells it, ``gid://shopify/Customer/1``: its number, which is what all other bodies say."""

    def _read(self, value: object) -> str | None:
        text = super()._read(value)
        return super()._read(text.partition("?")[0].rpartition("/")[2]) if text else None


class EmailConsentSchema(LenientSchema):
    """Consent to e-mail. Its keys are called otherwise than everywhere else."""

    customer_id = Id(required=True)
    email_address = Text()
    email_marketing_consent = NestedObject(ConsentSchema)


class SmsConsentSchema(LenientSchema):
    """Consent to text messages; ``id`` is the customer's."""

    id = Id(required=True)
    sms_marketing_consent = NestedObject(ConsentSchema)


class TagsSchema(LenientSchema):
    """Tags given or taken."""

    customer_id = GlobalId(required=True, data_key="customerId")
    tags = TextList()
    occurred_at = Timestamp(data_key="occurredAt")


class MergeSchema(LenientSchema):
    """A merge of two customers, or an attempt at one."""

    kept_id = GlobalId(required=True, data_key="admin_graphql_api_customer_kept_id")
    deleted_id = GlobalId(required=True, data_key="admin_graphql_api_customer_deleted_id")
    status = Text()


class LevelSchema(LenientSchema):
    """A count of stock. The documentation shows an empty body since 2024-07, so nothing is required."""

    inventory_item_id = Id()
    location_id = Id()
    available = Whole()
    updated_at = Timestamp()


_EMAIL_CONSENT = EmailConsentSchema()
_SMS_CONSENT = SmsConsentSchema()
_TAGS = TagsSchema()
_MERGE = MergeSchema()
_LEVEL = LevelSchema()
# Source: shopify.dev, GraphQL enum CustomerMergeRequestStatus. The others are requested, in_progress and failed.
_DONE = "completed"


def read_email_consent(body: object, shop: Shop) -> ConsentChange:
    """Read the body of customers_email_marketing_consent/update; raises PayloadInvalid."""
    values = load(_EMAIL_CONSENT, body)
    given, at = read_channel(values["email_marketing_consent"])
    return ConsentChange(values["customer_id"], "email", given, at, values["email_address"])


def read_sms_consent(body: object, shop: Shop) -> ConsentChange:
    """Read the body of customers_marketing_consent/update; raises PayloadInvalid."""
    values = load(_SMS_CONSENT, body)
    given, at = read_channel(values["sms_marketing_consent"])
    return ConsentChange(values["id"], "sms", given, at)


def read_tags_added(body: object, shop: Shop) -> TagChange:
    """Read the body of customer.tags_added; raises PayloadInvalid."""
    values = load(_TAGS, body)
    return TagChange(values["customer_id"], added=values["tags"], at=values["occurred_at"])


def read_tags_removed(body: object, shop: Shop) -> TagChange:
    """Read the body of customer.tags_removed; raises PayloadInvalid."""
    values = load(_TAGS, body)
    return TagChange(values["customer_id"], removed=values["tags"], at=values["occurred_at"])


def read_merge(body: object, shop: Shop) -> AccountMerge:
    """Read the body of customers/merge; raises PayloadInvalid."""
    values = load(_MERGE, body)
    return AccountMerge(values["kept_id"], values["deleted_id"], (values["status"] or _DONE).lower() == _DONE)


def read_level(body: object, shop: Shop) -> StockChange:
    """Read the body of inventory_levels/update; raises PayloadInvalid."""
    values = load(_LEVEL, body)
    return StockChange(values["inventory_item_id"], values["location_id"], values["available"], values["updated_at"])
