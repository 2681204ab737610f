"""What the SALESmanago simulator holds for an account, and what of it a run made new or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import requests

from cli.posting import TIMEOUT_S, open_session
from cli.showing import columns
from relay import jsontext

_MARKS = {"new": "+", "changed": "*", None: "="}
_MOST = 20
"""Of each kind. What a run made new or changed comes first, so that a full simulator hides none of it."""


def read_holdings(url: str, client_id: str) -> Mapping[str, Any] | None:
    """Give what the simulator at ``url`` holds for an account, None when it does not answer or does not know it."""
    try:
        with open_session() as session:
            reply = session.get(f"{url}/_sandbox/state", params={"account": client_id}, timeout=TIMEOUT_S)
        held: Mapping[str, Any] | None = jsontext.loads(reply.content)["accounts"][client_id] if reply.ok else None
    except (requests.RequestException, ValueError, LookupError):
        return None
    return held


def received(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Give contacts with their events, products and deleted contacts, each with ``change``: new, changed or None."""
    cards = {card["contact_id"]: card for card in before.get("contacts", ())}
    products = dict(_products(before))
    gone = {card["contact_id"] for card in before.get("deleted", ())}
    return {
        "contacts": [_contact(card, cards.get(card["contact_id"])) for card in after["contacts"]],
        "products": [
            {"change": _change(product, products.get(key)), "location": key[0], **_product(product)}
            for key, product in _products(after)
        ],
        "deleted": [
            {
                "change": None if card["contact_id"] in gone else "new",
                "email": card["email"],
                "at": _time(card["deleted_on"]),
            }
            for card in after["deleted"]
        ],
    }


def show_received(holdings: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Print it for a person: + is new, * changed and = as it was before the run."""
    _show("Contacts", holdings["contacts"], _contact_row)
    _show("Products", holdings["products"], _product_row)
    _show("Deleted contacts", holdings["deleted"], lambda entry: (entry["email"], entry["at"]))


def _show(title: str, entries: Sequence[Mapping[str, Any]], row: Callable[[Mapping[str, Any]], Sequence[Any]]) -> None:
    if not entries:
        return
    click.echo(title)
    chosen = sorted(entries, key=lambda entry: entry["change"] is None)[:_MOST]
    for entry, line in zip(chosen, _marked(chosen, row, "  "), strict=True):
        click.echo(line)
        for event_line in _marked(entry.get("events", ()), _event_row, "      "):
            click.echo(event_line)
    if len(entries) > len(chosen):
        click.echo(f"    and {len(entries) - len(chosen)} more")


def _marked(
    entries: Iterable[Mapping[str, Any]], row: Callable[[Mapping[str, Any]], Sequence[Any]], indent: str
) -> list[str]:
    return columns([(_MARKS[entry["change"]], *row(entry)) for entry in entries], indent)


def _contact_row(contact: Mapping[str, Any]) -> Sequence[Any]:
    return contact["email"], contact["name"], contact["status"], contact["tags"]


def _event_row(event: Mapping[str, Any]) -> Sequence[Any]:
    products = event["products"] and f"products {event['products']}"
    return event["type"], event["date"], event["value"], products, event["external_id"]


def _product_row(product: Mapping[str, Any]) -> Sequence[Any]:
    special, stock = product["special_price"], product["stock"]
    price = product["price"] if special is None else f"{special} instead of {product['price']}"
    in_stock = None if stock is None else f"{stock} in stock"
    available = "available" if product["available"] else "not available"
    return product["location"], product["id"], product["name"], price, in_stock, available


def _contact(card: Mapping[str, Any], known: Mapping[str, Any] | None) -> dict[str, Any]:
    events = {event["event_id"]: event for event in known["events"]} if known else {}
    return {
        "change": _change(card, known),
        "email": card["email"],
        "name": card["fields"].get("name"),
        "status": "opted out" if card["opted_out"] else "opted in",
        "tags": sorted(card["tags"]),
        "events": [
            {"change": _change(event, events.get(event["event_id"])), **_event(event)} for event in card["events"]
        ],
    }


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": event["contactExtEventType"],
        "date": _time(event["date"]),
        "value": event.get("value"),
        "products": event.get("products"),
        "external_id": event.get("externalId"),
    }


def _products(holdings: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """Give every product under its e-shop and id."""
    for catalog in holdings.get("catalogs", ()):
        for product in catalog["products"]:
            yield (catalog["location"], product["productId"]), product


def _product(product: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": product["productId"],
        "name": product["name"],
        "price": product.get("price"),
        "special_price": product.get("discountPrice"),
        "stock": product.get("quantity"),
        "available": product.get("available"),
    }


def _change(now: Mapping[str, Any], known: Mapping[str, Any] | None) -> str | None:
    if known is None:
        return "new"
    return None if _content(now) == _content(known) else "changed"


def _content(value: Any) -> Any:
    """Give an entry without when it was last written: the same content may have been sent once more."""
    if isinstance(value, Mapping):
        return {name: _content(inner) for name, inner in value.items() if name != "modified_on"}
    return [_content(inner) for inner in value] if isinstance(value, list) else value


def _time(moment_ms: int) -> datetime:
    return datetime.fromtimestamp(moment_ms / 1000, UTC)
