from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from relay.commands import Command, CommandKind, ContactSubject, EventKey, ProductSubject
from relay.jsontext import digest
from relay.memory import CatalogItem, EmptyMemory, EventLink, Resource
from relay.translation.notebook import Notebook

ORDER = Resource("acme", "order", "1", email="ann@example.com", facts={"paid": True})
KEY = EventKey("acme", "order", "1", "PURCHASE")
LINK = EventLink(KEY, "digest-of-purchase", "event-1", None)
ITEM = CatalogItem("main", "acme_shop", "7", "acme", "7", {"name": "Cup"}, True, digest="digest-of-cup")


class Known(EmptyMemory):
    """A memory of one order, its purchase, its buyer and a product. Counts what is read."""

    def __init__(self) -> None:
        self.reads = 0

    def resource(self, shop: str, kind: str, resource_id: str) -> Resource | None:
        self.reads += 1
        return ORDER if (shop, kind, resource_id) == (ORDER.shop, ORDER.kind, ORDER.id) else None

    def events(self, shop: str, kind: str, resource_id: str) -> list[EventLink]:
        return [LINK] if (shop, kind, resource_id) == ("acme", "order", "1") else []

    def items(self, group: str, location: str, shop: str, source_id: str) -> list[CatalogItem]:
        return [ITEM] if source_id == "7" else []

    def item(self, group: str, location: str, product_id: str) -> CatalogItem | None:
        return ITEM if product_id == "7" else None

    def contact_digest(self, group: str, email: str) -> str | None:
        return "digest-of-ann" if email.lower() == "ann@example.com" else None


@pytest.fixture
def notes() -> Notebook:
    return Notebook(Known())


def upsert(email: str, new_email: str | None = None) -> Command:
    return Command(CommandKind.CONTACT_UPSERT, ContactSubject(email, new_email), {"contact": {"email": email}})


def put(key: EventKey = KEY, **event: Any) -> Command:
    return Command(CommandKind.EVENT_PUT, ContactSubject("ann@example.com"), {"contactEvent": event}, key)


def take_back(key: EventKey = KEY) -> Command:
    return Command(CommandKind.EVENT_DELETE, ContactSubject("ann@example.com"), {}, key)


def test_memory_is_read_once_for_each_resource() -> None:
    memory = Known()
    notes = Notebook(memory)
    assert notes.resource("acme", "order", "1") is notes.resource("acme", "order", "1") is ORDER
    assert notes.resource("acme", "order", "2") is notes.resource("acme", "order", "2") is None
    assert memory.reads == 2


def test_what_is_noted_is_read_back_and_is_what_changed(notes: Notebook) -> None:
    changed = replace(ORDER, email="new@example.com")
    notes.note(changed)
    assert notes.resource("acme", "order", "1") is changed
    assert notes.resources == (changed,)


def test_a_resource_that_was_noted_as_it_was_has_not_changed(notes: Notebook) -> None:
    notes.note(replace(notes.resource("acme", "order", "1") or ORDER))
    assert notes.resources == ()


def test_facts_are_a_copy_and_change_alone(notes: Notebook) -> None:
    facts = notes.facts("acme", "order", "1")
    facts["refunded"] = True
    assert notes.facts("acme", "order", "1") == {"paid": True}
    notes.note_facts("acme", "order", "1", facts)
    assert notes.resources == (replace(ORDER, facts={"paid": True, "refunded": True}),)


def test_facts_of_something_unknown_make_it_known(notes: Notebook) -> None:
    assert notes.facts("acme", "cart", "t") == {}
    notes.note_facts("acme", "cart", "t", {"order": "1"})
    assert notes.resources == (Resource("acme", "cart", "t", facts={"order": "1"}),)


def test_an_event_that_was_asked_for_counts_as_known(notes: Notebook) -> None:
    returned = replace(KEY, slot="RETURN:5")
    notes.note_asked(put(returned, value=5))
    assert notes.events("acme", "order", "1") == [
        LINK,
        EventLink(returned, digest({"contactEvent": {"value": 5}}), None, None),
    ]
    assert notes.events("acme", "order", "2") == []


