"""From a REST call to commands: the caller's keys through the mapping, checked, and shaped for SALESmanago.

The same functions serve the call itself, which is checked before it is stored, and the replay of a stored one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from marshmallow import Schema

from relay import jsontext
from relay.commands import Command, CommandKind, ContactSubject, EventKey, ProductSubject
from relay.deliveries import Delivery, DeliveryState, Translation
from relay.errors import MappingFailed, PayloadInvalid, RequestInvalid
from relay.memory import CatalogItem
from relay.shops import Group
from relay.translation.lists import join_lists
from relay.translation.mapping import Mapping as FieldMapping
from relay.translation.names import GroupView
from schemas.api import PATH, ContactData, DeletedContactData, EventData, ProductData, load, read_envelope
from schemas.salesmanago import EVENT_LIMITS, contact_payload, event_payload, product_payload

API_PLATFORM = "api"
REQUEST_ID = "x-request-id"
"""The header under which a REST delivery keeps the id its caller was given."""
RESOURCE_KIND = "request"
"""What a REST delivery is found by: its caller's request id."""

_EVENT_KIND = "api"
_CONTACT, _DELETED_CONTACT, _EVENT, _PRODUCT = ContactData(), DeletedContactData(), EventData(), ProductData()
_ONLY_FOR_UPSERTS = _CONTACT.fields.keys() - _DELETED_CONTACT.fields.keys()


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One REST write. ``data`` is what its envelope holds: an object, with products a list of them."""

    topic: str  # one of TOPICS
    data: Any
    request_id: str
    received_at: datetime


Translator = Callable[[ApiCall, Group, FieldMapping], Translation]


@dataclass(frozen=True, slots=True)
class ApiTopic:
    """A kind of REST write: how it is translated, and which keys may stand in its body without ``data`` around them."""

    translate: Translator
    bare: frozenset[str] = frozenset()


def api_translation(call: ApiCall, group: Group, mapping: FieldMapping) -> Translation:
    """Give the commands of a REST call.

    Raises: RequestInvalid with every field that does not fit; TranslationError when the group's mapping fails on it.
    """
    translation = TOPICS[call.topic].translate(call, group, mapping)
    return replace(translation, resource_kind=RESOURCE_KIND, resource_id=call.request_id)


def api_replay(delivery: Delivery, group: Group, mapping: FieldMapping) -> Translation:
    """Translate a stored REST delivery anew; raises TranslationError, since nobody waits for the answer any more."""
    try:
        envelope = read_envelope(jsontext.loads(delivery.body), bare=TOPICS[delivery.topic].bare)
        call = ApiCall(delivery.topic, envelope.data, delivery.headers[REQUEST_ID], delivery.received_at)
        return api_translation(call, group, mapping)
    except RequestInvalid as error:
        raise PayloadInvalid(" ".join(_told(error))) from None


def _upsert_contact(call: ApiCall, group: Group, mapping: FieldMapping) -> Translation:
    contact = _checked(_CONTACT, _mapped("contacts", call.data, group, mapping))
    shaped = contact_payload(contact)
    subject = ContactSubject(contact["email"], new_email=shaped.payload.get("newEmail"))
    return _translated(Command(CommandKind.CONTACT_UPSERT, subject, shaped.payload, warnings=shaped.warnings))


def _delete_contact(call: ApiCall, group: Group, mapping: FieldMapping) -> Translation:
    mapped = _mapped("contacts", call.data, group, mapping)
    # The mapping serves upserts too and may add fields, constant tags for example, that a deletion has no use for.
    for name in _ONLY_FOR_UPSERTS & mapped.values.keys():
        del mapped.values[name]
    contact = _checked(_DELETED_CONTACT, mapped)
    return _translated(Command(CommandKind.CONTACT_DELETE, ContactSubject(contact["email"]), contact))


def _add_event(call: ApiCall, group: Group, mapping: FieldMapping) -> Translation:
    mapped = _mapped("events", call.data, group, mapping)
    event = _checked(_EVENT, mapped)
    subject = ContactSubject(event.pop("email", ""), contact_id=event.pop("contactId", None))
    joined, cuts = join_lists(event, mapped.separators, EVENT_LIMITS)
    shaped = event_payload({"location": group.location, "date": call.received_at, **joined})
    # The request's id makes the key: the event of a replay is the event of the call, and no other's.
    key = EventKey(shop="", kind=_EVENT_KIND, resource_id=call.request_id, slot=event["contactExtEventType"])
    payload = {"contactEvent": shaped.payload}
    return _translated(Command(CommandKind.EVENT_PUT, subject, payload, key, (*cuts, *shaped.warnings)))


def _upsert_products(call: ApiCall, group: Group, mapping: FieldMapping) -> Translation:
    """Take the products that fit and note the others; raises RequestInvalid when none fits."""
    if not group.products:
        raise RequestInvalid({"group_key": ["This group takes no products; see products in its configuration."]})
    if not isinstance(call.data, list) or not call.data:
        raise RequestInvalid({PATH: ["Must be a list of at least one product."]})
    items: dict[str, CatalogItem] = {}
    problems: dict[str, list[str]] = {}
    for place, data in enumerate(call.data):
        path = f"{PATH}.{place}"
        try:
            fields = _checked(_PRODUCT, _mapped("products", data, group, mapping, path))
        except RequestInvalid as error:
            problems |= error.fields
            continue
        except MappingFailed as error:
            problems[path] = [str(error)]
            continue
        item = CatalogItem(group.key, group.location, fields["id"], None, None, fields, True, call.received_at)
        if items.setdefault(item.product_id, item) is not item:
            problems[f"{path}.id"] = ["An earlier product of this list has the same id."]
    if not items:
        raise RequestInvalid(problems)
    commands = tuple(map(_product_command, items.values())) if "catalog" in group.products else ()
    warnings = _told(RequestInvalid(problems))
    return Translation(
        DeliveryState.TRANSLATED, commands=commands, items=tuple(items.values()), warnings=tuple(warnings)
    )


def _product_command(item: CatalogItem) -> Command:
    shaped = product_payload(item.fields, item.active)
    subject = ProductSubject(item.location, item.product_id)
    return Command(CommandKind.PRODUCT_UPSERT, subject, shaped.payload, warnings=shaped.warnings)


def _translated(command: Command) -> Translation:
    return Translation(DeliveryState.TRANSLATED, commands=(command,))


@dataclass(frozen=True, slots=True)
class _Mapped:
    """One object of a call after the mapping, not yet checked."""

    values: dict[str, Any]
    separators: Mapping[str, str]
    known: frozenset[str]  # names of the caller's own
    path: str


def _mapped(table: str, data: Any, group: Group, mapping: FieldMapping, path: str = PATH) -> _Mapped:
    """Give the fields that ``[api.<table>]`` makes of ``data``; keys nobody knows are still among them."""
    if not isinstance(data, dict):
        raise RequestInvalid({path: ["Missing, or no JSON object."]})
    fields = mapping.api(table, data, {"group": GroupView.of(group), "raw": data})
    return _Mapped(fields.values, fields.separators, mapping.api_keys(table), path)


def _checked(schema: Schema, mapped: _Mapped) -> dict[str, Any]:
    return load(schema, mapped.values, mapped.path, known=mapped.known)


def _told(refused: RequestInvalid) -> list[str]:
    """Give one line per field, the way stored warnings are written."""
    return [f"{path}: {' '.join(words)}" for path, words in refused.fields.items()]


TOPICS: Mapping[str, ApiTopic] = MappingProxyType(
    {
        "contacts.upsert": ApiTopic(_upsert_contact),
        "contacts.delete": ApiTopic(_delete_contact, bare=frozenset({"email"})),
        "events.add": ApiTopic(_add_event),
        "products.upsert": ApiTopic(_upsert_products),
    }
)
"""The REST API's writes by their topic."""
