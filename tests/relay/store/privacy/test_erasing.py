"""Erasing a person: what goes at once, what goes when the deletion is through, and what stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay import jsontext
from relay.commands import CommandKind, CommandState, ContactSubject, EventKey, Outcome, Verdict
from relay.deliveries import DeliveryState, Translation
from relay.memory import CatalogItem, Resource
from relay.privacy import CONTACT_KIND, contacts_of
from relay.store import Store
from tests.support.privacy import erasure, person, tables_naming, tidy
from tests.support.stored import (
    NOW,
    after,
    ask,
    claim,
    claim_delivery,
    claim_one,
    contact_delete,
    end,
    finish_all,
    new_delivery,
    put,
    translated,
    upsert,
)

ANN, BO = "ann@example.com", "bo@example.com"
ANNS = (ANN, "Ann Ash", "555-1000-200", "Elm Street")


def body(email: str, **more):
    return jsontext.dumps({"email": email, "name": "Ann Ash" if email == ANN else "Bo Berg", **more}).encode()


def order(number: str, email: str | None, **changes) -> Resource:
    since = changes.pop("since", after(-60))
    return Resource("acme", "order", number, NOW, email, "orders/create", body(email or ANN), since=since, **changes)


def buy(store: Store, email: str, number: str = "1001", **changes) -> int:
    """Store an order's delivery with all that it means; nothing is sent yet."""
    key = EventKey("acme", "order", number, "PURCHASE")
    remembered = changes.pop("resource", order(number, email))
    new = new_delivery(body=body(email, street="Elm Street" if email == ANN else "Oak Road"), **changes)
    commands = (upsert(email, name=new.body.decode()), put(email, key, description=f"For {email}"))
    meaning = translated(*commands, resources=(remembered,), resource_kind="order", resource_id=number)
    return store.deliveries.record(new, meaning).id


def erase(store: Store, *addresses: str, **changes) -> int:
    """Store the delivery that has somebody forgotten."""
    commands = changes.pop("commands", tuple(contact_delete(address) for address in addresses))
    wish = erasure(*addresses, **changes)
    new = new_delivery(topic="customers/redact", body=body(addresses[0] if addresses else ANN))
    return store.deliveries.record(new, translated(*commands, privacy=(wish,))).id


def states(store: Store, delivery_id: int) -> list[CommandState]:
    return [command.state for command in store.commands.of_delivery(delivery_id)]


# What goes at once


def test_linked_data_goes_with_the_translation_that_asks_for_it(store, database_url):
    mine, theirs = buy(store, ANN), buy(store, BO, "1002")
    finish_all(store)
    asked = erase(store, ANN)

    assert tables_naming(database_url, *ANNS) == {"commands", "contacts", "contact_addresses", "privacy_tasks"}
    for delivery_id in (mine, asked):
        view = store.reading.delivery(delivery_id)
        assert (view.body, view.headers, view.reason) == (b"", {}, "erased")
    view = store.reading.delivery(theirs)
    assert b"Bo Berg" in view.body
    assert view.reason is None


def test_ids_states_times_and_links_to_events_stay(store):
    delivery_id = buy(store, ANN)
    for event_id in (None, "e-1"):
        end(store, Verdict.DONE, event_id=event_id)
    before = store.reading.delivery(delivery_id), store.commands.of_delivery(delivery_id)
    erase(store, ANN)
    finish_all(store)
    view, commands = store.reading.delivery(delivery_id), store.commands.of_delivery(delivery_id)

    assert replace(view, reason=None) == replace(before[0], body=b"", headers={})
    blanked = [replace(command, payload={}, warnings=(), last_error=None) for command in before[1]]
    assert commands == blanked
    with store.deliveries.translating() as bench:
        [link] = bench.memory.events("acme", "order", "1001")
    assert link.event_id == "e-1"


def test_memory_keeps_the_moment_and_nothing_else(store):
    buy(store, ANN)
    erase(store, ANN)
    with store.deliveries.translating() as bench:
        known = bench.memory.resource("acme", "order", "1001")

    assert known == Resource("acme", "order", "1001", facts=known.facts)
    assert known.facts.keys() == {"erased_at"}


