"""What callers of the REST API send: the integration's own field names with their types and lengths.

Strict where ``schemas/salesmanago.py`` is lenient: a program that is told at once, by field, can be mended, so nothing
is cut here. Two exceptions, both reported as problems: a list is shortened between its items where its text would be
too long, and extras that SALESmanago could not read (a birthday, a language, a link) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from relay.errors import RequestInvalid
from relay.hints import nearest
from schemas.api_fields import Amount, Email, Flag, Location, Moment, Properties, Text, Texts, Whole
from schemas.salesmanago import DETAILS, EVENT_LIMITS, EVENT_TYPES
from schemas.values import is_empty

SHORT_TEXT = 255
PATH = "data"

_ENVELOPE_KEYS = frozenset({"data", "group_key"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request's body: what it is about, and the group it names, if any."""

    data: Any
    group_key: str | None = None


def _about(description: str, example: object = None) -> dict[str, object]:
    """Give what the OpenAPI document says about a field."""
    return {"description": description} if example is None else {"description": description, "example": example}


class ConsentData(Schema):
    """One named consent; it must exist in the SALESmanago account."""

    consentName = Text(SHORT_TEXT, required=True)
    consentAccept = Flag(required=True)
    agreementDate = Moment(metadata=_about("When it was given; left out: now."))
    ip = Text(SHORT_TEXT)
    optOut = Flag()
    consentDescriptionId = Whole()


class ContactData(Schema):
    """A contact. What is left out stays as it is in SALESmanago."""

    email = Email(required=True, metadata=_about("Whom it is about.", "anna@example.com"))
    fax = Text(SHORT_TEXT)
    name = Text(SHORT_TEXT, metadata=_about("The full name.", "Anna Example"))
    phone = Text(SHORT_TEXT, metadata=_about("Best in international form."))
    company = Text(SHORT_TEXT)
    streetAddress = Text(SHORT_TEXT)
    zipCode = Text(SHORT_TEXT)
    city = Text(SHORT_TEXT, metadata=_about("The town.", "Warsaw"))
    country = Text(SHORT_TEXT, metadata=_about("Best as a two-letter code.", "PL"))
    province = Text(SHORT_TEXT)
    externalId = Text(SHORT_TEXT, metadata=_about("The contact's id in the caller's system."))
    newEmail = Email(metadata=_about("The address the contact changes to; email is then the old one."))
    state = Text(SHORT_TEXT, metadata=_about("CUSTOMER, PROSPECT, PARTNER, OTHER or UNKNOWN."))
    birthday = Text(SHORT_TEXT, metadata=_about("yyyy-MM-dd, yyyyMMdd or MMdd."))
    lang = Text(SHORT_TEXT, metadata=_about("A two-letter language code."))
    tags = Texts(SHORT_TEXT, metadata=_about("Tags to add: one text or a list.", ["NEWSLETTER"]))
    removeTags = Texts(SHORT_TEXT, metadata=_about("Tags to remove: one text or a list."))
    properties = Properties(SHORT_TEXT, metadata=_about("Details under names of one's own."))
    forceOptIn = Flag(metadata=_about("True sets the e-mail status to opted in."))
    forceOptOut = Flag(metadata=_about("True sets the e-mail status to opted out; it wins over forceOptIn."))
    forcePhoneOptIn = Flag(metadata=_about("True sets the mobile status to opted in."))
    forcePhoneOptOut = Flag(metadata=_about("True sets the mobile status to opted out; it wins over forcePhoneOptIn."))
    useApiDoubleOptIn = Flag(metadata=_about("True has SALESmanago send its confirmation mail."))
    consentDetails = fields.List(fields.Nested(ConsentData))


class DeletedContactData(Schema):
    """Which contact to delete."""

    email = Email(required=True, metadata=_about("Whom to delete.", "anna@example.com"))


