"""POST and DELETE /contacts, GET /contact/<sm_id>: people."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, request
from flask_smorest import Blueprint
from werkzeug.exceptions import NotFound

from handlers.auth import authenticated, check_group_key
from handlers.context import current_relay
from handlers.openapi import endpoint, write
from handlers.replies import reply
from handlers.submission import submit
from schemas.api import ContactBody, DeletedContactBody
from schemas.api_answers import ContactCardSchema

blueprint = Blueprint("contacts", __name__, description="People, known by their e-mail address.")

_CONTACT = {"data": {"email": "anna@example.com", "name": "Anna Example", "city": "Warsaw"}, "group_key": "main"}
_DELETED = {"data": {"email": "anna@example.com"}, "group_key": "main"}
_CARD_ERRORS = {
    HTTPStatus.NOT_FOUND: "SALESmanago has no contact with this id.",
    HTTPStatus.BAD_GATEWAY: "SALESmanago refused the call.",
    HTTPStatus.GATEWAY_TIMEOUT: "SALESmanago could not be reached.",
}


@write(blueprint, "POST", "/contacts", ContactBody, _CONTACT)
def upsert_contact() -> Response:
    """Create or change a contact.

    What is left out stays as it is in SALESmanago.
    """
    return submit("contacts.upsert")


@write(blueprint, "DELETE", "/contacts", DeletedContactBody, _DELETED)
def delete_contact() -> Response:
    """Delete a contact.

    The address may also stand by itself: `{"email": "anna@example.com"}`.
    """
    return submit("contacts.delete")


@endpoint(blueprint, "GET", "/contact/<sm_id>", ContactCardSchema, _CARD_ERRORS)
def contact_card(sm_id: str) -> Response:
    """Give a contact's card as SALESmanago has it.

    The id is SALESmanago's own, the `contactId` of other answers.
    """
    relay = current_relay()
    group = authenticated(relay.directory)
    check_group_key(group, request.args.get("group_key"))
    card = relay.client.contact_card(group, sm_id)
    if card is None:
        raise NotFound("SALESmanago has no contact with this id.")
    return reply(HTTPStatus.OK, success=True, contact=card)