def test_accounts_and_orders_are_found_by_their_ids_and_by_their_account(store, database_url):
    store.deliveries.record(new_delivery(body=body(ANN)), translated(resources=(
        Resource("acme", "customer", "7", NOW, None, "customers/create", body(ANN)),
        order("1001", None, account="7"),
        order("1002", None),
        order("1003", BO, account="8"),
    )))  # fmt: skip
    erase(store, accounts=(("acme", "7"),), orders=(("acme", "1002"),))

    with store.deliveries.translating() as bench:
        kinds = [("customer", "7"), ("order", "1001"), ("order", "1002"), ("order", "1003")]
        bodies = [bench.memory.resource("acme", kind, id_).body for kind, id_ in kinds]
    assert [kept is None for kept in bodies] == [True, True, True, False]


def test_deliveries_about_the_person_that_memory_never_met_go_too(store):
    about = {"resource_kind": "order", "resource_id": "1001"}
    meaning = Translation(DeliveryState.IGNORED, reason="test-order", **about)
    ignored = store.deliveries.record(new_delivery(body=b'{"street":"Elm Street"}'), meaning).id
    erase(store, orders=(("acme", "1001"),))

    assert store.reading.delivery(ignored).body == b""


def test_other_shops_and_other_groups_with_the_same_ids_are_left_alone(store):
    elsewhere = replace(order("1001", ANN), shop="other")
    mine = buy(store, ANN, resource=elsewhere, shop="other", group="second")
    erase(store, ANN, orders=(("acme", "1001"),))

    assert b"Elm Street" in store.reading.delivery(mine).body
    with store.deliveries.translating() as bench:
        assert bench.memory.resource("other", "order", "1001") == elsewhere


def test_rest_calls_go_with_the_person_and_their_kept_answers_with_them(store, database_url):
    call = {"platform": "api", "shop": None, "topic": "contacts.upsert", "body": body(ANN)}
    meaning = translated(upsert(ANN), resource_kind="request", resource_id="request-1")
    delivery_id = store.deliveries.record(new_delivery(**call), meaning).id
    for key, request in (("k1", "request-1"), ("k2", "request-2")):
        store.answers.begin(key, "digest", NOW)
        store.answers.finish(key, 200, f'{{"requestId":"{request}","contactId":"c-1"}}'.encode(), NOW)
    finish_all(store)
    erase(store, ANN)

    assert store.reading.delivery(delivery_id).body == b""
    assert store.answers.begin("k1", "digest", NOW) is None
    assert store.answers.begin("k2", "digest", NOW) is not None


def test_somebody_known_by_salesmanagos_id_alone_is_the_same_person_when_the_ids_agree(store):
    event = replace(put("", None), subject=ContactSubject("", contact_id="c-9"))
    call = new_delivery(platform="api", shop=None, body=b'{"contactId":"c-9","description":"Elm Street"}')
    delivery_id = store.deliveries.record(call, translated(event)).id
    buy(store, ANN)
    while claimed := claim(store):
        store.commands.begin(claimed, NOW)
        store.commands.settle([Outcome(command, Verdict.DONE, contact_id="c-9") for command in claimed], NOW)
    erase(store, ANN)

    assert store.reading.delivery(delivery_id).body == b""


def test_aliases_of_an_address_are_the_same_person(store, database_url, tmp_path):
    ask(store, upsert("old@example.com"), resources=(order("1001", "old@example.com"),))
    ask(store, upsert("old@example.com", ANN))
    finish_all(store)
    erase(store, ANN)
    finish_all(store)

    assert tidy(store, tmp_path)
    assert tables_naming(database_url, "old@example.com", ANN) == set()


# What is newer


def test_what_is_remembered_of_a_later_moment_stays_with_its_delivery_and_commands(store):
    old, new = buy(store, ANN), buy(store, ANN, "1002", resource=order("1002", ANN, since=after(60)))
    erase(store, ANN, until=NOW)

    assert store.reading.delivery(old).body == b""
    assert b"Elm Street" in store.reading.delivery(new).body
    assert [bool(command.payload) for command in store.commands.of_delivery(new)] == [True, True]
    with store.deliveries.translating() as bench:
        assert bench.memory.resource("acme", "order", "1002").body is not None


def test_what_the_erasing_translation_remembers_itself_stays(store):
    key = (contacts_of("main"), CONTACT_KIND, "pseudonym")
    tombstone = Resource(*key, facts={"deleted_at": 5})
    new = new_delivery(body=body(ANN))
    store.deliveries.record(new, translated(resources=(tombstone,), privacy=(erasure(ANN),)))

    with store.deliveries.translating() as bench:
        assert bench.memory.resource(*key) == tombstone


