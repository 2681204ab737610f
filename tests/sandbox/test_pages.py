from __future__ import annotations

from decimal import Decimal

import pytest
from selectolax.lexbor import LexborHTMLParser

from sandbox import create_app
from tests.support.sandbox import SandboxClient


def page(client: SandboxClient) -> str:
    reply = client.send("GET", "/")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return " ".join(LexborHTMLParser(reply.text).body.text(separator=" ").split())  # type: ignore[union-attr]  # a page has a body


def test_empty_page_says_what_is_missing(client: SandboxClient) -> None:
    shown = page(client)
    assert "No contact yet." in shown and "No call yet." in shown
    assert "No account is set up" in page(SandboxClient(create_app([])))


def test_page_shows_contacts_events_products_and_calls(client: SandboxClient) -> None:
    client.contact(contact={"name": "Anna Example"}, tags=["vip"], forceOptIn=True)
    client.event(value=Decimal("59.90"), date=1790000000000, products="71,72", externalId="order-9", detail1="Mug,Cup")
    product = {"productId": "71", "name": "Mug", "mainCategory": "Kitchen", "price": Decimal("14.90"), "active": False}
    client.v3("upsert", {"catalogId": client.catalog(), "products": [product]})
    client.contact("gone@example.com")
    client.v2("contact/delete", email="gone@example.com", permanently=True)
    client.v2("contact/delete", email="gone@example.com")
    shown = page(client)
    for words in (
        "Anna Example anna@example.com opted in VIP",
        "PURCHASE 2026-09-21 14:13:20 59.90 71,72",
        "externalId order-9",
        "detail1 Mug,Cup",
        "71 Mug Kitchen 14.90 gone",
        "gone@example.com for good",
        "POST /api/contact/delete 200 Contact not found",
        "Contacts 1 · events 1 · catalogues 1 · products 1 · deleted contacts 1",
    ):
        assert words in shown


def test_page_shows_open_faults_and_turned_switches(client: SandboxClient) -> None:
    client.fault("throttle", times=2)
    client.turn(bad_product="accept_good")
    shown = page(client)
    assert "Ordered fault: throttle for / , 2 more" in shown
    assert "Switched: bad_product is accept_good" in shown


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>'])
def test_what_was_sent_is_shown_as_text_not_as_markup(client: SandboxClient, name: str) -> None:
    client.contact(contact={"name": name})
    assert name not in client.send("GET", "/").text
    assert name in page(client)
