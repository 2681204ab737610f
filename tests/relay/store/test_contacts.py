from __future__ import annotations

from sqlalchemy import delete, func, select, update

from relay.commands import Command, CommandKind, ContactSubject, Verdict
from relay.store.tables import commands, contact_addresses, contacts
from tests.support.stored import after, ask, claim, claim_one, contact_delete, end, finish_all, put, upsert


def subjects(store, *delivery_ids):
    return [command.subject for id_ in delivery_ids for command in store.commands.of_delivery(id_)]


def known_by_id(contact_id: str, email: str = "") -> Command:
    return Command(CommandKind.EVENT_PUT, ContactSubject(email, contact_id=contact_id), {"contactEvent": {}})


def test_addresses_that_differ_in_case_only_are_one_contact_of_the_group(store):
    first, second = ask(store, upsert("Ann@Example.com")), ask(store, put("ann@example.COM"))
    other_group = ask(store, upsert("ann@example.com"), group="other")

    mine, again, theirs = subjects(store, first, second, other_group)
    assert mine == again != theirs
    assert {command.email for command in claim(store)} == {"Ann@Example.com", "ann@example.com"}


def test_changed_address_is_the_same_contact_and_becomes_its_address_once_done(store):
    ids = [
        ask(store, upsert("old@example.com")),
        ask(store, upsert("old@example.com", "New@example.com")),
        ask(store, put("new@example.com")),
        ask(store, put("old@example.com", value=2)),
    ]
    assert len(set(subjects(store, *ids))) == 1

    sent = finish_all(store)
    assert [command.email for command in sent] == [
        "old@example.com",
        "old@example.com",
        "New@example.com",
        "New@example.com",
    ]


def test_address_change_that_fails_leaves_the_old_address(store):
    ask(store, upsert("old@example.com", "new@example.com"), put("new@example.com"))
    end(store, Verdict.DEAD)

    assert claim_one(store).email == "old@example.com"


def test_contact_known_by_its_new_address_only_is_found_by_it(store):
    first = ask(store, upsert("new@example.com"))
    second = ask(store, upsert("old@example.com", "new@example.com"))

    assert len(set(subjects(store, first, second))) == 1


def test_new_address_that_was_another_contacts_moves_and_that_ones_commands_go_on(store):
    first = ask(store, upsert("old@example.com"))
    second = ask(store, put("new@example.com"))
    third = ask(store, upsert("old@example.com", "new@example.com"))
    fourth = ask(store, put("new@example.com", value=2))

    old, new, renamed, later = subjects(store, first, second, third, fourth)
    assert old == renamed == later != new
    assert len(finish_all(store)) == 4


def test_contact_id_of_an_answer_is_kept_until_the_contact_is_deleted(store):
    ask(store, upsert(), put(), contact_delete(), upsert(tag="back"))
    assert end(store, Verdict.DONE, contact_id="sm-1").contact_id is None
    assert end(store, Verdict.DONE).contact_id == "sm-1"
    assert end(store, Verdict.DONE).contact_id == "sm-1"
    assert claim_one(store).contact_id is None


def test_somebody_known_by_salesmanagos_id_alone_is_one_contact(store):
    first, second = ask(store, known_by_id("sm-1")), ask(store, known_by_id("sm-1"))
    other = ask(store, known_by_id("sm-2"))

    mine, again, theirs = subjects(store, first, second, other)
    assert mine == again != theirs
    assert [(command.email, command.contact_id) for command in claim(store)] == [(None, "sm-1"), (None, "sm-2")]


def test_contact_is_found_by_the_id_salesmanago_answered(store):
    first = ask(store, upsert())
    end(store, Verdict.DONE, contact_id="sm-1")
    second = ask(store, known_by_id("sm-1"), at=after(1))

    assert len(set(subjects(store, first, second))) == 1
    assert claim_one(store, after(1)).email == "ann@example.com"


def test_address_learnt_later_is_the_same_contacts(store):
    first = ask(store, known_by_id("sm-1"))
    second = ask(store, known_by_id("sm-1", "ann@example.com"))
    third = ask(store, put("ann@example.com"))

    assert len(set(subjects(store, first, second, third))) == 1
    assert claim_one(store).email == "ann@example.com"


def test_contacts_made_together_have_numbers_of_their_own_and_none_is_given_twice(store):
    first = ask(store, upsert("ann@example.com"), upsert("bob@example.com"), put("cid@example.com"))
    with store._database.writing() as connection:
        highest = connection.scalar(select(func.max(contacts.c.id)))
        connection.execute(delete(contact_addresses).where(contact_addresses.c.address == "cid@example.com"))
        connection.execute(update(commands).values(contact=None))
        connection.execute(delete(contacts).where(contacts.c.id == highest))
    ask(store, upsert("dot@example.com"), upsert("eve@example.com"), upsert("ann@example.com"))
    with store._database.reading() as connection:
        found = connection.execute(select(contacts.c.id, contacts.c.address).order_by(contacts.c.id)).all()
        linked = connection.execute(select(contact_addresses.c.contact, contact_addresses.c.address)).all()
    assert first
    assert [address for _, address in found] == [f"{name}@example.com" for name in ("ann", "bob", "dot", "eve")]
    assert found[2].id > highest
    assert set(linked) == set(found)
