"""Forgetting a person: in SALESmanago, in memory, and in all that is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from relay.commerce import ResourceKind
from relay.privacy import Erasure, Person, PersonRequest
from relay.translation.people import Contact
from relay.translation.rules.carts import settle_cart
from relay.translation.rules.events import take_back
from relay.translation.rules.merging import absorbed_by, kept_for
from relay.translation.rules.orders import settle_order
from relay.translation.rules.whom import account_email, addresses_of
from relay.translation.scene import Ending, Scene
from relay.translation.versions import microseconds


def person_of(scene: Scene, request: PersonRequest) -> Person:
    """Give whom a shop means, with all addresses and accounts that lead to the same person.

    An address that is neither named nor an account's own, say of an order, counts only where no other account has it.
    """
    accounts = tuple(dict.fromkeys(_accounts(scene, request.customer_id)))
    claims = {f"{scene.shop.key}:{account}" for account in accounts}
    given = [request.email, *(account_email(scene, account) for account in accounts)]
    own = [address.lower() for address in given if address]
    used = (address for address in _used(scene, request, accounts) if not Contact(scene, address).claims - claims)
    contacts = {address: Contact(scene, address) for address in dict.fromkeys([*own, *used])}
    phones = [phone for contact in contacts.values() for phone in contact.phones]
    return Person(
        group=scene.group.key,
        shops=scene.shops,
        addresses=tuple(dict.fromkeys([*contacts, *(each for known in contacts.values() for each in known.addresses)])),
        phones=tuple(dict.fromkeys([*([request.phone] if request.phone else []), *phones])),
        accounts=tuple((scene.shop.key, account) for account in accounts),
        orders=tuple((scene.shop.key, order_id) for order_id in request.order_ids),
    )


def erase(
    scene: Scene, person: Person, at: datetime, rule: str, *, for_good: bool = False, thorough: bool = True
) -> None:
    """Ask for the deletion of a person's contacts, and have all that is stored about them forgotten."""
    for address in person.addresses:
        contact = Contact(scene, address)
        if not contact.is_gone_by(microseconds(at)):
            delete_contact(scene, contact, at, rule, for_good=for_good)
    scene.privacy.append(Erasure(person, at, thorough))


def delete_contact(scene: Scene, contact: Contact, at: datetime, rule: str, *, for_good: bool = False) -> None:
    """Delete a contact with all its events; what it has done since is announced again, for a new contact."""
    later = contact.sales_after(microseconds(at))
    for shop, kind, sale_id in later:
        for link in scene.notes.events(shop, kind, sale_id):
            if link.digest is not None:
                take_back(scene, link.key, contact.email)
    contact.delete(at, rule, for_good=for_good)
    for shop, kind, sale_id in later:
        if shop == scene.shop.key:
            SETTLE[kind](scene, sale_id)


SETTLE: Mapping[str, Callable[[Scene, str], Ending]] = {
    ResourceKind.ORDER: settle_order,
    ResourceKind.CART: settle_cart,
}
"""How each kind of sale is brought up to what is known of it."""


def _accounts(scene: Scene, customer_id: str | None) -> Iterator[str]:
    """Give an account with all it was merged with."""
    if customer_id is None:
        return
    kept_id = kept_for(scene, customer_id)
    yield from (customer_id, kept_id, *absorbed_by(scene, kept_id))


def _used(scene: Scene, request: PersonRequest, accounts: tuple[str, ...]) -> Iterator[str]:
    """Give the addresses of sales."""
    for account in accounts:
        yield from addresses_of(scene, account)
    for order_id in request.order_ids:
        order = scene.notes.resource(scene.shop.key, ResourceKind.ORDER, order_id)
        if order is not None and order.email is not None:
            yield order.email