class EventWithoutDetails(Schema):
    """An external event, all but its details."""

    email = Email(metadata=_about("Whom it is about; or give contactId.", "anna@example.com"))
    contactId = Text(SHORT_TEXT, metadata=_about("SALESmanago's id of the contact, in place of email."))
    contactExtEventType = fields.String(
        required=True,
        validate=validate.OneOf(sorted(EVENT_TYPES), error="Not an event type; give one of {choices}."),
        error_messages={"required": "Missing or empty.", "invalid": "Must be a text."},
        metadata=_about("What happened.", "PURCHASE"),
    )
    date = Moment(metadata=_about("When: ISO 8601 with an offset, or milliseconds since 1970; left out: now."))
    description = Texts(EVENT_LIMITS["description"])
    products = Texts(
        EVENT_LIMITS["products"],
        separator=",",
        metadata=_about("Product ids: a list, or one text with commas between them.", "501,502"),
    )
    location = Location(EVENT_LIMITS["location"], metadata=_about("The e-shop's id; left out: the group's."))
    value = Amount(metadata=_about("The amount, in the e-shop's currency.", 249.9))
    externalId = Text(EVENT_LIMITS["externalId"], metadata=_about("Its id in the caller's system.", "1001"))
    shopDomain = Text(EVENT_LIMITS["shopDomain"], metadata=_about("The shop's address.", "https://shop.example.com"))

    @validates_schema
    def be_about_one_contact(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Ask for one of email and contactId: SALESmanago takes one, and two could name two people."""
        if ("email" in data) == ("contactId" in data):
            raise ValidationError("Give either email or contactId.", "email")


EventData = EventWithoutDetails.from_dict({name: Texts(EVENT_LIMITS[name]) for name in DETAILS}, name="EventData")


class ProductData(Schema):
    """A product of the feed and the catalogue. It replaces what was known under its id."""

    id = Text(32, required=True, metadata=_about("The product's id, as events name it.", "611"))
    name = Text(100, required=True, metadata=_about("Its name.", "Blue shirt M"))
    description = Text(1024)
    category = Text(255, metadata=_about("Its main category.", "Shirts"))
    sub_category = Text(512)
    brand = Text(512)
    sex = Whole(metadata=_about("-1 undefined, 0 female, 1 male, 2 other, 4 unisex."))
    price = Amount(required=True, negative=False, metadata=_about("In the e-shop's currency.", 129.9))
    special_price = Amount(negative=False, metadata=_about("What it costs while on sale.", 99.9))
    detail1 = Text(512)
    detail2 = Text(512)
    detail3 = Text(512)
    detail4 = Text(512)
    detail5 = Text(512)
    url = Text(512, metadata=_about("Its page.", "https://shop.example.com/p/blue-shirt"))
    image_url = Text(512)
    image2_url = Text(128)
    stock_available = Whole(metadata=_about("Pieces in stock.", 14))
    color = Text(40)
    season = Text(40)


class ContactBody(Schema):
    """The body of POST /contacts."""

    data = fields.Nested(ContactData, required=True)
    group_key = fields.String(metadata=_about("The group the API key opens; may be left out.", "main"))


class DeletedContactBody(Schema):
    """The body of DELETE /contacts; ``{"email": ...}`` alone will do too."""

    data = fields.Nested(DeletedContactData, required=True)
    group_key = fields.String(metadata=_about("The group the API key opens; may be left out.", "main"))


class EventBody(Schema):
    """The body of POST /events."""

    data = fields.Nested(EventData, required=True)
    group_key = fields.String(metadata=_about("The group the API key opens; may be left out.", "main"))


class ProductsBody(Schema):
    """The body of POST /products."""

    data = fields.List(fields.Nested(ProductData), required=True)
    group_key = fields.String(metadata=_about("The group the API key opens; may be left out.", "main"))


def read_envelope(body: object, *, bare: frozenset[str] = frozenset()) -> Envelope:
    """Read ``{"data": ..., "group_key": ...}``.

    A body without ``data`` may have the keys of ``bare`` beside ``group_key`` instead: they then are its data.
    Raises: RequestInvalid.
    """
    if not isinstance(body, dict):
        raise RequestInvalid({"body": ['Send a JSON object: {"data": ..., "group_key": ...}.']})
    allowed = _ENVELOPE_KEYS if "data" in body or not bare else bare | {"group_key"}
    unknown = {str(key): ["Unknown key; fields belong into data."] for key in body.keys() - allowed}
    if unknown:
        raise RequestInvalid(unknown)
    group_key = body.get("group_key")
    if group_key is not None and not isinstance(group_key, str):
        raise RequestInvalid({"group_key": ["Must be a text."]})
    data = body.get("data") if "data" in body or not bare else {key: body[key] for key in bare & body.keys()}
    return Envelope(data, group_key)


def load(schema: Schema, values: Mapping[str, Any], path: str = PATH, *, known: Iterable[str] = ()) -> dict[str, Any]:
    """Check ``values`` (integration names) and give those that say something, in their own types.

    Raises: RequestInvalid with every field that does not fit, under ``path``; an unknown one with the nearest name of
    the schema or of ``known``, the names a caller may use beside these.
    """
    said = {name: value for name, value in values.items() if not is_empty(value)}
    names = {*schema.fields, *known}
    unknown = [name for name in said if name not in schema.fields]
    faults = {f"{path}.{name}": [f"Unknown field{nearest(name, names)}"] for name in unknown}
    loaded: dict[str, Any] = {}
    try:
        loaded = schema.load({name: value for name, value in said.items() if name in schema.fields})
    except ValidationError as error:
        faults.update(_faults(error.messages_dict, path))
    if faults:
        raise RequestInvalid(faults)
    return loaded


def _faults(messages: Mapping[Any, Any], path: str) -> Iterator[tuple[str, list[str]]]:
    """Flatten marshmallow's nested messages to ``data.consentDetails.0.ip``."""
    for key, inner in messages.items():
        if isinstance(inner, Mapping):
            yield from _faults(inner, f"{path}.{key}")
        else:
            yield f"{path}.{key}", [str(message) for message in inner]
