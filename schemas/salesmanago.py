"""What goes out to SALESmanago's API v2: the upsert body of a contact and the contactEvent of an event.

The limits are SALESmanago's own (its documentation and its client library). Where neither names a length it is 255,
that of all its other short texts. Products are shaped in ``schemas/catalog.py`` and can be imported from here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError, fields, missing, validate

from schemas.catalog import feed_item, product_payload
from schemas.outgoing import (
    Amount,
    EmailAddress,
    Extra,
    Identifier,
    Moment,
    OutgoingSchema,
    Shaped,
    Text,
    cut,
    shape,
    warn,
)
from schemas.values import as_text, is_empty

__all__ = [
    "CONTACT_STATES",
    "EVENT_LIMITS",
    "EVENT_TYPES",
    "LOCATION_PATTERN",
    "Shaped",
    "check_email",
    "contact_payload",
    "event_payload",
    "feed_item",
    "product_payload",
]

SHORT_TEXT = 255
DETAILS = tuple(f"detail{number}" for number in range(1, 21))

EVENT_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "description": 2048,
        "products": 512,
        "location": 36,
        "externalId": 255,
        "shopDomain": 255,
        **dict.fromkeys(DETAILS, 255),
    }
)
"""The longest texts of an event's fields, in characters."""

# fmt: off
EVENT_TYPES = frozenset(
    {
        # The integration's list.
        "PURCHASE", "CART", "VISIT", "PHONE_CALL", "OTHER", "RESERVATION", "CANCELLED", "ACTIVATION", "MEETING",
        "OFFER", "DOWNLOAD", "LOGIN", "TRANSACTION",
        # What SALESmanago's own client library has added since.
        "CANCELLATION", "RETURN", "SURVEY", "APP_STATUS", "APP_TYPE_WEB", "APP_TYPE_MANUAL", "APP_TYPE_RETENTION",
        "APP_TYPE_UPSALE", "LOAN_STATUS", "LOAN_ORDER", "FIRST_LOAN", "REPEATED_LOAN",
    }
)
# fmt: on
CONTACT_STATES = frozenset({"CUSTOMER", "PROSPECT", "PARTNER", "OTHER", "UNKNOWN"})
LOCATION_PATTERN = re.compile(r"[A-Za-z0-9/_.-]+")