def test_an_event_that_was_taken_back_keeps_its_id(notes: Notebook) -> None:
    notes.note_asked(take_back())
    assert notes.events("acme", "order", "1") == [replace(LINK, digest=None)]
    notes.note_asked(put(value=9))
    assert notes.events("acme", "order", "1") == [replace(LINK, digest=digest({"contactEvent": {"value": 9}}))]


def test_a_contact_that_was_asked_for_counts_as_known_under_both_addresses(notes: Notebook) -> None:
    assert notes.contact_digest("main", "Ann@example.com") == "digest-of-ann"
    command = upsert("ann@example.com", "New@example.com")
    notes.note_asked(command)
    assert notes.contact_digest("main", "ANN@example.com") == digest(command.payload)
    assert notes.contact_digest("main", "new@example.com") == digest(command.payload)


def test_a_contact_that_was_deleted_is_unknown(notes: Notebook) -> None:
    subject = ContactSubject("Ann@example.com")
    notes.note_asked(Command(CommandKind.CONTACT_DELETE, subject, {"email": "Ann@example.com"}))
    assert notes.contact_digest("main", "ann@example.com") is None


def test_an_item_that_was_noted_and_asked_for_is_the_one_that_is_known(notes: Notebook) -> None:
    assert notes.item("main", "acme_shop", "7") == ITEM
    changed = replace(ITEM, fields={"name": "Mug"}, digest=None)
    notes.note_item(changed)
    assert notes.item("main", "acme_shop", "7") == replace(changed, digest="digest-of-cup")
    command = Command(CommandKind.PRODUCT_UPSERT, ProductSubject("acme_shop", "7"), {"productId": "7"})
    notes.note_asked(command)
    assert notes.items("main", "acme_shop", "acme", "7") == [replace(changed, digest=digest({"productId": "7"}))]
    assert notes.changed_items == (changed,)


def test_an_item_that_has_become_another_products_is_that_ones(notes: Notebook) -> None:
    taken = replace(ITEM, source_id="8")
    notes.note_item(taken)
    assert notes.items("main", "acme_shop", "acme", "7") == []
    assert notes.items("main", "acme_shop", "acme", "8") == [replace(taken, digest="digest-of-cup")]


def test_a_body_that_was_written_is_parsed_no_more(notes: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"id": 1, "price": Decimal("1.50"), "lines": [{"id": 2}]}
    written = notes.written(body)
    assert written == b'{"id":1,"price":1.50,"lines":[{"id":2}]}'
    assert notes.parsed(b'{"id":7}') == {"id": 7}
    monkeypatch.setattr("relay.jsontext.loads", lambda text: pytest.fail("was parsed again"))
    assert notes.parsed(bytes(bytearray(written))) == body
    assert notes.parsed(b'{"id":7}') == {"id": 7}


def test_a_parsed_body_is_the_callers_to_add_to(notes: Notebook) -> None:
    notes.parsed(b'{"id":7}')["more"] = True
    notes.parsed(notes.written({"id": 8}))["more"] = True
    assert (notes.parsed(b'{"id":7}'), notes.parsed(b'{"id":8}')) == ({"id": 7}, {"id": 8})


def test_a_digest_is_made_once_for_one_body(notes: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def counted(body: object) -> str:
        made.append(body)
        return digest(body)

    monkeypatch.setattr("relay.jsontext.digest", counted)
    one, other = {"id": 1}, {"id": 2}
    assert [notes.digest(body) for body in (one, one, other, dict(other), one)] == [
        digest(body) for body in (one, one, other, other, one)
    ]
    assert made == [one, other, other, one]


def test_the_digest_of_what_is_asked_for_need_not_be_made_again(notes: Notebook) -> None:
    notes.note_asked(replace(put(value=5), digest="its digest"))
    assert notes.events("acme", "order", "1") == [replace(LINK, digest="its digest")]


def test_a_pseudonym_is_memorys(notes: Notebook) -> None:
    expected = EmptyMemory().pseudonym("main", "ann@example.com")
    assert {notes.pseudonym("main", "ann@example.com") for _ in range(2)} == {expected}
    assert notes.pseudonym("main", "bob@example.com") != expected
