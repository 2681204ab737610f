"""The page at ``/``: what the simulator holds, for human eyes. It never shows credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flask import Blueprint, render_template

from sandbox.behaviours import BEHAVIOURS
from sandbox.holdings import Contact, Holdings
from sandbox.state import State

CONTACTS_SHOWN = 50
PRODUCTS_SHOWN = 50
CALLS_SHOWN = 40


def pages_blueprint(state: State) -> Blueprint:
    """Build the page."""
    routes = Blueprint("pages", __name__)
    routes.add_app_template_filter(_moment, "moment")
    routes.add_app_template_filter(_details, "details")

    @routes.get("/")
    def show() -> str:
        with state.lock:
            return render_template(
                "page.html",
                accounts=[_account(client_id, holdings) for client_id, holdings in state.holdings.items()],
                calls=list(reversed(state.journal.last(CALLS_SHOWN))),
                total=state.journal.total,
                faults=state.faults.as_list(),
                behaviours=BEHAVIOURS,
                turned=state.switches.as_dict(),
                changed=state.switches.changed(),
            )

    return routes


def _account(client_id: str, holdings: Holdings) -> Mapping[str, Any]:
    newest = sorted(holdings.contacts.values(), key=lambda contact: contact.modified_on, reverse=True)
    return {
        "client_id": client_id,
        "contacts": [_contact(holdings, contact) for contact in newest[:CONTACTS_SHOWN]],
        "contact_count": len(holdings.contacts),
        "event_count": len(holdings.events),
        "catalogs": [
            {"catalog": catalog, "products": list(islice(reversed(catalog.products.values()), PRODUCTS_SHOWN))}
            for catalog in holdings.catalogs.values()
        ],
        "product_count": sum(len(catalog.products) for catalog in holdings.catalogs.values()),
        "deleted": list(reversed(holdings.deleted[-CONTACTS_SHOWN:])),
        "deleted_count": len(holdings.deleted),
    }


def _contact(holdings: Holdings, contact: Contact) -> Mapping[str, Any]:
    events = sorted(holdings.events_of(contact), key=lambda event: event.fields["date"], reverse=True)
    return {"card": contact, "events": events}


def _moment(milliseconds: int) -> str:
    """Write a time as the page shows it, in UTC."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _details(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the event's numbered details that are there."""
    return ((name, value) for name, value in fields.items() if name.startswith("detail"))