def test_remembered_contact_becomes_a_tombstone_that_never_gets_older(store):
    with store.deliveries.translating() as bench:
        name = bench.memory.pseudonym("main", ANN)
    key = (contacts_of("main"), CONTACT_KIND, name)
    moments = []
    for deleted_at in (1, 10**18):
        ask(store, resources=(Resource(*key, facts={"words": {"email": ANN}, "deleted_at": deleted_at}),))
        erase(store, ANN)
        with store.deliveries.translating() as bench:
            moments.append(bench.memory.resource(*key).facts)

    assert moments == [{"deleted_at": 1795521600000000}, {"deleted_at": 10**18}]


# Commands


def test_waiting_commands_are_withdrawn_but_for_what_the_deletion_needs(store):
    ask(store, upsert("old@example.com"))
    finish_all(store)
    moved, bought = ask(store, upsert("old@example.com", ANN)), buy(store, ANN)
    asked = erase(store, ANN)

    assert states(store, moved) == [CommandState.WAITING]
    assert states(store, bought) == [CommandState.SUPERSEDED] * 2
    sent = finish_all(store)
    assert [command.kind for command in sent] == [CommandKind.CONTACT_UPSERT, CommandKind.CONTACT_DELETE]
    assert sent[-1].payload == {"email": ANN}
    assert states(store, asked) == [CommandState.DONE]


@pytest.mark.parametrize("verdict", [Verdict.DEAD, Verdict.UNCERTAIN])
def test_commands_that_needed_somebody_are_over(store, verdict):
    delivery_id = ask(store, put(ANN, description=ANN))
    end(store, verdict, message=f"Refused for {ANN}")
    erase(store, ANN, commands=())

    [command] = store.commands.of_delivery(delivery_id)
    assert command.state is CommandState.SUPERSEDED
    assert (command.payload, command.last_error, command.attempts[0].message) == ({}, None, None)
    with pytest.raises(ValueError, match="superseded"):
        store.commands.requeue(command.id, NOW)


def test_command_under_way_is_blanked_once_it_is_settled(store, database_url, tmp_path):
    bought = buy(store, ANN)
    under_way = claim_one(store)
    store.commands.begin([under_way], NOW)
    erase(store, ANN)
    assert not tidy(store, tmp_path)
    assert states(store, bought) == [CommandState.CLAIMED, CommandState.SUPERSEDED]

    assert store.commands.settle([Outcome(under_way, Verdict.DEAD, f"No {ANN} here")], NOW) == 1
    finish_all(store)
    assert tidy(store, tmp_path)
    assert tables_naming(database_url, *ANNS) == set()


# When the deletion is through


def test_address_stays_until_the_deletion_is_done_and_not_longer(store, database_url, tmp_path):
    buy(store, ANN)
    asked = erase(store, ANN)
    assert not tidy(store, tmp_path)
    [task] = store.privacy.list()
    assert task.waits_for == tuple(command.id for command in store.commands.of_delivery(asked))
    assert claim_one(store).payload == {"email": ANN}

    finish_all(store, after(120))
    assert tidy(store, tmp_path)
    assert tables_naming(database_url, *ANNS) == set()


def test_deletion_that_failed_waits_for_somebody(store, database_url, tmp_path):
    buy(store, ANN)
    asked = erase(store, ANN)
    end(store, Verdict.DEAD)
    assert not tidy(store, tmp_path)

    [command] = store.commands.of_delivery(asked)
    store.commands.drop(command.id, NOW)
    assert tidy(store, tmp_path)
    assert tables_naming(database_url, *ANNS) == set()
    with pytest.raises(ValueError, match="superseded"):
        store.commands.requeue(command.id, NOW)


def test_deletion_that_failed_can_be_put_back(store, tmp_path):
    buy(store, ANN)
    asked = erase(store, ANN)
    end(store, Verdict.DEAD)
    [command] = store.commands.of_delivery(asked)
    store.commands.requeue(command.id, NOW)

    assert [sent.payload for sent in finish_all(store)] == [{"email": ANN}]
    assert tidy(store, tmp_path)


def test_dry_run_leaves_no_address_behind(store, database_url, tmp_path):
    meaning = translated(contact_delete(ANN), privacy=(erasure(ANN),), dry_run=True)
    store.deliveries.record(new_delivery(body=body(ANN)), meaning)

    assert tidy(store, tmp_path)
    assert tables_naming(database_url, ANN) == set()


