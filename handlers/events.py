"""POST /events: SALESmanago's external events."""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint

from handlers.openapi import write
from handlers.submission import submit
from schemas.api import EventBody

blueprint = Blueprint("events", __name__, description="External events: purchases, carts and the like.")

_EVENT = {
    "data": {
        "email": "anna@example.com",
        "contactExtEventType": "PURCHASE",
        "value": 249.9,
        "products": "501,502",
        "externalId": "1001",
    },
    "group_key": "main",
}


@write(blueprint, "POST", "/events", EventBody, _EVENT)
def add_event() -> Response:
    """Add an event to a contact.

    The contact has to be in SALESmanago already: an event does not create one.
    """
    return submit("events.add")
