"""What the simulator holds, read over HTTP from one that runs."""

from __future__ import annotations

import socket
from decimal import Decimal

import pytest

from cli.received import read_holdings, received, show_received
from relay import jsontext
from sandbox import SandboxServer, create_app
from tests.support.sandbox import ACCOUNT, SandboxClient

PRODUCT = {"productId": "71", "name": "Mug", "mainCategory": "Kitchen", "price": Decimal("14.90"), "available": True}


@pytest.fixture
def simulator(clock):
    """A simulator that listens, and a client to change what it holds."""
    app = create_app([ACCOUNT], now=clock.now)
    server = SandboxServer(app)
    server.start()
    client = SandboxClient(app)
    client.url = server.url
    yield client
    server.stop()


def held(simulator):
    holdings = read_holdings(simulator.url, ACCOUNT.client_id)
    assert holdings is not None
    return holdings


def changes(entries):
    return [entry["change"] for entry in entries]


def test_everything_is_new_where_there_was_nothing(simulator):
    simulator.contact(contact={"name": "Anna"}, tags=["vip"], forceOptIn=True)
    simulator.event(value=Decimal("59.90"), externalId="1001", products="71,72", date=1790000000000)
    simulator.v3("upsert", {"catalogId": simulator.catalog(), "products": [PRODUCT]})
    simulator.contact("gone@example.com")
    simulator.v2("contact/delete", email="gone@example.com")

    assert jsontext.loads(jsontext.dumps(_iso(received({}, held(simulator))))) == {
        "contacts": [
            {
                "change": "new",
                "email": "anna@example.com",
                "name": "Anna",
                "status": "opted in",
                "tags": ["VIP"],
                "events": [
                    {
                        "change": "new",
                        "type": "PURCHASE",
                        "date": "2026-09-21T14:13:20+00:00",
                        "value": Decimal("59.90"),
                        "products": "71,72",
                        "external_id": "1001",
                    }
                ],
            }
        ],
        "products": [
            {
                "change": "new",
                "location": "example_shop",
                "id": "71",
                "name": "Mug",
                "price": Decimal("14.90"),
                "special_price": None,
                "stock": None,
                "available": True,
            }
        ],
        "deleted": [{"change": "new", "email": "gone@example.com", "at": "2026-11-24T12:00:00+00:00"}],
    }


def _iso(value):
    if isinstance(value, dict):
        return {key: _iso(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_iso(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_the_same_content_once_more_is_no_change(simulator, clock):
    simulator.contact(contact={"name": "Anna"})
    event_id = simulator.event()
    catalog_id = simulator.catalog()
    simulator.v3("upsert", {"catalogId": catalog_id, "products": [PRODUCT]})
    simulator.contact("gone@example.com")
    simulator.v2("contact/delete", email="gone@example.com")
    before = held(simulator)
    clock.advance(60)
    simulator.contact(contact={"name": "Anna"})
    same = {"contactExtEventType": "PURCHASE", "date": 1790000000000, "value": 10, "eventId": event_id}
    simulator.v2("v2/contact/updateContactExtEvent", contactEvent=same)
    simulator.v3("upsert", {"catalogId": catalog_id, "products": [PRODUCT]})

    after = received(before, held(simulator))
    assert changes(after["contacts"]) == changes(after["products"]) == changes(after["deleted"]) == [None]
    assert changes(after["contacts"][0]["events"]) == [None]


def test_what_a_run_changed_is_told_apart_from_what_it_added(simulator):
    simulator.contact()
    event_id = simulator.event()
    catalog_id = simulator.catalog()
    simulator.v3("upsert", {"catalogId": catalog_id, "products": [PRODUCT]})
    before = held(simulator)
    other = {"contactExtEventType": "PURCHASE", "date": 1790000000000, "value": 11, "eventId": event_id}
    simulator.v2("v2/contact/updateContactExtEvent", contactEvent=other)
    simulator.event(contactExtEventType="RETURN")
    simulator.contact("second@example.com")
    products = [PRODUCT | {"price": Decimal("9.90")}, PRODUCT | {"productId": "72"}]
    simulator.v3("upsert", {"catalogId": catalog_id, "products": products})

    after = received(before, held(simulator))
    assert changes(after["contacts"]) == ["changed", "new"]
    assert changes(after["contacts"][0]["events"]) == ["changed", "new"]
    assert changes(after["products"]) == ["changed", "new"]


def test_summary_is_short_and_marks_what_is_new(simulator, capsys):
    simulator.contact("old@example.com")
    before = held(simulator)
    simulator.contact(contact={"name": "Anna"})
    simulator.event(value=Decimal("59.90"), externalId="1001", products="71,72", date=1790000000000)
    show_received(received(before, held(simulator)))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "Contacts",
        "  +  anna@example.com  Anna  opted out  -",
        "      +  PURCHASE  2026-09-21T14:13:20Z  59.90  products 71,72  1001",
        "  =  old@example.com   -     opted out  -",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "14.90  -  available"),
        ({"discountPrice": Decimal("9.90"), "quantity": 0}, "9.90 instead of 14.90  0 in stock  available"),
        ({"available": False}, "14.90  -  not available"),
    ],
)
def test_products_are_told_with_price_and_stock(simulator, capsys, changes, told):
    simulator.v3("upsert", {"catalogId": simulator.catalog(), "products": [PRODUCT | changes]})
    show_received(received({}, held(simulator)))
    assert capsys.readouterr().out == f"Products\n  +  example_shop  71  Mug  {told}\n"


def test_a_full_simulator_hides_nothing_of_the_run(simulator, capsys):
    for number in range(30):
        simulator.contact(f"old{number}@example.com")
    before = held(simulator)
    simulator.contact("late@example.com")
    show_received(received(before, held(simulator)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  +  late@example.com")
    assert lines[-1] == "    and 11 more"
    assert len(lines) == 22


def test_nothing_held_shows_nothing(simulator, capsys):
    show_received(received({}, held(simulator)))
    assert capsys.readouterr().out == ""


def test_a_simulator_that_does_not_tell_gives_none(simulator, httpserver):
    assert read_holdings(simulator.url, "nobody") is None
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert read_holdings(url, ACCOUNT.client_id) is None
    httpserver.expect_request("/_sandbox/state").respond_with_data("<html>")
    assert read_holdings(httpserver.url_for("").rstrip("/"), ACCOUNT.client_id) is None