def test_new_relationship_queues_behind_the_deletion_and_keeps_its_address(store, database_url, tmp_path):
    buy(store, ANN)
    asked = erase(store, ANN)
    again = ask(store, upsert(ANN, note="new"), at=after(60))
    assert store.commands.of_delivery(asked)[0].subject == store.commands.of_delivery(again)[0].subject

    sent = finish_all(store, after(60))
    assert [command.kind for command in sent] == [CommandKind.CONTACT_DELETE, CommandKind.CONTACT_UPSERT]
    assert tidy(store, tmp_path)
    assert "contact_addresses" in tables_naming(database_url, ANN)
    later = ask(store, put(ANN), at=after(120))
    assert store.commands.of_delivery(later)[0].subject == store.commands.of_delivery(again)[0].subject


def test_new_relationship_after_the_erasure_is_a_new_contact(store, tmp_path):
    before = buy(store, ANN)
    erase(store, ANN)
    finish_all(store)
    assert tidy(store, tmp_path)

    again = ask(store, upsert(ANN))
    assert store.commands.of_delivery(before)[0].subject != store.commands.of_delivery(again)[0].subject


# Late and repeated


def test_late_delivery_of_somebody_erased_is_blanked_with_its_translation(store, database_url, tmp_path):
    delivery_id = store.deliveries.record(new_delivery(body=body(ANN))).id
    delivery = claim_delivery(store)
    with store.deliveries.translating() as bench:
        assert bench.finish(delivery, Translation(DeliveryState.IGNORED, "erased", erased=True), NOW)

    assert store.reading.delivery(delivery_id).body == b""
    assert tables_naming(database_url, *ANNS) == set()
    assert tidy(store, tmp_path)


def test_erased_delivery_cannot_be_replayed(store):
    delivery_id = buy(store, ANN)
    erase(store, ANN)

    with pytest.raises(ValueError, match="erased"):
        store.deliveries.replay(delivery_id, NOW)
    assert store.reading.delivery(delivery_id).state is DeliveryState.TRANSLATED


def test_held_delivery_is_over_and_a_translation_under_way_counts_for_nothing(store):
    meaning = Translation(DeliveryState.HELD, "cart-after", due_at=NOW, resource_kind="order", resource_id="1001")
    held = store.deliveries.record(new_delivery(body=body(ANN)), meaning).id
    delivery = claim_delivery(store)
    erase(store, orders=(("acme", "1001"),))

    assert store.reading.delivery(held).state is DeliveryState.IGNORED
    with store.deliveries.translating() as bench:
        assert not bench.finish(delivery, translated(upsert(ANN)), NOW)


def test_erasure_that_is_rolled_back_has_erased_nothing(store, database_url):
    buy(store, ANN)
    before = tables_naming(database_url, *ANNS)
    store.deliveries.record(new_delivery(body=body(ANN)))
    delivery = claim_delivery(store)
    with pytest.raises(RuntimeError), store.deliveries.translating() as bench:
        assert bench.finish(delivery, translated(contact_delete(ANN), privacy=(erasure(ANN),)), NOW)
        raise RuntimeError

    assert tables_naming(database_url, *ANNS) == before
    assert store.privacy.list() == []


def test_pseudonyms_are_the_same_for_ever_and_of_no_use_without_the_key(store, database_url, tmp_path):
    names = []
    for _ in range(2):
        again = Store.open(database_url, folder=tmp_path)
        with again.deliveries.translating() as bench:
            names.append(bench.memory.pseudonym("main", ANN))
        again.close()

    assert names[0] == names[1]
    assert len(names[0]) == 64
    with store.deliveries.translating() as bench:
        assert len({bench.memory.pseudonym(*parts) for parts in (("main", ANN), ("main", BO), ("other", ANN))}) == 3


def test_catalogue_items_and_others_memory_are_no_persons(store):
    item = CatalogItem("main", "acme_shop", "7", "acme", "70", {"name": "Mug"}, active=True)
    ask(store, items=(item,), resources=(Resource("acme", "product", "70", NOW, None, "products/create", b"{}"),))
    erase(store, ANN, accounts=(("acme", "70"),), orders=(("acme", "70"),))

    with store.deliveries.translating() as bench:
        assert bench.memory.item("main", "acme_shop", "7") is not None
        assert bench.memory.resource("acme", "product", "70").body == b"{}"


def test_person_may_be_nobody_in_particular(store):
    delivery_id = buy(store, ANN)
    wish = replace(erasure(), person=person())
    store.deliveries.record(new_delivery(), translated(privacy=(wish,)))

    assert store.reading.delivery(delivery_id).body != b""
