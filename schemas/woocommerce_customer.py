"""People in WooCommerce's bodies: the customer resource, and the buyer of an order."""

from __future__ import annotations

from dataclasses import replace

from relay.commerce import Address, Customer
from relay.shops import Shop
from schemas.fields import Id, LenientSchema, MarkupText, NestedObject, Text, Values, load
from schemas.text import country, join_text
from schemas.woocommerce_body import DatedSchema, changed_at, moment


class AddressSchema(LenientSchema):
    """A billing or shipping address. Core writes ``""`` for what is missing; only billing has an e-mail.

    Names and streets can hold HTML entities, from plugins and imports.
    """

    first_name = MarkupText()
    last_name = MarkupText()
    company = MarkupText()
    address_1 = MarkupText()
    address_2 = MarkupText()
    postcode = Text()
    city = MarkupText()
    state = Text()
    country = Text()
    email = Text()
    phone = Text()


class PersonSchema(LenientSchema):
    """What every body that names a person says about them."""

    email = Text()
    first_name = Text()
    last_name = Text()
    billing = NestedObject(AddressSchema)
    shipping = NestedObject(AddressSchema)


class CustomerSchema(PersonSchema, DatedSchema):
    """A WordPress user, not only a shopper: see ``role``. Core has no field for marketing consent."""

    id = Id(required=True)
    role = Text()


_CUSTOMER = CustomerSchema()
_NOBODY: Values = PersonSchema().load({})
_NOWHERE: Values = AddressSchema().load({})


def customer(body: object, shop: Shop) -> Customer:
    """Read a customer; raises PayloadInvalid.

    An account often has no name of its own, hence the billing name. Opt-ins live in plugin meta, which a mapping
    reaches through ``raw``; here consent is never said.
    """
    values = load(_CUSTOMER, body)
    return replace(
        _person(values, values["billing"], values["shipping"]),
        id=values["id"],
        role=values["role"],
        created_at=moment(values, "date_created", shop),
        updated_at=changed_at(values, shop),
    )


def buyer(order: Values, language: str | None) -> Customer | None:
    """Give the person behind an order; None where it names nobody. A guest has no id and is known by e-mail alone."""
    account = order["customer"] or _NOBODY
    billing = order["billing"] or _NOWHERE
    person = _person({**account, "email": billing["email"] or account["email"]}, order["billing"], order["shipping"])
    person = replace(person, id=order["customer_id"])
    return None if person == Customer() else replace(person, language=language)


def _person(values: Values, billing: Values | None, shipping: Values | None) -> Customer:
    billing, shipping = billing or _NOWHERE, shipping or _NOWHERE
    addresses = (billing, shipping)
    named = next((one for one in (values, billing, shipping) if one["first_name"] or one["last_name"]), _NOBODY)
    return Customer(
        email=values["email"] or billing["email"],
        name=join_text(named["first_name"], named["last_name"]),
        first_name=named["first_name"],
        last_name=named["last_name"],
        phone=_first(addresses, "phone"),
        company=_first(addresses, "company"),
        address=next((_address(one) for one in addresses if _is_place(one)), None),
    )


def _is_place(address: Values) -> bool:
    """Tell a real address from an empty one, in which checkouts still put the shop's own country and state."""
    return any(address[key] for key in ("address_1", "address_2", "postcode", "city"))


def _address(values: Values) -> Address:
    return Address(
        name=join_text(values["first_name"], values["last_name"]),
        company=values["company"],
        street=join_text(values["address_1"], values["address_2"]),
        zip_code=values["postcode"],
        city=values["city"],
        province=values["state"],
        country=country(values["country"]),
        phone=values["phone"],
    )


def _first(addresses: tuple[Values, ...], key: str) -> str | None:
    return next((address[key] for address in addresses if address[key]), None)