_UNKNOWN_TYPE = f"Unknown event type; the types are {', '.join(sorted(EVENT_TYPES))}."
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_].*)?")
_BIRTHDAY = re.compile(r"(?:\d{4})?(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def contact_payload(fields: Mapping[str, Any]) -> Shaped:
    """Shape a contact (flat target names) as the body of ``/api/contact/upsert`` without credentials and owner.

    The four force flags and ``useApiDoubleOptIn`` are always there, false when not said: left to itself, SALESmanago
    may send confirmation mails. Raises: PayloadInvalid naming the field.
    """
    return shape(_CONTACT, fields)


def event_payload(fields: Mapping[str, Any]) -> Shaped:
    """Shape an event (flat target names, lists joined already) as a ``contactEvent``; ``date`` must be aware.

    Raises: PayloadInvalid naming the field.
    """
    return shape(_EVENT, fields)


def check_email(address: str) -> None:
    """Raise ValidationError for what SALESmanago takes for no e-mail address."""
    _ADDRESS.deserialize(address)


class Tags(fields.Field[list[str]]):
    """Tags the way SALESmanago stores them: upper case, underscores for blanks, each once. One text is one tag."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        tags = ("_".join(as_text(item).upper().split()) for item in _flat(value) if not is_empty(item))
        return list(dict.fromkeys(cut(tag, SHORT_TEXT, str(self.name)) for tag in tags if tag)) or missing


class Properties(fields.Field[dict[str, str]]):
    """SALESmanago's "standard details": names of the user's choice, each with a text."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValidationError("Must be a table of names and texts.")
        texts: dict[str, str] = {}
        faults: dict[str, list[Any]] = {}
        for name, item in value.items():
            try:
                texts[name] = "" if is_empty(item) else cut(as_text(item), SHORT_TEXT, f"{self.name}.{name}")
            except ValidationError as error:
                faults[name] = list(error.messages)
        if faults:
            raise ValidationError(dict(faults))
        return {name: text for name, text in texts.items() if text} or missing


class ProductIds(Text):
    """Product ids with commas between them, cut between two ids: half an id is another product's."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = as_text(value)
        if len(text) <= self.limit:
            return text
        whole, _, _ = text[: self.limit + 1].rpartition(",")
        warn(f"{self.name}: cut from {len(text)} to {len(whole)} characters, between two ids.")
        return whole or missing


class Location(Identifier):
    """SALESmanago's e-shop id; events and catalogue meet by it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        location = super()._deserialize(value, attr, data, **kwargs)
        if not LOCATION_PATTERN.fullmatch(location):
            raise ValidationError("May hold letters, digits and / _ - . only, no blanks.")
        return location


def language(value: object) -> str | None:
    """Give the two capital letters of a language or locale, None when it has none."""
    found = _LANGUAGE.fullmatch(as_text(value))
    return found.group(1).upper() if found else None


def birthday(value: object) -> str | None:
    """Give a date, or text as yyyy-MM-dd, yyyyMMdd or MMdd, without its dashes; None for anything else."""
    text = f"{value:%Y%m%d}" if isinstance(value, date) else as_text(value).replace("-", "")
    return text if _BIRTHDAY.fullmatch(text) else None


def contact_state(value: object) -> str | None:
    """Give one of SALESmanago's words for what a contact is, None for anything else."""
    state = as_text(value).upper()
    return state if state in CONTACT_STATES else None


class ConsentSchema(OutgoingSchema):
    """One named consent; it must exist in the account."""

    consentName = Identifier(SHORT_TEXT, required=True)
    consentAccept = fields.Boolean(required=True)
    agreementDate = Moment()
    ip = Text(SHORT_TEXT)
    optOut = fields.Boolean()
    consentDescriptionId = fields.Integer()


class ContactSchema(OutgoingSchema):
    """The upsert body of a contact. Source: docs.salesmanago.com (API v2) and the official client library."""

    email = EmailAddress(attribute="contact.email", required=True)
    name = Text(SHORT_TEXT, attribute="contact.name")
    phone = Text(SHORT_TEXT, attribute="contact.phone")
    fax = Text(SHORT_TEXT, attribute="contact.fax")
    company = Text(SHORT_TEXT, attribute="contact.company")
    externalId = Identifier(SHORT_TEXT, attribute="contact.externalId")
    state = Extra(contact_state, f"one of {', '.join(sorted(CONTACT_STATES))}", attribute="contact.state")
    streetAddress = Text(SHORT_TEXT, attribute="contact.address.streetAddress")
    zipCode = Text(SHORT_TEXT, attribute="contact.address.zipCode")
    city = Text(SHORT_TEXT, attribute="contact.address.city")
    country = Text(SHORT_TEXT, attribute="contact.address.country")
    newEmail = EmailAddress()
    forceOptIn = fields.Boolean(load_default=False)
    forceOptOut = fields.Boolean(load_default=False)
    forcePhoneOptIn = fields.Boolean(load_default=False)
    forcePhoneOptOut = fields.Boolean(load_default=False)
    useApiDoubleOptIn = fields.Boolean(load_default=False)
    tags = Tags()
    removeTags = Tags()
    properties = Properties()
    birthday = Extra(birthday, "a date like 1980-10-17")
    province = Text(SHORT_TEXT)
    lang = Extra(language, "a two-letter language code")
    consentDetails = fields.List(fields.Nested(ConsentSchema))

    def completed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Let an opt-out win over an opt-in, and leave out a new address that is the old one."""
        for opt_in, opt_out in (("forceOptIn", "forceOptOut"), ("forcePhoneOptIn", "forcePhoneOptOut")):
            if body[opt_in] and body[opt_out]:
                body[opt_in] = False
                warn(f"{opt_in}: left out, since {opt_out} is set too.")
        if body.get("newEmail", "").lower() == body["contact"]["email"].lower():
            del body["newEmail"]
        return body


class EventSchema(OutgoingSchema):
    """A contactEvent, all but its texts."""

    date = Moment(required=True)
    contactExtEventType = fields.String(required=True, validate=validate.OneOf(EVENT_TYPES, error=_UNKNOWN_TYPE))
    description = Text(EVENT_LIMITS["description"])
    products = ProductIds(EVENT_LIMITS["products"])
    value = Amount()
    location = Location(EVENT_LIMITS["location"])
    externalId = Identifier(EVENT_LIMITS["externalId"])
    shopDomain = Text(EVENT_LIMITS["shopDomain"])


def _flat(value: object) -> Iterable[object]:
    """Give the items of a list, those of lists inside it too; a single value as a list of one."""
    if not isinstance(value, list | tuple):
        return [value]
    return [inner for item in value for inner in _flat(item)]


_ADDRESS = EmailAddress()
_CONTACT = ContactSchema()
_EVENT = EventSchema.from_dict({name: Text(EVENT_LIMITS[name]) for name in DETAILS}, name="EventWithDetails")()
