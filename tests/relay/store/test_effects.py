from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relay.commands import Verdict
from relay.jsontext import digest
from relay.store.effects import UNKNOWN_DIGEST
from tests.support.stored import NOW, PURCHASE, ask, claim_one, contact_delete, end, event_delete, put, upsert


def contact_digest(store, email="ann@example.com", group="main"):
    with store.deliveries.translating() as bench:
        return bench.memory.contact_digest(group, email)


def link(store):
    with store.deliveries.translating() as bench:
        links = bench.memory.events(PURCHASE.shop, PURCHASE.kind, PURCHASE.resource_id)
    assert len(links) <= 1
    return links[0] if links else None


def first_id(store, delivery_id):
    return store.commands.of_delivery(delivery_id)[0].id


def test_contact_content_asked_for_is_remembered_under_every_address(store):
    assert contact_digest(store) is None
    ask(store, upsert("Ann@example.com", "new@example.com"))

    expected = digest(upsert("Ann@example.com", "new@example.com").payload)
    assert contact_digest(store, "ann@example.COM") == expected
    assert contact_digest(store, "NEW@example.com") == expected
    assert contact_digest(store, group="other") is None


def test_deletion_of_a_contact_forgets_its_content(store):
    ask(store, upsert(), contact_delete())
    assert contact_digest(store) is None


def test_upsert_that_ended_dead_or_dropped_may_be_asked_for_again(store):
    ask(store, upsert())
    command = end(store, Verdict.DEAD)
    assert contact_digest(store) is None

    store.commands.requeue(command.id, NOW)
    assert contact_digest(store) == digest(upsert().payload)
    store.commands.drop(command.id, NOW)
    assert contact_digest(store) is None


def test_newer_content_stands_when_an_older_upsert_dies(store):
    ask(store, upsert(), upsert(tag="new"))
    command = end(store, Verdict.DEAD)
    assert contact_digest(store) == digest(upsert(tag="new").payload)

    store.commands.requeue(command.id, NOW)
    assert contact_digest(store) == digest(upsert(tag="new").payload)


@pytest.mark.parametrize(
    "said_once", [{"forceOptIn": True}, {"forcePhoneOptOut": True}, {"newEmail": "new@example.com"}]
)
def test_what_an_upsert_says_once_is_asked_for_again_even_if_a_newer_one_stands(store, said_once):
    older = ask(store, upsert(**said_once))
    ask(store, upsert(company="Newer"))
    store.commands.drop(first_id(store, older), NOW)
    assert contact_digest(store) is None


def test_event_asked_for_is_linked_with_its_own_date(store):
    ask(store, put(value=10, date=1764000000123))
    assert link(store).key == PURCHASE
    assert (link(store).digest, link(store).event_id) == (digest(put(value=10, date=1764000000123).payload), None)
    assert link(store).date == datetime(2025, 11, 24, 16, 0, 0, 123000, UTC)

    ask(store, put(value=20))
    assert link(store).digest == digest(put(value=20).payload)
    assert link(store).date is not None, "an update without a date keeps the one there was"


def test_event_id_lives_from_the_answer_to_the_deletion(store):
    ask(store, put())
    end(store, Verdict.DONE, event_id="ev-1")
    assert link(store).event_id == "ev-1"

    ask(store, event_delete())
    assert (link(store).digest, link(store).event_id) == (None, "ev-1")
    assert end(store, Verdict.DONE).event_id == "ev-1"
    assert (link(store).digest, link(store).event_id) == (None, None)


@pytest.mark.parametrize("ending", ["dead", "dropped", "superseded"])
def test_event_that_was_never_sent_may_be_asked_for_again(store, ending):
    delivery_id = ask(store, put())
    if ending == "dead":
        end(store, Verdict.DEAD)
    elif ending == "dropped":
        store.commands.drop(first_id(store, delivery_id), NOW)
    else:
        store.deliveries.replay(delivery_id, NOW)

    assert (link(store).digest, link(store).event_id) == (None, None)


def test_update_that_came_to_nothing_may_be_asked_for_again_but_the_event_is_there(store):
    ask(store, put())
    end(store, Verdict.DONE, event_id="ev-1")
    ask(store, put(value=20))
    command = end(store, Verdict.DEAD)
    assert (link(store).digest, link(store).event_id) == (UNKNOWN_DIGEST, "ev-1")

    store.commands.requeue(command.id, NOW)
    assert link(store).digest == digest(put(value=20).payload)


def test_deletion_that_came_to_nothing_may_be_asked_for_again(store):
    ask(store, put())
    end(store, Verdict.DONE, event_id="ev-1")
    ask(store, event_delete())
    command = end(store, Verdict.DEAD)
    assert (link(store).digest, link(store).event_id) == (UNKNOWN_DIGEST, "ev-1")

    store.commands.requeue(command.id, NOW)
    assert link(store).digest is None


@pytest.mark.parametrize("verdict", [Verdict.UNCERTAIN, Verdict.RETRY])
def test_event_that_may_have_arrived_is_not_asked_for_again_when_dropped(store, verdict):
    ask(store, put())
    command = end(store, verdict, answer_lost=True)
    store.commands.drop(command.id, NOW)

    assert link(store).digest == digest(put().payload)


def test_requeued_put_does_not_undo_a_deletion_asked_for_since(store):
    ask(store, put())
    end(store, Verdict.DONE, event_id="ev-1")
    ask(store, put(value=20), event_delete())
    command = end(store, Verdict.DEAD)
    store.commands.requeue(command.id, NOW)

    assert link(store).digest is None


def test_requeued_put_is_remembered_so_that_no_second_one_is_asked_for(store):
    ask(store, put())
    command = end(store, Verdict.DEAD)
    store.commands.requeue(command.id, NOW)

    assert link(store).digest == digest(put().payload)


def test_event_without_a_link_is_sent_all_the_same(store):
    ask(store, put(key=None))
    assert claim_one(store).event_id is None
    assert link(store) is None
