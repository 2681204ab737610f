"""Erasing a shop: everything it sent goes, slice by slice; links to events and other shops' data stay."""

from __future__ import annotations

import pytest

from relay import jsontext
from relay.clock import ManualClock
from relay.commands import CommandState, EventKey, Verdict
from relay.deliveries import DeliveryState, Translation
from relay.memory import CatalogItem, Resource
from relay.privacy import CONTACT_KIND, ERASE_TOPIC, RELAY_PLATFORM, ShopErasure, contacts_of
from relay.store import DeliveryFilter, Store
from relay.store.privacy import shops
from relay.worker.privacy import PrivacyStage
from tests.support.privacy import tables_naming, tidy
from tests.support.stored import (
    NOW,
    after,
    ask,
    claim_one,
    contact_delete,
    end,
    finish_all,
    new_delivery,
    product,
    put,
    translated,
    upsert,
)

ANN, BO = "ann@example.com", "bo@example.com"


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every erasure take many steps."""
    monkeypatch.setattr(shops, "SLICE", 2)


def buy(store: Store, email: str, number: str, shop: str = "acme") -> int:
    """Store an order's delivery with all that it means, and how its buyer is remembered."""
    with store.deliveries.translating() as bench:
        name = bench.memory.pseudonym("main", email)
    body = jsontext.dumps({"email": email, "shop": f"secret of {shop}"}).encode()
    remembered = (
        Resource(shop, "order", number, NOW, email, "orders/create", body, since=after(-60)),
        Resource(contacts_of("main"), CONTACT_KIND, name, facts={"words": {"email": email}}),
    )
    commands = (upsert(email, shop=f"secret of {shop}"), put(email, EventKey(shop, "order", number, "PURCHASE")))
    meaning = translated(*commands, resources=remembered, resource_kind="order", resource_id=number)
    return store.deliveries.record(new_delivery(shop=shop, body=body), meaning).id


def redact(store: Store, *, delete_contacts: bool = False) -> int:
    wish = ShopErasure("main", "acme", peers=("other",), until=NOW, delete_contacts=delete_contacts)
    return store.deliveries.record(new_delivery(topic="shop/redact"), translated(privacy=(wish,))).id


def remembered_contacts(store: Store, *emails: str) -> list[bool]:
    with store.deliveries.translating() as bench:
        names = [bench.memory.pseudonym("main", email) for email in emails]
        return [bench.memory.resource(contacts_of("main"), CONTACT_KIND, name) is not None for name in names]


def test_everything_the_shop_sent_goes(store, database_url, tmp_path):
    mug = CatalogItem("main", "acme_shop", "7", "acme", "70", {"name": "secret of acme"}, active=True)
    stored = [buy(store, ANN, str(number)) for number in range(5)]
    stored.append(ask(store, product("7"), items=(mug,), resources=(
        Resource("acme", "product", "70", NOW, None, "products/create", b"secret of acme"),)))  # fmt: skip
    dead = store.deliveries.record(new_delivery(body=b"secret of acme"), Translation(DeliveryState.DEAD, "Broken.")).id
    waiting = store.deliveries.record(new_delivery(body=b"secret of acme")).id
    finish_all(store)
    asked = redact(store)
    assert tidy(store, tmp_path)

    assert tables_naming(database_url, ANN, "secret of acme") == set()
    for delivery_id in (*stored, dead, waiting, asked):
        view = store.reading.delivery(delivery_id)
        assert (view.body, view.headers, view.reason) == (b"", {}, "erased")
    assert store.deliveries.claim(NOW, 60, 10) == []
    assert list(store.items.stream("main", "acme_shop")) == []


def test_links_to_events_and_other_shops_stay(store, database_url, tmp_path):
    buy(store, ANN, "1")
    end(store, Verdict.DONE)
    end(store, Verdict.DONE, event_id="e-1")
    theirs = buy(store, BO, "2", shop="other")
    finish_all(store)
    redact(store)
    assert tidy(store, tmp_path)

    with store.deliveries.translating() as bench:
        assert [link.event_id for link in bench.memory.events("acme", "order", "1")] == ["e-1"]
        assert bench.memory.resource("other", "order", "2").body is not None
    assert b"secret of other" in store.reading.delivery(theirs).body
    assert tables_naming(database_url, "secret of acme") == set()


def test_people_another_shop_knows_too_stay_remembered(store, database_url, tmp_path):
    for email, number, shop in ((ANN, "1", "acme"), (BO, "2", "acme"), (BO, "3", "other")):
        buy(store, email, number, shop)
    finish_all(store)
    redact(store)
    assert tidy(store, tmp_path)

    assert remembered_contacts(store, ANN, BO) == [False, True]
    assert tables_naming(database_url, ANN) == set()
    assert "contact_addresses" in tables_naming(database_url, BO)


def test_people_only_this_shop_knows_are_deleted_where_that_is_wanted(store, tmp_path):
    for email, number, shop in ((ANN, "1", "acme"), (BO, "2", "acme"), (BO, "3", "other")):
        buy(store, email, number, shop)
    finish_all(store)
    redact(store, delete_contacts=True)
    tidy(store, tmp_path)

    claimed = store.deliveries.claim(NOW, 60, 10)
    assert [(each.platform, each.topic, each.shop, each.triggered_at) for each in claimed] == [
        (RELAY_PLATFORM, ERASE_TOPIC, "acme", NOW)
    ]
    assert jsontext.loads(claimed[0].body) == {"email": ANN, "thorough": False}
    assert remembered_contacts(store, ANN) == [True]  # until that delivery is translated


def test_erasure_that_is_taken_up_again_asks_for_each_deletion_once(database_url, tmp_path):
    store = Store.open(database_url, folder=tmp_path)
    for number in range(5):
        buy(store, f"buyer{number % 3}@example.com", str(number))
    finish_all(store)
    redact(store, delete_contacts=True)
    store.close()
    going = True
    while going:  # each step by a process of its own
        store = Store.open(database_url, folder=tmp_path)
        going = PrivacyStage(store, ManualClock(NOW), tmp_path).step()
        store.close()
    store = Store.open(database_url, folder=tmp_path)

    assert len(store.reading.deliveries(DeliveryFilter(topic=ERASE_TOPIC))) == 3
    store.close()


def test_waiting_commands_are_withdrawn_but_deletions_are_still_sent(store, database_url, tmp_path):
    bought = buy(store, ANN, "1")
    deleted = ask(store, contact_delete(BO))
    redact(store)
    assert not tidy(store, tmp_path)
    assert [each.state for each in store.commands.of_delivery(bought)] == [CommandState.SUPERSEDED] * 2

    assert claim_one(store).payload == {"email": BO}
    finish_all(store, after(120))
    assert tidy(store, tmp_path)
    assert [each.payload for each in store.commands.of_delivery(deleted)] == [{}]
    assert tables_naming(database_url, ANN) == set()


def test_files_of_the_shop_go_too(store, tmp_path):
    folder = tmp_path / "data-requests"
    folder.mkdir()
    for name in ("acme-1.json", "other-1.json"):
        (folder / name).write_text("{}")
    redact(store)
    assert tidy(store, tmp_path)

    assert [file.name for file in folder.iterdir()] == ["other-1.json"]
