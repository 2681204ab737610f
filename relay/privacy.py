"""Privacy: what shops ask on behalf of people, and the tasks the store keeps for it until they are done."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

ERASED = "erased"
"""The reason of a delivery whose body is gone because of whom it told about."""

RELAY_PLATFORM = "relay"
"""The platform of deliveries that come from nobody but the relay itself or its operator."""
ERASE_TOPIC = "people.erase"
"""The topic of those: ``{"email", "customer_id", "phone", "thorough"}``."""

CONTACT_KIND = "contact"
"""The kind under which people are remembered, beside the kinds of shop resources."""

DELETED_AT = "deleted_at"  # of a contact
ERASED_AT = "erased_at"  # of an account or an order
DELETIONS = "deletions"
ALIVE_AT = "alive_at"

LASTING_FACTS = frozenset({DELETED_AT, ERASED_AT, DELETIONS, ALIVE_AT})
"""Moments that stay in memory after an erasure, so that what arrives late resurrects nobody."""


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """Whom a shop means. Ids are the shop's; any of these may be all that it says."""

    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    order_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataRequest(PersonRequest):
    """A person wants to know what is stored about them; the merchant passes it on."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerRedaction(PersonRequest):
    """A person wants to be forgotten; see ``Erasure`` for ``thorough``."""

    thorough: bool = True


@dataclass(frozen=True, slots=True)
class ShopRedaction:
    """A shop has left, and all that it sent is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person of one group by all that names them; the definition of whose data something is."""

    group: str
    shops: tuple[str, ...] = ()  # all of the group's: an address is the same person in each
    addresses: tuple[str, ...] = ()  # e-mail, lower case
    phones: tuple[str, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()  # (shop, customer id)
    orders: tuple[tuple[str, str], ...] = ()  # (shop, order id)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Forget a person. What was said after ``until`` is a new relationship and stays.

    Linked data goes with the translation that asks for it; ``thorough`` also has everything else searched for the
    person's addresses and numbers.
    """

    person: Person
    until: datetime
    thorough: bool = True


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Write all that is stored about a person to the file ``name`` for the merchant."""

    person: Person
    name: str


@dataclass(frozen=True, slots=True)
class ShopErasure:
    """Forget all a shop sent; with ``delete_contacts`` also have SALESmanago delete whom no other shop knows."""

    group: str
    shop: str
    peers: tuple[str, ...]  # the other shops of its group
    until: datetime
    delete_contacts: bool = False


PrivacyWish: TypeAlias = Erasure | Disclosure | ShopErasure


def pseudonym(key: bytes, *parts: str) -> str:
    """Give the same meaningless name for the same texts, which nobody can find again without ``key``."""
    message = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def contacts_of(group: str) -> str:
    """Give the name that stands for a shop where a group's people are remembered: they belong to none of its shops."""
    return f"group:{group}"
