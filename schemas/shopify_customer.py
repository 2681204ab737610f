"""People in Shopify's bodies: the customer resource, and the buyer of an order or checkout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from relay.commerce import Address, Consent, Customer
from relay.shops import Shop
from schemas.fields import Flag, Id, LenientSchema, NestedList, NestedObject, Text, TextList, Timestamp, Values, load
from schemas.text import country, join_text, language

# Shopify's other states (not_subscribed, pending, redacted, invalid) say neither yes nor no.
_CONSENT_STATES = {"subscribed": True, "unsubscribed": False}


class AddressSchema(LenientSchema):
    """A postal address. Without permission for personal data only its country and province are sent."""

    name = Text()
    first_name = Text()
    last_name = Text()
    company = Text()
    address1 = Text()
    address2 = Text()
    zip = Text()
    city = Text()
    province = Text()
    country = Text()
    country_code = Text()
    phone = Text()
    default = Flag()


class ConsentSchema(LenientSchema):
    """The consent of one channel, as of API version 2022-04."""

    state = Text()
    consent_updated_at = Timestamp()


class CustomerSchema(LenientSchema):
    """A customer, also as nested in orders and checkouts, where the id can be missing."""

    id = Id()
    email = Text()
    phone = Text()
    first_name = Text()
    last_name = Text()
    tags = TextList()
    default_address = NestedObject(AddressSchema)
    addresses = NestedList(AddressSchema)
    email_marketing_consent = NestedObject(ConsentSchema)
    sms_marketing_consent = NestedObject(ConsentSchema)
    accepts_marketing = Flag()
    accepts_marketing_updated_at = Timestamp()
    created_at = Timestamp()
    updated_at = Timestamp()


class AccountSchema(CustomerSchema):
    """A customer as the subject of a delivery."""

    id = Id(required=True)


class BuyerSchema(LenientSchema):
    """What an order or checkout says about its buyer; their schemas extend this one."""

    customer = NestedObject(CustomerSchema)
    email = Text()
    contact_email = Text()
    phone = Text()
    billing_address = NestedObject(AddressSchema)
    shipping_address = NestedObject(AddressSchema)
    customer_locale = Text()


_ACCOUNT = AccountSchema()
_NOBODY: Values = CustomerSchema().load({})


def read_customer(body: object, shop: Shop) -> Customer:
    """Read the body of customers/create and customers/update; raises PayloadInvalid."""
    account = load(_ACCOUNT, body)
    return _person(account, (account["email"],), (account["phone"],), _home(account))


def buyer(sale: Values) -> Customer | None:
    """Give the person behind an order or checkout; None where it names nobody (point of sale, anonymous).

    The sale's own e-mail and phone come before the customer's, since they can differ and the sale's are what this
    person typed. Names and addresses are the customer's first, so that they agree with what customers/update says.
    """
    account = sale["customer"] or _NOBODY
    emails = (sale["email"], sale["contact_email"], account["email"])
    addresses = [*_home(account), *(sale[key] for key in ("billing_address", "shipping_address") if sale[key])]
    person = _person(account, emails, (sale["phone"], account["phone"]), addresses)
    # buyer_accepts_marketing is only the checkbox of this checkout, so it says nothing about the person's consent.
    return None if person == Customer() else replace(person, language=language(sale["customer_locale"]))


def _person(
    account: Values, emails: Sequence[str | None], phones: Sequence[str | None], addresses: Sequence[Values]
) -> Customer:
    named = next((one for one in (account, *addresses) if one["first_name"] or one["last_name"]), _NOBODY)
    full_names = (join_text(named["first_name"], named["last_name"]), *(address["name"] for address in addresses))
    return Customer(
        id=account["id"],
        email=_first(emails),
        name=_first(full_names),
        first_name=named["first_name"],
        last_name=named["last_name"],
        phone=_first([*phones, *(address["phone"] for address in addresses)]),
        company=_first([address["company"] for address in addresses]),
        address=_address(addresses[0]) if addresses else None,
        tags=account["tags"],
        consent=_consent(account),
        created_at=account["created_at"],
        updated_at=account["updated_at"],
    )


def _home(account: Values) -> list[Values]:
    """Give the customer's default address, if there is one; old bodies only mark it in the list of all."""
    marked = (address for address in account["addresses"] if address["default"])
    home = account["default_address"] or next(marked, None)
    return [home] if home else []


def _address(values: Values) -> Address:
    return Address(
        name=values["name"] or join_text(values["first_name"], values["last_name"]),
        company=values["company"],
        street=join_text(values["address1"], values["address2"]),
        zip_code=values["zip"],
        city=values["city"],
        province=values["province"],
        country=country(values["country_code"], values["country"]),
        phone=values["phone"],
    )


def _consent(account: Values) -> Consent:
    """Read the consent of both channels.

    The consent objects were removed in 2025-01, so a missing one is unknown, as is null. Before 2022-04 there was only
    ``accepts_marketing``: its true is a consent, but its false is also what a person has who was never asked, so it is
    no opt-out.
    """
    email, email_at = read_channel(account["email_marketing_consent"])
    sms, sms_at = read_channel(account["sms_marketing_consent"])
    if account["email_marketing_consent"] is None and account["accepts_marketing"]:
        email, email_at = True, account["accepts_marketing_updated_at"]
    return Consent(email=email, sms=sms, email_at=email_at, sms_at=sms_at)


def read_channel(values: Values | None) -> tuple[bool | None, datetime | None]:
    """Give what a channel's consent object says, and since when."""
    if values is None:
        return None, None
    stated = _CONSENT_STATES.get((values["state"] or "").lower())
    return stated, None if stated is None else values["consent_updated_at"]


def _first(candidates: Sequence[str | None]) -> str | None:
    return next((text for text in candidates if text), None)
