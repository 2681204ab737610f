"""Whole lives of people, told on every path there is into a relay, and the words that give each of them away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from relay import jsontext
from relay.commands import Outcome, Verdict
from tests.support.house import NOW, House


@dataclass(frozen=True)
class Somebody:
    """An invented person."""

    first: str
    last: str
    email: str
    phone: str
    street: str
    number: int  # Shopify's id; those of orders count on from it
    woo: int  # WooCommerce's

    @property
    def traces(self) -> tuple[str, ...]:
        return self.email, self.first, self.last, self.street, self.phone, self.phone.replace(" ", "")

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


ANN = Somebody(
    "Anneliese", "Quillfeather", "ann.q+1@example.com", "+48 601 234 567", "Thistlewood Lane", 7061000000001, 100
)
BO = Somebody("Bartholomew", "Osterhagen", "bo.o@example.com", "+46 70 174 06 05", "Marigold Road", 7062000000001, 200)


def at(hours: float) -> str:
    return (NOW + timedelta(hours=hours)).isoformat()


def address(who: Somebody) -> dict[str, Any]:
    return {
        "first_name": who.first,
        "last_name": who.last,
        "address1": f"{who.street} 12",
        "city": "Port Ash",
        "zip": "12345",
        "country_code": "PL",
        "phone": who.phone,
    }


def customer(who: Somebody, **more: Any) -> dict[str, Any]:
    own = {"id": who.number, "email": who.email, "first_name": who.first, "last_name": who.last, "phone": who.phone}
    return own | {"default_address": address(who), "updated_at": at(-48)} | more


def order(who: Somebody, number: int, hours: float = -40, **more: Any) -> dict[str, Any]:
    own = {
        "id": who.number + number,
        "name": f"#{number}",
        "email": who.email,
        "customer": customer(who),
        "billing_address": address(who),
        "shipping_address": address(who),
        "note": f"Ring twice, {who.first}",
        "financial_status": "paid",
        "total_price": "20.00",
        "currency": "EUR",
        "line_items": [{"id": 1, "product_id": 70, "variant_id": 700, "price": "20.00", "quantity": 1, "title": "Mug"}],
        "refunds": [],
        "created_at": at(hours),
        "processed_at": at(hours),
        "updated_at": at(hours),
    }
    return own | more


def woo_address(who: Somebody) -> dict[str, Any]:
    names = {"first_name": who.first, "last_name": who.last, "address_1": f"{who.street} 12", "phone": who.phone}
    return names | {"email": who.email, "city": "Port Ash", "postcode": "12345", "country": "PL"}


def woo_order(who: Somebody, number: int, status: str, hours: float = -30) -> dict[str, Any]:
    moment = at(hours).replace("+00:00", "")
    return {
        "id": who.woo + number,
        "number": str(number),
        "status": status,
        "currency": "EUR",
        "total": "30.00",
        "customer_id": 0,
        "billing": woo_address(who),
        "shipping": woo_address(who),
        "line_items": [{"id": 1, "product_id": 80, "name": "Bowl", "quantity": 1, "price": 30, "total": "30.00"}],
        "date_created_gmt": moment,
        "date_modified_gmt": moment,
    }


def woo_customer(who: Somebody) -> dict[str, Any]:
    moment = at(-90).replace("+00:00", "")
    names = {"first_name": who.first, "last_name": who.last, "role": "customer", "billing": woo_address(who)}
    return {"id": who.woo, "email": who.email, "date_created_gmt": moment, "date_modified_gmt": moment} | names


def live(house: House, who: Somebody) -> None:
    """Everything a person can cause, on every path."""
    shopify(house, who)
    house.deliver("woo", "customer.created", woo_customer(who))
    house.deliver("woo", "order.created", woo_order(who, 1, "processing"))
    house.deliver("woo", "order.created", woo_order(who, 2, "pending", 0))  # held: a cart later
    rest(house, who)
    house.work()
    leave_uncertain(house, who)
    house.work()


def shopify(house: House, who: Somebody) -> None:
    """What a Shopify shop tells of a person: what is translated, ignored, and broken."""
    house.deliver("acme", "customers/create", customer(who))
    house.deliver("acme", "orders/create", order(who, 1))
    refund = {
        "id": 5,
        "created_at": at(-1),
        "transactions": [{"kind": "refund", "status": "success", "amount": "5.00"}],
    }
    house.deliver("acme", "orders/updated", order(who, 1, updated_at=at(-1), refunds=[refund]))
    house.deliver(
        "acme", "orders/create", order(who, 2, email=None, customer={"id": who.number})
    )  # by the account alone
    house.deliver("acme", "orders/create", order(who, 3, test=True))  # ignored
    house.deliver("acme", "orders/create", order(who, 4, total_price="abc"))  # dead
    house.deliver(
        "acme", "orders/create", b'{"email":"%s","name":"%s' % (who.email.encode(), who.name.encode())
    )  # dead
    escaped = jsontext.dumps(order(who, 5, test=True)).replace("@", "\\u0040").replace("+1@", "\\u002b1@")
    house.deliver("acme", "orders/create", escaped.encode())
    house.deliver("acme", "checkouts/create", {
        "token": f"chk-{who.number}", "email": who.email, "customer": customer(who), "billing_address": address(who),
        "total_price": "9.00", "currency": "EUR", "created_at": at(-2), "updated_at": at(-2),
        "line_items": [{"product_id": 70, "price": "9.00", "quantity": 1}],
    })  # fmt: skip
    house.deliver("acme", "customers_email_marketing_consent/update", {
        "customer_id": who.number, "email_address": who.email,
        "email_marketing_consent": {"state": "subscribed", "consent_updated_at": at(-3)},
    })  # fmt: skip
    tags = {"customerId": f"gid://shopify/Customer/{who.number}", "tags": [who.last.upper()], "occurredAt": at(-3)}
    house.deliver("acme", "customer.tags_added", tags)
    house.deliver("acme", "draft_orders/create", {"id": 1, "customer": customer(who)})  # a topic that is left alone
    house.deliver("acme", "customers/data_request", {
        "customer": {"id": who.number, "email": who.email, "phone": who.phone}, "data_request": {"id": who.number},
    })  # fmt: skip


def rest(house: House, who: Somebody) -> None:
    """What a REST caller tells of a person, once and again."""
    contact = {"data": {"email": who.email, "name": who.name, "phone": who.phone, "streetAddress": who.street}}
    for _ in range(2):
        response = house.call("POST", "/contacts", contact, {"Idempotency-Key": f"upsert {who.email}"})
        assert response.status_code in (200, 202), response.text
    event = {"email": who.email, "contactExtEventType": "VISIT", "description": f"{who.name} called {who.phone}"}
    assert house.call("POST", "/events", {"data": event}).status_code == 202


def leave_uncertain(house: House, who: Somebody) -> None:
    """An event whose answer was lost, and one that SALESmanago refused in words that repeat what it was told."""
    for number, verdict in enumerate((Verdict.UNCERTAIN, Verdict.DEAD)):
        event = {"email": who.email, "contactExtEventType": "VISIT", "description": f"{who.name} {number}"}
        house.call("POST", "/events", {"data": event})
        [command] = house.relay.store.commands.claim(house.clock.now(), 60, 10)
        house.relay.store.commands.begin([command], house.clock.now())
        words = f"No such contact: {who.name}, {who.email}"
        house.relay.store.commands.settle([Outcome(command, verdict, words)], house.clock.now())


def redaction(who: Somebody) -> dict[str, Any]:
    """Shopify's wish that a person is forgotten."""
    named = {"id": who.number, "email": who.email, "phone": who.phone}
    return {"shop_id": 1, "shop_domain": "acme.myshopify.com", "customer": named,
            "orders_to_redact": [who.number + number for number in (1, 2, 3)]}  # fmt: skip


def fill(house: House) -> None:
    """Let both live in a house with a product in each shop."""
    for shop, topic, product in (
        (
            "acme",
            "products/create",
            {"id": 70, "title": "Mug", "status": "active", "variants": [{"id": 700, "price": "9"}]},
        ),
        ("woo", "product.created", {"id": 80, "name": "Bowl", "status": "publish", "price": "30", "type": "simple"}),
    ):
        house.deliver(shop, topic, product)
    for who in (ANN, BO):
        live(house, who)
